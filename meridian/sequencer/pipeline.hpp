// A sequencer: the stages from a submitted transaction to a stored block, and the queues between them.
//
//   submit -> ingress -> pool -> executor -> publisher -> readers, feed
//                                       \--> committer -> store
//
// Every queue is bounded. A full one stops the stage before it, in the end the executor; then the pool fills,
// and senders are refused with an error that says so. A node gives each stage a thread (run()); a simulation
// calls stages() in whatever order it likes.
#pragma once

#include <meridian/sequencer/chain_core.hpp>
#include <meridian/sequencer/ingress.hpp>
#include <meridian/sequencer/publisher.hpp>
#include <meridian/sequencer/stage_threads.hpp>

namespace meridian::sequencer {

struct PipelineOptions {
    ExecutorOptions executor;
    PoolLimits pool;
    IngressOptions ingress;
    std::size_t ingress_threads = 1;
    std::uint64_t term = 0;
    // Frames sealed but not durable, and frames not yet in a block with a root.
    std::size_t publisher_frames_max = 256;
    std::size_t committer_frames_max = 8'192;
    // Blocks sealed but not stored.
    std::size_t unstored_blocks_max = 8;
    store::TrieLimits trie;
};

// Counts since the start; gauges as of now.
struct PipelineStatus {
    std::uint64_t frame = 0;  // the last one published
    std::uint64_t block = 0;  // its block
    std::uint64_t sealed_block = 0;
    std::uint64_t stored_block = 0;
    std::size_t pool_txns = 0;
    std::size_t pool_executable = 0;
    std::size_t ingress_waiting = 0;
    std::size_t publisher_waiting = 0;
    std::size_t committer_waiting = 0;
    std::size_t recent_accounts = 0;  // in memory, not in the base
    std::uint64_t rejected_txns = 0;
    std::array<std::uint64_t, kSubmitErrorCount> refused_txns{};  // on arrival, by SubmitError
    std::string fault;                                            // empty: none
};

class PipelineListener : public LiveListener {
public:
    // Accepted into the pool. On an ingress thread.
    virtual void on_pending(const PooledTxnPtr& txn) = 0;
    // Accepted before, and impossible to execute. On the executor's thread.
    virtual void on_rejected(const PooledTxnPtr& txn, chain::TxnError error) = 0;
};

class Pipeline final : private FrameSink {
public:
    // All outlive the pipeline. The store holds at least the genesis; the log is of the same chain.
    struct Parts {
        const chain::ChainConfig& config;
        Clock& clock;
        store::ChainStore& store;
        frames::FrameLog& log;
        const frames::FrameSigner& signer;
        PipelineListener* listener = nullptr;
        // Of a log whose frames others release: Durability::Replicated. Everything in the log is released.
        Replication* replication = nullptr;
    };
    // Brings store and log together: executes again what the log has beyond the store, and compares. The
    // error is a sentence; nothing of the log is changed then.
    static Result<std::unique_ptr<Pipeline>, std::string> open(const PipelineOptions& options,
                                                               const Parts& parts);
    ~Pipeline() override;

    void submit(Bytes envelope, SubmitCallback done, ClientId client = kNobody) {
        m_ingress->submit(std::move(envelope), std::move(done), client);
    }
    // Whether a submission of the only client might be refused now for want of room.
    bool busy() const {
        // What is being checked at the moment is in neither.
        const std::size_t in_work = m_options.ingress.batch * m_options.ingress_threads;
        const std::size_t waiting = m_ingress->waiting() + in_work + 1;
        return 2 * waiting >= m_ingress->options().queue_max ||
               m_pool.size() + waiting >= m_pool.limits().total;
    }
    Pool& pool() noexcept { return m_pool; }
    const LiveChain& live() const noexcept { return m_core->live(); }
    evm::BlockHashSource& block_hashes() noexcept { return *m_core; }
    const PipelineOptions& options() const noexcept { return m_options; }
    PipelineStatus status() const;

    // Gives every stage a thread. stop() executes nothing further, makes what is sealed durable, stores what
    // is sealed into blocks, and ends the threads.
    void run();
    void stop();

    // For whoever schedules the stages himself, one call at a time.
    std::vector<Stage*> stages();

private:
    class ExecutorStage;
    Pipeline(const PipelineOptions& options, const Parts& parts);

    bool has_room() override;
    void on_frame(SealedFramePtr frame) override;
    void on_block_closed(ClosedBlock block) override;
    void on_rejected(const PooledTxnPtr& txn, chain::TxnError error) override;

    Result<void, std::string> build();
    Result<void, std::string> recover();
    std::string fault() const;
    std::string refusal() const;

    PipelineOptions m_options;
    Parts m_parts;
    Pool m_pool;
    std::unique_ptr<ChainCore> m_core;
    Doorbell m_ingress_bell, m_executor_bell, m_publisher_bell;
    std::unique_ptr<Ingress> m_ingress;
    std::unique_ptr<Executor> m_executor;
    std::unique_ptr<ExecutorStage> m_executor_stage;
    std::unique_ptr<Publisher> m_publisher;

    std::atomic<bool> m_stopping = false;
    std::atomic<std::uint64_t> m_rejected = 0;
    mutable std::mutex m_fault_mutex;
    std::string m_executor_fault;
    StageThreads m_threads;
};

}  // namespace meridian::sequencer
