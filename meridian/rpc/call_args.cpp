#include <meridian/base/hex.hpp>
#include <meridian/rpc/call_args.hpp>
#include <meridian/sequencer/txn_words.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

using chain::TxnType;
using evm::Revision;

// A call's member. Where geth's complaint names it, this one does in the same words.
template <class Read>
auto call_member(const json::object& object, std::string_view key, Read read)
    -> std::optional<decltype(read(std::declval<const json::value&>()))> {
    const json::value* found = member(object, key);
    if (found == nullptr)
        return std::nullopt;
    try {
        return read(*found);
    } catch (const ValueError& error) {
        static constexpr std::string_view kInto = " into Go value of type ";
        std::string message = error.message();
        const std::size_t at = message.find(kInto);
        if (at == std::string::npos || !error.place().empty())
            throw error.within(key);
        message.replace(at, kInto.size(),
                        " into Go struct field TransactionArgs." + std::string(key) + " of type ");
        throw ValueError(std::move(message));
    }
}

std::vector<Hash> read_hashes(const json::value& value) {
    return read_list(value, "[]common.Hash", read_hash);
}

chain::AccessListEntry read_access_list_entry(const json::value& value) {
    const json::object& object = read_object(value, "types.AccessTuple");
    chain::AccessListEntry out;
    out.address = optional_member(object, "address", read_address).value_or(Address{});
    out.storage_keys = optional_member(object, "storageKeys", read_hashes).value_or(std::vector<Hash>{});
    return out;
}

chain::Authorization read_authorization(const json::value& value) {
    const json::object& object = read_object(value, "types.SetCodeAuthorization");
    chain::Authorization out;
    out.chain_id = optional_member(object, "chainId", read_quantity).value_or(u256{});
    out.address = optional_member(object, "address", read_address).value_or(Address{});
    out.nonce = optional_member(object, "nonce", read_uint64).value_or(0);
    out.y_parity = optional_member(object, "yParity", read_quantity).value_or(u256{});
    // Signatures come padded to 32 bytes as often as not.
    const auto word = [](const json::value& v) { return from_hash(read_word(v)); };
    out.r = optional_member(object, "r", word).value_or(u256{});
    out.s = optional_member(object, "s", word).value_or(u256{});
    return out;
}

chain::Withdrawal read_withdrawal(const json::value& value) {
    const json::object& object = read_object(value, "types.Withdrawal");
    chain::Withdrawal out;
    out.index = optional_member(object, "index", read_uint64).value_or(0);
    out.validator_index = optional_member(object, "validatorIndex", read_uint64).value_or(0);
    out.address = optional_member(object, "address", read_address).value_or(Address{});
    out.amount = optional_member(object, "amount", read_uint64).value_or(0);
    return out;
}

Bytes read_input(const json::object& object) {
    auto data = call_member(object, "data", read_data);
    auto input = call_member(object, "input", read_data);
    if (data && input && *data != *input)
        throw RpcError(
            ErrorCode::Default,
            "both \"data\" and \"input\" are set and not equal. Please use \"input\" to pass transaction "
            "call data");
    return input ? *std::move(input) : std::move(data).value_or(Bytes{});
}

TxnType type_for(const CallArgs& args, Revision revision) {
    if (args.authorizations)
        return TxnType::SetCode;
    if (args.blob_hashes)
        return TxnType::Blob;
    if (revision >= Revision::London && !args.gas_price)
        return TxnType::DynamicFee;
    return args.access_list && revision >= Revision::Berlin ? TxnType::AccessList : TxnType::Legacy;
}

// A key that a caller chose, as a step of a place.
std::string key_step(std::string_view key) {
    return "[\"" + excerpt(key) + "\"]";
}

std::map<u256, u256> read_storage(const json::value& value) {
    std::map<u256, u256> out;
    for (const auto& [key, word] : read_object(value, "map[common.Hash]common.Hash")) {
        const Hash slot = read_within(key_step(key), read_word, json::value(key));
        out[from_hash(slot)] = from_hash(read_within(key_step(key), read_word, word));
    }
    return out;
}

AccountOverride read_account_override(const json::value& value) {
    const json::object& object = read_object(value, "override.OverrideAccount");
    AccountOverride out;
    out.nonce = optional_member(object, "nonce", read_uint64);
    out.code = optional_member(object, "code", read_data);
    out.balance = optional_member(object, "balance", read_quantity);
    out.state = optional_member(object, "state", read_storage);
    out.state_diff = optional_member(object, "stateDiff", read_storage);
    out.move_precompile_to = optional_member(object, "movePrecompileToAddress", read_address);
    return out;
}

void move_precompile(const Address& from, const AccountOverride& account, const StateOverrides& all,
                     Revision revision, evm::PrecompileMoves& moves) {
    const auto listed = moves.find(from);
    const bool precompile =
        listed != moves.end() ? listed->second.has_value() : is_precompile(from, revision);
    const Address source = listed != moves.end() && listed->second ? *listed->second : from;
    if (account.move_precompile_to) {
        if (!precompile)
            refuse("account " + sequencer::checksum_address(from) + " is not a precompile");
        if (all.contains(*account.move_precompile_to))
            refuse("account " + sequencer::checksum_address(*account.move_precompile_to) +
                   " is already overridden");
        moves[*account.move_precompile_to] = source;
    }
    // An overridden precompile is an ordinary account from then on.
    if (precompile)
        moves[from] = std::nullopt;
}

