// Balances and allowances of ERC-20 tokens, set without the token's help.
//
// Where a token keeps a value is found as Anvil finds it: of the slots that a reading call touches, the one
// that changes the answer to what it is set to.
#include <meridian/rpc/call_runner.hpp>
#include <meridian/rpc/development.hpp>

namespace meridian::rpc {
namespace {

struct Slot {
    Address contract;
    u256 key;
};

constexpr std::uint8_t kBalanceOf[] = {0x70, 0xa0, 0x82, 0x31};  // balanceOf(address)
constexpr std::uint8_t kAllowance[] = {0xdd, 0x62, 0xed, 0x3e};  // allowance(address,address)

CallArgs reading_call(const Address& token, BytesView selector, std::initializer_list<Address> addresses) {
    CallArgs out;
    out.to = token;
    out.data = to_bytes(selector);
    for (const Address& address : addresses)
        append(out.data, left_padded<32>(address));
    return out;
}

std::optional<Slot> find_slot(Service& service, const CallArgs& reading, const u256& value) {
    const Deadline deadline = service.call_deadline();
    const auto touched = CallRunner(service, reading, {}, deadline).create_access_list();
    for (const auto& entry : touched.list)
        for (const Hash& key : entry.storage_keys) {
            StateOverrides overrides;
            overrides[entry.address].state_diff.emplace()[from_hash(key)] = value;
            CallRunner probe(service, reading, {}, deadline);
            probe.override_state(overrides);
            const auto outcome = probe.execute();
            if (outcome.status == evm::Status::Success && outcome.output.size() >= 32 &&
                load_be(BytesView{outcome.output}.first(32)) == value)
                return Slot{entry.address, from_hash(key)};
        }
    return std::nullopt;
}

void set(const Call& call, const CallArgs& reading, const u256& value, const char* what) {
    node::DevChain& chain = development_chain(call);
    const auto slot = find_slot(call.service, reading, value);
    if (!slot)
        throw RpcError(ErrorCode::Internal, "Unable to set ERC20 " + std::string(what) + ", no slot found");
    alter_head(chain,
               [&](node::OverlayState& state) { state.set_storage(slot->contract, slot->key, value); });
}

json::value deal(const Call& call) {
    const Address holder = call.args.get(0, read_address);
    const Address token = call.args.get(1, read_address);
    set(call, reading_call(token, kBalanceOf, {holder}), call.args.get(2, read_lenient_quantity), "balance");
    return nullptr;
}

json::value set_allowance(const Call& call) {
    const Address owner = call.args.get(0, read_address);
    const Address spender = call.args.get(1, read_address);
    const Address token = call.args.get(2, read_address);
    set(call, reading_call(token, kAllowance, {owner, spender}), call.args.get(3, read_lenient_quantity),
        "allowance");
    return nullptr;
}

}  // namespace

std::span<const Method> token_methods() {
    static const std::vector<Method> kMethods = [] {
        const Param token{"token", "Address"};
        const Param amount{"amount", "Quantity"};
        std::vector<Method> out;
        for (const char* name : {"anvil_dealERC20", "hardhat_dealERC20", "anvil_setERC20Balance"})
            out.push_back(
                {name, "Sets an ERC-20 balance", {{"address", "Address"}, token, amount}, "null", deal});
        out.push_back({"anvil_setERC20Allowance",
                       "Sets an ERC-20 allowance",
                       {{"owner", "Address"}, {"spender", "Address"}, token, amount},
                       "null",
                       set_allowance});
        return out;
    }();
    return kMethods;
}

}  // namespace meridian::rpc
