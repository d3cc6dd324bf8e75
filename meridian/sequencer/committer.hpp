// Gives blocks their roots and hashes, off the executor's path; and stores them once all their frames are
// durable.
#pragma once

#include <meridian/sequencer/bounded_queue.hpp>
#include <meridian/sequencer/live_chain.hpp>
#include <meridian/sequencer/stage.hpp>

#include <meridian/trie/root.hpp>

#include <atomic>
#include <variant>

namespace meridian::sequencer {

class Committer final : public Stage {
public:
    struct Parts {
        LiveChain& live;
        std::unique_ptr<store::StateTrie> trie;  // at the parent's state
        // Tells the executor that the next block can be opened. On the committer's thread.
        std::function<void(const chain::Header&, const Hash&)> on_sealed;
        // Tells the store writer that it may have something to do. On the committer's thread.
        std::function<void()> on_storable;
    };
    // `block_time_s`: when a block is about to end, the trie is brought close to its frames, so that little
    // is left between the last one and the root.
    Committer(const u256& parent_total_difficulty, std::uint64_t block_time_s, std::size_t queue_max,
              Doorbell* doorbell, Parts parts);

    using Item = std::variant<SealedFramePtr, ClosedBlock>;
    BoundedQueue<Item>& queue() noexcept { return m_queue; }
    const BoundedQueue<Item>& queue() const noexcept { return m_queue; }
    std::string_view name() const noexcept override { return "committer"; }
    Step step() override;
    std::string fault() const;

private:
    void add(const SealedFrame& frame);
    void note(const state::StateChanges& changes);
    bool is_ending(std::uint64_t frame_time_us) const;
    void stage(std::uint64_t block);
    void keep_staged(state::StateChanges staged);
    void seal(ClosedBlock closed);
    void set_fault(std::uint64_t block, const store::StoreError& error);

    Parts m_parts;
    BoundedQueue<Item> m_queue;
    u256 m_total_difficulty;
    std::uint64_t m_block_time_s;
    // The block that is being put together.
    std::shared_ptr<ExecutedBlock> m_block;
    // Of the block so far: what the trie has; what it is to get soon, being new to it in this block; and what
    // it has had in this block and can wait, as it may change many times more. No account is in both of the
    // latter.
    state::StateChanges m_staged;
    state::StateChanges m_fresh;
    state::StateChanges m_again;
    std::size_t m_fresh_entries = 0;  // accounts and slots, some counted more than once
    std::uint64_t m_block_end_us = 0;
    trie::OrderedRoot m_txns_root;
    trie::OrderedRoot m_receipts_root;
    std::size_t m_txns_bytes = 0;  // of the block's list of transactions, without its header
    mutable std::mutex m_fault_mutex;
    std::string m_fault;
};

// Writes sealed blocks into the store, one transaction each, and prunes between them.
class StoreWriter final : public Stage {
public:
    StoreWriter(store::ChainStore& store, LiveChain& live, store::Durability durability)
        : m_store(store), m_live(live), m_durability(durability) {}

    std::string_view name() const noexcept override { return "store"; }
    Step step() override;
    // Called when a block has been stored.
    void set_on_stored(std::function<void()> callback) { m_on_stored = std::move(callback); }
    // What keeps blocks from being stored; empty if nothing does.
    std::string fault() const;
    std::uint64_t stored() const noexcept { return m_stored; }

private:
    void set_fault(std::string why);

    store::ChainStore& m_store;
    LiveChain& m_live;
    store::Durability m_durability;
    std::function<void()> m_on_stored;
    bool m_prune = true;
    std::atomic<std::uint64_t> m_stored = 0;
    mutable std::mutex m_fault_mutex;
    std::string m_fault;
};

}  // namespace meridian::sequencer
