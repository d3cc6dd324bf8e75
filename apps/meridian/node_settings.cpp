#include "node_settings.hpp"

#include <meridian/base/hex.hpp>

#include <algorithm>
#include <thread>

namespace meridian::app {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kKiB = std::uint64_t{1} << 10;

std::size_t threads_of(std::uint64_t configured) {
    return configured != 0 ? configured : std::max(1u, std::thread::hardware_concurrency());
}

Address address_of(const std::string& text) {
    return text.empty() ? Address{} : *fixed_from_hex<20>(std::string_view(text).substr(2));
}

sequencer::ExecutorOptions executor_options(const config::NodeConfig& config) {
    const config::FramesSection& from = config.frames;
    sequencer::ExecutorOptions out;
    out.block_time_s = from.block_time_s;
    out.frame_time_max_us = from.interval_ms * 1'000;
    out.frame_time_min_us = from.interval_min_us;
    out.frame_txns_max = from.txns_max;
    out.frame_bytes_max = from.txn_kib_max * kKiB;
    out.frame_gas_max = from.gas_max;
    out.block_gas_max = from.block_gas_max;
    out.coinbase = address_of(from.coinbase);
    out.extra_data = to_bytes(as_bytes(from.extra_data));
    return out;
}

frames::Durability durability_of(const std::string& name) {
    return name == "none"         ? frames::Durability::None
           : name == "replicated" ? frames::Durability::Replicated
                                  : frames::Durability::Fsync;
}

sequencer::ChainCoreOptions core_options(const config::NodeConfig& config) {
    return {.committer_frames_max = config.frames.uncommitted_max,
            .unstored_blocks_max = config.frames.unstored_blocks_max,
            .trie = {.account_bytes_max = config.store.trie_account_mib_max * kMiB,
                     .storage_bytes_max = config.store.trie_storage_mib_max * kMiB}};
}

}  // namespace

config::Problems find_problems(const config::NodeConfig& config, const std::string& file) {
    config::Problems out;
    const auto check = [&](const std::string& key, const std::vector<std::string>& items) {
        for (const std::string& item : items)
            if (auto mistake = rpc::find_method_mistake(item))
                out.push_back({file, 0, 0, key, *std::move(mistake)});
    };
    check("rpc.allow", config.rpc.allow);
    check("rpc.deny", config.rpc.deny);
    return out;
}

sequencer::PipelineOptions pipeline_options(const config::NodeConfig& config) {
    sequencer::PipelineOptions out;
    out.executor = executor_options(config);
    out.pool = {.total = config.pool.txns_max,
                .bytes = config.pool.mib_max * kMiB,
                .per_sender = config.pool.per_sender_max,
                .nonce_gap = config.pool.nonce_gap_max,
                .gap_life_us = config.pool.gap_life_s * 1'000'000};
    out.ingress.queue_max = config.ingress.queue_txns_max;
    out.ingress.queue_bytes_max = config.ingress.queue_mib_max * kMiB;
    out.ingress.txn_bytes_max = config.ingress.txn_kib_max * kKiB;
    out.ingress.batch = config.ingress.batch_txns;
    out.ingress.rules.txn_gas_max = config.ingress.txn_gas_max;
    out.ingress.rules.min_gas_price = config.ingress.gas_price_min_wei;
    out.ingress_threads = threads_of(config.ingress.threads);
    out.term = config.frames.term;
    out.publisher_frames_max = config.frames.unpublished_max;
    out.committer_frames_max = config.frames.uncommitted_max;
    out.unstored_blocks_max = config.frames.unstored_blocks_max;
    out.trie = {.account_bytes_max = config.store.trie_account_mib_max * kMiB,
                .storage_bytes_max = config.store.trie_storage_mib_max * kMiB};
    return out;
}

rpc::Limits rpc_limits(const config::NodeConfig& config) {
    const config::RpcSection& from = config.rpc;
    rpc::Limits out;
    out.json_depth_max = from.json_depth_max;
    out.json_values_max = from.json_values_max;
    out.batch_items_max = from.batch_items_max;
    out.batch_response_bytes_max = from.batch_response_kib_max * kKiB;
    out.batch_ms_max = from.batch_ms_max;
    out.response_bytes_max = from.response_kib_max * kKiB;
    out.call_gas_max = from.call_gas_max;
    out.call_ms_max = from.call_ms_max;
    out.trace_ms_max = from.trace_ms_max;
    out.waiting_max = from.waiting_max;
    out.filters_max = from.filters_max;
    out.filter_idle_s_max = from.filter_idle_s_max;
    out.filter_terms_bytes_max = from.filter_terms_mib_max * kMiB;
    out.subscriptions_per_session_max = config.ws.subscriptions_max;
    out.subscriptions_max = config.ws.subscriptions_total_max;
    out.log_results_max = from.log_results_max;
    out.simulate_blocks_max = from.simulate_blocks_max;
    out.simulate_calls_max = from.simulate_calls_max;
    out.trace_steps_max = from.trace_steps_max;
    out.storage_values_max = from.storage_values_max;
    out.fee_history_blocks_max = from.fee_history_blocks_max;
    return out;
}

