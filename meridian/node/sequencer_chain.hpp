// The chain of a sequencer or a replica, as JSON-RPC sees it: what is stored, the sealed blocks that are not
// stored yet, and the frames of the open block.
#pragma once

#include <meridian/frames/frame_log.hpp>
#include <meridian/node/chain.hpp>
#include <meridian/node/overlay_state.hpp>
#include <meridian/node/recently_read.hpp>
#include <meridian/sequencer/ingress.hpp>
#include <meridian/sequencer/live_chain.hpp>

#include <deque>
#include <mutex>

namespace meridian::node {

class SequencerChain final : public Chain, private evm::BlockHashSource {
public:
    using Submit = std::function<void(Bytes, sequencer::SubmitCallback, ClientId)>;
    // All outlive the chain.
    struct Parts {
        const Genesis& genesis;
        const sequencer::LiveChain& live;
        const frames::FrameLog& log;
        sequencer::Pool* pool = nullptr;  // null on a replica
        Submit submit;                    // refuses with a sentence where nothing can be submitted
        std::function<std::uint64_t()> failed_reads = {};  // see Chain; empty: none
    };
    explicit SequencerChain(Parts parts);

    const chain::ChainConfig& config() const noexcept override { return m_parts.genesis.config; }
    const Genesis& genesis() const noexcept override { return m_parts.genesis; }
    evm::CodeCache& code_cache() noexcept override { return m_code_cache; }

    void refresh() override;
    void set_listener(ChainListener* listener) override { m_listener = listener; }
    void set_wakeup(std::function<void()> wakeup) override;
    BlockPtr head() override;
    BlockPtr sealed_head() override;
    ChainResult<BlockPtr> block(std::uint64_t number) override;
    ChainResult<BlockPtr> block(const Hash& hash) override;
    ChainResult<std::optional<TxnLocation>> find_transaction(const Hash& hash) override;
    ChainResult<std::unique_ptr<ChainState>> state_after(std::uint64_t number) override;
    state::StateReader& head_state() override { return *m_state; }
    evm::BlockHashSource& block_hashes() noexcept override { return *this; }
    std::uint64_t provable_number() override;
    ChainResult<void> for_each_log(const store::LogQuery& query, const store::LogVisitor& visit) override;

    sequencer::Pool::BySender pool_content() override;
    PooledTxnPtr find_pooled(const Hash& hash) override;
    std::size_t pool_size() override;
    std::uint64_t next_nonce(const Address& sender) override;
    void submit(Bytes envelope, std::function<void(SubmitOutcome)> done, ClientId client) override;
    std::unique_ptr<Chain> reader() override;
    void release() override;

    std::uint64_t failed_reads() const override { return m_parts.failed_reads ? m_parts.failed_reads() : 0; }

    // A frame has become visible; on any thread.
    void wake();
    // A transaction waits in the pool; on any thread.
    void on_pending(const PooledTxnPtr& txn);

    std::uint64_t first_frame() override { return m_parts.log.first(); }
    std::uint64_t last_frame() override { return m_head->version; }
    std::uint64_t oldest_block() override { return m_head->base->view.oldest_body(); }
    std::uint64_t oldest_whole_frame() override;
    ChainResult<FramePtr> frame(std::uint64_t number) override;

private:
    // What a chain keeps for the next question.
    struct Kept {
        std::size_t txns;        // in the blocks, and in the frames
        std::size_t code_bytes;  // of translated code
    };
    SequencerChain(Parts parts, const Kept& kept);

    Hash block_hash(std::uint64_t number) override;
    void extend_open_block();
    void tell(std::uint64_t seen_block, std::uint64_t seen_frame);
    ChainResult<FramePtr> frame_of_log(std::uint64_t number);
    ChainResult<FramePtr> place(const sequencer::PublishedFramePtr& frame);
    bool visit_logs(const sequencer::ExecutedBlock& block, const store::LogQuery& query,
                    const store::LogVisitor& visit) const;

    Parts m_parts;
    evm::CodeCache m_code_cache;
    sequencer::HeadPtr m_head;  // null of a reader that has let go of it
    std::unique_ptr<sequencer::HeadState> m_state;
    std::shared_ptr<sequencer::ExecutedBlock> m_open;  // of m_head; null before the first frame
    std::size_t m_open_frames = 0;                     // of the head's, in m_open
    RecentlyRead<Hash, BlockPtr> m_blocks;
    RecentlyRead<std::uint64_t, FramePtr> m_frames;
    ChainListener* m_listener = nullptr;
    std::mutex m_pending_mutex;  // of the three below
    std::deque<PooledTxnPtr> m_pending;
    std::size_t m_pending_bytes = 0;
    std::function<void()> m_wakeup;
};

}  // namespace meridian::node
