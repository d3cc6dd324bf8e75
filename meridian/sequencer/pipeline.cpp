#include <meridian/sequencer/pipeline.hpp>

#include <meridian/sequencer/conversion.hpp>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace meridian::sequencer {
namespace {

constexpr std::uint64_t kBlockHashes = 256;
// Beside the executor and the publisher, which keep the promises, the others give way: niceness
// (setpriority).
constexpr int kIngressNice = 1;
constexpr int kCommitterNice = 2;
constexpr int kStoreNice = 4;
// Threads look around at least this often.
constexpr std::uint64_t kIdleUs = 100'000;

}  // namespace

// Hands sealed parents to the executor on its own thread.
class Pipeline::ExecutorStage final : public Stage {
public:
    explicit ExecutorStage(Pipeline& pipeline) : m_pipeline(pipeline) {}
    std::string_view name() const noexcept override { return "executor"; }

    Step step() override {
        Pipeline& p = m_pipeline;
        std::optional<std::pair<chain::Header, Hash>> sealed;
        {
            const std::unique_lock lock(p.m_sealed_mutex);
            sealed = std::exchange(p.m_sealed, std::nullopt);
        }
        if (sealed)
            p.m_executor->on_sealed(sealed->first, sealed->second);
        if (p.m_stopping)
            p.m_executor->stop();
        const Step step = p.m_executor->step();
        if (!p.m_executor->fault().empty()) {
            const std::unique_lock lock(p.m_fault_mutex);
            p.m_executor_fault = p.m_executor->fault();
        }
        return {step.progressed || sealed, step.wait_us};
    }

private:
    Pipeline& m_pipeline;
};

Pipeline::Pipeline(const PipelineOptions& options, const Parts& parts)
    : m_options(options), m_parts(parts), m_pool(options.pool) {}

Pipeline::~Pipeline() {
    stop();
}

Result<std::unique_ptr<Pipeline>, std::string> Pipeline::open(const PipelineOptions& options,
                                                              const Parts& parts) {
    std::unique_ptr<Pipeline> out(new Pipeline(options, parts));
    if (auto built = out->build(); !built)
        return fail(std::move(built.error()));
    if (auto recovered = out->recover(); !recovered)
        return fail(std::move(recovered.error()));
    return out;
}

Result<void, std::string> Pipeline::build() {
    auto live = LiveChain::open(m_parts.store, m_recent);
    if (!live)
        return fail(std::move(live.error().message));
    m_live = *std::move(live);
    const HeadPtr head = m_live->head();
    const store::ChainView& view = head->base->view;
    const std::uint64_t number = view.head()->number;
    const auto header = view.header(number);
    if (!header)
        return fail(header.error().message);
    for (std::uint64_t n = number >= kBlockHashes ? number - kBlockHashes + 1 : 0; n <= number; ++n) {
        const auto hash = view.hash_of(n);
        if (!hash)
            return fail(hash.error().message);
        m_hashes[n] = *hash;
    }
    auto trie = m_parts.store.open_trie(m_options.trie);
    if (!trie)
        return fail(std::move(trie.error().message));
    m_executor =
        std::make_unique<Executor>(m_parts.config, m_options.executor,
                                   Executor::Parts{m_parts.clock, m_pool, m_recent, m_code_cache, *this,
                                                   *this, [this] { return m_live->newest_base(); }},
                                   ChainTip{header->header, header->hash, head->version, head->version_us});
    m_executor_stage = std::make_unique<ExecutorStage>(*this);
    m_committer = std::make_unique<Committer>(
        header->total_difficulty, m_options.committer_frames_max, &m_committer_bell,
        Committer::Parts{*m_live, *std::move(trie), [this](const chain::Header& sealed, const Hash& hash) {
                             {
                                 const std::unique_lock lock(m_hashes_mutex);
                                 m_hashes[sealed.number] = hash;
                                 m_hashes.erase(m_hashes.begin(),
                                                m_hashes.lower_bound(sealed.number -
                                                                     std::min(sealed.number, kBlockHashes)));
                             }
                             {
                                 const std::unique_lock lock(m_sealed_mutex);
                                 m_sealed.emplace(sealed, hash);
                             }
                             m_executor_bell.ring();
                             m_store_bell.ring();
                         }});
    const bool safe = m_parts.log.options().durability != frames::Durability::None;
    m_store_writer = std::make_unique<StoreWriter>(
        m_parts.store, *m_live, safe ? store::Durability::Sync : store::Durability::Buffered);
    m_options.ingress.rules.block_gas_max = m_options.executor.block_gas_max;
    m_ingress = std::make_unique<Ingress>(
        m_options.ingress, &m_ingress_bell,
        Ingress::Parts{m_parts.config, m_parts.clock, *m_live, m_pool, [this] { m_executor_bell.ring(); },
                       [this](const PooledTxnPtr& txn) {
                           if (m_parts.listener != nullptr)
                               m_parts.listener->on_pending(txn);
                       },
                       [this] { return refusal(); }});
    return {};
}

