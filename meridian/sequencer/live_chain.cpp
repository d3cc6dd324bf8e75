#include <meridian/sequencer/live_chain.hpp>

#include <algorithm>

namespace meridian::sequencer {
namespace {

constexpr std::uint64_t kPlacesKept = 4;  // blocks
constexpr std::size_t kFramesKept = 1'024;
constexpr std::size_t kFrameTxnsKept = 100'000;
constexpr std::size_t kNoteSize = 3 * 8 + 32;

void put(Bytes& out, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(value >> shift));
}

std::uint64_t get(BytesView bytes) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes)
        value = value << 8 | byte;
    return value;
}

}  // namespace

Bytes encode(const FrameNote& note) {
    Bytes out;
    out.reserve(kNoteSize);
    put(out, note.last_frame);
    put(out, note.timestamp_us);
    put(out, note.first_frame_of_block);
    out.insert(out.end(), note.frame_hash.bytes.begin(), note.frame_hash.bytes.end());
    return out;
}

std::optional<FrameNote> decode_frame_note(BytesView bytes) {
    if (bytes.size() != kNoteSize)
        return std::nullopt;
    FrameNote out;
    out.last_frame = get(bytes.subspan(0, 8));
    out.timestamp_us = get(bytes.subspan(8, 8));
    out.first_frame_of_block = get(bytes.subspan(16, 8));
    std::ranges::copy(bytes.subspan(24), out.frame_hash.bytes.begin());
    return out;
}

// --- heads ----------------------------------------------------------------------------------------------

std::uint64_t Head::sealed_number() const {
    return sealed.empty() ? base->view.head()->number : sealed.back()->block->number();
}

std::uint64_t Head::block_number() const {
    return open.empty() ? sealed_number() : open.front()->content->block_number;
}

std::shared_ptr<ExecutedBlock> begin_block(const SealedFrame& first) {
    auto out = std::make_shared<ExecutedBlock>();
    out->block.header = first.opening->header;
    if (out->block.header.withdrawals_root)
        out->block.withdrawals.emplace();
    out->first_frame = first.number;
    return out;
}

void append(ExecutedBlock& block, const SealedFrame& frame) {
    for (const chain::Receipt& receipt : frame.receipts)
        for (std::size_t i = 0; i < chain::Bloom::kSize; ++i)
            block.block.header.bloom[i] |= receipt.bloom[i];
    block.receipts.insert(block.receipts.end(), frame.receipts.begin(), frame.receipts.end());
    for (const PooledTxnPtr& txn : frame.txns) {
        block.block.transactions.push_back(txn->txn);
        block.txn_hashes.push_back(txn->hash);
        block.senders.push_back(txn->sender);
    }
    if (!block.receipts.empty())
        block.block.header.gas_used = block.receipts.back().cumulative_gas_used;
    block.last_frame = frame.number;
}

ExecutedBlockPtr open_block(const Head& head) {
    auto out = begin_block(*head.open.front()->content);
    for (const PublishedFramePtr& frame : head.open)
        append(*out, *frame->content);
    return out;
}

// --- opening --------------------------------------------------------------------------------------------

store::StoreResult<std::unique_ptr<LiveChain>> LiveChain::open(store::ChainStore& store,
                                                               RecentState& recent) {
    std::unique_ptr<LiveChain> out(new LiveChain(store, recent));
    auto view = store.view();
    if (!view)
        return fail(std::move(view.error()));
    if (!view->head())
        return store::store_fail(store::StoreErrorKind::Invalid,
                                 "the store holds no block: a genesis has to be committed first");
    auto head = std::make_shared<Head>();
    head->base = out->make_base(*std::move(view));
    const auto note = decode_frame_note(head->base->view.note());
    head->version = head->base->version;
    if (note) {
        head->version_us = note->timestamp_us;
        head->frame_hash = note->frame_hash;
    }
    out->set_head(std::move(head));
    return out;
}

StoredBasePtr LiveChain::make_base(store::ChainView view) {
    auto base = std::make_shared<StoredBase>(std::move(view));
    if (const auto note = decode_frame_note(base->view.note()))
        base->version = note->last_frame;
    const std::unique_lock lock(m_mutex);
    m_bases.push_back(base);
    return base;
}

// --- readers --------------------------------------------------------------------------------------------

HeadPtr LiveChain::head() const {
    const std::unique_lock lock(m_mutex);
    return m_head;
}

StoredBasePtr LiveChain::newest_base() const {
    return head()->base;
}

std::unique_ptr<HeadState> LiveChain::state_at(const Head& head) const {
    return std::make_unique<HeadState>(head.base, m_recent, head.version);
}

store::StoreResult<ExecutedBlockPtr> LiveChain::block(const Head& head, std::uint64_t number) const {
    if (!head.open.empty() && head.open.front()->content->block_number == number)
        return open_block(head);
    for (const SealedBlockPtr& sealed : head.sealed)
        if (sealed->block->number() == number)
            return sealed->block;
    const store::ChainView& view = head.base->view;
    if (number > view.head()->number)
        return ExecutedBlockPtr{};
    return read_block(view, number);
}

store::StoreResult<std::optional<store::TxnPlace>> LiveChain::find_transaction(const Head& head,
                                                                               const Hash& hash) const {
    {
        const std::shared_lock lock(m_places_mutex);
        for (const BlockPlaces& block : m_places)
            if (const auto found = block.index_of.find(hash);
                found != block.index_of.end() && block.number <= head.block_number())
                return store::TxnPlace{block.number, found->second};
    }
    return head.base->view.find_transaction(hash);
}

