// A sequencer or a replica as one process: its store and frame log in a data folder, what makes or follows
// frames, and the ports. Wiring only; each part says itself what it does.
#pragma once

#include "node_options.hpp"

#include <meridian/config/node_config.hpp>
#include <meridian/gateway/plain_server.hpp>
#include <meridian/gateway/server.hpp>
#include <meridian/node/sequencer_chain.hpp>
#include <meridian/operation/admin.hpp>
#include <meridian/operation/damage.hpp>
#include <meridian/operation/health.hpp>
#include <meridian/operation/metered_database.hpp>
#include <meridian/operation/metered_disk.hpp>
#include <meridian/operation/pipeline_metrics.hpp>
#include <meridian/operation/rpc_metrics.hpp>
#include <meridian/sequencer/follower.hpp>
#include <meridian/sequencer/pipeline.hpp>
#include <meridian/sequencer/replica_quorum.hpp>
#include <meridian/wire/feed_client.hpp>
#include <meridian/wire/feed_server.hpp>
#include <meridian/wire/forwarder.hpp>
#include <meridian/wire/txn_server.hpp>

namespace meridian::app {

// Ports that are open; zero: none.
struct NodePorts {
    std::uint16_t rpc = 0;
    std::uint16_t feed = 0;
    std::uint16_t transactions = 0;
    std::uint16_t metrics = 0;
    std::uint16_t admin = 0;
};

// The keys of a sequencer, and of a replica: drawn and written if there are none yet. The folder has to be
// there. The error is a sentence.
Result<frames::LocalSigner, std::string> load_signer(const config::NodeConfig& config);
Result<frames::LocalSigner, std::string> load_identity(const config::NodeConfig& config);

class NodeProcess {
public:
    // Opens everything, and executes again what the log has beyond the store. The config was checked.
    // `change_role`: the folder's node had another role before, and is to have this one.
    static Result<std::unique_ptr<NodeProcess>, Refusal> open(const config::NodeConfig& config,
                                                              bool change_role);
    ~NodeProcess();
    NodeProcess(const NodeProcess&) = delete;
    NodeProcess& operator=(const NodeProcess&) = delete;

    const node::Genesis& genesis() const noexcept { return m_genesis; }
    const std::vector<node::DevAccount>& accounts() const noexcept { return m_accounts; }
    // Who signs this chain's frames.
    Address signer() const;
    NodePorts ports() const;
    std::uint64_t block_number() const { return live().head()->block_number(); }
    std::uint64_t frame_number() const { return live().head()->version; }

    // Of a replica, who it is to a sequencer whose frames it acknowledges; else empty.
    std::optional<Address> identity() const;

    // Until a signal ends it; what was accepted is executed, durable and stored then.
    void run();

private:
    class Listener;
    explicit NodeProcess(const config::NodeConfig& config);

    Result<void, Refusal> open_genesis();
    Result<void, Refusal> read_genesis();
    Result<void, Refusal> open_store();
    Result<void, Refusal> open_log();
    Result<void, Refusal> open_identity();
    Result<void, Refusal> check_succession() const;
    Result<void, Refusal> open_sequencer();
    Result<void, Refusal> ask_replicas();
    Result<void, Refusal> open_feed();
    Result<void, Refusal> open_replica();
    Result<void, Refusal> open_chain();
    Result<void, Refusal> open_rpc();
    Result<void, Refusal> open_wire();
    Result<void, Refusal> open_metrics();
    Result<void, Refusal> open_admin();

    bool replica() const noexcept { return m_config.node.role == "replica"; }
    bool replicated() const noexcept { return m_config.log.durability == "replicated"; }
    const sequencer::LiveChain& live() const { return m_pipeline ? m_pipeline->live() : m_follower->live(); }
    void submit(Bytes envelope, sequencer::SubmitCallback done, ClientId client);
    std::string fault() const;
    std::vector<operation::Reason> reasons() const;
    void collect(metrics::Page& page);
    boost::json::object status() const;
    boost::json::object replication_status() const;
    boost::json::object pipeline_status() const;
    void log_start() const;

    config::NodeConfig m_config;
    bool m_change_role = false;
    node::Genesis m_genesis;
    std::vector<node::DevAccount> m_accounts;  // of the preset "dev"
    sequencer::SystemClock m_clock;
    operation::Health m_health;
    operation::DamageWatch m_damage;
    operation::MeteredDisk m_disk;
    operation::MeteredDatabase* m_database = nullptr;  // the store's
    std::unique_ptr<store::ChainStore> m_store;
    std::unique_ptr<frames::FrameSigner> m_signer;       // of a sequencer
    std::unique_ptr<frames::FrameSigner> m_identity;     // of a replica
    std::unique_ptr<sequencer::ReplicaQuorum> m_quorum;  // of a sequencer whose frames replicas hold
    sequencer::ReleaseMark m_release;                    // of a replica that acknowledges
    std::unique_ptr<frames::FrameLog> m_log;
    std::unique_ptr<Listener> m_listener;
    std::unique_ptr<operation::MeteredListener> m_metered;
    std::unique_ptr<sequencer::Pipeline> m_pipeline;  // of a sequencer
    std::unique_ptr<sequencer::Follower> m_follower;  // of a replica
    std::unique_ptr<wire::Forwarder> m_forwarder;     // of a replica
    std::unique_ptr<wire::FeedClient> m_feed_client;  // of a replica
    std::unique_ptr<node::SequencerChain> m_chain;
    std::unique_ptr<rpc::Service> m_service;
    std::unique_ptr<operation::RpcMetrics> m_rpc_metrics;
    gateway::ServerOptions m_server_options;
    std::unique_ptr<gateway::Server> m_server;
    std::unique_ptr<wire::FeedServer> m_feed_server;
    std::unique_ptr<wire::TxnServer> m_txn_server;
    metrics::Registry m_registry;
    std::vector<metrics::Registry::Registration> m_collectors;
    std::unique_ptr<gateway::PlainServer> m_metrics_server;
    operation::AdminJobs m_jobs;
    std::unique_ptr<operation::Admin> m_admin;
    std::unique_ptr<gateway::PlainServer> m_admin_server;
};

}  // namespace meridian::app