// --- recovery -------------------------------------------------------------------------------------------

Result<void, std::string> Pipeline::recover() {
    m_recovering = true;
    const std::uint64_t stored = m_live->head()->version;
    frames::FrameLog& log = m_parts.log;
    if (log.last() < stored)
        return fail("the frame log ends with frame " + std::to_string(log.last()) +
                    ", but the store holds frames up to " + std::to_string(stored) +
                    ": restore the log, or begin a new one from a snapshot");
    if (log.last() > stored && log.first() > stored + 1)
        return fail("the frame log begins with frame " + std::to_string(log.first()) +
                    ", but the store ends with frame " + std::to_string(stored) +
                    ": restore a newer snapshot of the store");
    auto cursor = log.from(stored + 1);
    while (cursor.number() <= log.last_durable()) {
        auto record = cursor.next();
        if (!record)
            return fail(std::move(record.error().message));
        if (!*record)
            break;
        if (auto done = recover_frame(**record); !done)
            return done;
    }
    const auto last = log.last_header();
    const HeadPtr head = m_live->head();
    frames::FrameTip tip = frames::genesis_tip(m_parts.config.chain_id, log.options().genesis_hash);
    if (last)
        tip = frames::tip_of(*last);
    if (tip.number != head->version)
        return fail("frame log and store disagree on the last frame: " + std::to_string(tip.number) +
                    " and " + std::to_string(head->version));
    m_publisher = std::make_unique<Publisher>(m_parts.config.chain_id, m_options.term, tip,
                                              m_options.publisher_frames_max, &m_publisher_bell,
                                              Publisher::Parts{log, m_parts.signer, *m_live, m_pool});
    m_publisher->set_on_room([this] { m_executor_bell.ring(); });
    if (m_parts.listener != nullptr)
        m_live->set_listener(m_parts.listener);
    m_recovering = false;
    return {};
}

// Executes a frame of the log again: it must come to what was signed.
Result<void, std::string> Pipeline::recover_frame(BytesView record) {
    auto decoded = decode_followed(record);
    if (!decoded)
        return fail(std::move(decoded.error()));
    if (decoded->frame.opening) {
        if (auto sealed = seal_followed(); !sealed)
            return sealed;
    }
    const frames::SignedHeader head = decoded->head;
    auto executed = m_executor->follow(std::move(decoded->frame));
    if (!executed)
        return fail(std::move(executed.error()));
    if (auto same = compare(**executed, head.header); !same)
        return same;
    on_frame(*executed);
    m_live->publish(std::make_shared<const PublishedFrame>(
        *executed, head, std::make_shared<const Bytes>(record.begin(), record.end())));
    while (m_committer->step().progressed || m_store_writer->step().progressed) {
    }
    const std::string fault = m_committer->fault().empty() ? m_store_writer->fault() : m_committer->fault();
    if (!fault.empty())
        return fail(fault);
    return {};
}

// The frame that comes next opens a block: the one before gets its hash.
Result<void, std::string> Pipeline::seal_followed() {
    m_executor->finish_block();
    while (m_committer->step().progressed) {
    }
    const std::unique_lock lock(m_sealed_mutex);
    if (const auto sealed = std::exchange(m_sealed, std::nullopt))
        m_executor->on_sealed(sealed->first, sealed->second);
    return {};
}