// The string inside Error(string), if the encoding is sound.
std::optional<std::string> decode_error_string(BytesView output) {
    if (output.size() < 4 + 64)
        return std::nullopt;
    const BytesView body = output.subspan(4);
    const u256 offset = load_be(body.first(32));
    if (!fits_u64(offset) || offset[0] > body.size() - 32)
        return std::nullopt;
    const BytesView tail = body.subspan(static_cast<std::size_t>(offset[0]));
    if (tail.size() < 32)
        return std::nullopt;
    const u256 length = load_be(tail.first(32));
    if (!fits_u64(length) || length[0] > tail.size() - 32)
        return std::nullopt;
    const BytesView text = tail.subspan(32, static_cast<std::size_t>(length[0]));
    return std::string(reinterpret_cast<const char*>(text.data()), text.size());
}

std::string panic_reason(const u256& code) {
    if (fits_u64(code))
        switch (code[0]) {
            case 0x00:
                return "generic panic";
            case 0x01:
                return "assert(false)";
            case 0x11:
                return "arithmetic underflow or overflow";
            case 0x12:
                return "division or modulo by zero";
            case 0x21:
                return "enum overflow";
            case 0x22:
                return "invalid encoded storage byte array accessed";
            case 0x31:
                return "out-of-bounds array access; popping on an empty array";
            case 0x32:
                return "out-of-bounds access of an array or bytesN";
            case 0x41:
                return "out of memory";
            case 0x51:
                return "uninitialized function";
            default:
                break;
        }
    return "unknown panic code: " + to_quantity(code);
}

// Bytes of the UTF-8 sequence at the beginning of the text; zero if there is none.
std::size_t utf8_length(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    std::size_t length = 1;
    if (lead >= 0xf0 && lead < 0xf5)
        length = 4;
    else if (lead >= 0xe0)
        length = lead < 0xf0 ? 3 : 0;
    else if (lead >= 0x80)
        length = lead >= 0xc2 ? 2 : 0;
    if (length > text.size())
        return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80)
            return 0;
    return length;
}

// What JSON can hold: bytes that are not UTF-8 become '?'.
std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        out += length != 0 ? text.substr(0, length) : std::string_view("?");
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

}  // namespace

