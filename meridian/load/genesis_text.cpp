// A genesis file for a load run: the development chain's rules and system contracts, and ether for the run's
// accounts.
#include <meridian/base/hex.hpp>
#include <meridian/load/load.hpp>
#include <meridian/node/genesis.hpp>

#include <boost/json.hpp>

namespace meridian::load {
namespace {

const u256 kSenderWei = u256{1} << 80;    // a million ether
const u256 kTreasuryWei = u256{1} << 96;  // for as many senders as there may be

json::object fork_config(std::uint64_t chain_id) {
    json::object out{{"chainId", chain_id}};
    for (const char* block :
         {"homesteadBlock", "eip150Block", "eip155Block", "eip158Block", "byzantiumBlock",
          "constantinopleBlock", "petersburgBlock", "istanbulBlock", "berlinBlock", "londonBlock"})
        out[block] = 0;
    out["terminalTotalDifficulty"] = 0;
    for (const char* time : {"shanghaiTime", "cancunTime", "pragueTime", "osakaTime"})
        out[time] = 0;
    const json::object cancun{{"target", 3}, {"max", 6}, {"baseFeeUpdateFraction", 3'338'477}};
    const json::object prague{{"target", 6}, {"max", 9}, {"baseFeeUpdateFraction", 5'007'716}};
    out["blobSchedule"] = json::object{{"cancun", cancun}, {"prague", prague}, {"osaka", prague}};
    return out;
}

}  // namespace

std::string genesis_text(const LoadOptions& options, std::uint64_t chain_id, std::uint64_t gas_limit) {
    json::object alloc;
    node::DevGenesisOptions dev;
    dev.chain_id = chain_id;
    dev.gas_limit = gas_limit;
    const auto genesis = node::dev_genesis(dev, {});
    for (const auto& [address, account] : genesis.alloc)
        alloc[to_hex0x(address)] = json::object{{"nonce", to_quantity(u256{account.nonce})},
                                                {"balance", to_quantity(account.balance)},
                                                {"code", to_hex0x(account.code)}};
    for (const Account& account : derive_senders(options.seed, options.accounts))
        alloc[to_hex0x(account.address)] = json::object{{"balance", to_quantity(kSenderWei)}};
    alloc[to_hex0x(derive_treasury(options.seed).address)] =
        json::object{{"balance", to_quantity(kTreasuryWei)}};
    return json::serialize(
        json::object{{"config", fork_config(chain_id)},
                     {"difficulty", "0x0"},
                     {"gasLimit", to_quantity(u256{gas_limit})},
                     {"baseFeePerGas", to_quantity(genesis.header.base_fee.value_or(u256{}))},
                     {"alloc", std::move(alloc)}});
}

}  // namespace meridian::load