// --- between the stages ---------------------------------------------------------------------------------

bool Pipeline::has_room() {
    return m_publisher->queue().size() < m_options.publisher_frames_max &&
           m_committer->queue().size() + 2 <= m_options.committer_frames_max &&
           m_live->sealed_count() < m_options.unstored_blocks_max;
}

void Pipeline::on_frame(SealedFramePtr frame) {
    // There is room: has_room() was asked before the frame was begun, and only this stage adds.
    m_committer->queue().try_push(SealedFramePtr(frame));
    if (!m_recovering)
        m_publisher->queue().try_push(std::move(frame));
}

void Pipeline::on_block_closed(ClosedBlock block) {
    m_committer->queue().try_push(std::move(block));
}

void Pipeline::on_rejected(const PooledTxnPtr& txn, chain::TxnError error) {
    ++m_rejected;
    if (m_parts.listener != nullptr)
        m_parts.listener->on_rejected(txn, error);
}

Hash Pipeline::block_hash(std::uint64_t number) {
    const std::unique_lock lock(m_hashes_mutex);
    const auto found = m_hashes.find(number);
    return found != m_hashes.end() ? found->second : Hash{};
}

std::string Pipeline::refusal() const {
    if (m_stopping)
        return "the node is shutting down";
    const std::string why = fault();
    return why.empty() ? why : "the node cannot take transactions: " + why;
}

std::string Pipeline::fault() const {
    {
        const std::unique_lock lock(m_fault_mutex);
        if (!m_executor_fault.empty())
            return m_executor_fault;
    }
    for (std::string fault : {m_publisher->fault(), m_committer->fault(), m_store_writer->fault()})
        if (!fault.empty())
            return fault;
    return {};
}

PipelineStatus Pipeline::status() const {
    PipelineStatus out;
    const HeadPtr head = m_live->head();
    out.frame = head->version;
    out.block = head->block_number();
    out.sealed_block = head->sealed_number();
    out.stored_block = head->base->view.head()->number;
    out.pool_txns = m_pool.size();
    out.pool_executable = m_pool.executable();
    out.ingress_waiting = m_ingress->waiting();
    out.publisher_waiting = m_publisher->queue().size();
    out.committer_waiting = m_committer->queue().size();
    out.recent_accounts = m_recent.size();
    out.rejected_txns = m_rejected;
    out.fault = fault();
    return out;
}

// --- threads --------------------------------------------------------------------------------------------

std::vector<Stage*> Pipeline::stages() {
    return {m_ingress.get(), m_executor_stage.get(), m_publisher.get(), m_committer.get(),
            m_store_writer.get()};
}

void Pipeline::run_stage(StageThread& self) {
    // For whoever looks at the process with top or perf.
    pthread_setname_np(pthread_self(), std::string(self.stage.name()).c_str());
    if (self.nice != 0)
        setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), self.nice);
    for (;;) {
        const bool last = self.ending;
        const Step step = self.stage.step();
        if (step.progressed)
            continue;
        if (last)
            return;
        self.doorbell.wait(std::min(step.wait_us, kIdleUs));
    }
}

void Pipeline::run() {
    const auto start = [this](Stage& stage, Doorbell& doorbell, int nice) {
        StageThread& self = m_threads.emplace_back(stage, doorbell, nice);
        self.thread = std::thread([this, &self] { run_stage(self); });
    };
    for (std::size_t i = 0; i < m_options.ingress_threads; ++i)
        start(*m_ingress, m_ingress_bell, kIngressNice);
    start(*m_executor_stage, m_executor_bell, 0);
    start(*m_publisher, m_publisher_bell, 0);
    start(*m_committer, m_committer_bell, kCommitterNice);
    start(*m_store_writer, m_store_bell, kStoreNice);
}

// In the order of the flow, so that what is begun comes through.
void Pipeline::stop() {
    m_stopping = true;
    for (StageThread& self : m_threads) {
        self.ending = true;
        self.doorbell.ring();
        self.thread.join();
    }
    m_threads.clear();
}

}  // namespace meridian::sequencer
