#include <meridian/spec/t8n_input.hpp>

#include <meridian/chain/executor.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/spec/fixture.hpp>
#include <meridian/spec/network.hpp>
#include <meridian/spec/rpc_json.hpp>

namespace meridian::spec {
namespace {

using chain::Transaction;
using chain::TxnType;
using evm::Revision;

constexpr std::string_view kStdin = "stdin";

T8nError config_error(std::string message) {
    return {T8nCode::Config, std::move(message)};
}

// The documents of the inputs; those from stdin are members of one object.
struct Sources {
    std::optional<Document> standard_input;
    std::optional<Document> alloc;
    std::optional<Document> env;
    std::optional<Document> txns;
};

Result<std::optional<Document>, T8nError> load(const T8nOptions& options, const std::string& path) {
    const bool given = path == kStdin && options.standard_input;
    auto document = given ? Document::parse(*options.standard_input, path) : Document::load(path);
    if (document)
        return std::move(*document);
    const bool syntax = document.error().kind == InputError::Kind::Syntax;
    return fail(T8nError{syntax ? T8nCode::Syntax : T8nCode::Io, document.error().text()});
}

Result<Sources, T8nError> load_sources(const T8nOptions& options) {
    Sources out;
    const std::string* const paths[] = {&options.input_alloc, &options.input_env, &options.input_txs};
    std::optional<Document>* const documents[] = {&out.alloc, &out.env, &out.txns};
    for (std::size_t i = 0; i < 3; ++i) {
        const bool from_stdin = *paths[i] == kStdin;
        if (from_stdin && out.standard_input)
            continue;
        auto document = load(options, *paths[i]);
        if (!document)
            return fail(document.error());
        (from_stdin ? out.standard_input : *documents[i]) = std::move(*document);
    }
    return out;
}

// Runs `read`, which may throw FieldFailure, on the document's root or on its member for stdin.
template <class Read>
Result<void, T8nError> read_from(const std::optional<Document>& own, const std::optional<Document>& shared,
                                 std::string_view name, const Read& read) {
    const Document& document = own ? *own : *shared;
    try {
        read(own ? document.root() : member(document.root(), name));
        return {};
    } catch (const FieldFailure& failure) {
        return fail(T8nError{T8nCode::Syntax, document.error(failure).text()});
    }
}

// --- env ----------------------------------------------------------------------------------------------

// The members of the env that only lead to others.
struct Env {
    std::optional<u256> difficulty;
    std::optional<u256> random;
    std::optional<u256> base_fee;
    std::optional<std::uint64_t> excess_blob_gas;
    std::optional<Hash> beacon_root;
    std::optional<u256> parent_difficulty;
    std::optional<u256> parent_base_fee;
    std::optional<std::uint64_t> parent_excess_blob_gas;
    std::optional<std::uint64_t> parent_blob_gas_used;
    std::uint64_t parent_gas_used = 0;
    std::uint64_t parent_gas_limit = 0;
    std::uint64_t parent_timestamp = 0;
    Hash parent_ommers_hash;
};

template <class T>
void read_if(const Json& env, std::string_view name, T& out) {
    const Json* value = find(env, name);
    if (value == nullptr)
        return;
    if constexpr (std::is_same_v<T, std::optional<u256>>)
        out = number(*value);
    else if constexpr (std::is_same_v<T, Hash> || std::is_same_v<T, std::optional<Hash>>)
        out = hash(*value);
    else
        out = number64(*value);
}

// How many generations before the block: an ommer of eight has no reward left.
std::uint64_t read_delta(const Json& value) {
    const std::uint64_t out = number64(value);
    if (out > 8)
        reject(value, "an ommer is at most 8 generations old");
    return out;
}

Env read_env(const Json& json, T8nInput& input) {
    Env out;
    chain::Header& header = input.header;
    header.coinbase = address(member(json, "currentCoinbase"));
    header.gas_limit = number64(member(json, "currentGasLimit"));
    header.number = number64(member(json, "currentNumber"));
    header.timestamp = number64(member(json, "currentTimestamp"));
    read_if(json, "currentDifficulty", out.difficulty);
    read_if(json, "currentRandom", out.random);
    read_if(json, "currentBaseFee", out.base_fee);
    read_if(json, "currentExcessBlobGas", out.excess_blob_gas);
    read_if(json, "parentBeaconBlockRoot", out.beacon_root);
    read_if(json, "parentDifficulty", out.parent_difficulty);
    read_if(json, "parentBaseFee", out.parent_base_fee);
    read_if(json, "parentExcessBlobGas", out.parent_excess_blob_gas);
    read_if(json, "parentBlobGasUsed", out.parent_blob_gas_used);
    read_if(json, "parentGasUsed", out.parent_gas_used);
    read_if(json, "parentGasLimit", out.parent_gas_limit);
    read_if(json, "parentTimestamp", out.parent_timestamp);
    read_if(json, "parentUncleHash", out.parent_ommers_hash);
    if (const Json* hashes = find(json, "blockHashes")) {
        input.block_hashes.emplace();
        for (const auto& item : object(*hashes)) {
            const u256 key = number(*hashes, {item.key().data(), item.key().size()});
            if (!fits_u64(key))
                reject(*hashes, "a block number that does not fit 64 bits");
            (*input.block_hashes)[key[0]] = hash(item.value());
        }
    }
    if (const Json* ommers = find(json, "ommers"))
        for (const Json& ommer : array(*ommers))
            input.ommers.push_back({read_delta(member(ommer, "delta")), address(member(ommer, "address"))});
    if (const Json* withdrawals = find(json, "withdrawals")) {
        input.withdrawals.emplace();
        for (const Json& withdrawal : array(*withdrawals))
            input.withdrawals->push_back(read_withdrawal(withdrawal));
    }
    return out;
}

chain::Header parent_header(const Env& env, const chain::Header& header) {
    chain::Header out;
    out.number = header.number - 1;
    out.timestamp = env.parent_timestamp;
    out.gas_used = env.parent_gas_used;
    out.gas_limit = env.parent_gas_limit;
    out.base_fee = env.parent_base_fee;
    if (env.parent_difficulty)
        out.difficulty = *env.parent_difficulty;
    if (!env.parent_ommers_hash.is_zero())
        out.ommers_hash = env.parent_ommers_hash;
    out.excess_blob_gas = env.parent_excess_blob_gas;
    out.blob_gas_used = env.parent_blob_gas_used;
    return out;
}

Result<void, T8nError> settle_base_fee(const Env& env, T8nInput& input) {
    chain::Header& header = input.header;
    if (env.base_fee)
        header.base_fee = env.base_fee;
    else if (env.parent_base_fee && header.number != 0)
        header.base_fee = chain::next_base_fee(input.config, parent_header(env, header), header.timestamp);
    else
        return fail(config_error("EIP-1559 config but missing 'currentBaseFee' in env section"));
    return {};
}

Result<void, T8nError> settle_difficulty(const Env& env, T8nInput& input) {
    chain::Header& header = input.header;
    if (env.difficulty) {
        header.difficulty = *env.difficulty;
        return {};
    }
    if (!env.parent_difficulty)
        return fail(config_error(
            "currentDifficulty was not provided, and cannot be calculated due to missing parentDifficulty"));
    if (header.number == 0)
        return fail(config_error("currentDifficulty needs to be provided for block number 0"));
    if (header.timestamp <= env.parent_timestamp)
        return fail(config_error("currentDifficulty cannot be calculated -- currentTime (" +
                                 std::to_string(header.timestamp) + ") needs to be after parent time (" +
                                 std::to_string(env.parent_timestamp) + ")"));
    header.difficulty = chain::next_difficulty(input.config, parent_header(env, header), header.timestamp);
    return {};
}

Result<void, T8nError> settle_merge(const Env& env, T8nInput& input) {
    if (!env.random)
        return fail(config_error("post-merge requires currentRandom to be defined in env"));
    if (env.difficulty && *env.difficulty != u256{})
        return fail(config_error("post-merge difficulty must be zero (or omitted) in env"));
    input.header.mix_hash = to_hash(*env.random);
    return {};
}

Result<void, T8nError> settle_cancun(const Env& env, T8nInput& input) {
    chain::Header& header = input.header;
    if (!env.beacon_root)
        return fail(config_error("post-cancun env requires parentBeaconBlockRoot to be set"));
    header.parent_beacon_block_root = env.beacon_root;
    header.blob_gas_used = 0;
    if (env.excess_blob_gas)
        header.excess_blob_gas = env.excess_blob_gas;
    else if (env.parent_excess_blob_gas && env.parent_blob_gas_used)
        header.excess_blob_gas =
            chain::next_excess_blob_gas(input.config, parent_header(env, header), header.timestamp);
    else
        input.lacks_excess_blob_gas = true;
    if (input.lacks_excess_blob_gas)
        header.excess_blob_gas = 0;
    return {};
}

// Computes what was not given, and checks that the fork has what it needs.
Result<void, T8nError> settle(const Env& env, T8nInput& input) {
    const Revision revision = input.config.revision(input.header.number, input.header.timestamp);
    using Step = Result<void, T8nError> (*)(const Env&, T8nInput&);
    input.base_fee = env.base_fee;
    if (revision >= Revision::London) {
        if (auto r = settle_base_fee(env, input); !r)
            return r;
        input.base_fee = input.header.base_fee;
    }
    if (revision >= Revision::Shanghai && !input.withdrawals)
        return fail(config_error("Shanghai config but missing 'withdrawals' in env section"));
    const Step merge_step = revision >= Revision::Paris ? settle_merge : settle_difficulty;
    if (auto r = merge_step(env, input); !r)
        return r;
    if (revision >= Revision::Cancun)
        if (auto r = settle_cancun(env, input); !r)
            return r;
    if (input.block_hashes && input.header.number != 0)
        if (const auto found = input.block_hashes->find(input.header.number - 1);
            found != input.block_hashes->end())
            input.header.parent_hash = found->second;
    return {};
}

// --- transactions --------------------------------------------------------------------------------------

void sign(const Json& json, Transaction& txn, const T8nInput& input) {
    const Json* key = find(json, "secretKey");
    if (key == nullptr || txn.v != u256{} || txn.r != u256{} || txn.s != u256{})
        return;
    const Revision revision = input.config.revision(input.header.number, input.header.timestamp);
    const Json* option = find(json, "protected");
    const bool is_protected = option == nullptr || boolean(*option);
    if (txn.type != TxnType::Legacy) {
        if (!txn.chain_id)
            txn.chain_id = input.config.chain_id;
    } else if (is_protected && revision >= Revision::SpuriousDragon) {
        txn.chain_id = input.config.chain_id;
    } else {
        txn.chain_id.reset();
    }
    const auto signature = crypto::secp256k1::sign(chain::signing_hash(txn), hash(*key));
    if (!signature)
        reject(*key, "not a private key");
    txn.r = from_hash(signature->r);
    txn.s = from_hash(signature->s);
    if (txn.type != TxnType::Legacy)
        txn.v = signature->recovery_id;
    else if (txn.chain_id)
        txn.v = u256{*txn.chain_id} * 2 + 35 + signature->recovery_id;
    else
        txn.v = 27 + signature->recovery_id;
}

void read_json_transactions(const Json& list, T8nInput& input) {
    if (list.is_null())
        return;
    for (const Json& item : array(list)) {
        Transaction txn = read_rpc_transaction(item);
        sign(item, txn, input);
        input.transactions.push_back({std::move(txn), {}});
    }
}

Result<void, T8nError> read_rlp_transactions(BytesView rlp, T8nInput& input) {
    const auto list = rlp::decode_exact(rlp);
    if (!list || !list->is_list)
        return fail(T8nError{T8nCode::Rlp, "the transactions are not an RLP list"});
    BytesView cursor = list->payload;
    while (!cursor.empty()) {
        const auto item = rlp::next(cursor);
        if (!item)
            return fail(T8nError{T8nCode::Rlp, "transaction " + std::to_string(input.transactions.size()) +
                                                   ": " + std::string(rlp::to_string(item.error()))});
        auto txn = chain::decode_transaction(item->is_list ? item->raw : item->payload);
        if (txn)
            input.transactions.push_back({std::move(*txn), {}});
        else
            input.transactions.push_back(
                {{}, "rlp: " + txn.error().reason + ", decoding " + txn.error().field});
    }
    return {};
}

Result<void, T8nError> read_transactions(const T8nOptions& options, const Sources& sources, T8nInput& input) {
    const Json* rlp = nullptr;
    if (options.input_txs == kStdin)
        rlp = sources.standard_input->root().is_object() ? find(sources.standard_input->root(), "txsRlp")
                                                         : nullptr;
    else if (options.input_txs.ends_with(".rlp"))
        rlp = &sources.txns->root();
    if (rlp == nullptr)
        return read_from(sources.txns, sources.standard_input, "txs",
                         [&](const Json& list) { read_json_transactions(list, input); });
    Bytes encoded;
    const Document& document = sources.txns ? *sources.txns : *sources.standard_input;
    try {
        encoded = bytes(*rlp);
    } catch (const FieldFailure& failure) {
        return fail(T8nError{T8nCode::Syntax, document.error(failure).text()});
    }
    return encoded.empty() ? Result<void, T8nError>{} : read_rlp_transactions(encoded, input);
}

}  // namespace

Result<T8nInput, T8nError> read_t8n_input(const T8nOptions& options) {
    auto sources = load_sources(options);
    if (!sources)
        return fail(sources.error());
    T8nInput input;
    Env env;
    if (auto r = read_from(sources->alloc, sources->standard_input, "alloc",
                           [&](const Json& json) { input.pre.apply(read_alloc(json)); });
        !r)
        return fail(r.error());
    if (auto r = read_from(sources->env, sources->standard_input, "env",
                           [&](const Json& json) { env = read_env(json, input); });
        !r)
        return fail(r.error());
    auto network = network_of(options.fork, nullptr);
    if (!network)
        return fail(config_error("unknown fork \"" + options.fork + "\" in --state.fork"));
    input.config = std::move(network->config);
    input.config.chain_id = options.chain_id;
    if (auto r = read_transactions(options, *sources, input); !r)
        return fail(r.error());
    if (auto r = settle(env, input); !r)
        return fail(r.error());
    return input;
}

}  // namespace meridian::spec
