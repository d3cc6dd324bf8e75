// What development tools ask of their node: time, mining, snapshots and the alteration of state, under the
// names that Anvil, Hardhat and Ganache gave.
#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/development.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>

#include <algorithm>

namespace meridian::rpc {
namespace {

node::DevChain& chain_of(const Call& call) {
    return development_chain(call);
}

// --- mining ---------------------------------------------------------------------------------------------

// Beyond these times are refused, so that no sum of them overflows.
constexpr std::uint64_t kIntervalMax = 1'000'000'000;            // seconds
constexpr std::uint64_t kTimestampMax = std::uint64_t{1} << 60;  // seconds

void set_next_timestamp(node::DevChain& chain, std::uint64_t timestamp) {
    if (timestamp > kTimestampMax)
        invalid_params("invalid argument 0: timestamp above 2^60");
    const std::uint64_t head = chain.head()->header().timestamp;
    if (timestamp <= head)
        throw RpcError(ErrorCode::InvalidParams,
                       "Timestamp error: " + std::to_string(timestamp) +
                           " is lower than or equal to previous block's timestamp " + std::to_string(head));
    chain.settings().next_timestamp = timestamp;
}

// Blocks after the first are `interval` seconds apart. Others have their turns in between, and the node's end
// ends it.
class MineLater final : public Later {
public:
    using Result = json::value (*)(node::DevChain& chain, std::uint64_t first);

    MineLater(const Call& call, std::uint64_t count, std::uint64_t interval, Result result)
        : m_service(call.service),
          m_chain(chain_of(call)),
          m_left(count),
          m_interval(std::max<std::uint64_t>(1, interval)),
          m_first(m_chain.head()->number() + 1),
          m_result(result) {
        const std::uint64_t count_max = m_service.limits().mine_blocks_max;
        if (count > count_max)
            throw RpcError(ErrorCode::LimitExceeded,
                           "too many blocks (at most " + std::to_string(count_max) + ")");
        if (interval > kIntervalMax)
            invalid_params("invalid argument 1: interval above 1000000000 seconds");
    }

    std::optional<std::string> resume() override {
        for (int i = 0; i < kBlocksOfATurn && m_left > 0; ++i, --m_left) {
            if (m_service.stopping())
                throw RpcError(ErrorCode::TimedOut, "the node is ending");
            if (m_begun)
                set_next_timestamp(m_chain, m_chain.head()->header().timestamp + m_interval);
            m_begun = true;
            mine_one(m_chain);
        }
        if (m_left > 0)
            return std::nullopt;
        return json::serialize(m_result(m_chain, m_first));
    }

private:
    static constexpr int kBlocksOfATurn = 64;

