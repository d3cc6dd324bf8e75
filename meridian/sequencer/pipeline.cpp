#include <meridian/sequencer/pipeline.hpp>

namespace meridian::sequencer {
namespace {

// Beside the executor and the publisher, which keep the promises, the others give way: niceness
// (setpriority).
constexpr int kIngressNice = 1;
constexpr int kCommitterNice = 2;
constexpr int kStoreNice = 4;

}  // namespace

// Hands sealed parents to the executor on its own thread.
class Pipeline::ExecutorStage final : public Stage {
public:
    explicit ExecutorStage(Pipeline& pipeline) : m_pipeline(pipeline) {}
    std::string_view name() const noexcept override { return "executor"; }

    Step step() override {
        Pipeline& p = m_pipeline;
        const auto sealed = p.m_core->take_sealed();
        if (sealed)
            p.m_executor->on_sealed(sealed->header, sealed->hash);
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
    auto core = ChainCore::open({.block_time_s = m_options.executor.block_time_s,
                                 .committer_frames_max = m_options.committer_frames_max,
                                 .unstored_blocks_max = m_options.unstored_blocks_max,
                                 .trie = m_options.trie},
                                {m_parts.config, m_parts.store, m_parts.log});
    if (!core)
        return fail(std::move(core.error()));
    m_core = *std::move(core);
    m_core->set_on_change([this] { m_executor_bell.ring(); });
    m_executor = std::make_unique<Executor>(
        m_parts.config, m_options.executor,
        Executor::Parts{m_parts.clock, m_pool, m_core->recent(), m_core->code_cache(), *m_core, *this,
                        [this] { return m_core->live().newest_base(); }},
        m_core->tip());
    m_executor_stage = std::make_unique<ExecutorStage>(*this);
    m_options.ingress.rules.block_gas_max = m_options.executor.block_gas_max;
    m_ingress = std::make_unique<Ingress>(m_options.ingress, &m_ingress_bell,
                                          Ingress::Parts{m_parts.config, m_parts.clock, m_core->live(),
                                                         m_pool, [this] { m_executor_bell.ring(); },
                                                         [this](const PooledTxnPtr& txn) {
                                                             if (m_parts.listener != nullptr)
                                                                 m_parts.listener->on_pending(txn);
                                                         },
                                                         [this] { return refusal(); }});
    return {};
}

Result<void, std::string> Pipeline::recover() {
    // A frame that is not shown would be lost sight of, and its number be used again.
    if (m_parts.log.last_durable() != m_parts.log.last())
        return fail("replicas have acknowledged frame " + std::to_string(m_parts.log.last_durable()) +
                    ", and the frame log ends with frame " + std::to_string(m_parts.log.last()));
    ExecutingRunner runner(*m_executor);
    const auto tip = m_core->recover(runner);
    if (!tip)
        return fail(tip.error());
    m_publisher = std::make_unique<Publisher>(
        m_parts.config.chain_id, m_options.term, *tip, m_options.publisher_frames_max, &m_publisher_bell,
        Publisher::Parts{m_parts.log, &m_parts.signer, m_core->live(), &m_pool, m_parts.replication});
    m_publisher->set_on_room([this] { m_executor_bell.ring(); });
    if (m_parts.replication != nullptr)
        m_parts.replication->set_on_release([this] { m_publisher_bell.ring(); });
    if (m_parts.listener != nullptr)
        m_core->live().set_listener(m_parts.listener);
    return {};
}

// --- between the stages ---------------------------------------------------------------------------------

bool Pipeline::has_room() {
    return m_publisher->queue().size() < m_options.publisher_frames_max && m_core->has_room();
}

void Pipeline::on_frame(SealedFramePtr frame) {
    // There is room: has_room() was asked before the frame was begun, and only this stage adds.
    m_core->add(frame);
    m_publisher->queue().try_push({std::move(frame), nullptr});
}

void Pipeline::on_block_closed(ClosedBlock block) {
    m_core->add(std::move(block));
}

void Pipeline::on_rejected(const PooledTxnPtr& txn, chain::TxnError error) {
    ++m_rejected;
    if (m_parts.listener != nullptr)
        m_parts.listener->on_rejected(txn, error);
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
    const std::string fault = m_publisher->fault();
    return fault.empty() ? m_core->fault() : fault;
}

PipelineStatus Pipeline::status() const {
    PipelineStatus out;
    const HeadPtr head = m_core->live().head();
    out.frame = head->version;
    out.block = head->block_number();
    out.sealed_block = head->sealed_number();
    out.stored_block = head->base->view.head()->number;
    out.pool_txns = m_pool.size();
    out.pool_executable = m_pool.executable();
    out.ingress_waiting = m_ingress->waiting();
    out.publisher_waiting = m_publisher->queue().size();
    out.committer_waiting = m_core->committer().queue().size();
    out.recent_accounts = m_core->recent().size();
    out.rejected_txns = m_rejected;
    out.refused_txns = m_ingress->refused();
    out.fault = fault();
    return out;
}

// --- threads --------------------------------------------------------------------------------------------

std::vector<Stage*> Pipeline::stages() {
    return {m_ingress.get(), m_executor_stage.get(), m_publisher.get(), &m_core->committer(),
            &m_core->store_writer()};
}

void Pipeline::run() {
    for (std::size_t i = 0; i < m_options.ingress_threads; ++i)
        m_threads.start(*m_ingress, m_ingress_bell, kIngressNice);
    m_threads.start(*m_executor_stage, m_executor_bell, 0);
    m_threads.start(*m_publisher, m_publisher_bell, 0);
    m_threads.start(m_core->committer(), m_core->committer_bell(), kCommitterNice);
    m_threads.start(m_core->store_writer(), m_core->store_bell(), kStoreNice);
}

// In the order of the flow, so that what is begun comes through.
void Pipeline::stop() {
    m_stopping = true;
    m_threads.stop();
}

}  // namespace meridian::sequencer
