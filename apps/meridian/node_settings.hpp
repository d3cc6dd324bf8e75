// What chain.toml says, as options of the parts of a node.
#pragma once

#include <meridian/config/config_file.hpp>
#include <meridian/frames/frame_log.hpp>
#include <meridian/gateway/plain_server.hpp>
#include <meridian/gateway/server.hpp>
#include <meridian/sequencer/follower.hpp>
#include <meridian/sequencer/pipeline.hpp>
#include <meridian/store/rocks_database.hpp>
#include <meridian/wire/feed_client.hpp>
#include <meridian/wire/feed_server.hpp>
#include <meridian/wire/forwarder.hpp>
#include <meridian/wire/txn_server.hpp>

namespace meridian::app {

// What is wrong with a config that names what other parts know: the methods. `file` is where it came from.
config::Problems find_problems(const config::NodeConfig& config, const std::string& file);

// Precondition of all: the config was checked.
sequencer::PipelineOptions pipeline_options(const config::NodeConfig& config);
sequencer::FollowerOptions follower_options(const config::NodeConfig& config);
store::RocksOptions rocks_options(const config::NodeConfig& config);
store::ChainStoreOptions store_options(const config::NodeConfig& config);
// Without chain, genesis and where an empty log begins.
frames::LogOptions log_options(const config::NodeConfig& config);
rpc::Limits rpc_limits(const config::NodeConfig& config);
gateway::ServerOptions server_options(const config::NodeConfig& config);
gateway::PlainServerOptions metrics_options(const config::NodeConfig& config);
gateway::PlainServerOptions admin_options(const config::NodeConfig& config);
sequencer::QuorumOptions quorum_options(const config::NodeConfig& config);
wire::FeedServerOptions feed_server_options(const config::NodeConfig& config);
wire::FeedClientOptions feed_client_options(const config::NodeConfig& config);
wire::TxnServerOptions txn_server_options(const config::NodeConfig& config);
wire::ForwarderOptions forwarder_options(const config::NodeConfig& config);

}  // namespace meridian::app
