// A replica: takes the signed frames of a sequencer from elsewhere, checks them, makes them part of its own
// chain and log, and shows them to readers.
//
//   offer() -> runner -> publisher -> readers, feed
//                    \--> committer -> store
//
// offer() checks signature, hash chain and sections, and recovers senders, on its caller's thread. The runner
// executes frames again and compares (or applies the stated changes, if so chosen), holding every block's
// hash against the one that the next block builds on. At the first difference everything ends there, with a
// fault that says what differs: what is shown stays as it was.
//
// Bounded: at most `frames_max` frames and `bytes_max` bytes of records (and one record more) are between
// offer() and the log; beyond that offer() says that there is no room.
//
// One that acknowledges frames (Parts::release) logs them before they may be shown, and shows them when its
// sequencer has said so; its readers lag, its log does not. After a restart it shows no more than its store
// holds, until it hears again how far frames are released: those that its log holds beyond run anew
// meanwhile.
#pragma once

#include <meridian/sequencer/chain_core.hpp>
#include <meridian/sequencer/publisher.hpp>
#include <meridian/sequencer/record_sink.hpp>
#include <meridian/sequencer/release_mark.hpp>
#include <meridian/sequencer/stage_threads.hpp>

namespace meridian::sequencer {

struct FollowerOptions {
    // Who may sign: at least one.
    std::vector<Address> sequencers;
    // Applies the signed changes in place of executing. A wrong one is seen when its block has its hash, by
    // which time readers have seen the frames.
    bool trust_diffs = false;
    // Of one that acknowledges frames: more than a sequencer lets wait for their release
    // (Publisher::kUnreleasedFrames, kUnreleasedSize), or it would wait for room that the release makes.
    std::size_t frames_max = 1'024;
    std::size_t bytes_max = 64u << 20;
    ChainCoreOptions core = {
        .block_time_s = 1, .committer_frames_max = 1'024, .unstored_blocks_max = 8, .trie = {}};
};

// Counts since the start; gauges as of now.
struct FollowerStatus {
    std::uint64_t frame = 0;         // the last one shown
    std::uint64_t timestamp_us = 0;  // its stamp: how old it is says how far behind this node is
    std::uint64_t block = 0;         // its block
    std::uint64_t sealed_block = 0;
    std::uint64_t stored_block = 0;
    std::uint64_t offered_frame = 0;  // the last one taken from the source
    std::size_t waiting_frames = 0;   // between the source and readers
    std::size_t waiting_bytes = 0;
    std::size_t committer_waiting = 0;
    std::size_t recent_accounts = 0;  // in memory, not in the base
    std::uint64_t refused = 0;        // records that were no frame of this chain
    std::string refusal;              // the last one's, in words
    std::string fault;                // why nothing more is followed, or stored just now; empty: all is well
    bool stopped = false;             // by a difference: for good
};

class Follower final : public RecordSink, private FrameSink, private LiveListener, private Replication {
public:
    // All outlive the follower. The store holds at least the genesis, or was restored from a snapshot; the
    // log is this node's own and of the same chain (see follower_log()).
    struct Parts {
        const chain::ChainConfig& config;
        Clock& clock;
        store::ChainStore& store;
        frames::FrameLog& log;
        LiveListener* listener = nullptr;
        // Of a replica that acknowledges frames: what its log asks (LogOptions::released). Null: what it
        // takes may be shown.
        ReleaseMark* release = nullptr;
    };
    // Brings store and log together, as a sequencer does. The error is a sentence.
    static Result<std::unique_ptr<Follower>, std::string> open(const FollowerOptions& options,
                                                               const Parts& parts);
    ~Follower() override;

    // RecordSink: from one thread at a time.
    std::uint64_t wanted() const override { return m_offered_number + 1; }
    Result<bool, std::string> offer(BytesView record) override;
    // Called when there is room again, on any thread. Before the stages run.
    void set_on_room(std::function<void()> callback) { m_on_room = std::move(callback); }
    void release(std::uint64_t number) override;
    HeldFrame held() const override;
    // Called when held() has changed, on the publisher's thread. Before the stages run.
    void set_on_held(std::function<void()> callback) { m_on_held = std::move(callback); }

