// What a sequencer and a follower have in common: the live chain over the store, what makes blocks of frames
// and stores them, and the way of frames that exist already into all of it.
#pragma once

#include <meridian/frames/frame_log.hpp>
#include <meridian/sequencer/committer.hpp>
#include <meridian/sequencer/frame_runner.hpp>

namespace meridian::sequencer {

struct ChainCoreOptions {
    std::uint64_t block_time_s = 1;
    std::size_t committer_frames_max = 8'192;  // frames not yet in a block with a root
    std::size_t unstored_blocks_max = 8;       // blocks sealed but not stored
    // Whether blocks whose end nobody has been shown count among these. Else they are bounded by what lets
    // frames wait to be shown.
    bool hidden_blocks_count = true;
    store::TrieLimits trie;
};

struct SealedParent {
    chain::Header header;
    Hash hash;
};

class ChainCore final : public evm::BlockHashSource {
public:
    // All outlive the core. The store holds at least the genesis; the log is of the same chain.
    struct Parts {
        const chain::ChainConfig& config;
        store::ChainStore& store;
        frames::FrameLog& log;
    };
    // The error is a sentence.
    static Result<std::unique_ptr<ChainCore>, std::string> open(const ChainCoreOptions& options,
                                                                const Parts& parts);

    LiveChain& live() noexcept { return *m_live; }
    const LiveChain& live() const noexcept { return *m_live; }
    RecentState& recent() noexcept { return m_recent; }
    evm::CodeCache& code_cache() noexcept { return m_code_cache; }
    Committer& committer() noexcept { return *m_committer; }
    const Committer& committer() const noexcept { return *m_committer; }
    StoreWriter& store_writer() noexcept { return *m_store_writer; }
    Doorbell& committer_bell() noexcept { return m_committer_bell; }
    Doorbell& store_bell() noexcept { return m_store_bell; }
    // The block that the store ends with, and its last frame.
    const ChainTip& tip() const noexcept { return m_tip; }
    Hash block_hash(std::uint64_t number) override;
    // Of committer and store.
    std::string fault() const;

    // Whether there is room for another frame.
    bool has_room() const;
    // Precondition: there was room for the frame; a block may always end.
    void add(SealedFramePtr frame);
    void add(ClosedBlock block);
    // Called when a block has got its hash, or been stored. Before the stages run.
    void set_on_change(std::function<void()> callback) { m_on_change = std::move(callback); }
    // The block that was sealed since the last call. On one thread.
    std::optional<SealedParent> take_sealed();

    // Whether the block that this frame opens follows, by the rules of the chain, on the one that was sealed
    // last. The error says what this node came to where the sequencer came to something else.
    Result<void, std::string> check_opening(const SealedFrame& frame) const;
    // Runs what the log has beyond the store, up to the last frame that may be shown, and stores what has
    // become whole blocks. Before the stages run. Gives that frame. Nothing of the log is changed.
    Result<frames::FrameTip, std::string> recover(FrameRunner& runner);

private:
    ChainCore(const ChainCoreOptions& options, const Parts& parts) : m_options(options), m_parts(parts) {}
    Result<void, std::string> build();
    void on_sealed(const chain::Header& header, const Hash& hash);
    Result<void, std::string> recover_frame(FrameRunner& runner, BytesView record);
    Result<frames::FrameTip, std::string> last_frame() const;

    ChainCoreOptions m_options;
    Parts m_parts;
    evm::CodeCache m_code_cache;
    RecentState m_recent;
    std::unique_ptr<LiveChain> m_live;
    Doorbell m_committer_bell, m_store_bell;
    std::unique_ptr<Committer> m_committer;
    std::unique_ptr<StoreWriter> m_store_writer;
    std::function<void()> m_on_change;
    ChainTip m_tip;
    SealedParent m_parent;  // of the next block; of the thread that takes it

    // From the committer: the block that has been sealed.
    std::mutex m_sealed_mutex;
    std::optional<SealedParent> m_sealed;
    // Hashes of the last 256 blocks, for execution.
    mutable std::mutex m_hashes_mutex;
    std::map<std::uint64_t, Hash> m_hashes;
};

}  // namespace meridian::sequencer
