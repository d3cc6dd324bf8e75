#include <meridian/frames/codec.hpp>
#include <meridian/node/sequencer_chain.hpp>
#include <meridian/node/stored_block_state.hpp>
#include <meridian/store/log_index.hpp>

#include <algorithm>
#include <stdexcept>

namespace meridian::node {
namespace {

// Transactions in the blocks, and in the frames, that are kept for the next question: of the chain that all
// share, and of each reader.
constexpr std::size_t kTxnsKept = 500'000;
constexpr std::size_t kReaderTxnsKept = 100'000;
constexpr std::size_t kCodeBytes = 256 << 20;
constexpr std::size_t kReaderCodeBytes = 64 << 20;
// What a block or frame without transactions counts.
constexpr std::size_t kEmptyWeight = 64;
// Pending transactions that wait for the reader, and their size as encoded; beyond it the oldest are dropped.
constexpr std::size_t kPendingMax = 65'536;
constexpr std::size_t kPendingBytesMax = 32 << 20;

ChainFailure failure(const store::StoreError& error) {
    return {error.message};
}

// The state after one of the frames, or after a sealed block that is not stored.
class LiveState final : public ChainState {
public:
    LiveState(std::unique_ptr<sequencer::HeadState> frames, std::shared_ptr<const void> holder,
              const state::StateChanges* closing)
        : m_holder(std::move(holder)), m_frames(std::move(frames)), m_overlay(*m_frames) {
        if (closing != nullptr)
            m_overlay.apply(*closing);
    }
    std::optional<state::Account> account(const Address& address) override {
        return m_overlay.account(address);
    }
    u256 storage(const Address& address, const u256& key) override { return m_overlay.storage(address, key); }
    bool has_storage(const Address& address) override { return m_overlay.has_storage(address); }
    BytesView code(const Hash& code_hash) override { return m_overlay.code(code_hash); }
    bool arena_page(const Address& module, std::uint32_t page, std::uint8_t* out) override {
        return m_overlay.arena_page(module, page, out);
    }
    state::StateError error() const noexcept override { return m_overlay.error(); }
    ChainResult<store::AccountProof> prove(const Address&, std::span<const u256>) override {
        return fail(ChainFailure{
            "the state is not stored yet and has no proofs; ask for a block that is a second older"});
    }
    ChainResult<Hash> root_after(const state::StateChanges&) override {
        return fail(ChainFailure{"the state is not stored yet and has no root"});
    }

private:
    std::shared_ptr<const void> m_holder;
    std::unique_ptr<sequencer::HeadState> m_frames;
    OverlayState m_overlay;
};

std::size_t weight(std::size_t txns) {
    return kEmptyWeight + txns;
}

std::size_t count_logs(std::span<const chain::Receipt> receipts) {
    std::size_t out = 0;
    for (const chain::Receipt& receipt : receipts)
        out += receipt.logs.size();
    return out;
}

}  // namespace

SequencerChain::SequencerChain(Parts parts) : SequencerChain(std::move(parts), {kTxnsKept, kCodeBytes}) {
    m_head = m_parts.live.head();
    m_state = m_parts.live.state_at(*m_head);
    extend_open_block();
}

SequencerChain::SequencerChain(Parts parts, const Kept& kept)
    : m_parts(std::move(parts)), m_code_cache(kept.code_bytes), m_blocks(kept.txns), m_frames(kept.txns) {}

// What it is made of may be used by any number of threads.
std::unique_ptr<Chain> SequencerChain::reader() {
    return std::unique_ptr<Chain>(new SequencerChain(m_parts, {kReaderTxnsKept, kReaderCodeBytes}));
}

// The open block stays, to be extended: it refers to no state.
void SequencerChain::release() {
    m_state = nullptr;
    m_head = nullptr;
}

// --- the moment -----------------------------------------------------------------------------------------

void SequencerChain::refresh() {
    sequencer::HeadPtr now = m_parts.live.head();
    const std::uint64_t seen_block = m_head ? m_head->sealed_number() : 0;
    const std::uint64_t seen_frame = m_head ? m_head->version : 0;
    if (now != m_head) {
        for (const sequencer::SealedBlockPtr& sealed : now->sealed)
            m_blocks.add(sealed->block->hash, sealed->block, weight(sealed->block->txn_hashes.size()));
        m_head = std::move(now);
        m_state = m_parts.live.state_at(*m_head);
        extend_open_block();
    }
    if (m_listener != nullptr)
        tell(seen_block, seen_frame);
}

void SequencerChain::tell(std::uint64_t seen_block, std::uint64_t seen_frame) {
    std::deque<PooledTxnPtr> pending;
    {
        const std::unique_lock lock(m_pending_mutex);
        pending.swap(m_pending);
        m_pending_bytes = 0;
    }
    for (const PooledTxnPtr& txn : pending)
        m_listener->on_pending_transaction(*txn);
    for (std::uint64_t number = seen_block + 1; number <= m_head->sealed_number(); ++number)
        if (const auto sealed = block(number); sealed && *sealed)
            m_listener->on_block(*sealed);
    if (m_head->version == seen_frame)
        return;
    std::vector<Hash> txns;
    for (std::uint64_t number = seen_frame + 1; number <= m_head->version; ++number)
        if (const auto fresh = frame(number); fresh && *fresh)
            for (const PooledTxnPtr& txn : (*fresh)->content->txns)
                txns.push_back(txn->hash);
    m_listener->on_head(txns);
}

void SequencerChain::set_wakeup(std::function<void()> wakeup) {
    const std::unique_lock lock(m_pending_mutex);
    m_wakeup = std::move(wakeup);
}

void SequencerChain::wake() {
    const std::unique_lock lock(m_pending_mutex);
    if (m_wakeup)
        m_wakeup();
}

void SequencerChain::on_pending(const PooledTxnPtr& txn) {
    const std::unique_lock lock(m_pending_mutex);
    m_pending.push_back(txn);
    m_pending_bytes += txn->envelope.size();
    while (m_pending.size() > kPendingMax || (m_pending_bytes > kPendingBytesMax && m_pending.size() > 1)) {
        m_pending_bytes -= m_pending.front()->envelope.size();
        m_pending.pop_front();
    }
    if (m_wakeup)
        m_wakeup();
}

// Frames are only ever added to a block: what was put together for the head before is used again, unless
// somebody still holds it.
void SequencerChain::extend_open_block() {
    if (m_head->open.empty()) {
        m_open = nullptr;
        return;
    }
    const bool same = m_open && m_open->number() == m_head->block_number() && !m_open->sealed();
    if (!same) {
        m_open = sequencer::begin_block(*m_head->open.front()->content);
        m_open_frames = 0;
    } else if (m_open.use_count() > 1) {
        m_open = std::make_shared<sequencer::ExecutedBlock>(*m_open);
    }
    for (; m_open_frames < m_head->open.size(); ++m_open_frames)
        sequencer::append(*m_open, *m_head->open[m_open_frames]->content);
}

// --- blocks ---------------------------------------------------------------------------------------------

BlockPtr SequencerChain::head() {
    return m_open ? m_open : sealed_head();
}

BlockPtr SequencerChain::sealed_head() {
    if (!m_head->sealed.empty())
        return m_head->sealed.back()->block;
    // The store holds its own head.
    const auto stored = block(m_head->base->view.head()->number);
    if (!stored || !*stored)
        throw std::runtime_error("the head block cannot be read");
    return *stored;
}

ChainResult<BlockPtr> SequencerChain::block(std::uint64_t number) {
    if (m_open && m_open->number() == number)
        return BlockPtr(m_open);
    for (const sequencer::SealedBlockPtr& sealed : m_head->sealed)
        if (sealed->block->number() == number)
            return sealed->block;
    if (number > m_head->base->view.head()->number)
        return BlockPtr{};
    const auto hash = m_head->base->view.hash_of(number);
    if (!hash)
        return fail(failure(hash.error()));
    if (BlockPtr known = m_blocks.find(*hash))
        return known;
    auto read = m_parts.live.block(*m_head, number);
    if (!read)
        return fail(failure(read.error()));
    m_blocks.add(*hash, *read, weight((*read)->txn_hashes.size()));
    return *std::move(read);
}

ChainResult<BlockPtr> SequencerChain::block(const Hash& hash) {
    for (const sequencer::SealedBlockPtr& sealed : m_head->sealed)
        if (sealed->block->hash == hash)
            return sealed->block;
    const auto number = m_head->base->view.number_of(hash);
    if (!number)
        return fail(failure(number.error()));
    return *number ? block(**number) : ChainResult<BlockPtr>(BlockPtr{});
}

ChainResult<std::optional<TxnLocation>> SequencerChain::find_transaction(const Hash& hash) {
    const auto place = m_parts.live.find_transaction(*m_head, hash);
    if (!place)
        return fail(failure(place.error()));
    if (!*place)
        return std::optional<TxnLocation>{};
    auto holder = block((*place)->block);
    if (!holder)
        return fail(std::move(holder.error()));
    // Of a frame that this moment does not have yet.
    if (!*holder || (*place)->index >= (*holder)->txn_hashes.size())
        return std::optional<TxnLocation>{};
    return std::optional(TxnLocation{*std::move(holder), (*place)->index});
}

Hash SequencerChain::block_hash(std::uint64_t number) {
    for (const sequencer::SealedBlockPtr& sealed : m_head->sealed)
        if (sealed->block->number() == number)
            return sealed->block->hash;
    const auto hash = m_head->base->view.hash_of(number);
    return hash ? *hash : Hash{};
}

// --- states ---------------------------------------------------------------------------------------------

ChainResult<std::unique_ptr<ChainState>> SequencerChain::state_after(std::uint64_t number) {
    if (m_open && m_open->number() == number)
        return std::make_unique<LiveState>(m_parts.live.state_at(*m_head), m_head, nullptr);
    for (const sequencer::SealedBlockPtr& sealed : m_head->sealed)
        if (sealed->block->number() == number)
            return std::make_unique<LiveState>(
                std::make_unique<sequencer::HeadState>(m_head->base, m_parts.live.recent(),
                                                       sealed->block->last_frame),
                m_head, &sealed->closing);
    auto state = m_head->base->view.state_at(number);
    if (!state)
        return fail(failure(state.error()));
    return std::make_unique<StoredBlockState>(m_head->base->view, *std::move(state), number);
}

std::uint64_t SequencerChain::provable_number() {
    return m_head->base->view.head()->number;
}

// --- logs -----------------------------------------------------------------------------------------------

bool SequencerChain::visit_logs(const sequencer::ExecutedBlock& block, const store::LogQuery& query,
                                const store::LogVisitor& visit) const {
    std::size_t log_index = 0;
    for (std::size_t i = 0; i < block.receipts.size(); ++i)
        for (const state::Log& log : block.receipts[i].logs) {
            const std::size_t index = log_index++;
            if (store::matches(query, log) && !visit({block.number(), i, index, log}))
                return false;
        }
    return true;
}

ChainResult<void> SequencerChain::for_each_log(const store::LogQuery& query, const store::LogVisitor& visit) {
    bool more = true;
    const std::uint64_t stored = m_head->base->view.head()->number;
    if (query.from_block <= stored) {
        const auto done = m_head->base->view.for_each_log(query, [&](const store::LogMatch& match) {
            more = visit(match);
            return more;
        });
        if (!done)
            return fail(failure(done.error()));
    }
    const auto in_range = [&](std::uint64_t number) {
        return number > stored && number >= query.from_block && number <= query.to_block;
    };
    for (const sequencer::SealedBlockPtr& sealed : m_head->sealed)
        if (more && in_range(sealed->block->number()))
            more = visit_logs(*sealed->block, query, visit);
    if (more && m_open && in_range(m_open->number()))
        visit_logs(*m_open, query, visit);
    return {};
}

// --- frames ---------------------------------------------------------------------------------------------

// The log's numbers of blocks never go down.
std::uint64_t SequencerChain::oldest_whole_frame() {
    std::uint64_t low = first_frame();
    std::uint64_t high = m_head->version + 1;
    const auto block_is_gone = [&](std::uint64_t number) {
        const auto header = m_parts.log.header(number);
        return header && header->header.block_number < oldest_block();
    };
    if (low >= high || !block_is_gone(low))
        return low;
    while (low + 1 < high) {
        const std::uint64_t middle = low + (high - low) / 2;
        (block_is_gone(middle) ? low : high) = middle;
    }
    return high;
}

ChainResult<FramePtr> SequencerChain::frame(std::uint64_t number) {
    if (number == 0 || number > m_head->version)
        return FramePtr{};
    if (FramePtr known = m_frames.find(number))
        return known;
    const auto recent = m_parts.live.recent_frame(number);
    auto found = recent ? place(recent) : frame_of_log(number);
    if (found && *found)
        m_frames.add(number, *found, weight((*found)->content->txns.size()));
    return found;
}

// Where the frame stands in its block: the block knows.
ChainResult<FramePtr> SequencerChain::place(const sequencer::PublishedFramePtr& frame) {
    auto out = std::make_shared<ChainFrame>(ChainFrame{frame->head, frame->content, 0, 0});
    if (frame->content->txns.empty())
        return FramePtr(out);
    const auto at = find_transaction(frame->content->txns.front()->hash);
    if (!at)
        return fail(at.error());
    if (!*at)
        return FramePtr{};
    out->first_txn = (*at)->index;
    out->first_log = count_logs(std::span((*at)->block->receipts).first((*at)->index));
    return FramePtr(out);
}

// Transactions, senders and receipts are the block's; only the rest is taken from the record.
ChainResult<FramePtr> SequencerChain::frame_of_log(std::uint64_t number) {
    const auto record = m_parts.log.read(number);
    if (!record)
        return fail(ChainFailure{record.error().message});
    auto decoded = frames::decode_record(*record);
    if (!decoded)
        return fail(ChainFailure{std::move(decoded.error().message)});
    const frames::FrameHeader& header = decoded->head.header;
    auto content = std::make_shared<sequencer::SealedFrame>();
    content->number = header.number;
    content->block_number = header.block_number;
    content->index = header.index;
    content->timestamp_us = header.timestamp_us;
    if (decoded->content.base)
        content->opening = sequencer::Opening{frames::header_of(*decoded->content.base, header.block_number),
                                              std::move(decoded->content.base->parent_closing)};
    content->changes = std::move(decoded->content.changes);
    auto out = std::make_shared<ChainFrame>(ChainFrame{decoded->head, nullptr, 0, 0});
    const std::size_t count = decoded->content.transaction_count();
    if (count > 0) {
        Bytes& first = decoded->content.segments.front().transactions.front();
        const auto at = find_transaction(crypto::keccak256(first));
        if (!at)
            return fail(at.error());
        if (!*at || (*at)->block->number() != header.block_number ||
            (*at)->index + count > (*at)->block->txn_hashes.size())
            return fail(ChainFailure{"frame " + std::to_string(number) + ": block " +
                                     std::to_string(header.block_number) +
                                     " is not kept any more (see store.body_blocks)"});
        const sequencer::ExecutedBlock& block = *(*at)->block;
        out->first_txn = (*at)->index;
        out->first_log = count_logs(std::span(block.receipts).first(out->first_txn));
        std::size_t i = out->first_txn;
        for (frames::Segment& segment : decoded->content.segments)
            for (Bytes& envelope : segment.transactions) {
                auto txn = std::make_shared<sequencer::PooledTxn>();
                txn->txn = block.block.transactions[i];
                txn->envelope = std::move(envelope);
                txn->sender = block.senders[i];
                txn->hash = block.txn_hashes[i];
                content->txns.push_back(std::move(txn));
                content->receipts.push_back(block.receipts[i++]);
            }
    }
    out->content = std::move(content);
    return FramePtr(out);
}

// --- transactions ---------------------------------------------------------------------------------------

sequencer::Pool::BySender SequencerChain::pool_content() {
    return m_parts.pool != nullptr ? m_parts.pool->by_sender() : sequencer::Pool::BySender{};
}

PooledTxnPtr SequencerChain::find_pooled(const Hash& hash) {
    return m_parts.pool != nullptr ? m_parts.pool->find(hash) : nullptr;
}

std::size_t SequencerChain::pool_size() {
    return m_parts.pool != nullptr ? m_parts.pool->size() : 0;
}

std::uint64_t SequencerChain::next_nonce(const Address& sender) {
    const std::uint64_t nonce = m_state->account(sender).value_or(state::Account{}).nonce;
    return m_parts.pool != nullptr ? m_parts.pool->next_nonce(sender, nonce) : nonce;
}

void SequencerChain::submit(Bytes envelope, std::function<void(SubmitOutcome)> done, ClientId client) {
    m_parts.submit(std::move(envelope), std::move(done), client);
}

}  // namespace meridian::node
