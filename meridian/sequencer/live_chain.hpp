// The chain as readers see it: what is stored, the sealed blocks that are not stored yet, and the frames of
// the open block. Nothing is visible before its frame is durable. That a block has ended, and with which
// hash, is said by the first frame of the next one: with that frame a block becomes visible as sealed.
//
// Thread-safe. A Head does not change: whoever holds one sees one moment.
#pragma once

#include <meridian/frames/codec.hpp>
#include <meridian/sequencer/executed_block.hpp>
#include <meridian/sequencer/executor.hpp>
#include <meridian/store/chain_store.hpp>

#include <atomic>
#include <shared_mutex>

namespace meridian::sequencer {

// A durable frame.
struct PublishedFrame {
    SealedFramePtr content;
    frames::SignedHeader head;
    std::shared_ptr<const Bytes> record;  // as in the log
};
using PublishedFramePtr = std::shared_ptr<const PublishedFrame>;

// A block that is sealed: part of the chain, to be stored.
struct SealedBlock {
    ExecutedBlockPtr block;
    state::StateChanges changes;  // of the whole block
    state::StateChanges closing;  // the part of it that came after the last frame
    // Comes last, from the committer; for others only once it is storable.
    store::TrieUpdatePtr trie;
    std::atomic<bool> storable = false;
    // Known when the last frame is durable.
    std::uint64_t last_frame_us = 0;
    Hash last_frame_hash;
};
using SealedBlockPtr = std::shared_ptr<const SealedBlock>;

// The store's content at some block.
struct StoredBase final : BaseState {
    explicit StoredBase(store::ChainView v) : view(std::move(v)) {}
    std::unique_ptr<state::StateReader> reader() const override { return view.latest_state(); }
    store::ChainView view;
};
using StoredBasePtr = std::shared_ptr<const StoredBase>;

// Which frame a stored block ends with: kept with it in the store.
struct FrameNote {
    std::uint64_t last_frame = 0;
    std::uint64_t timestamp_us = 0;
    Hash frame_hash;
    std::uint64_t first_frame_of_block = 0;
};
Bytes encode(const FrameNote& note);
// Empty for anything else than what encode() gave.
std::optional<FrameNote> decode_frame_note(BytesView bytes);

// A reader's own: the state that the last frame left, or the one after an older block.
class HeadState final : public state::StateReader {
public:
    HeadState(StoredBasePtr base, const RecentState& recent, Version version)
        : m_base(std::move(base)), m_stored(m_base->reader()), m_reader(recent, *m_stored, version) {}

    std::optional<state::Account> account(const Address& address) override {
        return m_reader.account(address);
    }
    u256 storage(const Address& address, const u256& key) override { return m_reader.storage(address, key); }
    bool has_storage(const Address& address) override { return m_reader.has_storage(address); }
    BytesView code(const Hash& code_hash) override { return m_reader.code(code_hash); }
    bool arena_page(const Address& module, std::uint32_t page, std::uint8_t* out) override {
        return m_reader.arena_page(module, page, out);
    }
    state::StateError error() const noexcept override { return m_reader.error(); }

private:
    StoredBasePtr m_base;
    std::unique_ptr<state::StateReader> m_stored;
    RecentReader m_reader;
};

struct Head {
    Version version = 0;           // number of the last frame
    std::uint64_t version_us = 0;  // its stamp
    Hash frame_hash;
    StoredBasePtr base;
    std::vector<SealedBlockPtr> sealed;  // not stored in `base`, ascending
    // The frames of the last frame's block; empty only before the first frame.
    std::vector<PublishedFramePtr> open;

    // The number of the block that the last frame belongs to.
    std::uint64_t block_number() const;
    // The newest block that has a hash.
    std::uint64_t sealed_number() const;
};
using HeadPtr = std::shared_ptr<const Head>;

class LiveListener {
public:
    virtual ~LiveListener() = default;
    // Both are called in order on the publisher's thread, which waits. A frame once it is durable and readers
    // see it; a block just before the first frame of the next one.
    virtual void on_frame(const PublishedFramePtr& frame) = 0;
    virtual void on_block(const ExecutedBlockPtr& block) = 0;
};

class LiveChain {
public:
    // The store holds at least the genesis. `recent` is empty.
    static store::StoreResult<std::unique_ptr<LiveChain>> open(store::ChainStore& store, RecentState& recent);

    // --- readers ------------------------------------------------------------------------------------
    HeadPtr head() const;
    std::unique_ptr<HeadState> state_at(const Head& head) const;
    StoredBasePtr newest_base() const;
    // Blocks of a head: the open one (without hash) included. Null if there is no such block.
    store::StoreResult<ExecutedBlockPtr> block(const Head& head, std::uint64_t number) const;
    store::StoreResult<std::optional<store::TxnPlace>> find_transaction(const Head& head,
                                                                        const Hash& hash) const;
    // One of the last frames, without reading the log. Null if it is not among them.
    PublishedFramePtr recent_frame(std::uint64_t number) const;
    const RecentState& recent() const noexcept { return m_recent; }

    // --- the pipeline -------------------------------------------------------------------------------
    // Before the stages run.
    void set_listener(LiveListener* listener) { m_listener = listener; }
    void publish(const PublishedFramePtr& frame);
    void add_sealed(std::shared_ptr<SealedBlock> block);
    // Blocks that wait to be stored, without the one whose end is said by the first frame of the next.
    std::size_t sealed_count(bool with_hidden) const;
    // The oldest block that is sealed and visible, but not stored; null if there is none.
    SealedBlockPtr next_to_store() const;
    // It has been stored.
    store::StoreResult<void> on_stored();

private:
    LiveChain(store::ChainStore& store, RecentState& recent) : m_store(store), m_recent(recent) {}

    ExecutedBlockPtr show_sealed(Head& head, std::uint64_t opened);
    void set_head(HeadPtr head);
    StoredBasePtr make_base(store::ChainView view);
    void drop_unused();
    void note_places(const SealedFrame& frame);
    void forget_places(std::uint64_t stored);
    void keep_frame(const PublishedFramePtr& frame);

    store::ChainStore& m_store;
    RecentState& m_recent;
    LiveListener* m_listener = nullptr;
    std::mutex m_writing;  // one change and its notifications at a time
    // Sealed, ascending, but nothing durable says so yet: more than one if frames wait for the disk.
    std::deque<std::shared_ptr<SealedBlock>> m_hidden;
    std::atomic<std::size_t> m_hidden_count = 0;
    mutable std::mutex m_mutex;  // of the members below
    HeadPtr m_head;
    std::deque<PublishedFramePtr> m_frames;  // the last ones, bounded by number and transactions
    std::size_t m_frame_txns = 0;            // in them
    std::vector<std::weak_ptr<const StoredBase>> m_bases;
    // Transactions of frames that are not stored, or were only just: where they are.
    mutable std::shared_mutex m_places_mutex;
    struct BlockPlaces {
        std::uint64_t number;
        std::unordered_map<Hash, std::size_t> index_of;
    };
    std::deque<BlockPlaces> m_places;  // ascending
};

// A block that its first frame opens, still without the frame's content.
std::shared_ptr<ExecutedBlock> begin_block(const SealedFrame& first);
// What the next frame adds to an open block.
void append(ExecutedBlock& block, const SealedFrame& frame);
// The open block of a head as a block, without hash and roots. Precondition: there is one.
ExecutedBlockPtr open_block(const Head& head);

}  // namespace meridian::sequencer
