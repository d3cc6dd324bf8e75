#include <meridian/config/schema.hpp>

#include <algorithm>
#include <cctype>
#include <limits>

namespace meridian::config {
namespace {

// TOML's whole numbers are signed.
constexpr std::uint64_t kNumberMax = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kPortMax = 65'535;
constexpr std::uint64_t kThreadsMax = 256;
constexpr std::uint64_t kDay_s = 86'400;
constexpr std::uint64_t kMibMax = 1u << 20;  // a tebibyte
constexpr std::uint64_t kKibMax = 1u << 20;  // a gibibyte

Key number(std::string_view name, std::uint64_t& slot, std::uint64_t min, std::uint64_t max,
           std::string_view description) {
    return {.name = name, .slot = &slot, .description = description, .min = min, .max = max};
}
Key flag(std::string_view name, bool& slot, std::string_view description) {
    return {.name = name, .slot = &slot, .description = description};
}
Key text(std::string_view name, std::string& slot, std::string_view description, TextCheck check = nullptr) {
    return {.name = name, .slot = &slot, .description = description, .check = check};
}
Key path(std::string_view name, std::string& slot, std::string_view description) {
    return {.name = name, .slot = &slot, .description = description, .path = true};
}
Key choice(std::string_view name, std::string& slot, std::vector<std::string_view> choices,
           std::string_view description) {
    return {.name = name, .slot = &slot, .description = description, .choices = std::move(choices)};
}
Key list(std::string_view name, std::vector<std::string>& slot, std::string_view description,
         TextCheck check = nullptr) {
    return {.name = name, .slot = &slot, .description = description, .check = check};
}
Key host(std::string& slot) {
    return text("host", slot, "IP address to listen on.", check_ip_address);
}
Key port(std::uint64_t& slot) {
    return number("port", slot, 0, kPortMax, "TCP port; 0 takes any free one.");
}

Section chain_section(ChainSection& c) {
    return {
        "chain",
        "Which chain it is.",
        {path("genesis", c.genesis, "Genesis file, as geth's; empty takes the preset."),
         choice("preset", c.preset, {"dev"},
                "Genesis to take without a file: dev has ten funded accounts whose keys are public."),
         number("chain_id", c.chain_id, 0, kNumberMax,
                "Chain identifier; with a genesis file it has to agree with it, and 0 takes the file's or "
                "the preset's.")}};
}

Section node_section(NodeSection& c) {
    return {"node",
            "What this process is.",
            {choice("role", c.role, {"sequencer", "replica"},
                    "A sequencer makes frames; a replica follows those of its feed.upstream."),
             path("data_dir", c.data_dir, "Folder of the chain: store, frame log, keys."),
             number("threads", c.threads, 0, kThreadsMax, "Threads that serve connections; 0: one a core."),
             number("drain_ms_max", c.drain_ms_max, 0, 600'000,
                    "How long requests under way have to end after SIGTERM.")}};
}

Section frames_section(FramesSection& c) {
    return {
        "frames",
        "How a sequencer makes frames and blocks.",
        {number("interval_ms", c.interval_ms, 1, 1'000,
                "A frame is sealed this long after it began, at most."),
         number("interval_min_us", c.interval_min_us, 0, 1'000'000,
                "A frame is sealed this long after the one before, at least."),
         number("block_time_s", c.block_time_s, 1, 60, "Time between blocks."),
         number("txns_max", c.txns_max, 1, 1'000'000, "Transactions of a frame."),
         number("txn_kib_max", c.txn_kib_max, 128, 65'536, "Size of a frame's transactions."),
         number("gas_max", c.gas_max, 30'000, kNumberMax, "Gas of a frame, which bounds what it changes."),
         number("block_gas_max", c.block_gas_max, 30'000, kNumberMax, "Gas of a block."),
         text("coinbase", c.coinbase, "Address that fees go to; empty: the zero address.", check_address),
         text("extra_data", c.extra_data, "Text in the header of each block, 32 bytes at most.",
              check_extra_data),
         number("term", c.term, 0, kNumberMax,
                "The sequencer's term of office, part of each frame; it never goes back."),
         number("unpublished_max", c.unpublished_max, 1, 65'536,
                "Frames that wait to become durable before execution pauses."),
         number("uncommitted_max", c.uncommitted_max, 1, 1'000'000,
                "Frames that wait for their block's root before execution pauses."),
         number("unstored_blocks_max", c.unstored_blocks_max, 1, 1'024,
                "Blocks that wait to be stored before execution pauses.")}};
}

Section log_section(LogSection& c) {
    return {
        "log",
        "The frame log, which holds every promise.",
        {choice("durability", c.durability, {"fsync", "replicated", "none"},
                "When a frame counts as durable: on this disk, on replicas, or as soon as it is written."),
         list("replicas", c.replicas,
              "Identities of the replicas that may hold frames for \"replicated\", as `meridian node "
              "--identity` "
              "prints them.",
              check_address),
         number("replicas_min", c.replicas_min, 1, 64,
                "How many of log.replicas have to hold a frame before it is shown."),
         number("replicas_wait_s", c.replicas_wait_s, 0, 3'600,
                "How long a start waits for those of log.replicas that are not needed for it."),
         number("segment_mib_max", c.segment_mib_max, 1, 4'096, "Size at which a new file is begun."),
         number("retained_mib_max", c.retained_mib_max, 0, kMibMax,
                "Size above which the oldest files are dropped; 0: none is."),
         number("buffered_mib_max", c.buffered_mib_max, 1, 4'096,
                "Size of the frames that wait for one write to the disk.")}};
}

Section store_section(StoreSection& c) {
    return {
        "store",
        "The chain on the disk.",
        {choice("mode", c.mode, {"pruned", "archive"}, "Keep the last blocks only, or everything."),
         number("state_blocks", c.state_blocks, 1, kNumberMax, "States kept in pruned mode, in blocks."),
         number("body_blocks", c.body_blocks, 1, kNumberMax,
                "Transactions and receipts kept in pruned mode, in blocks."),
         number("cache_mib", c.cache_mib, 8, kMibMax, "Memory for blocks of the tables that are read."),
         number("write_buffer_mib", c.write_buffer_mib, 8, 16'384,
                "Memory for what is committed and not in sorted files yet."),
         number("trie_account_mib_max", c.trie_account_mib_max, 1, kMibMax,
                "Memory for nodes of the account trie."),
         number("trie_storage_mib_max", c.trie_storage_mib_max, 1, kMibMax,
                "Memory for nodes of the storage tries."),
         number("background_jobs", c.background_jobs, 1, 64, "Threads that write and merge sorted files."),
         number("proof_changes_max", c.proof_changes_max, 0, 100'000'000,
                "Accounts and slots that a proof of a past state may take back in memory.")}};
}

Section pool_section(PoolSection& c) {
    return {
        "pool",
        "Transactions that wait for execution.",
        {number("txns_max", c.txns_max, 1, 100'000'000, "Transactions in all."),
         number("mib_max", c.mib_max, 1, kMibMax, "Size of all transactions."),
         number("per_sender_max", c.per_sender_max, 1, 1'000'000, "Transactions of one sender."),
         number("nonce_gap_max", c.nonce_gap_max, 0, 1'000'000,
                "How far a nonce may be ahead of its account."),
         number("gap_life_s", c.gap_life_s, 1, 30 * kDay_s, "How long a transaction waits behind a gap.")}};
}

Section ingress_section(IngressSection& c) {
    return {
        "ingress",
        "Where transactions come in: decoding, recovery of senders, checks.",
        {number("threads", c.threads, 0, kThreadsMax, "Threads that recover senders; 0: one a core."),
         number("queue_txns_max", c.queue_txns_max, 1, 10'000'000,
                "Submissions that wait; of one client as many as are free."),
         number("queue_mib_max", c.queue_mib_max, 1, 65'536, "Size of the submissions that wait; the same."),
         number("batch_txns", c.batch_txns, 1, 4'096, "Senders that are recovered together."),
         number("txn_kib_max", c.txn_kib_max, 1, 65'536, "Size of one transaction."),
         number("txn_gas_max", c.txn_gas_max, 0, kNumberMax, "Gas limit of one transaction; 0: the block's."),
         number("gas_price_min_wei", c.gas_price_min_wei, 0, kNumberMax,
                "Transactions that offer less for a unit of gas are refused.")}};
}

std::vector<Key> connection_keys(RpcSection& c) {
    return {
        number("connections_max", c.connections_max, 1, 1'000'000, "Connections, HTTP and WebSocket."),
        number("connections_per_address_max", c.connections_per_address_max, 0, 1'000'000,
               "Connections of one client address; 0: as many as are still free."),
        number("header_kib_max", c.header_kib_max, 1, 1'024, "Size of a request's line and header fields."),
        number("request_kib_max", c.request_kib_max, 1, kKibMax, "Size of a request's body or message."),
        number("requests_mib_max", c.requests_mib_max, 1, 65'536,
               "Size of all requests in memory; of one client as much as is free."),
        number("answers_mib_max", c.answers_mib_max, 1, 65'536,
               "Size of all answers that are not read yet; the same."),
        number("header_s_max", c.header_s_max, 1, 3'600,
               "How long a client may take for its header, from the first byte on."),
        number("body_s_max", c.body_s_max, 1, 3'600, "How long a client may take for its body."),
        number("write_s_max", c.write_s_max, 1, 3'600, "How long a client may take to read one answer."),
        number("idle_s_max", c.idle_s_max, 1, kDay_s, "How long a connection may rest between requests.")};
}

std::vector<Key> request_keys(RpcSection& c) {
    return {
        number("json_depth_max", c.json_depth_max, 8, 1'024, "Nesting of a request."),
        number("json_values_max", c.json_values_max, 100, 100'000'000, "JSON values of a request or batch."),
        number("batch_items_max", c.batch_items_max, 1, 1'000'000, "Requests of a batch."),
        number("batch_response_kib_max", c.batch_response_kib_max, 1, kKibMax, "Size of a batch's answer."),
        number("batch_ms_max", c.batch_ms_max, 1, 3'600'000, "Time for all requests of a batch."),
        number("response_kib_max", c.response_kib_max, 1, kKibMax, "Size of one answer."),
        number("call_gas_max", c.call_gas_max, 0, kNumberMax, "Gas of an eth_call, an estimate or a trace."),
        number("call_ms_max", c.call_ms_max, 0, 3'600'000,
               "Time of an eth_call, an estimate or a simulation; 0: no limit."),
        number("trace_ms_max", c.trace_ms_max, 1, 3'600'000, "Time of a trace, whatever it asks for."),
        number("filters_max", c.filters_max, 0, 10'000'000,
               "Filters that are polled; of one client as many as are free."),
        number("filter_idle_s_max", c.filter_idle_s_max, 1, kDay_s,
               "A filter that nobody polled for so long is dropped."),
        number("filter_terms_mib_max", c.filter_terms_mib_max, 1, 65'536,
               "Addresses and topics of filters and subscriptions; of one client as many as are free."),
        number("log_results_max", c.log_results_max, 1, 100'000'000, "Logs in one answer."),
        number("simulate_blocks_max", c.simulate_blocks_max, 1, 65'536, "Blocks of an eth_simulateV1."),
        number("simulate_calls_max", c.simulate_calls_max, 1, 10'000'000, "Calls of an eth_simulateV1."),
        number("trace_steps_max", c.trace_steps_max, 1, 1'000'000'000, "Steps of one trace."),
        number("storage_values_max", c.storage_values_max, 1, 1'000'000, "Slots in one answer."),
        number("fee_history_blocks_max", c.fee_history_blocks_max, 1, 1'000'000,
               "Blocks of an eth_feeHistory.")};
}

Section rpc_section(RpcSection& c) {
    Section out{
        "rpc",
        "JSON-RPC over HTTP and WebSocket, and its limits.",
        {host(c.host), port(c.port),
         list("vhosts", c.vhosts,
              "Names by which the node may be addressed, * for all; IP addresses may always.",
              check_host_name),
         list("cors", c.cors, "Origins whose web pages may ask: [SCHEME://]HOST[:PORT], or * for all.",
              check_origin),
         list("allow", c.allow, "Methods that are served, NAME or NAMESPACE_*; none named: all.",
              check_method_pattern),
         list("deny", c.deny, "Methods that are not served, NAME or NAMESPACE_*, whatever allow says.",
              check_method_pattern),
         number("requests_per_s_max", c.requests_per_s_max, 0, 1'000'000'000,
                "Requests per second of one client address, each of a batch counted; 0: no limit."),
         number("requests_burst_max", c.requests_burst_max, 1, 1'000'000'000,
                "Requests that a client address may have saved up."),
         number("concurrent_requests_max", c.concurrent_requests_max, 1, 1'000'000,
                "Requests and batches being answered; of one client as many as are free."),
         number("waiting_max", c.waiting_max, 1, 10'000'000,
                "Requests that wait for a receipt or nonce; the same."),
         number("read_threads", c.read_threads, 1, kThreadsMax,
                "Threads for requests that only read; one client never has all of several."),
         number("read_queue_max", c.read_queue_max, 1, 1'000'000,
                "Requests that wait for such a thread; of one client as many as are free.")}};
    for (auto& keys : {connection_keys(c), request_keys(c)})
        out.keys.insert(out.keys.end(), keys.begin(), keys.end());
    return out;
}

Section ws_section(WsSection& c) {
    return {
        "ws",
        "WebSocket connections and their subscriptions.",
        {number("idle_s_max", c.idle_s_max, 2, kDay_s, "How long a client may give no sign of life."),
         number("notification_kib_max", c.notification_kib_max, 64, kKibMax,
                "What may wait for one subscriber before it is cut off."),
         number("subscriptions_max", c.subscriptions_max, 1, 1'000'000, "Subscriptions of one connection."),
         number("subscriptions_total_max", c.subscriptions_total_max, 1, 10'000'000,
                "Subscriptions of all connections; of one client as many as are free.")}};
}

Section admin_section(AdminSection& c) {
    return {
        "admin",
        "Methods for the operator, on a port of their own, for who has the token.",
        {flag("enabled", c.enabled, "Whether the port is opened."), host(c.host), port(c.port),
         path("token_file", c.token_file,
              "File with the bearer token, made at the first start; empty: admin.token in node.data_dir.")}};
}

Section metrics_section(MetricsSection& c) {
    return {"metrics",
            "/metrics, /healthz and /readyz.",
            {flag("enabled", c.enabled, "Whether the port is opened."), host(c.host), port(c.port)}};
}

Section feed_section(FeedSection& c) {
    return {
        "feed",
        "Frames for replicas: the port that offers them, and where a replica gets its own.",
        {flag("enabled", c.enabled, "Whether the port is opened."), host(c.host), port(c.port),
         number("subscribers_max", c.subscribers_max, 1, 65'536,
                "Replicas that are served; of one address as many as are free."),
         list("upstream", c.upstream, "Feeds that a replica follows, HOST:PORT, the first one that answers.",
              check_endpoint),
         list("sequencers", c.sequencers, "Addresses whose frames a replica accepts.", check_address),
         flag("trust_diffs", c.trust_diffs,
              "Whether a replica applies the state changes of frames in place of executing them."),
         flag("acknowledge", c.acknowledge,
              "Whether a replica is in its sequencer's log.replicas: it takes frames before anybody is shown "
              "them, and says when its disk has them."),
         path("identity_file", c.identity_file,
              "File with a replica's own key, 64 hexadecimal digits, readable by its owner only; empty: "
              "replica.key in node.data_dir, made at the first start.")}};
}

std::string check_optional_endpoint(std::string_view text) {
    return text.empty() ? std::string{} : check_endpoint(text);
}

Section transactions_section(TransactionsSection& c) {
    return {
        "transactions",
        "The binary port for transactions.",
        {flag("enabled", c.enabled, "Whether the port is opened."), host(c.host), port(c.port),
         number("connections_max", c.connections_max, 1, 65'536,
                "Connections; of one address as many as are free."),
         text(
             "upstream", c.upstream,
             "The sequencer's port for transactions, HOST:PORT, to which a replica passes them on; empty: it "
             "takes none.",
             check_optional_endpoint)}};
}

Section signer_section(SignerSection& c) {
    return {
        "signer",
        "The key that signs frames.",
        {path("key_file", c.key_file,
              "File with the key, 64 hexadecimal digits, readable by its owner only; empty: sequencer.key in "
              "node.data_dir, made at the first start."),
         list("predecessors", c.predecessors,
              "Addresses of former keys, whose frames this node's may follow: of a key that was lost, or of "
              "the sequencer whose replica this was. frames.term has to be higher than theirs.",
              check_address)}};
}

Section logging_section(LoggingSection& c) {
    return {"logging",
            "What is logged to stderr.",
            {choice("level", c.level, {"trace", "debug", "info", "warn", "error", "off"},
                    "The least that is logged."),
             choice("format", c.format, {"human", "json"}, "Readable lines, or one JSON object a line.")}};
}

Section modules_section(ModuleTables& tables) {
    return {"modules",
            "The chain's native modules, part of its genesis: a section [modules.NAME] for each, with the "
            "parameters that the module has (whole numbers; as \"0x…\" up to 256 bits, so addresses too).",
            {},
            &tables};
}

}  // namespace

std::vector<Section> sections_of(NodeConfig& config) {
    return {chain_section(config.chain),
            node_section(config.node),
            frames_section(config.frames),
            log_section(config.log),
            store_section(config.store),
            pool_section(config.pool),
            ingress_section(config.ingress),
            rpc_section(config.rpc),
            ws_section(config.ws),
            admin_section(config.admin),
            metrics_section(config.metrics),
            feed_section(config.feed),
            transactions_section(config.transactions),
            signer_section(config.signer),
            logging_section(config.logging),
            modules_section(config.modules)};
}

namespace {

// Of a sequencer whose frames replicas hold.
void find_replicas_conflicts(const NodeConfig& config, std::vector<Conflict>& out) {
    const LogSection& log = config.log;
    if (log.durability != "replicated") {
        if (!log.replicas.empty())
            out.push_back({"log", "replicas", "are asked only where log.durability = \"replicated\""});
        return;
    }
    if (config.node.role == "replica")
        return out.push_back({"log", "durability",
                              "\"replicated\" is for sequencers; a replica that acknowledges frames has "
                              "\"fsync\" and feed.acknowledge = true"});
    if (!config.feed.enabled)
        out.push_back(
            {"feed", "enabled", "has to be true, as log.durability = \"replicated\" needs the feed"});
    if (log.replicas.empty())
        return out.push_back(
            {"log", "replicas",
             "\"replicated\" needs the replicas' identities, which `meridian node --identity` "
             "prints on each of them; or set log.durability = \"fsync\""});
    if (log.replicas_min > log.replicas.size())
        out.push_back(
            {"log", "replicas_min",
             "has to be at most the number of log.replicas, " + std::to_string(log.replicas.size())});
    std::vector<std::string> seen;
    for (std::string address : log.replicas) {
        for (char& c : address)
            c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (address.empty())
            out.push_back({"log", "replicas", "has an empty item; want 0x and 40 hexadecimal digits"});
        else if (std::ranges::find(seen, address) != seen.end())
            out.push_back({"log", "replicas", "names " + address + " twice; each replica counts once"});
        seen.push_back(std::move(address));
    }
}

void find_acknowledge_conflicts(const NodeConfig& config, std::vector<Conflict>& out) {
    if (!config.feed.acknowledge)
        return;
    if (config.node.role != "replica")
        out.push_back(
            {"feed", "acknowledge", "only a replica acknowledges frames; set node.role = \"replica\""});
    else if (config.log.durability == "none")
        out.push_back(
            {"log", "durability",
             "has to be \"fsync\" with feed.acknowledge = true, which says that the disk has a frame"});
}

// Two ports that are opened on one address, or on one and on all.
void find_port_conflicts(const NodeConfig& config, std::vector<Conflict>& out) {
    struct Listening {
        std::string_view section;
        const std::string& host;
        std::uint64_t port;
    };
    std::vector<Listening> ports{{"rpc", config.rpc.host, config.rpc.port}};
    const auto add = [&ports](std::string_view section, const auto& c) {
        if (c.enabled)
            ports.push_back({section, c.host, c.port});
    };
    add("admin", config.admin);
    add("metrics", config.metrics);
    add("feed", config.feed);
    add("transactions", config.transactions);
    const auto everywhere = [](const std::string& host) { return host == "0.0.0.0" || host == "::"; };
    for (std::size_t i = 0; i < ports.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (ports[i].port != 0 && ports[i].port == ports[j].port &&
                (ports[i].host == ports[j].host || everywhere(ports[i].host) || everywhere(ports[j].host)))
                out.push_back({ports[i].section, "port",
                               "is " + std::to_string(ports[i].port) + ", as " +
                                   std::string(ports[j].section) + ".port is: each needs one of its own"});
}

}  // namespace

std::vector<Conflict> find_conflicts(const NodeConfig& config) {
    std::vector<Conflict> out;
    const bool replica = config.node.role == "replica";
    find_replicas_conflicts(config, out);
    find_acknowledge_conflicts(config, out);
    find_port_conflicts(config, out);
    if (replica && config.feed.upstream.empty())
        out.push_back(
            {"feed", "upstream", "a replica needs the feed of a sequencer, as [\"127.0.0.1:8548\"]"});
    if (replica && config.feed.sequencers.empty())
        out.push_back({"feed", "sequencers", "a replica needs the address whose frames it accepts"});
    if (!replica && !config.feed.upstream.empty())
        out.push_back({"feed", "upstream", "only a replica follows a feed; set node.role = \"replica\""});
    if (config.frames.interval_min_us > config.frames.interval_ms * 1'000)
        out.push_back({"frames", "interval_min_us", "has to be at most frames.interval_ms"});
    if (config.frames.gas_max > config.frames.block_gas_max)
        out.push_back({"frames", "gas_max", "has to be at most frames.block_gas_max"});
    if (config.ingress.txn_gas_max > config.frames.gas_max)
        out.push_back({"ingress", "txn_gas_max",
                       "has to be at most frames.gas_max, as a transaction is executed in one frame"});
    if (config.ingress.txn_kib_max > config.frames.txn_kib_max)
        out.push_back({"ingress", "txn_kib_max",
                       "has to be at most frames.txn_kib_max, as a transaction is in one frame"});
    if (config.pool.per_sender_max > config.pool.txns_max)
        out.push_back({"pool", "per_sender_max", "has to be at most pool.txns_max"});
    return out;
}

}  // namespace meridian::config
