#include <meridian/frames/frame.hpp>

#include <meridian/chain/txn_cost.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/evm/evm.hpp>

namespace meridian::frames {

namespace {

// Fills one 32-byte word after another.
class WordWriter {
public:
    explicit WordWriter(std::span<std::uint8_t> out) : m_out(out) {}

    void word(const Hash& value) {
        std::copy(value.begin(), value.end(), m_out.begin());
        m_out = m_out.subspan(32);
    }
    void number(std::uint64_t value) { word(to_hash(value)); }

private:
    std::span<std::uint8_t> m_out;
};

chain::Receipt common_part(const FrameReceipt& receipt) {
    chain::Receipt out;
    out.type = receipt.type;
    out.success = receipt.success;
    out.state_root = receipt.state_root;
    out.gas_used = receipt.gas_used;
    out.logs = receipt.logs;
    out.bloom = chain::bloom_of(receipt.logs);
    out.deposit_nonce = receipt.deposit_nonce;
    out.deposit_receipt_version = receipt.deposit_receipt_version;
    return out;
}

// What the transaction paid for a unit of gas: EIP-1559's price, which for the types before it is their own.
u256 effective_gas_price(const chain::Transaction& txn, const u256& base_fee) {
    if (txn.type == chain::TxnType::Deposit || txn.type == chain::TxnType::Module)
        return 0;
    if (txn.max_fee_per_gas < base_fee)
        return base_fee;  // no valid block has it; says what would have been due
    const u256 tip = std::min(txn.max_priority_fee_per_gas, txn.max_fee_per_gas - base_fee);
    return base_fee + tip;
}

std::optional<Address> created_contract(const chain::Transaction& txn, const FrameReceipt& receipt,
                                        const Address& sender) {
    if (txn.to)
        return std::nullopt;
    if (txn.type != chain::TxnType::Deposit)
        return evm::create_address(sender, txn.nonce);
    if (!receipt.deposit_nonce)
        return std::nullopt;
    return evm::create_address(sender, *receipt.deposit_nonce);
}

}  // namespace

HeaderPreimage header_preimage(const FrameHeader& header) noexcept {
    static const Hash type_hash = crypto::keccak256(as_bytes(kHeaderType));
    HeaderPreimage out;
    WordWriter writer(out.bytes);
    writer.word(type_hash);
    writer.number(header.chain_id);
    writer.number(header.term);
    writer.number(header.number);
    writer.word(header.parent_hash);
    writer.number(header.block_number);
    writer.number(header.index);
    writer.number(header.timestamp_us);
    writer.word(header.base_hash);
    writer.word(header.transactions_hash);
    writer.word(header.receipts_hash);
    writer.word(header.changes_hash);
    return out;
}

Hash frame_hash(const FrameHeader& header) noexcept {
    return crypto::keccak256(header_preimage(header));
}

chain::Header header_of(const BlockBase& base, std::uint64_t block_number) {
    chain::Header header;
    header.parent_hash = base.parent_hash;
    header.coinbase = base.coinbase;
    header.difficulty = base.difficulty;
    header.number = block_number;
    header.gas_limit = base.gas_limit;
    header.timestamp = base.timestamp;
    header.extra_data = base.extra_data;
    header.mix_hash = base.prev_randao;
    header.base_fee = base.base_fee;
    if (base.withdrawals)
        header.withdrawals_root = chain::withdrawals_root(*base.withdrawals);
    if (base.excess_blob_gas) {
        header.blob_gas_used = 0;
        header.excess_blob_gas = base.excess_blob_gas;
    }
    header.parent_beacon_block_root = base.parent_beacon_block_root;
    return header;
}

BlockBase base_of(const chain::Header& header,
                  const std::optional<std::vector<chain::Withdrawal>>& withdrawals) {
    BlockBase base;
    base.parent_hash = header.parent_hash;
    base.coinbase = header.coinbase;
    base.difficulty = header.difficulty;
    base.prev_randao = header.mix_hash;
    base.timestamp = header.timestamp;
    base.gas_limit = header.gas_limit;
    base.extra_data = header.extra_data;
    base.base_fee = header.base_fee;
    base.withdrawals = withdrawals;
    base.excess_blob_gas = header.excess_blob_gas;
    base.parent_beacon_block_root = header.parent_beacon_block_root;
    return base;
}

std::size_t FrameContent::transaction_count() const noexcept {
    std::size_t count = 0;
    for (const Segment& segment : segments)
        count += segment.transactions.size();
    return count;
}

std::string_view to_string(RebuildError error) noexcept {
    switch (error) {
        case RebuildError::CountMismatch:
            return "receipts, transactions and senders differ in number";
        case RebuildError::TypeMismatch:
            return "a receipt's type is not its transaction's";
        case RebuildError::GasOverflow:
            return "the sum of the gas used does not fit 64 bits";
    }
    return "unknown";
}

Result<std::vector<chain::Receipt>, RebuildError> rebuild_receipts(std::span<const FrameReceipt> receipts,
                                                                   std::span<const chain::Transaction> txns,
                                                                   std::span<const Address> senders,
                                                                   const u256& base_fee,
                                                                   std::uint64_t gas_used_before) {
    if (receipts.size() != txns.size() || receipts.size() != senders.size())
        return fail(RebuildError::CountMismatch);
    std::vector<chain::Receipt> out;
    out.reserve(receipts.size());
    std::uint64_t gas_used = gas_used_before;
    for (std::size_t i = 0; i < receipts.size(); ++i) {
        if (receipts[i].type != txns[i].type)
            return fail(RebuildError::TypeMismatch);
        if (__builtin_add_overflow(gas_used, receipts[i].gas_used, &gas_used))
            return fail(RebuildError::GasOverflow);
        chain::Receipt receipt = common_part(receipts[i]);
        receipt.cumulative_gas_used = gas_used;
        receipt.contract_address = created_contract(txns[i], receipts[i], senders[i]);
        receipt.effective_gas_price = effective_gas_price(txns[i], base_fee);
        receipt.blob_gas_used = txns[i].blob_hashes.size() * chain::kGasPerBlob;
        out.push_back(std::move(receipt));
    }
    return out;
}

FrameReceipt frame_receipt(const chain::Receipt& receipt) {
    FrameReceipt out;
    out.type = receipt.type;
    out.success = receipt.success;
    out.state_root = receipt.state_root;
    out.gas_used = receipt.gas_used;
    out.logs = receipt.logs;
    out.deposit_nonce = receipt.deposit_nonce;
    out.deposit_receipt_version = receipt.deposit_receipt_version;
    return out;
}

}  // namespace meridian::frames
