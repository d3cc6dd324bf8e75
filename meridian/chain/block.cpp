#include <meridian/chain/block.hpp>

#include <meridian/crypto/keccak.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/rlp/encode.hpp>
#include <meridian/trie/root.hpp>

#include <span>

namespace meridian::chain {

namespace {

constexpr std::string_view kHeaderNames[] = {
    "parentHash",    "ommersHash",      "coinbase",    "stateRoot",     "transactionsRoot",
    "receiptsRoot",  "bloom",           "difficulty",  "number",        "gasLimit",
    "gasUsed",       "timestamp",       "extraData",   "mixHash",       "nonce",
    "baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot",
    "requestsHash"};
constexpr std::size_t kRequiredHeaderFields = 15;
constexpr std::string_view kWithdrawalNames[] = {"index", "validatorIndex", "address", "amount"};
constexpr std::string_view kBlockNames[] = {"header", "transactions", "ommers", "withdrawals"};

template <class... Parts>
std::string join(const Parts&... parts) {
    std::string out;
    (out.append(parts), ...);
    return out;
}

std::string_view name_at(std::span<const std::string_view> names, std::size_t index) noexcept {
    return index < names.size() ? names[index] : std::string_view{};
}

BlockDecodeFailure failure(std::string field, rlp::DecodeError error) {
    BlockDecodeFailure out;
    if (error == rlp::DecodeError::Overflow)
        out.error = BlockError::RlpInvalidFieldOverflow64;
    out.field = std::move(field);
    out.reason = rlp::to_string(error);
    out.fault = error;
    return out;
}

BlockDecodeFailure failure(std::string_view prefix, std::span<const std::string_view> names,
                           const rlp::FieldError& error) {
    const std::string_view name = name_at(names, error.field);
    BlockDecodeFailure out =
        failure(name.empty() ? std::string(prefix) : join(prefix, ".", name), error.error);
    const bool wrong_size =
        error.error == rlp::DecodeError::StringTooShort || error.error == rlp::DecodeError::StringTooLong;
    if (wrong_size && (name == "coinbase" || name == "address"))
        out.error = BlockError::RlpInvalidAddress;
    // The later fields are told apart by their number only: one left out makes the next one malformed.
    if (names.data() == kHeaderNames && error.field >= kRequiredHeaderFields)
        out.error = BlockError::IncorrectBlockFormat;
    return out;
}

rlp::ListBuilder header_items(const Header& header) {
    rlp::ListBuilder list;
    list.bytes(header.parent_hash)
        .bytes(header.ommers_hash)
        .bytes(header.coinbase)
        .bytes(header.state_root)
        .bytes(header.transactions_root)
        .bytes(header.receipts_root)
        .bytes(header.bloom)
        .number(header.difficulty)
        .uint(header.number)
        .uint(header.gas_limit)
        .uint(header.gas_used)
        .uint(header.timestamp)
        .bytes(header.extra_data)
        .bytes(header.mix_hash)
        .bytes(header.nonce);
    if (header.base_fee)
        list.number(*header.base_fee);
    if (header.withdrawals_root)
        list.bytes(*header.withdrawals_root);
    if (header.blob_gas_used)
        list.uint(*header.blob_gas_used);
    if (header.excess_blob_gas)
        list.uint(*header.excess_blob_gas);
    if (header.parent_beacon_block_root)
        list.bytes(*header.parent_beacon_block_root);
    if (header.requests_hash)
        list.bytes(*header.requests_hash);
    return list;
}

void read_optional_fields(rlp::ListReader& reader, Header& header) {
    if (!reader.at_end())
        header.base_fee = reader.number();
    if (!reader.at_end())
        header.withdrawals_root = reader.fixed<32>();
    if (!reader.at_end())
        header.blob_gas_used = reader.uint64();
    if (!reader.at_end())
        header.excess_blob_gas = reader.uint64();
    if (!reader.at_end())
        header.parent_beacon_block_root = reader.fixed<32>();
    if (!reader.at_end())
        header.requests_hash = reader.fixed<32>();
}

Result<Header, BlockDecodeFailure> read_header(BytesView payload, std::string_view prefix) {
    rlp::ListReader reader(payload);
    Header header;
    header.parent_hash = reader.fixed<32>();
    header.ommers_hash = reader.fixed<32>();
    header.coinbase = reader.fixed<20>();
    header.state_root = reader.fixed<32>();
    header.transactions_root = reader.fixed<32>();
    header.receipts_root = reader.fixed<32>();
    header.bloom = reader.fixed<256>();
    header.difficulty = reader.number();
    header.number = reader.uint64();
    header.gas_limit = reader.uint64();
    header.gas_used = reader.uint64();
    header.timestamp = reader.uint64();
    header.extra_data = to_bytes(reader.bytes());
    header.mix_hash = reader.fixed<32>();
    header.nonce = reader.fixed<8>();
    read_optional_fields(reader, header);
    if (const auto done = reader.finish(); !done)
        return fail(failure(prefix, kHeaderNames, done.error()));
    return header;
}

Result<Transaction, BlockDecodeFailure> read_transaction(const rlp::Item& item, const std::string& field) {
    // A string holds a typed envelope; a legacy transaction stands as the list that it is.
    if (!item.is_list && (item.payload.empty() || item.payload[0] >= 0x80))
        return fail(failure(field, rlp::DecodeError::UnexpectedString));
    auto txn = decode_transaction(item.is_list ? item.raw : item.payload);
    if (txn)
        return *std::move(txn);
    BlockDecodeFailure out;
    out.txn_error = txn.error().error;
    out.field = join(field, ": ", txn.error().field);
    out.reason = std::move(txn.error().reason);
    out.fault = txn.error().fault;
    return fail(std::move(out));
}

Result<std::vector<Transaction>, BlockDecodeFailure> read_transactions(BytesView payload) {
    std::vector<Transaction> out;
    for (rlp::ListReader reader(payload); !reader.at_end();) {
        const std::string field = join("transactions[", std::to_string(out.size()), "]");
        const rlp::Item item = reader.item();
        if (!reader.ok())
            return fail(failure(field, reader.error()->error));
        auto txn = read_transaction(item, field);
        if (!txn)
            return fail(std::move(txn.error()));
        out.push_back(*std::move(txn));
    }
    return out;
}

Result<std::vector<Header>, BlockDecodeFailure> read_ommers(BytesView payload) {
    std::vector<Header> out;
    for (rlp::ListReader reader(payload); !reader.at_end();) {
        const std::string field = join("ommers[", std::to_string(out.size()), "]");
        const BytesView header_payload = reader.list();
        if (!reader.ok())
            return fail(failure(field, reader.error()->error));
        auto header = read_header(header_payload, field);
        if (!header)
            return fail(std::move(header.error()));
        out.push_back(*std::move(header));
    }
    return out;
}

Result<std::vector<Withdrawal>, BlockDecodeFailure> read_withdrawals(BytesView payload) {
    std::vector<Withdrawal> out;
    for (rlp::ListReader reader(payload); !reader.at_end();) {
        const std::string field = join("withdrawals[", std::to_string(out.size()), "]");
        rlp::ListReader item(reader.list());
        if (!reader.ok())
            return fail(failure(field, reader.error()->error));
        Withdrawal withdrawal;
        withdrawal.index = item.uint64();
        withdrawal.validator_index = item.uint64();
        withdrawal.address = item.fixed<20>();
        withdrawal.amount = item.uint64();
        if (const auto done = item.finish(); !done)
            return fail(failure(field, kWithdrawalNames, done.error()));
        out.push_back(withdrawal);
    }
    return out;
}

// Takes the value of a result into `out`, or gives its error.
template <class T, class Out>
std::optional<BlockDecodeFailure> store(Result<T, BlockDecodeFailure> result, Out& out) {
    if (!result)
        return std::move(result.error());
    out = *std::move(result);
    return std::nullopt;
}

Result<BytesView, BlockDecodeFailure> only_list(BytesView input, std::string_view field) {
    const auto item = rlp::decode_exact(input);
    if (!item)
        return fail(failure(std::string(field), item.error()));
    if (!item->is_list)
        return fail(failure(std::string(field), rlp::DecodeError::UnexpectedString));
    return item->payload;
}

template <class T>
Hash root_of(const std::vector<T>& values) {
    std::vector<Bytes> encoded;
    encoded.reserve(values.size());
    for (const T& value : values)
        encoded.push_back(encode(value));
    return trie::ordered_root(std::span<const Bytes>(encoded));
}

}  // namespace

Bytes encode(const Header& header) {
    return header_items(header).build();
}

Hash header_hash(const Header& header) {
    return crypto::keccak256(encode(header));
}

Bytes encode(const Block& block) {
    Bytes transactions;
    for (const Transaction& txn : block.transactions)
        append_to_block(transactions, txn);
    rlp::ListBuilder ommers;
    for (const Header& ommer : block.ommers)
        ommers.list(header_items(ommer));
    rlp::ListBuilder list;
    list.list(header_items(block.header)).encoded(rlp::wrap_list(transactions)).list(ommers);
    if (block.withdrawals.has_value()) {
        rlp::ListBuilder withdrawals;
        for (const Withdrawal& withdrawal : *block.withdrawals)
            withdrawals.encoded(encode(withdrawal));
        list.list(withdrawals);
    }
    return list.build();
}

Result<Header, BlockDecodeFailure> decode_header(BytesView rlp) {
    const auto payload = only_list(rlp, "header");
    return payload ? read_header(*payload, "header") : fail(payload.error());
}

Result<Block, BlockDecodeFailure> decode_block(BytesView rlp) {
    const auto payload = only_list(rlp, "block");
    if (!payload)
        return fail(payload.error());
    rlp::ListReader reader(*payload);
    const BytesView header = reader.list();
    const BytesView transactions = reader.list();
    const BytesView ommers = reader.list();
    std::optional<BytesView> withdrawals;
    if (!reader.at_end())
        withdrawals = reader.list();
    if (const auto done = reader.finish(); !done)
        return fail(failure("block", kBlockNames, done.error()));

    Block out;
    if (auto error = store(read_header(header, "header"), out.header))
        return fail(std::move(*error));
    if (auto error = store(read_transactions(transactions), out.transactions))
        return fail(std::move(*error));
    if (auto error = store(read_ommers(ommers), out.ommers))
        return fail(std::move(*error));
    if (withdrawals.has_value())
        if (auto error = store(read_withdrawals(*withdrawals), out.withdrawals))
            return fail(std::move(*error));
    return out;
}

Hash transactions_root(const std::vector<Transaction>& transactions) {
    return root_of(transactions);
}

Hash receipts_root(const std::vector<Receipt>& receipts) {
    return root_of(receipts);
}

Hash withdrawals_root(const std::vector<Withdrawal>& withdrawals) {
    return root_of(withdrawals);
}

Hash ommers_hash(const std::vector<Header>& ommers) {
    if (ommers.empty())
        return kEmptyOmmersHash;
    rlp::ListBuilder list;
    for (const Header& ommer : ommers)
        list.list(header_items(ommer));
    return crypto::keccak256(list.build());
}

}  // namespace meridian::chain
