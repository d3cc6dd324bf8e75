#include <meridian/sequencer/executed_block.hpp>

namespace meridian::sequencer {

store::StoreResult<ExecutedBlockPtr> read_block(const store::ChainView& view, std::uint64_t number) {
    auto header = view.header(number);
    if (!header)
        return fail(std::move(header.error()));
    auto body = view.body(number);
    if (!body)
        return fail(std::move(body.error()));
    auto receipts = view.receipts(number);
    if (!receipts)
        return fail(std::move(receipts.error()));
    auto out = std::make_shared<ExecutedBlock>();
    out->block.header = std::move(header->header);
    out->block.transactions = std::move(body->transactions);
    out->block.ommers = std::move(body->ommers);
    out->block.withdrawals = std::move(body->withdrawals);
    out->hash = header->hash;
    out->size_bytes = header->size_bytes;
    out->total_difficulty = header->total_difficulty;
    out->senders = std::move(body->senders);
    for (const chain::Transaction& txn : out->block.transactions)
        out->txn_hashes.push_back(chain::transaction_hash(txn));
    for (store::StoredReceipt& receipt : *receipts)
        out->receipts.push_back(std::move(receipt.receipt));
    return out;
}

}  // namespace meridian::sequencer