    const LiveChain& live() const noexcept { return m_core->live(); }
    evm::BlockHashSource& block_hashes() noexcept { return *m_core; }
    FollowerStatus status() const;

    // Gives every stage a thread. stop() runs nothing further, makes what was run durable, stores whole
    // blocks, and ends the threads.
    void run();
    void stop();
    // For whoever schedules the stages himself, one call at a time.
    std::vector<Stage*> stages();

private:
    class RunnerStage;
    struct Verified {
        FollowedFrame frame;
        std::shared_ptr<const Bytes> record;
    };
    Follower(const FollowerOptions& options, const Parts& parts);

    // FrameSink, of the executor: it runs only what it is given.
    bool has_room() override { return true; }
    void on_frame(SealedFramePtr) override {}
    void on_block_closed(ClosedBlock block) override { m_core->add(std::move(block)); }
    void on_rejected(const PooledTxnPtr&, chain::TxnError) override {}
    // LiveListener: frames that readers see now.
    void on_frame(const PublishedFramePtr& frame) override;
    void on_block(const ExecutedBlockPtr& block) override;
    // Replication: frames that the log holds now.
    void on_logged(const PublishedFramePtr& frame) override;

    Result<void, std::string> build();
    void build_publisher(const frames::FrameTip& tip);
    Result<Verified, std::string> verify(BytesView record);
    std::string find_contradiction(BytesView record, const std::string& why) const;
    Step step_runner();
    Result<bool, std::string> take_next();
    Result<std::optional<Verified>, std::string> next_of_backlog();
    Result<void, std::string> run_next();
    void stop_with(std::string fault);
    Result<bool, std::string> open_block(const SealedFrame& frame);
    Result<void, std::string> run_frame(Verified verified);
    std::string own_fault() const;

    FollowerOptions m_options;
    Parts m_parts;
    Pool m_pool;  // the executor's; stays empty
    std::unique_ptr<ChainCore> m_core;
    std::unique_ptr<Executor> m_executor;
    std::unique_ptr<FrameRunner> m_runner;
    Doorbell m_runner_bell, m_publisher_bell;
    std::unique_ptr<RunnerStage> m_runner_stage;
    std::unique_ptr<Publisher> m_publisher;
    std::unique_ptr<BoundedQueue<Verified>> m_queue;
    std::function<void()> m_on_room, m_on_held;

    frames::FrameTip m_offered;  // the last frame taken; of the source's thread
    std::atomic<std::uint64_t> m_offered_number = 0;
    std::optional<Verified> m_next;  // of the runner
    bool m_closing = false;          // the block before m_next's was closed, and waits for its hash
    std::uint64_t m_open_block = 0;  // zero: none
    // Frames that the log held when it was opened, and were not released: the runner's.
    std::optional<frames::Cursor> m_backlog;
    std::uint64_t m_backlog_last = 0;
    std::atomic<std::size_t> m_backlog_waiting = 0;  // of them, run and not shown

    mutable std::mutex m_held_mutex;
    HeldFrame m_held;
    std::atomic<std::size_t> m_waiting_frames = 0, m_waiting_bytes = 0;
    std::atomic<bool> m_refused_room = false;
    std::atomic<bool> m_stopping = false;
    std::atomic<std::uint64_t> m_refused = 0;
    mutable std::mutex m_fault_mutex;
    std::string m_refusal;
    std::string m_contradiction;  // of what a sequencer signed with this node's frames; empty: none
    std::string m_fault;
    StageThreads m_threads;
};

// How a follower's log is to be opened over this store: an empty one begins behind the store's last frame.
frames::LogOptions follower_log(frames::LogOptions options, const store::ChainView& view);

}  // namespace meridian::sequencer