    Service& m_service;
    node::DevChain& m_chain;
    std::uint64_t m_left;
    std::uint64_t m_interval;
    std::uint64_t m_first;
    Result m_result;
    bool m_begun = false;
};

LaterPtr mine(const Call& call) {
    return std::make_shared<MineLater>(call, call.args.get_or(0, read_lenient_uint64, std::uint64_t{1}),
                                       call.args.get_or(1, read_lenient_uint64, std::uint64_t{1}),
                                       [](node::DevChain&, std::uint64_t) { return json::value(true); });
}

struct MineOptions {
    std::uint64_t blocks = 1;
    std::optional<std::uint64_t> timestamp;
};

// evm_mine takes nothing, a timestamp, or {blocks, timestamp}.
MineOptions read_mine_options(const json::value& value) {
    MineOptions out;
    if (const auto* object = value.if_object()) {
        out.blocks = optional_member(*object, "blocks", read_lenient_uint64).value_or(1);
        out.timestamp = optional_member(*object, "timestamp", read_lenient_uint64);
    } else if (const std::uint64_t timestamp = read_lenient_uint64(value); timestamp != 0) {
        out.timestamp = timestamp;
    }
    return out;
}

LaterPtr mine_with_options(const Call& call, MineLater::Result result) {
    const MineOptions options = call.args.get_or(0, read_mine_options, MineOptions{});
    auto out = std::make_shared<MineLater>(call, options.blocks, 1, result);
    if (options.timestamp)
        set_next_timestamp(chain_of(call), *options.timestamp);
    return out;
}

LaterPtr evm_mine(const Call& call) {
    return mine_with_options(call, [](node::DevChain&, std::uint64_t) { return json::value("0x0"); });
}

LaterPtr evm_mine_detailed(const Call& call) {
    return mine_with_options(call, [](node::DevChain& chain, std::uint64_t first) {
        json::array out;
        for (std::uint64_t number = first; number <= chain.head()->number(); ++number)
            out.push_back(format_block(*available(chain.block(number)), true));
        return json::value(std::move(out));
    });
}

json::value set_automine(const Call& call) {
    node::MiningMode mode = chain_of(call).mining();
    mode.automine = call.args.get(0, read_bool);
    chain_of(call).set_mining(mode);
    return true;
}
json::value get_automine(const Call& call) {
    return chain_of(call).mining().automine;
}

// In seconds, as Anvil; zero ends it.
json::value set_interval_mining(const Call& call) {
    const std::uint64_t seconds = call.args.get(0, read_lenient_uint64);
    if (seconds > 1'000'000)
        invalid_params("invalid argument 0: interval above 1000000 seconds");
    node::MiningMode mode = chain_of(call).mining();
    mode.interval_ms = seconds * 1000;
    if (seconds != 0)
        mode.automine = false;
    chain_of(call).set_mining(mode);
    return true;
}
json::value get_interval_mining(const Call& call) {
    const std::uint64_t interval_ms = chain_of(call).mining().interval_ms;
    return interval_ms == 0 ? json::value(nullptr) : json::value(interval_ms / 1000);
}

json::value drop_transaction(const Call& call) {
    return chain_of(call).drop_transaction(call.args.get(0, read_hash));
}
json::value drop_all_transactions(const Call& call) {
    chain_of(call).drop_all_transactions();
    return true;
}
json::value remove_pool_transactions(const Call& call) {
    chain_of(call).drop_transactions_of(call.args.get(0, read_address));
    return true;
}

// --- time -----------------------------------------------------------------------------------------------

json::value increase_time(const Call& call) {
    const std::uint64_t seconds = call.args.get(0, read_lenient_uint64);
    node::ChainSettings& settings = chain_of(call).settings();
    if (seconds > std::uint64_t{1} << 60)
        invalid_params("invalid argument 0: that far the clock does not go");
    settings.time_offset += static_cast<std::int64_t>(seconds);
    return settings.time_offset;
}

json::value set_next_block_timestamp(const Call& call) {
    const std::uint64_t timestamp = call.args.get(0, read_lenient_uint64);
    set_next_timestamp(chain_of(call), timestamp);
    return timestamp;
}

json::value set_time(const Call& call) {
    const std::uint64_t timestamp = call.args.get(0, read_lenient_uint64);
    node::DevChain& chain = chain_of(call);
    if (timestamp > kTimestampMax)
        invalid_params("invalid argument 0: that far the clock does not go");
    const auto offset = static_cast<std::int64_t>(timestamp) - static_cast<std::int64_t>(chain.clock());
    const std::int64_t moved = offset - chain.settings().time_offset;
    chain.settings().time_offset = offset;
    return moved;
}

json::value set_timestamp_interval(const Call& call) {
    const std::uint64_t seconds = call.args.get(0, read_lenient_uint64);
    if (seconds > kIntervalMax)
        invalid_params("invalid argument 0: interval above 1000000000 seconds");
    chain_of(call).settings().timestamp_interval = seconds;
    return true;
}
json::value remove_timestamp_interval(const Call& call) {
    auto& interval = chain_of(call).settings().timestamp_interval;
    const bool had = interval.has_value();
    interval.reset();
    return had;
}

// --- blocks' properties ---------------------------------------------------------------------------------

json::value set_block_gas_limit(const Call& call) {
    const std::uint64_t limit = call.args.get(0, read_lenient_uint64);
    if (limit == 0)
        invalid_params("invalid argument 0: a block's gas limit is above zero");
    chain_of(call).settings().gas_limit = limit;
    return true;
}
json::value set_coinbase(const Call& call) {
    chain_of(call).settings().coinbase = call.args.get(0, read_address);
    return true;
}
json::value set_next_base_fee(const Call& call) {
    chain_of(call).settings().next_base_fee = call.args.get(0, read_lenient_quantity);
    return true;
}
json::value set_prev_randao(const Call& call) {
    chain_of(call).settings().next_prev_randao =
        call.args.get(0, [](const json::value& v) { return read_slot(read_text(v, "common.Hash")); });
    return true;
}
json::value set_min_gas_price(const Call& call) {
    chain_of(call).settings().min_gas_price = call.args.get(0, read_lenient_quantity);
    return true;
}

// --- accounts -------------------------------------------------------------------------------------------

template <class Change>
json::value alter(const Call& call, Change change) {
    const Address address = call.args.get(0, read_address);
    alter_head(chain_of(call), [&](node::OverlayState& state) { change(state, address); });
    return true;
}

json::value set_balance(const Call& call) {
    const u256 balance = call.args.get(1, read_lenient_quantity);
    return alter(call, [&](node::OverlayState& s, const Address& a) { s.set_balance(a, balance); });
}
json::value add_balance(const Call& call) {
    const u256 amount = call.args.get(1, read_lenient_quantity);
    return alter(call, [&](node::OverlayState& s, const Address& a) {
        const u256 balance = s.account(a).value_or(state::Account{}).balance;
        s.set_balance(a, amount > u256::max() - balance ? u256::max() : balance + amount);
    });
}
json::value set_code(const Call& call) {
    const Bytes code = call.args.get(1, read_data);
    return alter(call, [&](node::OverlayState& s, const Address& a) { s.set_code(a, code); });
}
json::value set_nonce(const Call& call) {
    const std::uint64_t nonce = call.args.get(1, read_lenient_uint64);
    return alter(call, [&](node::OverlayState& s, const Address& a) { s.set_nonce(a, nonce); });
}
json::value set_storage_at(const Call& call) {
    const u256 slot = call.args.get(1, [](const json::value& v) {
        return v.is_string() ? from_hash(read_slot(text_of(v.get_string()))) : read_lenient_quantity(v);
    });
    const u256 value = call.args.get(
        2, [](const json::value& v) { return from_hash(read_slot(read_text(v, "common.Hash"))); });
    return alter(call, [&](node::OverlayState& s, const Address& a) { s.set_storage(a, slot, value); });
}

json::value impersonate(const Call& call) {
    chain_of(call).settings().impersonated.insert(call.args.get(0, read_address));
    return true;
}
json::value stop_impersonating(const Call& call) {
    return chain_of(call).settings().impersonated.erase(call.args.get(0, read_address)) != 0;
}
json::value impersonate_all(const Call& call) {
    chain_of(call).settings().impersonate_all = call.args.get(0, read_bool);
    return true;
}

// --- snapshots and the rest -----------------------------------------------------------------------------

json::value snapshot(const Call& call) {
    return quantity(chain_of(call).snapshot());
}
json::value revert(const Call& call) {
    return available(chain_of(call).revert(call.args.get(0, read_lenient_uint64)));
}

json::value set_chain_id(const Call& call) {
    const std::uint64_t id = call.args.get(0, read_lenient_uint64);
    if (id == 0)
        invalid_params("invalid argument 0: a chain id is above zero");
    chain_of(call).set_chain_id(id);
    return nullptr;
}

json::value genesis_time(const Call& call) {
    return chain_of(call).genesis().header.timestamp;
}

// Nothing here makes stack traces of Solidity sources.
json::value add_compilation_result(const Call&) {
    return false;
}

json::value reset(const Call& call) {
    if (call.args.has(0))
        if (const auto* options = call.args.raw(0).if_object())
            if (member(*options, "forking") != nullptr)
                refuse("forking another chain is not supported");
    available(chain_of(call).reset());
    return true;
}

json::value metadata(const Call& call) {
    node::DevChain& chain = chain_of(call);
    return json::object{{"clientVersion", call.service.options().client_version},
                        {"chainId", chain.config().chain_id},
                        {"instanceId", hex_data(chain.genesis_hash())},
                        {"latestBlockNumber", chain.head()->number()},
                        {"latestBlockHash", hex_data(chain.head()->hash)}};
}

json::value node_info(const Call& call) {
    node::DevChain& chain = chain_of(call);
    return json::object{
        {"currentBlockNumber", quantity(chain.head()->number())},
        {"currentBlockTimestamp", chain.head()->header().timestamp},
        {"currentBlockHash", hex_data(chain.head()->hash)},
        {"transactionOrder", "fees"},
        {"environment",
         json::object{{"baseFee", quantity(chain.head()->header().base_fee.value_or(u256{}))},
                      {"chainId", chain.config().chain_id},
                      {"gasLimit", quantity(chain.settings().gas_limit)},
                      {"gasPrice", quantity(chain.head()->header().base_fee.value_or(u256{}))}}},
        {"forkConfig",
         json::object{{"forkUrl", nullptr}, {"forkBlockNumber", nullptr}, {"forkRetryBackoff", nullptr}}}};
}

// Logging and traces are not per call here.
json::value accept(const Call&) {
    return true;
}

constexpr Param kAddress{"address", "Address"};
constexpr Param kSeconds{"seconds", "Quantity"};
constexpr Param kTimestamp{"timestamp", "Quantity"};

struct Aliased {
    std::vector<std::string_view> names;
    Method method;
};

std::vector<Method> flattened(const std::vector<Aliased>& list) {
    std::vector<Method> out;
    for (const Aliased& entry : list)
        for (const std::string_view name : entry.names) {
            out.push_back(entry.method);
            out.back().name = name;
        }
    return out;
}

std::vector<Method> mining_table() {
    const Param flag{"enabled", "boolean"};
    const Param hash{"transactionHash", "Hash"};
    return flattened({
        {{"anvil_mine", "hardhat_mine"},
         {"",
          "Mines blocks",
          {{"count", "Quantity", false}, {"interval", "Quantity", false}},
          "boolean",
          nullptr,
          mine}},
        {{"evm_mine"},
         {"",
          "Mines a block or several",
          {{"options", "Quantity|object", false}},
          "string",
          nullptr,
          evm_mine}},
        {{"evm_mine_detailed", "anvil_mine_detailed"},
         {"",
          "Mines and shows the blocks",
          {{"options", "Quantity|object", false}},
          "Block[]",
          nullptr,
          evm_mine_detailed}},
        {{"evm_setAutomine", "anvil_setAutomine"},
         {"", "A block for each transaction, or not", {flag}, "boolean", set_automine}},
        {{"evm_getAutomine", "anvil_getAutomine", "hardhat_getAutomine"},
         {"", "Whether each transaction makes a block", {}, "boolean", get_automine}},
        {{"evm_setIntervalMining", "anvil_setIntervalMining"},
         {"", "A block every so many seconds; zero: none", {kSeconds}, "boolean", set_interval_mining}},
        {{"evm_getIntervalMining", "anvil_getIntervalMining"},
         {"", "Seconds between blocks", {}, "Quantity|null", get_interval_mining}},
        {{"anvil_dropTransaction", "hardhat_dropTransaction"},
         {"", "Removes a waiting transaction", {hash}, "boolean", drop_transaction}},
        {{"anvil_dropAllTransactions", "hardhat_dropAllTransactions"},
         {"", "Empties the pool", {}, "boolean", drop_all_transactions}},
        {{"anvil_removePoolTransactions"},
         {"", "Removes a sender's waiting transactions", {kAddress}, "boolean", remove_pool_transactions}},
        {{"evm_increaseTime", "anvil_increaseTime"},
         {"", "Moves the clock on", {kSeconds}, "number", increase_time}},
        {{"evm_setNextBlockTimestamp", "anvil_setNextBlockTimestamp"},
         {"", "The next block's time", {kTimestamp}, "number", set_next_block_timestamp}},
        {{"evm_setTime", "anvil_setTime"}, {"", "Sets the clock", {kTimestamp}, "number", set_time}},
        {{"anvil_setBlockTimestampInterval", "evm_setBlockTimestampInterval"},
         {"",
          "Seconds from block to block, in place of the clock",
          {kSeconds},
          "boolean",
          set_timestamp_interval}},
        {{"anvil_removeBlockTimestampInterval", "evm_removeBlockTimestampInterval"},
         {"", "Back to the clock", {}, "boolean", remove_timestamp_interval}},
        {{"evm_setBlockGasLimit", "anvil_setBlockGasLimit", "hardhat_setBlockGasLimit"},
         {"", "Gas limit of the blocks to come", {{"gasLimit", "Quantity"}}, "boolean", set_block_gas_limit}},
        {{"anvil_setCoinbase", "hardhat_setCoinbase"},
         {"", "Whom the fees of the blocks to come go to", {kAddress}, "boolean", set_coinbase}},
        {{"anvil_setNextBlockBaseFeePerGas", "hardhat_setNextBlockBaseFeePerGas"},
         {"", "The next block's base fee", {{"baseFee", "Quantity"}}, "boolean", set_next_base_fee}},
        {{"anvil_setPrevRandao", "hardhat_setPrevRandao"},
         {"", "The next block's prevRandao", {{"prevRandao", "Data32"}}, "boolean", set_prev_randao}},
        {{"anvil_setMinGasPrice", "hardhat_setMinGasPrice"},
         {"", "Below this the pool takes nothing", {{"gasPrice", "Quantity"}}, "boolean", set_min_gas_price}},
    });
}

std::vector<Method> account_table() {
    const Param amount{"amount", "Quantity"};
    const Param slot{"slot", "Quantity"};
    const Param word{"value", "Data32"};
    return flattened({
        {{"anvil_setBalance", "hardhat_setBalance", "evm_setAccountBalance", "tenderly_setBalance"},
         {"", "Sets a balance", {kAddress, amount}, "boolean", set_balance}},
        {{"anvil_addBalance", "hardhat_addBalance", "tenderly_addBalance"},
         {"", "Adds to a balance", {kAddress, amount}, "boolean", add_balance}},
        {{"anvil_setCode", "hardhat_setCode", "evm_setAccountCode"},
         {"", "Sets an account's code", {kAddress, {"code", "Data"}}, "boolean", set_code}},
        {{"anvil_setNonce", "hardhat_setNonce", "evm_setAccountNonce"},
         {"", "Sets a nonce", {kAddress, {"nonce", "Quantity"}}, "boolean", set_nonce}},
        {{"anvil_setStorageAt", "hardhat_setStorageAt", "evm_setAccountStorageAt"},
         {"", "Sets a storage slot", {kAddress, slot, word}, "boolean", set_storage_at}},
        {{"anvil_impersonateAccount", "hardhat_impersonateAccount"},
         {"", "Sends without a key for an account", {kAddress}, "boolean", impersonate}},
        {{"anvil_stopImpersonatingAccount", "hardhat_stopImpersonatingAccount"},
         {"", "Ends an impersonation", {kAddress}, "boolean", stop_impersonating}},
        {{"anvil_autoImpersonateAccount", "hardhat_autoImpersonateAccount"},
         {"", "Sends without a key for every account", {{"enabled", "boolean"}}, "boolean", impersonate_all}},
    });
}

std::vector<Method> rest_table() {
    const Param options{"options", "object", false};
    return flattened({
        {{"evm_snapshot", "anvil_snapshot"},
         {"", "Remembers the chain for evm_revert", {}, "Quantity", snapshot}},
        {{"evm_revert", "anvil_revert"},
         {"",
          "Goes back to a snapshot: blocks, state, pool, time, block gas limit, the next block's timestamp "
          "and "
          "prevRandao. Impersonations, mining mode, coinbase, chain id, timestamp interval, the next base "
          "fee "
          "and the minimum gas price stay as they are",
          {{"snapshotId", "Quantity"}},
          "boolean",
          revert}},
        {{"anvil_setChainId"},
         {"", "Chain id of the transactions to come", {{"chainId", "Quantity"}}, "null", set_chain_id}},
        {{"anvil_getGenesisTime"}, {"", "Time of the genesis block", {}, "number", genesis_time}},
        {{"hardhat_addCompilationResult"},
         {"",
          "Accepted; stack traces are not made, hence false",
          {{"solcVersion", "string"}, {"input", "object"}, {"output", "object"}},
          "boolean",
          add_compilation_result}},
        {{"anvil_reset", "hardhat_reset"}, {"", "Back to the genesis", {options}, "boolean", reset}},
        {{"anvil_metadata", "hardhat_metadata"}, {"", "About this node", {}, "object", metadata}},
        {{"anvil_nodeInfo"}, {"", "About this node", {}, "object", node_info}},
        {{"anvil_setLoggingEnabled", "hardhat_setLoggingEnabled"},
         {"", "Accepted; logging is set on the command line", {{"enabled", "boolean"}}, "boolean", accept}},
        {{"anvil_enableTraces"}, {"", "Accepted; traces are made on demand", {}, "boolean", accept}},
    });
}

}  // namespace

std::span<const Method> development_methods() {
    static const std::vector<Method> kMethods = [] {
        std::vector<Method> out = mining_table();
        for (const auto& table : {account_table(), rest_table()})
            out.insert(out.end(), table.begin(), table.end());
        return out;
    }();
    return kMethods;
}

}  // namespace meridian::rpc
