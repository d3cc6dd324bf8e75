#include <meridian/store/record_codec.hpp>

#include <meridian/rlp/decode.hpp>
#include <meridian/rlp/encode.hpp>

namespace meridian::store {
namespace {

bool is_txn_type(std::uint64_t type) noexcept {
    return type <= static_cast<std::uint64_t>(chain::TxnType::SetCode) ||
           type == static_cast<std::uint64_t>(chain::TxnType::Module) ||
           type == static_cast<std::uint64_t>(chain::TxnType::Deposit);
}

// A development chain takes legacy transactions without a signature; no decoder accepts their v, so it is
// kept beside an envelope with this one.
constexpr std::uint64_t kReadableV = 27;

bool is_unsigned(const chain::Transaction& txn) noexcept {
    return txn.type == chain::TxnType::Legacy && txn.v < u256{35} && txn.v != u256{27} && txn.v != u256{28};
}

// Absent as an empty list, so that zero stays zero.
rlp::ListBuilder optional_number(const std::optional<std::uint64_t>& number) {
    rlp::ListBuilder out;
    if (number)
        out.uint(*number);
    return out;
}

std::optional<std::uint64_t> read_optional_number(rlp::ListReader& reader) {
    rlp::ListReader list(reader.list());
    std::optional<std::uint64_t> out;
    if (!list.at_end())
        out = list.uint64();
    if (!list.finish())
        reader.reject(rlp::DecodeError::TooManyItems);
    return out;
}

rlp::ListBuilder log_items(const std::vector<state::Log>& logs) {
    rlp::ListBuilder out;
    for (const state::Log& log : logs) {
        rlp::ListBuilder topics;
        for (const Hash& topic : log.topics)
            topics.bytes(topic);
        out.list(rlp::ListBuilder().bytes(log.address).list(topics).bytes(log.data));
    }
    return out;
}

state::Log read_log(rlp::ListReader& logs) {
    rlp::ListReader reader(logs.list());
    state::Log out;
    out.address = reader.fixed<20>();
    rlp::ListReader topics(reader.list());
    while (!topics.at_end())
        out.topics.push_back(topics.fixed<32>());
    reader.adopt(topics);
    out.data = to_bytes(reader.bytes());
    if (!reader.finish() || out.topics.size() > kTopicsMax)
        logs.reject(rlp::DecodeError::InvalidValue);
    return out;
}

rlp::ListBuilder receipt_items(const chain::Receipt& receipt) {
    rlp::ListBuilder out;
    out.uint(static_cast<std::uint64_t>(receipt.type)).uint(receipt.success ? 1 : 0);
    out.bytes(receipt.state_root ? BytesView(*receipt.state_root) : BytesView{});
    out.uint(receipt.cumulative_gas_used).list(log_items(receipt.logs));
    out.list(optional_number(receipt.deposit_nonce)).list(optional_number(receipt.deposit_receipt_version));
    out.uint(receipt.gas_used);
    out.bytes(receipt.contract_address ? BytesView(*receipt.contract_address) : BytesView{});
    out.number(receipt.effective_gas_price).uint(receipt.blob_gas_used);
    return out;
}

chain::Receipt read_receipt(rlp::ListReader& group, Blooms blooms) {
    rlp::ListReader reader(group.list());
    chain::Receipt out;
    const std::uint64_t type = reader.uint64();
    const std::uint64_t success = reader.uint64();
    out.type = static_cast<chain::TxnType>(type);
    out.success = success == 1;
    out.state_root = reader.optional_fixed<32>();
    out.cumulative_gas_used = reader.uint64();
    rlp::ListReader logs(reader.list());
    while (!logs.at_end())
        out.logs.push_back(read_log(logs));
    reader.adopt(logs);
    out.deposit_nonce = read_optional_number(reader);
    out.deposit_receipt_version = read_optional_number(reader);
    out.gas_used = reader.uint64();
    out.contract_address = reader.optional_fixed<20>();
    out.effective_gas_price = reader.number();
    out.blob_gas_used = reader.uint64();
    if (!reader.finish() || !is_txn_type(type) || success > 1)
        group.reject(rlp::DecodeError::InvalidValue);
    else if (blooms == Blooms::Compute)
        out.bloom = chain::bloom_of(out.logs);
    return out;
}

chain::Withdrawal read_withdrawal(rlp::ListReader& list) {
    rlp::ListReader reader(list.list());
    chain::Withdrawal out;
    out.index = reader.uint64();
    out.validator_index = reader.uint64();
    out.address = reader.fixed<20>();
    out.amount = reader.uint64();
    if (!reader.finish())
        list.reject(rlp::DecodeError::InvalidValue);
    return out;
}

// The reader of the one list that the value is; with an error if it is anything else.
rlp::ListReader open_whole(BytesView value) {
    const auto item = rlp::decode_exact(value);
    rlp::ListReader out(item && item->is_list ? item->payload : BytesView{});
    if (!item || !item->is_list)
        out.reject(rlp::DecodeError::UnexpectedString);
    return out;
}

}  // namespace

Bytes encode_block_record(const StoredHeader& header) {
    return rlp::ListBuilder()
        .encoded(chain::encode(header.header))
        .bytes(header.hash)
        .bytes(header.state_root)
        .number(header.total_difficulty)
        .uint(header.size_bytes)
        .uint(header.txn_count)
        .build();
}

std::optional<StoredHeader> decode_block_record(BytesView value) {
    rlp::ListReader reader = open_whole(value);
    const rlp::Item item = reader.item();
    StoredHeader out;
    out.hash = reader.fixed<32>();
    out.state_root = reader.fixed<32>();
    out.total_difficulty = reader.number();
    out.size_bytes = reader.uint64();
    out.txn_count = reader.uint64();
    if (!reader.finish())
        return std::nullopt;
    auto header = chain::decode_header(item.raw);
    if (!header)
        return std::nullopt;
    out.header = *std::move(header);
    return out;
}

Bytes encode_body_group(std::span<const chain::Transaction> txns, std::span<const Address> senders) {
    rlp::ListBuilder out;
    for (std::size_t i = 0; i < txns.size(); ++i) {
        rlp::ListBuilder unsigned_v;
        if (is_unsigned(txns[i])) {
            chain::Transaction readable = txns[i];
            readable.v = kReadableV;
            unsigned_v.number(txns[i].v);
            out.bytes(chain::encode(readable));
        } else {
            out.bytes(chain::encode(txns[i]));
        }
        out.bytes(senders[i]).list(unsigned_v);
    }
    return out.build();
}

std::optional<std::vector<StoredTxn>> decode_body_group(BytesView value) {
    rlp::ListReader reader = open_whole(value);
    std::vector<StoredTxn> out;
    while (!reader.at_end()) {
        const BytesView envelope = reader.bytes();
        const Address sender = reader.fixed<20>();
        rlp::ListReader unsigned_v(reader.list());
        auto txn = chain::decode_transaction(envelope);
        if (!reader.ok() || !txn)
            return std::nullopt;
        if (!unsigned_v.at_end())
            txn->v = unsigned_v.number();
        if (!unsigned_v.finish())
            return std::nullopt;
        out.push_back({*std::move(txn), sender});
    }
    if (!reader.finish() || out.empty() || out.size() > kGroupSize)
        return std::nullopt;
    return out;
}

Bytes encode_body_rest(const chain::Block& block) {
    rlp::ListBuilder ommers;
    for (const chain::Header& ommer : block.ommers)
        ommers.encoded(chain::encode(ommer));
    rlp::ListBuilder out;
    out.list(ommers);
    if (block.withdrawals) {
        rlp::ListBuilder withdrawals;
        for (const chain::Withdrawal& withdrawal : *block.withdrawals)
            withdrawals.encoded(chain::encode(withdrawal));
        out.list(withdrawals);
    }
    return out.build();
}

bool decode_body_rest(BytesView value, StoredBody& out) {
    rlp::ListReader reader = open_whole(value);
    rlp::ListReader ommers(reader.list());
    while (!ommers.at_end()) {
        auto header = chain::decode_header(ommers.item().raw);
        if (!header)
            return false;
        out.ommers.push_back(*std::move(header));
    }
    reader.adopt(ommers);
    if (!reader.at_end()) {
        rlp::ListReader withdrawals(reader.list());
        out.withdrawals.emplace();
        while (!withdrawals.at_end())
            out.withdrawals->push_back(read_withdrawal(withdrawals));
        reader.adopt(withdrawals);
    }
    return reader.finish().has_value();
}

Bytes encode_receipt_group(std::span<const chain::Receipt> receipts, std::uint64_t first_log_index) {
    rlp::ListBuilder out;
    out.uint(first_log_index);
    for (const chain::Receipt& receipt : receipts)
        out.list(receipt_items(receipt));
    return out.build();
}

std::optional<std::vector<StoredReceipt>> decode_receipt_group(BytesView value, Blooms blooms) {
    rlp::ListReader reader = open_whole(value);
    std::uint64_t log_index = reader.uint64();
    std::vector<StoredReceipt> out;
    while (!reader.at_end() && out.size() <= kGroupSize) {
        chain::Receipt receipt = read_receipt(reader, blooms);
        const std::size_t logs = receipt.logs.size();
        out.push_back({std::move(receipt), log_index});
        log_index += logs;
    }
    if (!reader.finish() || out.empty() || out.size() > kGroupSize)
        return std::nullopt;
    return out;
}

}  // namespace meridian::store
