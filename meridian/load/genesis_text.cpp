// A genesis file for a load run: the development chain's rules and system contracts, and ether for the run's
// accounts.
#include <meridian/base/hex.hpp>
#include <meridian/load/load.hpp>
#include <meridian/node/genesis.hpp>

#include <boost/json.hpp>

#include <algorithm>

namespace meridian::load {
namespace {

const u256 kSenderWei = u256{1} << 80;    // a million ether
const u256 kTreasuryWei = u256{1} << 96;  // for as many senders as there may be

constexpr std::size_t kAtOnce = 100'000;  // accounts

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

void write_genesis(std::FILE* out, const LoadOptions& options, std::uint64_t chain_id,
                   std::uint64_t gas_limit) {
    node::DevGenesisOptions dev;
    dev.chain_id = chain_id;
    dev.gas_limit = gas_limit;
    const node::Genesis genesis = node::dev_genesis(dev, {});
    const u256 base_fee = genesis.header.base_fee.value_or(u256{});
    std::fprintf(
        out,
        "{\"config\":%s,\"difficulty\":\"0x0\",\"gasLimit\":\"%s\",\"baseFeePerGas\":\"%s\",\"alloc\":{\n",
        json::serialize(fork_config(chain_id)).c_str(), to_quantity(u256{gas_limit}).c_str(),
        to_quantity(base_fee).c_str());
    for (const auto& [address, account] : genesis.alloc)
        std::fprintf(out, "\"%s\":{\"nonce\":\"%s\",\"balance\":\"%s\",\"code\":\"%s\"},\n",
                     to_hex0x(address).c_str(), to_quantity(u256{account.nonce}).c_str(),
                     to_quantity(account.balance).c_str(), to_hex0x(account.code).c_str());
    const std::string sender_wei = to_quantity(kSenderWei);
    for (std::size_t first = 0; first < options.accounts; first += kAtOnce)
        for (const Account& account :
             derive_senders(options.seed, std::min(kAtOnce, options.accounts - first), first))
            std::fprintf(out, "\"%s\":{\"balance\":\"%s\"},\n", to_hex0x(account.address).c_str(),
                         sender_wei.c_str());
    std::fprintf(out, "\"%s\":{\"balance\":\"%s\"}\n}}\n",
                 to_hex0x(derive_treasury(options.seed).address).c_str(), to_quantity(kTreasuryWei).c_str());
}

}  // namespace meridian::load
