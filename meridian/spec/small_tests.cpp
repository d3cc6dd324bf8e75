#include <meridian/spec/small_tests.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/evm/code_cache.hpp>
#include <meridian/evm/evm.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/rlp/encode.hpp>
#include <meridian/spec/exception_names.hpp>
#include <meridian/spec/execution.hpp>
#include <meridian/spec/fixture.hpp>
#include <meridian/spec/network.hpp>
#include <meridian/trie/entry_walk.hpp>
#include <meridian/trie/nibbles.hpp>
#include <meridian/trie/secure_trie.hpp>

#include <algorithm>

namespace meridian::spec {
namespace {

using evm::Revision;

std::string differs(std::string_view what, const std::string& expected, const std::string& actual) {
    if (expected == actual)
        return {};
    return std::string(what) + ": expected " + expected + ", got " + actual;
}

// --- VMTests ------------------------------------------------------------------------------------------

std::string check_vm_outcome(const Json& test, const evm::CallResult& result,
                             const std::vector<state::Log>& logs, const state::StateChanges& changes,
                             const state::MemoryState& pre) {
    const Json* gas = find(test, "gas");
    const bool success = result.status == evm::Status::Success;
    if (gas == nullptr)
        return success ? "succeeded, but expected to fail" : "";
    if (!success)
        return "failed: " + std::string(evm::describe(result.status));
    if (const auto expected = number64(*gas); static_cast<std::uint64_t>(result.gas_left) != expected)
        return differs("gas left", std::to_string(expected), std::to_string(result.gas_left));
    if (std::string reason = differs("output", to_hex(bytes(member(test, "out"))), to_hex(result.output));
        !reason.empty())
        return reason;
    if (std::string reason =
            differs("logs hash", to_hex0x(hash(member(test, "logs"))), to_hex0x(logs_hash(logs)));
        !reason.empty())
        return reason;
    state::MemoryState post = pre;
    post.apply(changes);
    return describe_difference(read_alloc(member(test, "post")), post);
}

std::string check_vm_test(const Json& test, CaseContext& context) {
    const Json& exec = member(test, "exec");
    const Json& env = member(test, "env");
    state::MemoryState pre;
    pre.apply(read_alloc(member(test, "pre")));
    state::State state(pre);
    MapBlockHashes hashes;
    for (std::uint64_t n = 0; n < 256; ++n)
        hashes.hashes[n] = crypto::keccak256(as_bytes(std::to_string(n)));
    evm::BlockContext block;
    block.number = number64(member(env, "currentNumber"));
    block.timestamp = number64(member(env, "currentTimestamp"));
    block.gas_limit = number64(member(env, "currentGasLimit"));
    block.coinbase = address(member(env, "currentCoinbase"));
    block.prev_randao = number(member(env, "currentDifficulty"));
    block.block_hashes = &hashes;
    evm::TxnContext txn;
    txn.origin = address(member(exec, "origin"));
    txn.gas_price = number(member(exec, "gasPrice"));

    const Bytes input = bytes(member(exec, "data"));
    evm::Message message;
    message.recipient = message.code_address = address(member(exec, "address"));
    message.sender = address(member(exec, "caller"));
    message.gas = static_cast<std::int64_t>(number64(member(exec, "gas")));
    message.input = input;
    // The suite does not transfer exec.value, which the code sees nevertheless: as a delegate's does.
    message.kind = evm::CallKind::DelegateCall;
    message.value = number(member(exec, "value"));

    std::optional<StepPrinter> printer;
    if (context.trace())
        printer.emplace(*context.trace(), Revision::Frontier, stderr);
    state.begin_transaction();
    evm::Evm machine(Revision::Frontier, state, block, txn, context.code_cache(),
                     printer ? &*printer : nullptr);
    const evm::CallResult result = machine.execute(message);
    const std::vector<state::Log> logs = state.take_logs();
    state.finish_transaction({.delete_touched_empty = false});
    return check_vm_outcome(test, result, logs, state.changes(), pre);
}

// --- TransactionTests ----------------------------------------------------------------------------------

struct Verdict {
    std::optional<Rejection> error;
    std::optional<Rejection> other;  // a second fault, which the suite may name instead
    std::optional<chain::Transaction> txn;
    Address sender;
};

// A typed envelope before the fork that brought its type.
std::optional<chain::TxnError> check_type(BytesView encoded, Revision revision) {
    struct Type {
        chain::TxnError error;
        Revision since;
    };
    constexpr Type kTypes[] = {{chain::TxnError::Type1TxPreFork, Revision::Berlin},
                               {chain::TxnError::Type2TxPreFork, Revision::London},
                               {chain::TxnError::Type3TxPreFork, Revision::Cancun},
                               {chain::TxnError::Type4TxPreFork, Revision::Prague}};
    if (encoded.empty() || encoded[0] == 0 || encoded[0] > std::size(kTypes))
        return std::nullopt;
    const Type& type = kTypes[encoded[0] - 1];
    return revision < type.since ? std::optional(type.error) : std::nullopt;
}

bool gas_cost_overflows(const chain::Transaction& txn) {
    return txn.gas_limit != 0 && txn.max_fee_per_gas > u256::max() / txn.gas_limit;
}

// Executes a transaction as the only one of a roomy block, for a sender that has all it needs.
std::optional<chain::TxnError> try_execution(const chain::Transaction& txn, const Address& sender,
                                             Revision revision, CaseContext& context) {
    state::MemoryState parent;
    parent.set_account(sender, {.nonce = txn.nonce, .balance = u256::max()});
    state::State state(parent);
    chain::Header header;
    header.number = 1;
    header.gas_limit = ~std::uint64_t{0};
    if (revision >= Revision::London)
        header.base_fee = u256{};
    if (revision >= Revision::Cancun)
        header.excess_blob_gas = 0;
    MapBlockHashes hashes;
    const chain::ExecutionEnvironment environment{.code_cache = context.code_cache(), .block_hashes = hashes};
    const auto config = chain::ChainConfig::all_from_genesis(revision);
    chain::BlockExecutor executor(config, header, state, environment);
    const auto outcome = executor.execute(txn, sender);
    return outcome ? std::nullopt : std::optional(outcome.error());
}

Verdict rejected(Rejection error, std::optional<chain::TxnError> other = {}) {
    return {std::move(error), other, {}, {}};
}

// What a transaction has to satisfy whatever the state is, in the suite's order: encoding, type, signature,
// then gas. That no sender is rich enough or no block large enough is not the transaction's fault.
Verdict judge(BytesView encoded, Revision revision, CaseContext& context) {
    const auto type_error = check_type(encoded, revision);
    auto txn = chain::decode_transaction(encoded);
    if (!txn)
        return rejected(Rejection(txn.error()), type_error);
    if (type_error)
        return rejected(*type_error);
    if (txn->chain_id && *txn->chain_id != 1 && revision >= Revision::SpuriousDragon)
        return rejected(chain::TxnError::InvalidChainId);
    const auto sender = chain::recover_sender(*txn, revision >= Revision::Homestead);
    if (!sender)
        return rejected(sender.error());
    const auto error = try_execution(*txn, *sender, revision, context);
    if (error == chain::TxnError::InsufficientAccountFunds && gas_cost_overflows(*txn))
        return rejected(chain::TxnError::GaslimitPriceProductOverflow);
    if (error && error != chain::TxnError::InsufficientAccountFunds &&
        error != chain::TxnError::GasAllowanceExceeded)
        return rejected(*error);
    return {{}, {}, std::move(*txn), *sender};
}

std::string check_transaction(const Json& expected, BytesView encoded, Revision revision,
                              CaseContext& context) {
    const Verdict verdict = judge(encoded, revision, context);
    if (const Json* exception = find(expected, "exception")) {
        if (!verdict.error)
            return "accepted, but expected " + std::string(text(*exception));
        if (verdict.other && mismatch(text(*exception), *verdict.other).empty())
            return {};
        return mismatch(text(*exception), *verdict.error);
    }
    if (verdict.error)
        return "rejected: " + describe(*verdict.error);
    const chain::Transaction& txn = *verdict.txn;
    if (std::string reason =
            differs("hash", to_hex0x(hash(member(expected, "hash"))), to_hex0x(chain::transaction_hash(txn)));
        !reason.empty())
        return reason;
    if (std::string reason =
            differs("sender", to_hex0x(address(member(expected, "sender"))), to_hex0x(verdict.sender));
        !reason.empty())
        return reason;
    if (!equal(chain::encode(txn), encoded))
        return "encodes to other bytes than it was decoded from";
    return differs("intrinsic gas", std::to_string(number64(member(expected, "intrinsicGas"))),
                   std::to_string(chain::intrinsic_gas(revision, txn).gas));
}

// --- RLPTests ----------------------------------------------------------------------------------------

// A decimal number of any size as big-endian bytes without leading zeros.
Bytes big_integer(const Json& where, std::string_view digits) {
    Bytes out;
    for (const char digit : digits) {
        if (digit < '0' || digit > '9')
            reject(where, "not a decimal number");
        unsigned carry = static_cast<unsigned>(digit - '0');
        for (auto byte = out.rbegin(); byte != out.rend(); ++byte) {
            const unsigned value = *byte * 10u + carry;
            *byte = static_cast<std::uint8_t>(value);
            carry = value >> 8;
        }
        if (carry != 0)
            out.insert(out.begin(), static_cast<std::uint8_t>(carry));
    }
    return out;
}

// Recursion is bounded by the parser's depth.
void encode_json(const Json& value, Bytes& out) {
    if (const auto* items = value.if_array()) {
        Bytes payload;
        for (const Json& item : *items)
            encode_json(item, payload);
        append(out, rlp::wrap_list(payload));
    } else if (!value.is_string()) {
        rlp::encode_u256(out, number(value));
    } else if (const std::string_view content = text(value); content.starts_with('#')) {
        rlp::encode_bytes(out, big_integer(value, content.substr(1)));
    } else {
        rlp::encode_bytes(out, as_bytes(content));
    }
}

// What the suite's invalid encodings are called by, and what is wrong with them. Names go on with numbers.
struct RlpFault {
    std::string_view name;
    rlp::DecodeError error;
};

constexpr RlpFault kRlpFaults[] = {
    {"bytesShouldBeSingleByte", rlp::DecodeError::NonCanonicalSize},
    {"emptyEncoding", rlp::DecodeError::InputTooShort},
    {"incorrectLengthInArray", rlp::DecodeError::LeadingZeroInSize},
    {"int32Overflow", rlp::DecodeError::InputTooShort},
    {"leadingZerosInLongLength", rlp::DecodeError::LeadingZeroInSize},
    {"lessThanLongLength", rlp::DecodeError::InputTooShort},
    {"lessThanShortLength", rlp::DecodeError::InputTooShort},
    {"nonOptimalLongLength", rlp::DecodeError::NonCanonicalSize},
    {"wrongSizeList", rlp::DecodeError::NonCanonicalSize},
};

// Other names, such as randomRLP, tell no reason.
std::string compare_rlp_fault(std::string_view name, rlp::DecodeError actual) {
    for (const RlpFault& fault : kRlpFaults)
        if (name.starts_with(fault.name))
            return differs("rejected for another reason", std::string(rlp::to_string(fault.error)),
                           std::string(rlp::to_string(actual)));
    return {};
}

std::string check_rlp(const Json& test, std::string_view name) {
    const Bytes encoded = bytes(member(test, "out"));
    const Json& in = member(test, "in");
    const auto canonical = rlp::check_canonical(encoded);
    if (in.is_string() && text(in) == "INVALID")
        return canonical ? "accepted" : compare_rlp_fault(name, canonical.error());
    if (!canonical)
        return "rejected: " + std::string(rlp::to_string(canonical.error()));
    if (in.is_string() && text(in) == "VALID")
        return {};
    Bytes out;
    encode_json(in, out);
    return differs("encoding", to_hex(encoded), to_hex(out));
}

// --- TrieTests ----------------------------------------------------------------------------------------

struct TrieEntry {
    Bytes key;
    Bytes value;
};

Bytes trie_text(const Json& where, std::string_view content) {
    if (!content.starts_with("0x"))
        return to_bytes(as_bytes(content));
    auto out = from_hex(content);
    if (!out)
        reject(where, "not hexadecimal bytes");
    return std::move(*out);
}

std::vector<TrieEntry> read_trie_entries(const Json& in) {
    std::vector<TrieEntry> out;
    if (const auto* members = in.if_object()) {
        for (const auto& item : *members)
            out.push_back({trie_text(in, {item.key().data(), item.key().size()}),
                           item.value().is_null() ? Bytes{} : trie_text(item.value(), text(item.value()))});
        return out;
    }
    for (const Json& pair : array(in)) {
        const auto& items = array(pair);
        if (items.size() != 2)
            reject(pair, "expected a key and a value");
        out.push_back({trie_text(items[0], text(items[0])),
                       items[1].is_null() ? Bytes{} : trie_text(items[1], text(items[1]))});
    }
    return out;
}

std::string check_trie(const std::vector<TrieEntry>& entries, bool secure, const Hash& expected) {
    trie::SecureTrie trie;
    for (const TrieEntry& entry : entries) {
        const auto put =
            secure ? trie.put(entry.key, entry.value) : trie.hashed().put(entry.key, entry.value);
        if (!put)
            return "put failed";
    }
    return differs("root", to_hex0x(expected), to_hex0x(trie.root()));
}

// The first key behind `key` in the order; empty if there is none.
Bytes neighbour(const Hash& root, trie::MemoryNodeStore& store, trie::WalkOrder order, BytesView key) {
    trie::EntryWalk walk(root, store, order);
    auto found = walk.seek(key) ? walk.next() : Result<bool, trie::TrieError>(false);
    if (found && *found && equal(walk.key(), key))
        found = walk.next();
    return found && *found ? to_bytes(walk.key()) : Bytes{};
}

std::string check_trie_order(const Json& test) {
    trie::Trie trie;
    for (const Json& item : array(member(test, "in"))) {
        const Bytes key = trie_text(item, text(item));
        if (!trie.put(key, key))
            return "put failed";
    }
    trie::MemoryNodeStore store;
    trie.commit(store);
    const Hash root = trie.root();
    for (const Json& row : array(member(test, "tests"))) {
        const auto& texts = array(row);
        if (texts.size() != 3)
            reject(row, "expected a key, the key before it and the key after it");
        const Bytes key = trie_text(texts[0], text(texts[0]));
        const std::string place = " \"" + std::string(text(texts[0])) + "\"";
        const Bytes before = neighbour(root, store, trie::WalkOrder::Descending, key);
        const Bytes after = neighbour(root, store, trie::WalkOrder::Ascending, key);
        if (std::string r =
                differs("key before" + place, to_hex(trie_text(texts[1], text(texts[1]))), to_hex(before));
            !r.empty())
            return r;
        if (std::string r =
                differs("key after" + place, to_hex(trie_text(texts[2], text(texts[2]))), to_hex(after));
            !r.empty())
            return r;
    }
    return {};
}

// --- BasicTests ---------------------------------------------------------------------------------------

// The suite's blocks are later than any fork by time, so that forks are by number alone.
chain::ChainConfig difficulty_config(std::string_view file) {
    const auto config = [](std::uint64_t homestead, std::uint64_t byzantium,
                           std::optional<std::uint64_t> later) {
        chain::ChainConfig out = chain::ChainConfig::all_from_genesis(Revision::Frontier);
        const auto set = [&](Revision revision, std::optional<std::uint64_t> first) {
            out.activation[static_cast<std::size_t>(revision)] = first;
        };
        set(Revision::Homestead, homestead);
        set(Revision::TangerineWhistle, homestead);
        set(Revision::SpuriousDragon, homestead);
        set(Revision::Byzantium, byzantium);
        set(Revision::Constantinople, later);
        return out;
    };
    if (file.find("Ropsten") != std::string_view::npos)
        return config(0, 1700000, 4230000);
    if (file.find("CustomHomestead") != std::string_view::npos)
        return chain::ChainConfig::all_from_genesis(Revision::Homestead);
    return config(1150000, 4370000, {});
}

std::string check_difficulty(const Json& test, std::string_view file) {
    chain::Header parent;
    const std::uint64_t block_number = number64(member(test, "currentBlockNumber"));
    if (block_number == 0)
        reject(member(test, "currentBlockNumber"), "the genesis block has no parent");
    parent.number = block_number - 1;
    parent.timestamp = number64(member(test, "parentTimestamp"));
    parent.difficulty = number(member(test, "parentDifficulty"));
    if (const Json* uncles = find(test, "parentUncles")) {
        // A hash, or whether there are any.
        const Hash value = hash(*uncles);
        if (text(*uncles).size() == 66)
            parent.ommers_hash = value;
        else if (!value.is_zero())
            parent.ommers_hash = Hash{};
    }
    const u256 actual =
        chain::next_difficulty(difficulty_config(file), parent, number64(member(test, "currentTimestamp")));
    return differs("difficulty", to_quantity(number(member(test, "currentDifficulty"))), to_quantity(actual));
}

}  // namespace

void run_vm_test(const Json& test, CaseContext& context) {
    context.run("Frontier", [&] { return check_vm_test(test, context); });
}

void run_transaction_test(const Json& test, CaseContext& context) {
    const Bytes encoded = bytes(member(test, "txbytes"));
    for (const auto& item : object(member(test, "result"))) {
        const std::string_view fork{item.key().data(), item.key().size()};
        context.run(fork, [&]() -> std::string {
            const auto revision = revision_of(fork);
            return revision ? check_transaction(item.value(), encoded, *revision, context) : "unknown fork";
        });
    }
}

void run_rlp_test(const Json& test, CaseContext& context) {
    context.run("", [&] { return check_rlp(test, context.test()); });
}

void run_trie_test(const Json& test, bool secure, CaseContext& context) {
    const Json& in = member(test, "in");
    const Hash root = hash(member(test, "root"));
    std::vector<TrieEntry> entries = read_trie_entries(in);
    context.run("", [&] { return check_trie(entries, secure, root); });
    if (!in.is_object())
        return;
    // The members of an object have no order, so another one has to give the same root.
    std::reverse(entries.begin(), entries.end());
    context.run("reversed", [&] { return check_trie(entries, secure, root); });
}

void run_trie_order_test(const Json& test, CaseContext& context) {
    context.run("", [&] { return check_trie_order(test); });
}

void run_difficulty_test(const Json& test, std::string_view file, CaseContext& context) {
    context.run("", [&] { return check_difficulty(test, file); });
}

void run_hex_prefix_test(const Json& test, CaseContext& context) {
    context.run("", [&] {
        Bytes nibbles;
        for (const Json& nibble : array(member(test, "seq")))
            nibbles.push_back(static_cast<std::uint8_t>(number64(nibble) & 15));
        Bytes out(trie::hex_prefix_size(nibbles.size()));
        trie::write_nibbles(out.data(), boolean(member(test, "term")) ? trie::kLeafFlag : std::uint8_t{0},
                            nibbles);
        return differs("encoding", std::string(text(member(test, "out"))), to_hex(out));
    });
}

}  // namespace meridian::spec