CallArgs read_call_args(const json::value& value) {
    const json::object& object = read_object(value, "ethapi.TransactionArgs");
    CallArgs out;
    out.from = call_member(object, "from", read_address);
    out.to = call_member(object, "to", read_address);
    out.gas = call_member(object, "gas", read_uint64);
    if (!out.gas)
        out.gas = call_member(object, "gasLimit", read_uint64);
    out.gas_price = call_member(object, "gasPrice", read_quantity);
    out.max_fee_per_gas = call_member(object, "maxFeePerGas", read_quantity);
    out.max_priority_fee_per_gas = call_member(object, "maxPriorityFeePerGas", read_quantity);
    out.max_fee_per_blob_gas = call_member(object, "maxFeePerBlobGas", read_quantity);
    out.value = call_member(object, "value", read_quantity);
    out.nonce = call_member(object, "nonce", read_uint64);
    out.chain_id = call_member(object, "chainId", read_quantity);
    out.data = read_input(object);
    out.access_list = call_member(object, "accessList", [](const json::value& v) {
        return read_list(v, "types.AccessList", read_access_list_entry);
    });
    out.blob_hashes = call_member(object, "blobVersionedHashes", read_hashes);
    out.authorizations = call_member(object, "authorizationList", [](const json::value& v) {
        return read_list(v, "[]types.SetCodeAuthorization", read_authorization);
    });
    if (out.gas_price && (out.max_fee_per_gas || out.max_priority_fee_per_gas))
        throw RpcError(ErrorCode::Default,
                       "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
    return out;
}

chain::Transaction make_call(const CallArgs& args, const chain::ChainConfig& config, Revision revision,
                             std::uint64_t gas_max) {
    if (args.chain_id && *args.chain_id != u256{config.chain_id})
        refuse("chainId does not match node's (have=" + to_decimal(*args.chain_id) +
               ", want=" + std::to_string(config.chain_id) + ")");
    if (args.blob_hashes && args.blob_hashes->empty())
        refuse("need at least 1 blob for a blob transaction");
    if (args.blob_hashes && !args.to)
        refuse("missing \"to\" in blob transaction");
    chain::Transaction out;
    out.type = type_for(args, revision);
    out.chain_id = config.chain_id;
    out.nonce = args.nonce.value_or(0);
    out.to = args.to;
    out.value = args.value.value_or(u256{});
    out.data = args.data;
    out.gas_limit = args.gas.value_or(gas_max);
    if (gas_max != 0)
        out.gas_limit = std::min(out.gas_limit, gas_max);
    if (args.gas_price) {
        out.max_fee_per_gas = *args.gas_price;
        out.max_priority_fee_per_gas = *args.gas_price;
    } else {
        out.max_fee_per_gas = args.max_fee_per_gas.value_or(args.max_priority_fee_per_gas.value_or(u256{}));
        out.max_priority_fee_per_gas = args.max_priority_fee_per_gas.value_or(u256{});
    }
    if (args.access_list && out.type != TxnType::Legacy)
        out.access_list = *args.access_list;
    if (out.type == TxnType::Blob) {
        out.blob_hashes = *args.blob_hashes;
        out.max_fee_per_blob_gas = args.max_fee_per_blob_gas.value_or(u256{});
    }
    if (out.type == TxnType::SetCode)
        out.authorizations = *args.authorizations;
    return out;
}

BlockOverrides read_block_overrides(const json::value& value) {
    const json::object& object = read_object(value, "override.BlockOverrides");
    BlockOverrides out;
    const auto either = [&](const char* a, const char* b, auto read) {
        auto found = optional_member(object, a, read);
        return found ? found : optional_member(object, b, read);
    };
    out.number = either("number", "blockNumber", read_uint64);
    out.difficulty = optional_member(object, "difficulty", read_quantity);
    out.time = either("time", "timestamp", read_uint64);
    out.gas_limit = optional_member(object, "gasLimit", read_uint64);
    out.coinbase = either("feeRecipient", "coinbase", read_address);
    out.prev_randao = either("prevRandao", "random", read_hash);
    out.base_fee = either("baseFeePerGas", "baseFee", read_quantity);
    out.blob_base_fee = optional_member(object, "blobBaseFee", read_quantity);
    out.beacon_root = optional_member(object, "beaconRoot", read_hash);
    out.withdrawals = optional_member(object, "withdrawals", [](const json::value& v) {
        return read_list(v, "types.Withdrawals", read_withdrawal);
    });
    return out;
}

void apply(const BlockOverrides& overrides, chain::Header& header) {
    header.number = overrides.number.value_or(header.number);
    header.difficulty = overrides.difficulty.value_or(header.difficulty);
    header.timestamp = overrides.time.value_or(header.timestamp);
    header.gas_limit = overrides.gas_limit.value_or(header.gas_limit);
    header.coinbase = overrides.coinbase.value_or(header.coinbase);
    header.mix_hash = overrides.prev_randao.value_or(header.mix_hash);
    if (overrides.base_fee)
        header.base_fee = overrides.base_fee;
}

StateOverrides read_state_overrides(const json::value& value) {
    StateOverrides out;
    for (const auto& [key, entry] : read_object(value, "override.StateOverride")) {
        const Address address = read_within(key_step(key), read_address, json::value(key));
        out[address] = read_within(key_step(key), read_account_override, entry);
    }
    return out;
}

void apply(const StateOverrides& overrides, node::OverlayState& state, Revision revision,
           evm::PrecompileMoves* moves) {
    for (const auto& [address, account] : overrides) {
        if (account.state && account.state_diff)
            refuse("account " + sequencer::checksum_address(address) + " has both 'state' and 'stateDiff'");
        if (moves != nullptr)
            move_precompile(address, account, overrides, revision, *moves);
        if (account.nonce)
            state.set_nonce(address, *account.nonce);
        if (account.code)
            state.set_code(address, *account.code);
        if (account.balance)
            state.set_balance(address, *account.balance);
        if (account.state)
            state.clear_storage(address);
        const auto& slots = account.state ? account.state : account.state_diff;
        if (slots)
            for (const auto& [key, word] : *slots)
                state.set_storage(address, key, word);
    }
}

std::vector<Address> precompile_addresses(Revision revision) {
    std::uint64_t last = 4;
    if (revision >= Revision::Byzantium)
        last = 8;
    if (revision >= Revision::Istanbul)
        last = 9;
    if (revision >= Revision::Cancun)
        last = 10;
    if (revision >= Revision::Prague)
        last = 0x11;
    std::vector<Address> out;
    for (std::uint64_t i = 1; i <= last; ++i)
        out.push_back(to_address(i));
    if (revision >= Revision::Osaka)
        out.push_back(to_address(0x100));
    return out;
}

bool is_precompile(const Address& address, Revision revision) {
    const auto all = precompile_addresses(revision);
    return std::find(all.begin(), all.end(), address) != all.end();
}

std::string revert_message(BytesView output) {
    static constexpr std::uint8_t kError[] = {0x08, 0xc3, 0x79, 0xa0};
    static constexpr std::uint8_t kPanic[] = {0x4e, 0x48, 0x7b, 0x71};
    std::string message = "execution reverted";
    if (output.size() >= 4 && equal(output.first(4), kError)) {
        if (const auto reason = decode_error_string(output))
            message += ": " + printable(*reason);
    } else if (output.size() >= 36 && equal(output.first(4), kPanic)) {
        message += ": " + panic_reason(load_be(output.subspan(4, 32)));
    }
    return message;
}

}  // namespace meridian::rpc