// --- the pipeline ---------------------------------------------------------------------------------------

// What the head before was the last to hold is freed outside the lock: it may be a whole block.
void LiveChain::set_head(HeadPtr head) {
    const std::unique_lock lock(m_mutex);
    m_head.swap(head);
}

void LiveChain::publish(const PublishedFramePtr& frame) {
    const std::unique_lock writing(m_writing);
    const SealedFrame& content = *frame->content;
    auto head = std::make_shared<Head>(*this->head());
    const ExecutedBlockPtr shown = content.opening ? show_sealed(*head, content.block_number) : nullptr;
    note_places(content);
    head->version = content.number;
    head->version_us = content.timestamp_us;
    head->frame_hash = frame->head.hash;
    head->open.push_back(frame);
    keep_frame(frame);
    set_head(std::move(head));
    if (m_listener == nullptr)
        return;
    if (shown)
        m_listener->on_block(shown);
    m_listener->on_frame(frame);
}

void LiveChain::note_places(const SealedFrame& frame) {
    const std::unique_lock lock(m_places_mutex);
    if (m_places.empty() || m_places.back().number != frame.block_number) {
        const std::size_t expected = m_places.empty() ? 0 : m_places.back().index_of.size();
        m_places.push_back({frame.block_number, {}});
        m_places.back().index_of.reserve(expected);
    }
    auto& index_of = m_places.back().index_of;
    for (const PooledTxnPtr& txn : frame.txns)
        index_of.emplace(txn->hash, index_of.size());
}

void LiveChain::keep_frame(const PublishedFramePtr& frame) {
    const std::unique_lock lock(m_mutex);
    m_frames.push_back(frame);
    m_frame_txns += frame->content->txns.size();
    while (m_frames.size() > kFramesKept || (m_frame_txns > kFrameTxnsKept && m_frames.size() > 1)) {
        m_frame_txns -= m_frames.front()->content->txns.size();
        m_frames.pop_front();
    }
}

PublishedFramePtr LiveChain::recent_frame(std::uint64_t number) const {
    const std::unique_lock lock(m_mutex);
    if (m_frames.empty() || number < m_frames.front()->content->number ||
        number > m_frames.back()->content->number)
        return nullptr;
    return m_frames[number - m_frames.front()->content->number];
}

// The next block's first frame is durable, and with it that the block before has ended, and how.
ExecutedBlockPtr LiveChain::show_sealed(Head& head, std::uint64_t opened) {
    // After a restart the block before is in the store, and this one may be sealed already.
    if (m_hidden.empty() || m_hidden.front()->block->number() >= opened)
        return nullptr;
    const std::shared_ptr<SealedBlock> sealed = std::move(m_hidden.front());
    m_hidden.pop_front();
    m_hidden_count = m_hidden.size();
    sealed->last_frame_us = head.version_us;
    sealed->last_frame_hash = head.frame_hash;
    head.open.clear();
    head.sealed.push_back(sealed);
    return sealed->block;
}

void LiveChain::add_sealed(std::shared_ptr<SealedBlock> block) {
    const std::unique_lock writing(m_writing);
    m_hidden.push_back(std::move(block));
    m_hidden_count = m_hidden.size();
}

std::size_t LiveChain::sealed_count(bool with_hidden) const {
    const std::size_t hidden = with_hidden ? m_hidden_count.load() : 0;
    return head()->sealed.size() + (hidden == 0 ? 0 : hidden - 1);
}

SealedBlockPtr LiveChain::next_to_store() const {
    const HeadPtr now = head();
    return now->sealed.empty() || !now->sealed.front()->storable ? nullptr : now->sealed.front();
}

store::StoreResult<void> LiveChain::on_stored() {
    auto view = m_store.view();
    if (!view)
        return fail(std::move(view.error()));
    const std::uint64_t stored = view->head()->number;
    std::vector<SealedBlockPtr> done;  // freed outside the lock
    {
        const std::unique_lock writing(m_writing);
        auto head = std::make_shared<Head>(*this->head());
        head->base = make_base(*std::move(view));
        const auto kept = std::ranges::partition_point(
            head->sealed, [stored](const SealedBlockPtr& block) { return block->block->number() <= stored; });
        done.assign(head->sealed.begin(), kept);
        head->sealed.erase(head->sealed.begin(), kept);
        set_head(std::move(head));
    }
    forget_places(stored);
    drop_unused();
    return {};
}

// Readers of a head that is a few blocks old still find what its base lacks. Freed outside the lock.
void LiveChain::forget_places(std::uint64_t stored) {
    std::deque<BlockPlaces> forgotten;
    const std::unique_lock lock(m_places_mutex);
    while (!m_places.empty() && m_places.front().number + kPlacesKept <= stored) {
        forgotten.push_back(std::move(m_places.front()));
        m_places.pop_front();
    }
}

// What every base in use has is not needed in memory any more.
void LiveChain::drop_unused() {
    Version oldest = ~Version{0};
    {
        const std::unique_lock lock(m_mutex);
        std::erase_if(m_bases, [](const auto& base) { return base.expired(); });
        for (const auto& base : m_bases)
            if (const auto held = base.lock())
                oldest = std::min(oldest, held->version);
    }
    m_recent.drop_through(oldest);
}

}  // namespace meridian::sequencer
