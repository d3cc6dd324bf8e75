#include "node_process.hpp"

#include "commands.hpp"
#include "data_folder.hpp"
#include "modules.hpp"
#include "node_settings.hpp"
#include "replica_wait.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/metrics/process_metrics.hpp>
#include <meridian/node/genesis_store.hpp>
#include <meridian/operation/admin_methods.hpp>
#include <meridian/operation/follower_metrics.hpp>
#include <meridian/operation/pages.hpp>
#include <meridian/operation/replication_metrics.hpp>
#include <meridian/operation/token_file.hpp>

#include <spdlog/spdlog.h>

#include <filesystem>

namespace meridian::app {
namespace {

// The genesis of the preset "dev" must be the same at every start.
constexpr std::uint64_t kDevGenesisTime = 1'700'000'000;
constexpr std::size_t kDevAccounts = 10;
constexpr std::uint64_t kDevChainId = 1234321;
// Behind by more than this, a replica is not ready.
constexpr std::uint64_t kBehindMaxUs = 5'000'000;

std::unexpected<Refusal> refuse(std::string why) {
    return fail(Refusal{std::move(why), kExitFailed});
}

std::string key_path(const config::NodeConfig& config) {
    return config.signer.key_file.empty() ? config.node.data_dir + "/sequencer.key" : config.signer.key_file;
}

Result<frames::LocalSigner, std::string> load_key(const std::string& path) {
    const auto key = load_or_make_secret(path);
    if (!key)
        return fail(key.error());
    auto signer = frames::LocalSigner::make(*key);
    if (!signer)
        return fail(path + ": the key is not from 1 to the order of secp256k1");
    return *std::move(signer);
}

}  // namespace

Result<frames::LocalSigner, std::string> load_signer(const config::NodeConfig& config) {
    return load_key(key_path(config));
}

Result<frames::LocalSigner, std::string> load_identity(const config::NodeConfig& config) {
    return load_key(config.feed.identity_file.empty() ? config.node.data_dir + "/replica.key"
                                                      : config.feed.identity_file);
}

// On the threads of the pipeline or the follower. The parts come and go while frames do.
class NodeProcess::Listener final : public sequencer::PipelineListener {
public:
    void attach(node::SequencerChain* chain) { m_chain = chain; }
    void attach(wire::FeedServer* feed) { m_feed = feed; }
    void attach(wire::TxnServer* txns) { m_txns = txns; }