gateway::ServerOptions server_options(const config::NodeConfig& config) {
    const config::RpcSection& from = config.rpc;
    gateway::ServerOptions out;
    out.host = from.host;
    out.port = static_cast<std::uint16_t>(from.port);
    out.threads = threads_of(config.node.threads);
    out.vhosts = from.vhosts;
    out.cors = from.cors;
    out.connections_max = from.connections_max;
    out.header_bytes_max = from.header_kib_max * kKiB;
    out.request_bytes_max = from.request_kib_max * kKiB;
    out.requests_bytes_max = from.requests_mib_max * kMiB;
    out.answers_bytes_max = from.answers_mib_max * kMiB;
    out.header_s_max = from.header_s_max;
    out.body_s_max = from.body_s_max;
    out.write_s_max = from.write_s_max;
    out.idle_s_max = from.idle_s_max;
    out.websocket_idle_s_max = config.ws.idle_s_max;
    out.notification_bytes_max = config.ws.notification_kib_max * kKiB;
    out.drain_ms_max = config.node.drain_ms_max;
    out.host_option = "rpc.host";
    out.port_option = "rpc.port";
    out.methods = rpc::MethodFilter(from.allow, from.deny);
    out.requests_per_s_max = from.requests_per_s_max;
    out.requests_burst_max = from.requests_burst_max;
    out.concurrent_requests_max = from.concurrent_requests_max;
    out.connections_per_address_max = from.connections_per_address_max;
    return out;
}

sequencer::FollowerOptions follower_options(const config::NodeConfig& config) {
    sequencer::FollowerOptions out;
    for (const std::string& address : config.feed.sequencers)
        out.sequencers.push_back(address_of(address));
    out.trust_diffs = config.feed.trust_diffs;
    out.core = core_options(config);
    return out;
}

store::RocksOptions rocks_options(const config::NodeConfig& config) {
    store::RocksOptions out;
    out.path = config.node.data_dir + "/store";
    out.cache_bytes = config.store.cache_mib * kMiB;
    out.write_buffer_bytes = config.store.write_buffer_mib * kMiB;
    out.background_jobs = static_cast<unsigned>(config.store.background_jobs);
    return out;
}

store::ChainStoreOptions store_options(const config::NodeConfig& config) {
    const bool archive = config.store.mode == "archive";
    return {.mode = archive ? store::HistoryMode::Archive : store::HistoryMode::Pruned,
            .keep = {.state_blocks = config.store.state_blocks, .body_blocks = config.store.body_blocks},
            .proof_changes_max = config.store.proof_changes_max};
}

frames::LogOptions log_options(const config::NodeConfig& config) {
    const config::LogSection& from = config.log;
    frames::LogOptions out;
    out.folder = config.node.data_dir + "/frames";
    out.segment_size_max = from.segment_mib_max * kMiB;
    out.retained_size_max = from.retained_mib_max * kMiB;
    out.buffered_size_max = from.buffered_mib_max * kMiB;
    out.durability = durability_of(from.durability);
    return out;
}

gateway::PlainServerOptions metrics_options(const config::NodeConfig& config) {
    gateway::PlainServerOptions out;
    out.host = config.metrics.host;
    out.port = static_cast<std::uint16_t>(config.metrics.port);
    out.section = "metrics";
    return out;
}

gateway::PlainServerOptions admin_options(const config::NodeConfig& config) {
    gateway::PlainServerOptions out;
    out.host = config.admin.host;
    out.port = static_cast<std::uint16_t>(config.admin.port);
    out.section = "admin";
    return out;
}

sequencer::QuorumOptions quorum_options(const config::NodeConfig& config) {
    sequencer::QuorumOptions out;
    for (const std::string& address : config.log.replicas)
        out.replicas.push_back(address_of(address));
    out.replicas_min = config.log.replicas_min;
    return out;
}

wire::FeedServerOptions feed_server_options(const config::NodeConfig& config) {
    wire::FeedServerOptions out;
    out.port.host = config.feed.host;
    out.port.port = static_cast<std::uint16_t>(config.feed.port);
    out.port.connections_max = config.feed.subscribers_max;
    return out;
}

wire::FeedClientOptions feed_client_options(const config::NodeConfig& config) {
    wire::FeedClientOptions out;
    out.addresses = config.feed.upstream;
    return out;
}

wire::TxnServerOptions txn_server_options(const config::NodeConfig& config) {
    wire::TxnServerOptions out;
    out.port.host = config.transactions.host;
    out.port.port = static_cast<std::uint16_t>(config.transactions.port);
    out.port.connections_max = config.transactions.connections_max;
    out.envelope_size_max = static_cast<std::uint32_t>(config.ingress.txn_kib_max * kKiB);
    return out;
}

wire::ForwarderOptions forwarder_options(const config::NodeConfig& config) {
    wire::ForwarderOptions out;
    out.address = config.transactions.upstream;
    return out;
}

}  // namespace meridian::app
