#include <meridian/sequencer/committer.hpp>

namespace meridian::sequencer {
namespace {

constexpr std::uint64_t kRetryUs = 100'000;
// Blocks that one step prunes at most: bounds the time that storing waits.
constexpr std::uint64_t kPruneBlocks = 16;

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
        m_changes = {};
    }
    for (const PooledTxnPtr& txn : frame.txns) {
        m_block->block.transactions.push_back(txn->txn);
        m_block->txn_hashes.push_back(txn->hash);
        m_block->senders.push_back(txn->sender);
    }
    m_block->receipts.insert(m_block->receipts.end(), frame.receipts.begin(), frame.receipts.end());
    state::append(m_changes, frame.changes);
}

void Committer::seal(ClosedBlock closed) {
    state::append(m_changes, closed.closing);
    auto update = m_parts.trie->apply(m_changes);
    if (!update) {
        const std::unique_lock lock(m_fault_mutex);
        m_fault = "block " + std::to_string(closed.header.number) +
                  " gets no state root: " + update.error().message;
        return;
    }
    chain::Block& block = m_block->block;
    block.header = std::move(closed.header);
    if (block.header.withdrawals_root)
        block.withdrawals.emplace();
    block.header.state_root = (*update)->root;
    block.header.transactions_root = chain::transactions_root(block.transactions);
    block.header.receipts_root = chain::receipts_root(m_block->receipts);
    m_block->hash = chain::header_hash(block.header);
    m_block->size_bytes = chain::encode(block).size();
    m_total_difficulty += block.header.difficulty;
    m_block->total_difficulty = m_total_difficulty;
    m_block->last_frame = closed.last_frame;
    const ExecutedBlockPtr sealed = std::move(m_block);
    auto out = std::make_shared<SealedBlock>();
    out->block = sealed;
    out->changes = std::exchange(m_changes, {});
    out->trie = *std::move(update);
    m_parts.live.add_sealed(std::move(out));
    m_parts.on_sealed(sealed->header(), sealed->hash);
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
