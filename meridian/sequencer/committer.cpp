#include <meridian/sequencer/committer.hpp>

#include <meridian/rlp/encode.hpp>
#include <meridian/state/changes.hpp>

namespace meridian::sequencer {
namespace {

constexpr std::uint64_t kRetryUs = 100'000;
// Blocks that one step prunes at most: bounds the time that storing waits.
constexpr std::uint64_t kPruneBlocks = 16;
// Changed accounts and slots that the trie takes at once while the block is open: what is left at its end
// holds up the next block. Fewer at once would hash the upper nodes more often.
constexpr std::size_t kStagedEntries = 512;
// The same shortly before the block's end, when nothing else waits.
constexpr std::size_t kStagedEntriesAtEnd = 64;
constexpr std::uint64_t kEndUs = 50'000;
// Accounts that may wait for it to be taken once more.
constexpr std::size_t kAgainMax = 8'192;

// Bytes of a transaction in its block's list.
std::size_t size_in_block(const PooledTxn& txn) {
    return txn.txn.type == chain::TxnType::Legacy ? txn.envelope.size() : rlp::length_of_bytes(txn.envelope);
}

// Bytes of the block's encoding, which has no ommers and no withdrawals.
std::size_t size_of_block(const chain::Header& header, std::size_t txns_bytes) {
    const std::size_t empty_lists = header.withdrawals_root ? 2 : 1;
    return rlp::length_of_list(chain::encode(header).size() + rlp::length_of_list(txns_bytes) + empty_lists);
}

}  // namespace

Committer::Committer(const u256& parent_total_difficulty, std::uint64_t block_time_s, std::size_t queue_max,
                     Doorbell* doorbell, Parts parts)
    : m_parts(std::move(parts)),
      m_queue(queue_max, doorbell),
      m_total_difficulty(parent_total_difficulty),
      m_block_time_s(block_time_s) {}

Step Committer::step() {
    auto items = m_queue.pop(1);
    if (items.empty() || !fault().empty())
        return {};
    if (const auto* frame = std::get_if<SealedFramePtr>(&items.front()))
        add(**frame);
    else
        seal(std::get<ClosedBlock>(std::move(items.front())));
    return {true, kNever};
}

void Committer::add(const SealedFrame& frame) {
    if (frame.opening) {
        m_block = std::make_shared<ExecutedBlock>();
        m_block->first_frame = frame.number;
        m_block_end_us = (frame.opening->header.timestamp + m_block_time_s) * 1'000'000;
    }
    for (const PooledTxnPtr& txn : frame.txns) {
        m_block->block.transactions.push_back(txn->txn);
        m_block->txn_hashes.push_back(txn->hash);
        m_block->senders.push_back(txn->sender);
        m_txns_root.add(txn->envelope);
        m_txns_bytes += size_in_block(*txn);
    }
    for (const chain::Receipt& receipt : frame.receipts)
        m_receipts_root.add(chain::encode(receipt));
    m_block->receipts.insert(m_block->receipts.end(), frame.receipts.begin(), frame.receipts.end());
    note(frame.changes);
    const bool ending = is_ending(frame.timestamp_us);
    if (ending || m_again.accounts.size() > kAgainMax) {
        m_fresh_entries += m_again.accounts.size();
        m_fresh.accounts.merge(m_again.accounts);
    }
    if (m_fresh_entries >= kStagedEntries ||
        (ending && m_fresh_entries >= kStagedEntriesAtEnd && m_queue.size() == 0))
        stage(frame.block_number);
}

bool Committer::is_ending(std::uint64_t frame_time_us) const {
    return frame_time_us + kEndUs >= m_block_end_us;
}

// An account that changes in every frame would be hashed for each; one with new slots has them hashed soon.
void Committer::note(const state::StateChanges& changes) {
    for (const auto& [address, change] : changes.accounts) {
        const auto again = m_again.accounts.find(address);
        const bool was_again = again != m_again.accounts.end();
        const bool only_account = change.account && !change.storage_cleared && change.storage.empty();
        const bool can_wait = only_account && !m_fresh.accounts.contains(address) &&
                              (was_again || m_staged.accounts.contains(address));
        if (can_wait) {
            state::append(was_again ? again->second : m_again.accounts[address], change);
            continue;
        }
        if (was_again)
            m_fresh.accounts.insert(m_again.accounts.extract(again));
        state::append(m_fresh.accounts[address], change);
        m_fresh_entries += 1 + change.storage.size();
    }
    m_fresh.code.insert(changes.code.begin(), changes.code.end());
    for (const auto& [module, pages] : changes.arenas)
        for (const auto& [page, patch] : pages)
            state::append(m_fresh.arenas[module][page], patch);
}

void Committer::stage(std::uint64_t block) {
    if (auto staged = m_parts.trie->stage(m_fresh); !staged)
        return set_fault(block, staged.error());
    keep_staged(std::exchange(m_fresh, {}));
    m_fresh_entries = 0;
}

void Committer::keep_staged(state::StateChanges staged) {
    m_staged.accounts.merge(staged.accounts);
    state::append(m_staged, staged);  // those left were there before
    m_staged.code.merge(staged.code);
}

void Committer::seal(ClosedBlock closed) {
    m_fresh.accounts.merge(m_again.accounts);
    state::append(m_fresh, closed.closing);
    const auto root = m_parts.trie->advance(m_fresh);
    if (!root)
        return set_fault(closed.header.number, root.error());
    keep_staged(std::exchange(m_fresh, {}));
    m_fresh_entries = 0;
    chain::Block& block = m_block->block;
    block.header = std::move(closed.header);
    if (block.header.withdrawals_root)
        block.withdrawals.emplace();
    block.header.state_root = *root;
    block.header.transactions_root = std::exchange(m_txns_root, {}).root();
    block.header.receipts_root = std::exchange(m_receipts_root, {}).root();
    m_block->hash = chain::header_hash(block.header);
    m_block->size_bytes = size_of_block(block.header, std::exchange(m_txns_bytes, 0));
    m_total_difficulty += block.header.difficulty;
    m_block->total_difficulty = m_total_difficulty;
    m_block->last_frame = closed.last_frame;
    const ExecutedBlockPtr sealed = std::move(m_block);
    auto out = std::make_shared<SealedBlock>();
    out->block = sealed;
    out->changes = std::exchange(m_staged, {});
    out->closing = std::move(closed.closing);
    m_parts.live.add_sealed(out);
    m_parts.on_sealed(sealed->header(), sealed->hash);
    // The next block is under way from here on.
    auto update = m_parts.trie->take_update();
    if (!update)
        return set_fault(sealed->number(), update.error());
    out->trie = *std::move(update);
    out->storable = true;
    m_parts.on_storable();
}

void Committer::set_fault(std::uint64_t block, const store::StoreError& error) {
    const std::unique_lock lock(m_fault_mutex);
    m_fault = "block " + std::to_string(block) + " gets no state root: " + error.message;
}

std::string Committer::fault() const {
    const std::unique_lock lock(m_fault_mutex);
    return m_fault;
}

// --- the store ------------------------------------------------------------------------------------------

Step StoreWriter::step() {
    const SealedBlockPtr next = m_live.next_to_store();
    if (!next) {
        if (!m_prune)
            return {};
        const auto progress = m_store.prune_step(kPruneBlocks);
        m_prune = progress && !progress->done;
        return {m_prune, kNever};
    }
    const ExecutedBlock& block = *next->block;
    const Bytes note = encode(FrameNote{.last_frame = block.last_frame,
                                        .timestamp_us = next->last_frame_us,
                                        .frame_hash = next->last_frame_hash,
                                        .first_frame_of_block = block.first_frame});
    const auto stored = m_store.commit_block({.block = block.block,
                                              .hash = block.hash,
                                              .total_difficulty = block.total_difficulty,
                                              .size_bytes = block.size_bytes,
                                              .receipts = block.receipts,
                                              .txn_hashes = block.txn_hashes,
                                              .senders = block.senders,
                                              .changes = next->changes,
                                              .trie = *next->trie,
                                              .note = note},
                                             m_durability);
    if (!stored) {
        set_fault(stored.error().message);
        return {false, kRetryUs};
    }
    if (auto shown = m_live.on_stored(); !shown) {
        set_fault(shown.error().message);
        return {false, kRetryUs};
    }
    set_fault({});
    m_stored = block.number();
    m_prune = true;
    if (m_on_stored)
        m_on_stored();
    return {true, kNever};
}

void StoreWriter::set_fault(std::string why) {
    const std::unique_lock lock(m_fault_mutex);
    m_fault = std::move(why);
}

std::string StoreWriter::fault() const {
    const std::unique_lock lock(m_fault_mutex);
    return m_fault;
}

}  // namespace meridian::sequencer
