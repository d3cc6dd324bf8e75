#include <meridian/spec/state_test.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/spec/exception_names.hpp>
#include <meridian/spec/execution.hpp>
#include <meridian/spec/fixture.hpp>
#include <meridian/spec/network.hpp>

namespace meridian::spec {
namespace {

using chain::Transaction;
using chain::TxnError;
using chain::TxnType;
using evm::Revision;

// BLOCKHASH in a state test gives the hash of the number in decimal, by convention of the suites.
class NumberedHashes final : public evm::BlockHashSource {
public:
    Hash block_hash(std::uint64_t number) override {
        return crypto::keccak256(as_bytes(std::to_string(number)));
    }
};

struct StateTest {
    const Json& json;
    const Json* config;
    const Json& env;
    const Json& transaction;
    state::MemoryState pre;
};

chain::Header read_env(const Json& env, Revision revision) {
    chain::Header out;
    if (const Json* parent = find(env, "previousHash"))
        out.parent_hash = hash(*parent);
    out.coinbase = address(member(env, "currentCoinbase"));
    out.number = number64(member(env, "currentNumber"));
    out.timestamp = number64(member(env, "currentTimestamp"));
    // Older tests give limits beyond 64 bits, as "unlimited".
    const u256 gas_limit = number(member(env, "currentGasLimit"));
    out.gas_limit = fits_u64(gas_limit) ? static_cast<std::uint64_t>(gas_limit) : ~std::uint64_t{0};
    if (revision < Revision::Paris)
        out.difficulty = number(member(env, "currentDifficulty"));
    else if (const Json* random = find(env, "currentRandom"))
        out.mix_hash = hash(*random);
    if (revision >= Revision::London) {
        const Json* base_fee = find(env, "currentBaseFee");
        out.base_fee = base_fee != nullptr ? number(*base_fee) : u256{10};
    }
    if (revision >= Revision::Cancun) {
        const Json* excess = find(env, "currentExcessBlobGas");
        out.excess_blob_gas = excess != nullptr ? number64(*excess) : 0;
        out.blob_gas_used = 0;
        out.parent_beacon_block_root = Hash{};
    }
    return out;
}

const Json& at_index(const Json& list, const Json& indexes, std::string_view name) {
    const std::uint64_t index = number64(member(indexes, name));
    const auto& items = array(list);
    if (index >= items.size())
        reject(member(indexes, name), "index beyond the transaction's list");
    return items[static_cast<std::size_t>(index)];
}

void read_fees(const Json& json, Transaction& out) {
    if (const Json* price = find(json, "gasPrice")) {
        out.max_fee_per_gas = number(*price);
        out.max_priority_fee_per_gas = out.max_fee_per_gas;
        return;
    }
    out.type = TxnType::DynamicFee;
    out.max_fee_per_gas = number(member(json, "maxFeePerGas"));
    out.max_priority_fee_per_gas = number(member(json, "maxPriorityFeePerGas"));
}

Transaction read_transaction(const StateTest& test, const Json& indexes, std::uint64_t chain_id) {
    const Json& json = test.transaction;
    Transaction out;
    out.nonce = number64(member(json, "nonce"));
    out.gas_limit = number64(at_index(member(json, "gasLimit"), indexes, "gas"));
    out.value = number(at_index(member(json, "value"), indexes, "value"));
    out.data = bytes(at_index(member(json, "data"), indexes, "data"));
    if (const Json* to = find(json, "to"); to != nullptr && !text(*to).empty())
        out.to = address(*to);
    const Json* lists = find(json, "accessLists");
    if (lists != nullptr) {
        const Json& list = at_index(*lists, indexes, "data");
        if (!list.is_null()) {
            out.type = TxnType::AccessList;
            out.access_list = read_access_list(list);
        }
    }
    read_fees(json, out);
    if (const Json* hashes = find(json, "blobVersionedHashes")) {
        out.type = TxnType::Blob;
        out.blob_hashes = read_hashes(*hashes);
        out.max_fee_per_blob_gas = number(member(json, "maxFeePerBlobGas"));
    }
    if (const Json* authorizations = find(json, "authorizationList")) {
        out.type = TxnType::SetCode;
        out.authorizations = read_authorizations(*authorizations);
    }
    if (out.type != TxnType::Legacy)
        out.chain_id = chain_id;
    return out;
}

Address read_sender(const Json& json) {
    if (const Json* sender = find(json, "sender"))
        return address(*sender);
    const Json& key = member(json, "secretKey");
    const auto out = crypto::secp256k1::address_of(hash(key));
    if (!out)
        reject(key, "not a private key");
    return *out;
}

// The transaction as its bytes have it; also says what is wrong with them.
struct Decoded {
    std::optional<Transaction> txn;
    std::optional<Rejection> error;
};

Decoded decode_bytes(const Json& post) {
    Decoded out;
    const Json* encoded = find(post, "txbytes");
    if (encoded == nullptr)
        return out;
    auto txn = chain::decode_transaction(bytes(*encoded));
    if (txn)
        out.txn = std::move(*txn);
    else
        out.error = Rejection(txn.error());
    return out;
}

// Compares the transaction's fields with its bytes, which have a signature in addition.
std::string compare_bytes(Transaction txn, const Address& sender, const Json& post) {
    const Json* encoded = find(post, "txbytes");
    if (encoded == nullptr)
        return {};
    const Bytes raw = bytes(*encoded);
    const auto decoded = chain::decode_transaction(raw);
    if (!decoded)
        return "txbytes do not decode: " + decoded.error().field + ": " + decoded.error().reason;
    txn.v = decoded->v;
    txn.r = decoded->r;
    txn.s = decoded->s;
    if (txn.type == TxnType::Legacy)
        txn.chain_id = decoded->chain_id;
    if (chain::encode(txn) != raw)
        return "the transaction's encoding differs from txbytes: " + to_hex0x(chain::encode(txn));
    const auto recovered = chain::recover_sender(*decoded);
    if (!recovered)
        return "the sender of txbytes cannot be recovered: " + std::string(chain::name(recovered.error()));
    if (*recovered != sender)
        return "the sender of txbytes is " + to_hex0x(*recovered) + ", expected " + to_hex0x(sender);
    return {};
}

struct Execution {
    std::optional<TxnError> error;
    Hash state_root;
    Hash logs;
    state::MemoryState post;
};

Execution execute(StateTest& test, const Network& network, const chain::Header& header,
                  const Transaction& txn, const Address& sender, CaseContext& context) {
    Execution out;
    out.post = test.pre;
    state::State state(test.pre);
    NumberedHashes hashes;
    std::optional<StepPrinter> printer;
    const Revision revision = network.config.revision(header.number, header.timestamp);
    chain::ExecutionEnvironment environment{.code_cache = context.code_cache(), .block_hashes = hashes};
    if (context.trace())
        environment.tracer = &printer.emplace(*context.trace(), revision, stderr);
    chain::BlockExecutor executor(network.config, header, state, environment);
    const auto outcome = executor.execute(txn, sender);
    if (outcome)
        out.logs = logs_hash(outcome->receipt.logs);
    else
        out.error = outcome.error();

    // The suites pay a block reward of zero, which touches the coinbase.
    state.begin_transaction();
    state.touch(state.load(header.coinbase));
    state.finish_transaction({.delete_touched_empty = executor.revision() >= Revision::SpuriousDragon});
    out.post.apply(state.changes());
    out.state_root = out.post.root();
    return out;
}

std::string check_rejection(const Json& post, const std::optional<Rejection>& error) {
    const Json* expected = find(post, "expectException");
    if (expected == nullptr)
        return error ? "rejected: " + describe(*error) : std::string();
    if (!error)
        return "accepted, but expected " + std::string(text(*expected));
    return mismatch(text(*expected), *error);
}

std::string check_execution(const Json& post, const Execution& execution) {
    if (std::string reason = check_rejection(post, execution.error); !reason.empty())
        return reason;
    const Hash expected_root = hash(member(post, "hash"));
    if (execution.state_root != expected_root) {
        std::string reason = "post state root: expected " + to_hex0x(expected_root) + ", got " +
                             to_hex0x(execution.state_root);
        if (const Json* state = find(post, "state"))
            reason += describe_difference(read_alloc(*state), execution.post);
        return reason;
    }
    const Hash expected_logs = hash(member(post, "logs"));
    if (!execution.error && execution.logs != expected_logs)
        return "logs hash: expected " + to_hex0x(expected_logs) + ", got " + to_hex0x(execution.logs);
    if (const Json* state = find(post, "state"))
        if (std::string reason = describe_difference(read_alloc(*state), execution.post); !reason.empty())
            return "post state differs although its root agrees:" + reason;
    return {};
}

void run_case(StateTest& test, const Network& network, const Json& post, CaseContext& context) {
    const Json& indexes = member(post, "indexes");
    const Revision revision = network.config.revision(0, 0);
    const chain::Header header = read_env(test.env, revision);
    const Decoded decoded = decode_bytes(post);
    const bool expects_rejection = find(post, "expectException") != nullptr;
    if (expects_rejection && decoded.error) {
        context.finish(check_rejection(post, decoded.error));
        return;
    }
    Transaction txn;
    Address sender;
    if (expects_rejection && decoded.txn) {
        // The fields may not be able to express what is wrong with the transaction; its bytes are.
        txn = *decoded.txn;
        const auto recovered = chain::recover_sender(txn, revision >= Revision::Homestead);
        if (!recovered) {
            context.finish(check_rejection(post, recovered.error()));
            return;
        }
        sender = *recovered;
    } else {
        txn = read_transaction(test, indexes, network.config.chain_id);
        sender = read_sender(test.transaction);
        if (std::string reason = compare_bytes(txn, sender, post); !reason.empty()) {
            context.finish(std::move(reason));
            return;
        }
        if (decoded.txn)
            txn = *decoded.txn;
    }
    const Execution execution = execute(test, network, header, txn, sender, context);
    if (context.trace())
        std::fprintf(stderr, "{\"stateRoot\": \"%s\"}\n", to_hex0x(execution.state_root).c_str());
    context.finish(check_execution(post, execution), execution.state_root);
}

std::string case_detail(const Json& post) {
    const Json& indexes = member(post, "indexes");
    return "d" + std::to_string(number64(member(indexes, "data"))) + "g" +
           std::to_string(number64(member(indexes, "gas"))) + "v" +
           std::to_string(number64(member(indexes, "value")));
}

}  // namespace

void run_state_test(const Json& json, CaseContext& context) {
    StateTest test{json, find(json, "config"), member(json, "env"), member(json, "transaction"), {}};
    test.pre.apply(read_alloc(member(json, "pre")));
    for (const auto& item : object(member(json, "post"))) {
        const std::string_view fork{item.key().data(), item.key().size()};
        const auto network = network_of(fork, test.config);
        for (const Json& post : array(item.value())) {
            if (!context.begin(fork, case_detail(post)))
                continue;
            if (network)
                run_case(test, *network, post, context);
            else
                context.finish("unknown fork");
        }
    }
}

}  // namespace meridian::spec
