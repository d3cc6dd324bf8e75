// Makes frames that exist already part of the state: a log's after a restart, a sequencer's on a follower.
// Either executes them again or applies the changes that they state.
#pragma once

#include <meridian/evm/code_cache.hpp>
#include <meridian/evm/context.hpp>
#include <meridian/sequencer/conversion.hpp>
#include <meridian/sequencer/executor.hpp>

namespace meridian::sequencer {

class FrameRunner {
public:
    virtual ~FrameRunner() = default;
    // The next frame, verified (frames::verify) and decoded. One that opens a block comes after
    // finish_block() and on_sealed(). Fails, in a sentence, if it does not come to what was signed.
    virtual Result<SealedFramePtr, std::string> run(FollowedFrame frame) = 0;
    // Closes the open block, if there is one, and tells the sink.
    virtual Result<void, std::string> finish_block() = 0;
    // The block that was closed has got its hash.
    virtual void on_sealed(const chain::Header& header, const Hash& hash) = 0;
};

// Executes, and compares receipts and changes with those that were signed.
class ExecutingRunner final : public FrameRunner {
public:
    explicit ExecutingRunner(Executor& executor) : m_executor(executor) {}
    Result<SealedFramePtr, std::string> run(FollowedFrame frame) override;
    Result<void, std::string> finish_block() override;
    void on_sealed(const chain::Header& header, const Hash& hash) override {
        m_executor.on_sealed(header, hash);
    }

private:
    Executor& m_executor;
};

// Takes receipts and changes as they were signed; executes only what closes a block. That they were right is
// seen when the block has its hash.
class ApplyingRunner final : public FrameRunner {
public:
    struct Parts {
        const chain::ChainConfig& config;
        RecentState& recent;
        evm::CodeCache& code_cache;
        evm::BlockHashSource& block_hashes;
        // Of what a block's end changed.
        std::function<void(ClosedBlock)> on_block_closed;
        std::function<BaseStatePtr()> newest_base;
    };
    ApplyingRunner(Parts parts, std::uint64_t last_frame)
        : m_parts(std::move(parts)), m_last_frame(last_frame) {}
    Result<SealedFramePtr, std::string> run(FollowedFrame frame) override;
    Result<void, std::string> finish_block() override;
    void on_sealed(const chain::Header&, const Hash&) override {}

private:
    struct OpenBlock {
        chain::Header header;
        std::uint64_t gas_used = 0;
        std::uint64_t blob_gas_used = 0;
        chain::Bloom bloom;
        std::vector<chain::Receipt> deposit_receipts;  // those with logs of the deposit contract
        state::StateChanges arenas;                    // of its frames; nothing else
    };
    Result<void, std::string> open(const SealedFrame& frame);
    Result<chain::BlockOutcome, std::string> close();

    Parts m_parts;
    std::uint64_t m_last_frame;
    std::optional<OpenBlock> m_block;
    // Of the last block; empty before one was closed here.
    std::optional<state::StateChanges> m_closing;
};

}  // namespace meridian::sequencer
