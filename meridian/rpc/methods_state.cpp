// Accounts: balances, nonces, code, storage and proofs, after any block.
#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>

namespace meridian::rpc {
namespace {

constexpr std::size_t kProofKeysMax = 1024;

// The state that a parameter names, which may be that of the pending block.
class NamedState {
public:
    NamedState(const Call& call, std::size_t index) {
        node::DevChain& chain = call.service.chain();
        const bool pending = call.args.has(index) && call.args.get(index, read_block_reference).is_pending();
        if (pending) {
            auto context = node::pending_context(chain);
            if (!context)
                refuse("pending state is not available: " + context.error().message);
            m_context = *std::move(context);
        } else {
            m_context = node::context_after(chain, block_argument(call, index)->number());
        }
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
    node::DevChain& chain = call.service.chain();
    if (call.args.has(1) && call.args.get(1, read_block_reference).is_pending())
        return quantity(
            chain.pool().next_nonce(address, account_or_empty(chain.head_state(), address).nonce));
    return quantity(account_or_empty(*NamedState(call, 1), address).nonce);
}

json::value get_code(const Call& call) {
    const Address address = call.args.get(0, read_address);
    NamedState state(call, 1);
    return hex_data(state->code(account_or_empty(*state, address).code_hash));
}

json::value get_account(const Call& call) {
    const Address address = call.args.get(0, read_address);
    const auto state = call.service.chain().state_after(block_argument(call, 1)->number());
    const state::Account account = account_or_empty(*state, address);
    return json::object{{"balance", quantity(account.balance)},
                        {"codeHash", hex_data(account.code_hash)},
                        {"nonce", quantity(account.nonce)},
                        {"storageRoot", hex_data(state->storage_root(address).value_or(trie::kEmptyRoot))}};
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
    Bytes code;
    const bool known = call.service.chain().store().codes().code(call.args.get(0, read_hash), code);
    return known ? hex_data(code) : json::value(nullptr);
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

json::array format_nodes(const Result<std::vector<Bytes>, state::StateError>& nodes) {
    if (!nodes)
        refuse("state is not available");
    json::array out;
    for (const Bytes& node : *nodes)
        out.push_back(hex_data(node));
    return out;
}

json::object storage_proof(state::TrieState& state, const Address& address, const json::value& key) {
    const std::string_view text = read_text(key, "string");
    const Hash slot = read_slot(text);
    // A full word is repeated as such, anything shorter as a quantity.
    const bool full = text.size() == 66;
    return {{"key", full ? hex_data(slot) : quantity(from_hash(slot))},
            {"value", quantity(state.storage(address, from_hash(slot)))},
            {"proof", format_nodes(state.storage_proof(address, from_hash(slot)))}};
}

json::value get_proof(const Call& call) {
    const Address address = call.args.get(0, read_address);
    const json::array& keys = call.args.get(
        1, [](const json::value& v) -> const json::array& { return read_array(v, "[]string"); });
    if (keys.size() > kProofKeysMax)
        invalid_params("too many keys (max " + std::to_string(kProofKeysMax) + ")");
    const auto state = call.service.chain().state_after(block_argument(call, 2)->number());
    const state::Account account = account_or_empty(*state, address);
    json::array storage;
    for (const auto& key : keys)
        storage.push_back(storage_proof(*state, address, key));
    const auto storage_root = state->storage_root(address);
    return json::object{{"address", hex_data(address)},
                        {"accountProof", format_nodes(state->account_proof(address))},
                        {"balance", quantity(account.balance)},
                        {"codeHash", hex_data(account.code_hash)},
                        {"nonce", quantity(account.nonce)},
                        {"storageHash", hex_data(storage_root.value_or(trie::kEmptyRoot))},
                        {"storageProof", std::move(storage)}};
}

json::value accounts(const Call& call) {
    json::array out;
    for (const auto& account : call.service.chain().accounts())
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
