// Accounts: balances, nonces, code, storage and proofs, after any block.
#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/development.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>

namespace meridian::rpc {
namespace {

constexpr std::size_t kProofKeysMax = 1024;

// The state that a parameter names, which may be that of the pending block.
class NamedState {
public:
    NamedState(const Call& call, std::size_t index) {
        node::Chain& chain = call.service.chain();
        if (call.args.get_or(index, read_block_reference, BlockReference{}).is_pending())
            m_context = available(node::pending_context(chain));
        else
            m_context = available(node::context_after(chain, *block_argument(call, index)));
    }
    state::StateReader& operator*() { return *m_context.state; }
    state::StateReader* operator->() { return m_context.state.get(); }

private:
    node::CallContext m_context;
};

state::Account account_or_empty(state::StateReader& state, const Address& address) {
    return state.account(address).value_or(state::Account{});
}

json::value get_balance(const Call& call) {
    const Address address = call.args.get(0, read_address);
    return quantity(account_or_empty(*NamedState(call, 1), address).balance);
}

json::value get_transaction_count(const Call& call) {
    const Address address = call.args.get(0, read_address);
    if (call.args.get_or(1, read_block_reference, BlockReference{}).is_pending())
        return quantity(call.service.chain().next_nonce(address));
    return quantity(account_or_empty(*NamedState(call, 1), address).nonce);
}

json::value get_code(const Call& call) {
    const Address address = call.args.get(0, read_address);
    NamedState state(call, 1);
    return hex_data(state->code(account_or_empty(*state, address).code_hash));
}

// The tags name the newest block whose state has proofs: a proof is checked against the root of a block.
std::unique_ptr<node::ChainState> provable_state(const Call& call, std::size_t index) {
    node::Chain& chain = call.service.chain();
    const BlockReference reference = call.args.get_or(index, read_block_reference, BlockReference{});
    const bool newest = !reference.hash && reference.number.tag != BlockTag::Number &&
                        reference.number.tag != BlockTag::Earliest;
    return available(chain.state_after(newest ? chain.provable_number()
                                              : block_argument(call, index, Latest::Sealed)->number()));
}

json::value get_account(const Call& call) {
    const Address address = call.args.get(0, read_address);
    const auto proof = available(provable_state(call, 1)->prove(address, {}));
    const state::Account account = proof.account.value_or(state::Account{});
    return json::object{{"balance", quantity(account.balance)},
                        {"codeHash", hex_data(account.code_hash)},
                        {"nonce", quantity(account.nonce)},
                        {"storageRoot", hex_data(proof.storage_root)}};
}

json::value get_account_info(const Call& call) {
    const Address address = call.args.get(0, read_address);
    NamedState state(call, 1);
    const state::Account account = account_or_empty(*state, address);
    return json::object{{"balance", quantity(account.balance)},
                        {"nonce", quantity(account.nonce)},
                        {"code", hex_data(state->code(account.code_hash))}};
}

json::value code_by_hash(const Call& call) {
    const Hash hash = call.args.get(0, read_hash);
    node::Chain& chain = call.service.chain();
    // A state of its own, as one that lacks a code is not to be used any more.
    const auto state = available(chain.state_after(chain.sealed_head()->number()));
    const BytesView code = state->code(hash);
    return code.empty() && hash != crypto::kEmptyKeccak ? json::value(nullptr) : hex_data(code);
}

json::value get_storage_at(const Call& call) {
    const Address address = call.args.get(0, read_address);
    const Hash slot =
        read_slot(call.args.get(1, [](const json::value& v) { return read_text(v, "string"); }));
    return hex_data(to_hash(NamedState(call, 2)->storage(address, from_hash(slot))));
}

json::value get_storage_values(const Call& call) {
    const json::object& request =
        call.args.get(0, [](const json::value& v) -> const json::object& { return read_object(v, "map"); });
    std::size_t count = 0;
    for (const auto& [address, slots] : request)
        count += slots.is_array() ? slots.get_array().size() : 0;
    if (count == 0)
        invalid_params("empty request");
    if (count > call.service.limits().storage_values_max)
        invalid_params("too many slots (max " + std::to_string(call.service.limits().storage_values_max) +
                       ")");
    NamedState state(call, 1);
    json::object out;
    for (const auto& [key, slots] : request) {
        const auto read_slots = [](const json::value& v) { return read_list(v, "[]common.Hash", read_hash); };
        const Address address = read_within(key, read_address, json::value(key));
        json::array values;
        for (const Hash& slot : read_within(key, read_slots, slots))
            values.push_back(hex_data(to_hash(state->storage(address, from_hash(slot)))));
        out[key] = std::move(values);
    }
    return out;
}

json::array format_nodes(const std::vector<Bytes>& nodes) {
    json::array out;
    for (const Bytes& node : nodes)
        out.push_back(hex_data(node));
    return out;
}

// A full word is repeated as such, anything shorter as a quantity.
json::value repeated(const json::value& key, const u256& slot) {
    return read_text(key, "string").size() == 66 ? hex_data(to_hash(slot)) : quantity(slot);
}

json::value get_proof(const Call& call) {
    const Address address = call.args.get(0, read_address);
    const json::array& keys = call.args.get(
        1, [](const json::value& v) -> const json::array& { return read_array(v, "[]string"); });
    if (keys.size() > kProofKeysMax)
        invalid_params("too many keys (max " + std::to_string(kProofKeysMax) + ")");
    std::vector<u256> slots;
    for (const auto& key : keys)
        slots.push_back(from_hash(read_slot(read_text(key, "string"))));
    const auto proof = available(provable_state(call, 2)->prove(address, slots));
    const state::Account account = proof.account.value_or(state::Account{});
    json::array storage;
    for (std::size_t i = 0; i < proof.slots.size(); ++i)
        storage.push_back(json::object{{"key", repeated(keys[i], slots[i])},
                                       {"value", quantity(proof.slots[i].value)},
                                       {"proof", format_nodes(proof.slots[i].nodes)}});
    return json::object{{"address", hex_data(address)},         {"accountProof", format_nodes(proof.nodes)},
                        {"balance", quantity(account.balance)}, {"codeHash", hex_data(account.code_hash)},
                        {"nonce", quantity(account.nonce)},     {"storageHash", hex_data(proof.storage_root)},
                        {"storageProof", std::move(storage)}};
}

json::value accounts(const Call& call) {
    json::array out;
    if (const node::DevChain* development = call.service.development())
        for (const auto& account : development->accounts())
            out.push_back(hex_data(account.address));
    return out;
}

}  // namespace

std::span<const Method> state_methods() {
    static const Param kAddress{"address", "Address"};
    static const Param kBlock{"block", "BlockNumberOrTagOrHash", false};
    static const Method kMethods[] = {
        {"eth_accounts", "Accounts that the node signs for", {}, "Address[]", accounts},
        {"eth_requestAccounts", "Accounts that the node signs for", {}, "Address[]", accounts},
        {"eth_getAccount",
         "An account as it stands in the state trie",
         {kAddress, kBlock},
         "{balance, codeHash, nonce, storageRoot}",
         get_account},
        {"eth_getAccountInfo",
         "An account with its code",
         {kAddress, kBlock},
         "{balance, nonce, code}",
         get_account_info},
        {"debug_codeByHash",
         "The code with that hash",
         {{"codeHash", "Hash"}, kBlock},
         "Data|null",
         code_by_hash},
        {"eth_getBalance", "An account's balance in wei", {kAddress, kBlock}, "Quantity", get_balance},
        {"eth_getTransactionCount",
         "An account's nonce",
         {kAddress, kBlock},
         "Quantity",
         get_transaction_count},
        {"eth_getCode", "An account's code", {kAddress, kBlock}, "Data", get_code},
        {"eth_getStorageAt",
         "A storage slot",
         {kAddress, {"slot", "Quantity"}, kBlock},
         "Data32",
         get_storage_at},
        {"eth_getStorageValues",
         "Storage slots of several accounts",
         {{"request", "{address: slot[]}"}, kBlock},
         "{address: Data32[]}",
         get_storage_values},
        {"eth_getProof",
         "Merkle proofs of an account and its slots (EIP-1186)",
         {kAddress, {"storageKeys", "Data32[]"}, kBlock},
         "AccountProof",
         get_proof},
    };
    return kMethods;
}

}  // namespace meridian::rpc