    void on_frame(const sequencer::PublishedFramePtr& frame) override {
        if (node::SequencerChain* chain = m_chain)
            chain->wake();
        if (wire::FeedServer* feed = m_feed)
            feed->on_frame(frame->content->number, frame->record);
        if (wire::TxnServer* txns = m_txns)
            txns->on_frame(frame);
    }
    void on_block(const sequencer::ExecutedBlockPtr& block) override {
        spdlog::debug("block {} {}: {} transactions, {} gas, frames {} to {}", block->number(),
                      to_hex0x(block->hash), block->txn_hashes.size(), block->header().gas_used,
                      block->first_frame, block->last_frame);
    }
    void on_pending(const sequencer::PooledTxnPtr& txn) override {
        if (node::SequencerChain* chain = m_chain)
            chain->on_pending(txn);
    }
    void on_rejected(const sequencer::PooledTxnPtr& txn, chain::TxnError error) override {
        spdlog::debug("transaction {} cannot be executed any more: {}", to_hex0x(txn->hash),
                      chain::name(error));
        if (wire::TxnServer* txns = m_txns)
            txns->on_rejected(txn->hash, chain::name(error));
    }

private:
    std::atomic<node::SequencerChain*> m_chain = nullptr;
    std::atomic<wire::FeedServer*> m_feed = nullptr;
    std::atomic<wire::TxnServer*> m_txns = nullptr;
};

NodeProcess::NodeProcess(const config::NodeConfig& config)
    : m_config(config), m_damage(m_clock, config.node.data_dir), m_disk(frames::posix_disk()) {}

NodeProcess::~NodeProcess() {
    // The ports go before what they ask, and the threads that call back before whom they call.
    m_admin_server.reset();
    m_metrics_server.reset();
    m_collectors.clear();
    m_health.clear_checks();
    m_feed_client.reset();
    if (m_pipeline)
        m_pipeline->stop();
    if (m_follower)
        m_follower->stop();
    m_txn_server.reset();
    m_feed_server.reset();
    m_server.reset();
    m_service.reset();
}

// --- opening --------------------------------------------------------------------------------------------

Result<std::unique_ptr<NodeProcess>, Refusal> NodeProcess::open(const config::NodeConfig& config,
                                                                bool change_role) {
    std::unique_ptr<NodeProcess> out(new NodeProcess(config));
    out->m_change_role = change_role;
    const auto make = out->replica() ? &NodeProcess::open_replica : &NodeProcess::open_sequencer;
    for (const auto step : {&NodeProcess::open_genesis, &NodeProcess::open_store, &NodeProcess::open_identity,
                            &NodeProcess::open_log, make, &NodeProcess::open_chain, &NodeProcess::open_rpc,
                            &NodeProcess::open_wire, &NodeProcess::open_metrics, &NodeProcess::open_admin})
        if (auto done = ((*out).*step)(); !done)
            return fail(std::move(done.error()));
    return out;
}

Result<void, Refusal> NodeProcess::open_genesis() {
    auto modules = host_modules(m_config.modules);
    if (!modules)
        return fail(Refusal{std::move(modules.error()), kExitUsage});
    if (auto opened = read_genesis(); !opened)
        return opened;
    m_genesis.config.modules = *std::move(modules);
    return {};
}

Result<void, Refusal> NodeProcess::read_genesis() {
    const config::ChainSection& from = m_config.chain;
    if (from.genesis.empty()) {
        m_accounts = *node::dev_accounts(node::kDefaultMnemonic, kDevAccounts);
        node::DevGenesisOptions options;
        options.chain_id = from.chain_id != 0 ? from.chain_id : kDevChainId;
        options.gas_limit = m_config.frames.block_gas_max;
        options.timestamp = kDevGenesisTime;
        options.balance = *parse_ether("1000000000");
        options.frames = true;
        m_genesis = node::dev_genesis(options, m_accounts);
        return {};
    }
    auto genesis = load_genesis(from.genesis);
    if (!genesis)
        return fail(Refusal{std::move(genesis.error()), kExitUsage});
    m_genesis = *std::move(genesis);
    if (from.chain_id != 0 && from.chain_id != m_genesis.config.chain_id)
        return fail(Refusal{"chain.chain_id is " + std::to_string(from.chain_id) + ", but " + from.genesis +
                                " is of chain " + std::to_string(m_genesis.config.chain_id),
                            kExitUsage});
    return {};
}

Result<void, Refusal> NodeProcess::open_store() {
    if (auto made = make_folder(m_config.node.data_dir); !made)
        return refuse(std::move(made.error()));
    if (auto same = check_role(m_config.node.data_dir, m_config.node.role, m_change_role); !same)
        return refuse(std::move(same.error()));
    store::RocksOptions options = rocks_options(m_config);
    options.on_read_failure = [this](const store::StoreError& error) {
        if (m_database != nullptr)
            m_database->count_read_failure();
        m_damage.on_store(error);
    };
    auto database = store::open_rocks(options);
    if (!database)
        return refuse(database.error().message);
    auto metered = std::make_unique<operation::MeteredDatabase>(*std::move(database));
    m_database = metered.get();
    auto opened = node::open_store(std::move(metered), m_genesis, store_options(m_config));
    if (!opened)
        return refuse(opened.error().message);
    m_store = *std::move(opened);
    return {};
}

Result<void, Refusal> NodeProcess::open_log() {
    const auto view = m_store->view();
    if (!view)
        return refuse(view.error().message);
    frames::LogOptions options = log_options(m_config);
    if (replicated())
        m_quorum = std::make_unique<sequencer::ReplicaQuorum>(quorum_options(m_config), m_clock);
    options.chain_id = m_genesis.config.chain_id;
    options.genesis_hash = m_store->identity().genesis_hash;
    options.salt = random_number();
    options.on_read_failure = [this](const frames::LogFailure& failure) {
        m_disk.count_read_failure();
        m_damage.on_log(failure);
    };
    // An empty log begins behind the store's last frame, and one that is there has to reach that far.
    options = sequencer::follower_log(std::move(options), *view);
    if (m_quorum) {
        options.released = [this] { return m_quorum->released(); };
        options.promised = 0;
        options.missing = frames::MissingFrames::Awaited;  // the replicas have it
    } else if (m_config.feed.acknowledge) {
        options.released = [this] { return m_release.number(); };
    }
    auto opened = frames::FrameLog::open(m_disk, std::move(options));
    if (!opened)
        return refuse(opened.error().message);
    m_log = *std::move(opened);
    if (m_log->cut())
        spdlog::warn("{}", m_log->cut()->message);
    if (m_log->last() >= m_log->first())
        spdlog::info("the log holds frames {} to {}; the store ends with block {}", m_log->first(),
                     m_log->last(), view->head()->number);
    m_listener = std::make_unique<Listener>();
    m_metered = std::make_unique<operation::MeteredListener>(m_clock, m_listener.get());
    return {};
}

// A chain has one signer: a key that was lost, or that of a folder which was another's, forks it. Nothing is
// drawn before that is known.
Result<void, Refusal> NodeProcess::check_succession() const {
    const auto last = m_log->last_header();
    if (!last)
        return {};
    const auto before = frames::recover_signer(*last);
    if (!before)
        return refuse("frame " + std::to_string(last->header.number) + " of the log has no valid signature");
    const std::string frame = "frame " + std::to_string(last->header.number);
    std::error_code ignored;
    const bool there = std::filesystem::exists(key_path(m_config), ignored);
    bool same = false, named = false;
    std::string own = "there is no key in " + key_path(m_config);
    if (there) {
        const auto signer = load_signer(m_config);
        if (!signer)
            return refuse(signer.error());
        same = signer->address() == *before;
        own = "the key in " + key_path(m_config) + " is that of " + node::checksum_address(signer->address());
    }
    for (const std::string& address : m_config.signer.predecessors)
        named = named ||
                (!address.empty() && *fixed_from_hex<20>(std::string_view(address).substr(2)) == *before);
    if (!same && !named)
        return refuse("the log ends with " + frame + ", signed by " + node::checksum_address(*before) +
                      ", but " + own +
                      ". Bring back the key that signed (signer.key_file); if another key is to go on, name "
                      "the former's address in signer.predecessors and raise frames.term, and name the new "
                      "one in its replicas' feed.sequencers");
    const std::uint64_t needed = last->header.term + (same ? 0 : 1);
    if (m_config.frames.term < needed)
        return refuse("frames.term is " + std::to_string(m_config.frames.term) + ", but " + frame +
                      " is of term " + std::to_string(last->header.term) + (same ? "" : ", of another key") +
                      ": it has to be at least " + std::to_string(needed));
    return {};
}

Result<void, Refusal> NodeProcess::open_sequencer() {
    if (auto follows = check_succession(); !follows)
        return follows;
    auto signer = load_signer(m_config);
    if (!signer)
        return refuse(std::move(signer.error()));
    m_signer = std::make_unique<frames::LocalSigner>(*std::move(signer));
    if (m_quorum)
        if (auto asked = ask_replicas(); !asked)
            return asked;
    auto opened = sequencer::Pipeline::open(
        pipeline_options(m_config),
        {m_genesis.config, m_clock, *m_store, *m_log, *m_signer, m_metered.get(), m_quorum.get()});
    if (!opened)
        return refuse(std::move(opened.error()));
    m_pipeline = *std::move(opened);
    return {};
}

// A frame is signed once for a number: what replicas hold is known before the first is sealed.
Result<void, Refusal> NodeProcess::ask_replicas() {
    sequencer::Adoption adoption(*m_log, m_signer->address());
    m_feed_server = std::make_unique<wire::FeedServer>(feed_server_options(m_config), m_store->identity(),
                                                       *m_log, m_quorum.get());
    m_feed_server->begin_adoption(adoption);
    if (auto opened = open_feed(); !opened)
        return opened;
    wait_for_replicas(*m_quorum, *m_log, *m_feed_server, m_config.log.replicas_wait_s);
    if (adoption.adopted() != 0)
        spdlog::warn("{} frames that the log had lost were taken back from replicas; it ends with frame {}",
                     adoption.adopted(), m_log->last());
    if (m_log->last() < m_log->noted())
        return refuse("the frame log ends with frame " + std::to_string(m_log->last()) + ", but frame " +
                      std::to_string(m_log->noted()) +
                      " had been released, and no replica that came holds it: wait for the others of "
                      "log.replicas (log.replicas_wait_s), or restore the folder of the log");
    m_quorum->set_on_logged([this](const sequencer::PublishedFramePtr& frame) {
        m_feed_server->on_logged(frame->content->number, frame->record);
    });
    return {};
}

Result<void, Refusal> NodeProcess::open_identity() {
    if (!replica())
        return {};
    auto identity = load_identity(m_config);
    if (!identity)
        return refuse(std::move(identity.error()));
    m_identity = std::make_unique<frames::LocalSigner>(*std::move(identity));
    return {};
}

Result<void, Refusal> NodeProcess::open_replica() {
    const bool acknowledge = m_config.feed.acknowledge;
    auto opened = sequencer::Follower::open(
        follower_options(m_config),
        {m_genesis.config, m_clock, *m_store, *m_log, m_metered.get(), acknowledge ? &m_release : nullptr});
    if (!opened)
        return refuse(std::move(opened.error()));
    m_follower = *std::move(opened);
    wire::FeedClientOptions options = feed_client_options(m_config);
    if (acknowledge)
        options.acknowledging = wire::Acknowledging{m_identity.get(), m_log.get()};
    auto client = wire::FeedClient::make(options, m_store->identity(), *m_follower);
    if (!client)
        return fail(Refusal{"feed.upstream: " + client.error(), kExitUsage});
    m_feed_client = *std::move(client);
    m_follower->set_on_held([this] { m_feed_client->acknowledge(); });
    m_follower->set_on_room([this] { m_feed_client->resume(); });
    m_forwarder = std::make_unique<wire::Forwarder>(forwarder_options(m_config), m_store->identity());
    return {};
}

Result<void, Refusal> NodeProcess::open_chain() {
    m_chain = std::make_unique<node::SequencerChain>(
        node::SequencerChain::Parts{m_genesis, live(), *m_log, m_pipeline ? &m_pipeline->pool() : nullptr,
                                    [this](Bytes envelope, sequencer::SubmitCallback done, ClientId client) {
                                        submit(std::move(envelope), std::move(done), client);
                                    },
                                    &operation::DamageWatch::failed_reads});
    // Everything begins with it; the chain keeps it from now on.
    if (const auto head = m_chain->block(m_chain->provable_number()); !head)
        return refuse("the head block cannot be read: " + head.error().message);
    m_listener->attach(m_chain.get());
    return {};
}

Result<void, Refusal> NodeProcess::open_rpc() {
    rpc::ServiceOptions options;
    options.pending_first = m_clock.wall_us();
    options.limits = rpc_limits(m_config);
    options.client_version = "Meridian/v" MERIDIAN_VERSION;
    options.readers = {.threads = m_config.rpc.read_threads, .queue_max = m_config.rpc.read_queue_max};
    m_service = std::make_unique<rpc::Service>(*m_chain, options);
    m_rpc_metrics = std::make_unique<operation::RpcMetrics>(m_service->methods());
    m_server_options = server_options(m_config);
    m_server_options.observer = m_rpc_metrics.get();
    m_server_options.pages = operation::health_pages(m_health);
    m_server_options.on_stop = [this] { m_health.set_stopping(); };
    m_server = std::make_unique<gateway::Server>(*m_service, m_server_options);
    if (auto opened = m_server->listen(); !opened)
        return refuse(std::move(opened.error()));
    return {};
}

Result<void, Refusal> NodeProcess::open_feed() {
    if (auto started = m_feed_server->start(); !started)
        return refuse("feed: " + started.error());
    m_listener->attach(m_feed_server.get());
    return {};
}

Result<void, Refusal> NodeProcess::open_wire() {
    if (m_config.feed.enabled && !m_feed_server) {
        m_feed_server =
            std::make_unique<wire::FeedServer>(feed_server_options(m_config), m_store->identity(), *m_log);
        if (auto opened = open_feed(); !opened)
            return opened;
    }
    if (m_config.transactions.enabled) {
        m_txn_server = std::make_unique<wire::TxnServer>(
            txn_server_options(m_config), m_store->identity(),
            [this](Bytes envelope, sequencer::SubmitCallback done, ClientId client) {
                submit(std::move(envelope), std::move(done), client);
            });
        m_txn_server->begin_amid_block(*live().head());
        if (auto started = m_txn_server->start(); !started)
            return refuse("transactions: " + started.error());
        m_listener->attach(m_txn_server.get());
    }
    return {};
}

Result<void, Refusal> NodeProcess::open_metrics() {
    m_health.add_check([this] { return reasons(); });
    m_collectors.push_back(m_registry.add(metrics::process_collector(MERIDIAN_VERSION)));
    m_collectors.push_back(m_registry.add([this](metrics::Page& page) { collect(page); }));
    if (!m_config.metrics.enabled)
        return {};
    m_metrics_server = std::make_unique<gateway::PlainServer>(metrics_options(m_config),
                                                              operation::metrics_pages(m_registry, m_health));
    if (auto started = m_metrics_server->start(); !started)
        return refuse(std::move(started.error()));
    return {};
}

Result<void, Refusal> NodeProcess::open_admin() {
    if (!m_config.admin.enabled)
        return {};
    auto token = operation::load_or_make_token(m_config.admin.token_file.empty()
                                                   ? m_config.node.data_dir + "/admin.token"
                                                   : m_config.admin.token_file);
    if (!token)
        return refuse(std::move(token.error()));
    m_admin = std::make_unique<operation::Admin>(*std::move(token));
    operation::add_admin_methods(*m_admin, {m_health, m_jobs, *m_store, m_config.node.data_dir + "/snapshots",
                                            [this] { return status(); }, [this] { m_server->stop(); }});
    m_admin_server = std::make_unique<gateway::PlainServer>(
        admin_options(m_config),
        [this](const gateway::PlainRequest& request) { return m_admin->answer(request); });
    if (auto started = m_admin_server->start(); !started)
        return refuse(std::move(started.error()));
    return {};
}

// --- what the node tells of itself ----------------------------------------------------------------------

Address NodeProcess::signer() const {
    return m_signer ? m_signer->address() : follower_options(m_config).sequencers.front();
}

std::optional<Address> NodeProcess::identity() const {
    return m_identity ? std::optional(m_identity->address()) : std::nullopt;
}

NodePorts NodeProcess::ports() const {
    NodePorts out;
    out.rpc = m_server->port();
    out.feed = m_feed_server ? m_feed_server->port() : 0;
    out.transactions = m_txn_server ? m_txn_server->port() : 0;
    out.metrics = m_metrics_server ? m_metrics_server->port() : 0;
    out.admin = m_admin_server ? m_admin_server->port() : 0;
    return out;
}

void NodeProcess::submit(Bytes envelope, sequencer::SubmitCallback done, ClientId client) {
    if (m_pipeline)
        m_pipeline->submit(std::move(envelope), std::move(done), client);
    else
        m_forwarder->submit(std::move(envelope), std::move(done), client);
}

std::string NodeProcess::fault() const {
    return m_pipeline ? m_pipeline->status().fault : m_follower->status().fault;
}

std::vector<operation::Reason> NodeProcess::reasons() const {
    std::vector<operation::Reason> out;
    if (std::string why = fault(); !why.empty())
        out.push_back({"fault", std::move(why)});
    for (operation::Reason& reason : m_damage.reasons())
        out.push_back(std::move(reason));
    if (!m_follower)
        return out;
    if (const std::string why = m_feed_client->status().diverged; !why.empty())
        out.push_back(
            {"diverged", why + ". Keep its folder, as the two frames may be evidence (meridian evidence "
                               "extract), and start the replica with an empty one or a snapshot"});
    const std::uint64_t now = sequencer::SystemClock().wall_us();
    const std::uint64_t stamp = m_follower->status().timestamp_us;
    if (stamp + kBehindMaxUs < now) {
        const wire::FeedClientStatus feed = m_feed_client->status();
        const std::string what =
            stamp == 0 ? "no frame has been followed yet"
                       : "the last frame followed is " + std::to_string((now - stamp) / 1'000'000) + " s old";
        out.push_back({"behind", what + (feed.error.empty() ? "" : ": " + feed.error)});
    }
    return out;
}

void NodeProcess::collect(metrics::Page& page) {
    operation::collect_health(page, m_health);
    m_metered->collect(page);
    if (m_pipeline)
        operation::collect_pipeline(page, m_pipeline->status(), m_pipeline->options());
    if (m_quorum)
        operation::collect_quorum(page, m_quorum->status());
    if (m_follower)
        operation::collect_follower(page, m_follower->status(), m_feed_client->status(), m_clock.wall_us());
    operation::collect_log(page, *m_log);
    m_disk.collect(page);
    m_database->collect(page);
    m_rpc_metrics->collect(page);
    operation::collect_server(page, m_server->status(), m_server_options);
}

boost::json::object NodeProcess::status() const {
    boost::json::object out{{"role", m_config.node.role},   {"durability", m_config.log.durability},
                            {"signer", to_hex0x(signer())}, {"block", block_number()},
                            {"frame", frame_number()},      {"fault", fault()},
                            {"damage", m_damage.status()}};
    if (m_feed_client) {
        const wire::FeedClientStatus feed = m_feed_client->status();
        out["feed"] = {{"address", feed.address},
                       {"connected", feed.connected},
                       {"serverLastFrame", feed.server_last},
                       {"error", feed.error},
                       {"diverged", feed.diverged}};
        out["identity"] = to_hex0x(*identity());
        out["acknowledgedFrame"] = feed.acknowledged ? boost::json::value(*feed.acknowledged) : nullptr;
    }
    if (m_quorum)
        out["replication"] = replication_status();
    if (m_pipeline)
        out["pipeline"] = pipeline_status();
    return out;
}

boost::json::object NodeProcess::pipeline_status() const {
    const sequencer::PipelineStatus status = m_pipeline->status();
    const sequencer::PipelineOptions& options = m_pipeline->options();
    const auto queue = [](std::size_t length, std::size_t max) {
        return boost::json::object{{"length", length}, {"max", max}};
    };
    return {{"sealedBlock", status.sealed_block},
            {"storedBlock", status.stored_block},
            {"queues",
             {{"ingress", queue(status.ingress_waiting, options.ingress.queue_max)},
              {"pool", queue(status.pool_txns, options.pool.total)},
              {"publisher", queue(status.publisher_waiting, options.publisher_frames_max)},
              {"committer", queue(status.committer_waiting, options.committer_frames_max)}}}};
}

boost::json::object NodeProcess::replication_status() const {
    const sequencer::QuorumStatus status = m_quorum->status();
    boost::json::array replicas;
    for (const sequencer::ReplicaStatus& replica : status.replicas)
        replicas.push_back({{"replica", to_hex0x(replica.address)},
                            {"connected", replica.connected},
                            {"acknowledgedFrame",
                             replica.acknowledged ? boost::json::value(*replica.acknowledged) : nullptr}});
    return {{"replicasMin", status.replicas_min},
            {"releasedFrame", status.released},
            {"loggedFrame", m_log->last_written()},
            {"replicas", std::move(replicas)}};
}

// --- running --------------------------------------------------------------------------------------------

void NodeProcess::log_start() const {
    const NodePorts open = ports();
    spdlog::info("meridian {}: {} of chain {}, block {}, frame {}, frames signed by {}", MERIDIAN_VERSION,
                 m_config.node.role, m_genesis.config.chain_id, block_number(), frame_number(),
                 node::checksum_address(signer()));
    spdlog::info(
        "durability {}, store {}; ports: JSON-RPC {}, feed {}, transactions {}, metrics {}, admin {}",
        m_config.log.durability, m_config.store.mode, open.rpc, open.feed, open.transactions, open.metrics,
        open.admin);
    if (m_identity)
        spdlog::info("this replica's identity is {}{}", node::checksum_address(m_identity->address()),
                     m_config.feed.acknowledge ? "; it acknowledges frames" : "");
}

void NodeProcess::run() {
    log_start();
    if (m_pipeline)
        m_pipeline->run();
    if (m_follower) {
        m_follower->run();
        m_feed_client->start();
    }
    m_health.set_running();
    m_server->run();
    if (m_feed_client)
        m_feed_client->stop();
    if (m_pipeline)
        m_pipeline->stop();
    if (m_follower)
        m_follower->stop();
    if (const std::string why = fault(); !why.empty())
        spdlog::error("{}", why);
    spdlog::info("ended at block {}, frame {}", block_number(), frame_number());
}

}  // namespace meridian::app
