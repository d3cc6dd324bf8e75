#include <meridian/sequencer/committer.hpp>

#include <meridian/rlp/encode.hpp>

namespace meridian::sequencer {
namespace {

constexpr std::uint64_t kRetryUs = 100'000;
// Blocks that one step prunes at most: bounds the time that storing waits.
constexpr std::uint64_t kPruneBlocks = 16;
// Changed accounts that the trie takes at once while the block is open: what is left at its end holds up the
// next block. Fewer at once would hash the upper nodes more often.
constexpr std::size_t kStagedAccounts = 512;

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

Committer::Committer(const u256& parent_total_difficulty, std::size_t queue_max, Doorbell* doorbell,
                     Parts parts)
    : m_parts(std::move(parts)), m_queue(queue_max, doorbell), m_total_difficulty(parent_total_difficulty) {}

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
    state::append(m_unstaged, frame.changes);
    if (m_unstaged.accounts.size() >= kStagedAccounts)
        stage(frame.block_number);
}

void Committer::stage(std::uint64_t block) {
    if (auto staged = m_parts.trie->stage(m_unstaged); !staged)
        return set_fault(block, staged.error());
    state::append(m_changes, std::exchange(m_unstaged, {}));
}

void Committer::seal(ClosedBlock closed) {
    state::append(m_unstaged, closed.closing);
    const auto root = m_parts.trie->advance(m_unstaged);
    if (!root)
        return set_fault(closed.header.number, root.error());
    state::append(m_changes, std::exchange(m_unstaged, {}));
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
    out->changes = std::exchange(m_changes, {});
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
