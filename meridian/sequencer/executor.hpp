// The one place where a chain's state moves on: takes transactions from the pool, executes them one after the
// other, and seals frames and blocks by the clock. Everything slower than execution (roots, signatures,
// disks, subscribers) is behind the FrameSink.
//
// step() is deterministic: the same pool, clock readings and sealed parents give the same frames. One thread.
//
// A frame begins with its first transaction and is sealed as soon as the pool has no more work, but no sooner
// than frame_time_min_us after the one before and no later than frame_time_max_us after its beginning. The
// first frame of a block is sealed with or without transactions; any other frame has some. What the end of a
// block changes (withdrawals, requests) belongs to the opening of the next one.
#pragma once

#include <meridian/sequencer/clock.hpp>
#include <meridian/sequencer/recent_state.hpp>
#include <meridian/sequencer/sealed_frame.hpp>
#include <meridian/sequencer/stage.hpp>

#include <functional>

namespace meridian::sequencer {

struct ExecutorOptions {
    std::uint64_t block_time_s = 1;
    std::uint64_t frame_time_max_us = 10'000;
    std::uint64_t frame_time_min_us = 250;
    std::size_t frame_txns_max = 10'000;
    std::size_t frame_bytes_max = 4u << 20;  // of transactions
    // With the gas that one transaction may use at most, this bounds receipts and state changes of a frame.
    std::uint64_t frame_gas_max = 100'000'000;
    std::uint64_t block_gas_max = 4'000'000'000;
    Address coinbase;
    Bytes extra_data;  // at most 32 bytes
};

class FrameSink {
public:
    virtual ~FrameSink() = default;
    // False: the stages behind are full; nothing is executed until there is room.
    virtual bool has_room() = 0;
    virtual void on_frame(SealedFramePtr frame) = 0;
    virtual void on_block_closed(ClosedBlock block) = 0;
    // A transaction that the pool had accepted cannot be executed.
    virtual void on_rejected(const PooledTxnPtr& txn, chain::TxnError error) = 0;
};

// A state as stored, up to and including one frame.
struct BaseState {
    virtual ~BaseState() = default;
    virtual std::unique_ptr<state::StateReader> reader() const = 0;
    Version version = 0;
};
using BaseStatePtr = std::shared_ptr<const BaseState>;

// The last block that is part of the chain, and the last frame.
struct ChainTip {
    chain::Header header;
    Hash hash;
    std::uint64_t last_frame = 0;
    std::uint64_t last_frame_us = 0;
};

class Executor {
public:
    struct Parts {
        Clock& clock;
        Pool& pool;
        RecentState& recent;
        evm::CodeCache& code_cache;
        evm::BlockHashSource& block_hashes;
        FrameSink& sink;
        // The newest stored state; asked at the beginning of each block.
        std::function<BaseStatePtr()> newest_base;
    };
    Executor(const chain::ChainConfig& config, const ExecutorOptions& options, const Parts& parts,
             const ChainTip& tip);
    ~Executor();
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;

    // Works for about one frame at most. To be called again when the pool, the sink or a parent calls, and
    // after the time that it says.
    Step step();

    // The parent of the next block has got its hash.
    void on_sealed(const chain::Header& header, const Hash& hash);

    // Takes a frame from elsewhere (the log after a restart, another node's feed) in place of step():
    // executes its transactions as they are. A frame with an opening closes the block before first, whose
    // hash must have come since (see finish_block()). Gives what it came to, which the caller compares, and
    // does not tell the sink. The error is a sentence.
    Result<SealedFramePtr, std::string> follow(SealedFrame frame);
    // Closes the open block and tells the sink, if there is one. For followers.
    void finish_block();
    bool has_open_block() const noexcept { return m_block != nullptr; }

    // Whether the block before the next one has its hash.
    bool parent_sealed() const noexcept { return m_parent_sealed; }
    // No further transaction is executed, no block opened: what is begun is sealed.
    void stop() { m_stopping = true; }
    // Empty as long as nothing went wrong; then nothing is executed any more.
    const std::string& fault() const noexcept { return m_fault; }
    std::uint64_t now_us() { return m_time.now_us(); }

private:
    struct OpenBlock;

    bool open_block(std::uint64_t now_us);
    Result<void, std::string> start_block(const chain::Header& header);
    std::uint64_t earliest_timestamp() const noexcept;
    std::shared_ptr<SealedFrame> make_frame(std::uint64_t now_us);
    bool begin_frame();
    std::size_t execute_batch(std::uint64_t deadline_us);
    bool execute_one(const PooledTxnPtr& txn);
    bool frame_full() const noexcept;
    SealedFramePtr seal_frame();
    void close_block();
    void fail_with(std::string why);
    std::uint64_t block_end_us() const noexcept;

    const chain::ChainConfig& m_config;
    ExecutorOptions m_options;
    Parts m_parts;
    FrameTime m_time;
    ChainTip m_tip;
    bool m_parent_sealed = true;
    bool m_stopping = false;
    std::unique_ptr<OpenBlock> m_block;
    state::StateChanges m_closing_changes;  // of the last block, until the next one is opened
    bool m_closed_block = false;            // one at least: what closed it is known
    std::uint64_t m_last_seal_us = 0;
    std::string m_fault;
};

}  // namespace meridian::sequencer
