// What the load consists of: which call transaction number i makes, what has to be deployed for it, and how
// one sees afterwards that the chain did all of it and nothing else.
#pragma once

#include <meridian/load/setup.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace meridian::load {

struct Operation {
    Address to;
    u256 value;
    Bytes data;
    std::uint64_t gas_limit = 0;
};

// One statement about the chain after the load.
struct Check {
    std::string name;
    bool passed = false;
    std::string detail;  // what was compared, or the first difference
};

// Who sends and who receives. Transaction i is sent by sender i % senders.
struct Cast {
    std::vector<Account> senders;
    std::vector<Address> recipients;
    std::size_t txns = 0;

    std::size_t txns_per_sender() const { return (txns + senders.size() - 1) / senders.size(); }
};

class Workload {
public:
    virtual ~Workload() = default;

    // The most gas and value that one of its transactions has.
    virtual std::uint64_t gas_limit_max() const = 0;
    virtual u256 value_max() const { return {}; }
    // Transactions that each sender makes during prepare().
    virtual std::size_t setup_txns_per_sender() const { return 0; }
    // Deploys and distributes; afterwards remembers what the balances are. The senders have ether.
    virtual void prepare(Setup& setup, const Address& distributor) = 0;
    // From any thread, after prepare().
    virtual Operation operation(std::size_t txn) const = 0;
    // `succeeded(i)`: transaction i is of this workload, is in a block, and its receipt says success.
    virtual void check(RpcClient& rpc, const std::function<bool(std::size_t)>& succeeded,
                       std::vector<Check>& out) const = 0;
};

// "transfers", "erc20", "uniswap", or "mix": six, three and one in ten of these. `uniswap_folder` is where
// npm's packages @uniswap/v2-core and v2-periphery are (".../node_modules/@uniswap"). The cast has to outlive
// it. Throws LoadFailure if there is no such workload, or no such folder where it is needed.
std::unique_ptr<Workload> make_workload(const std::string& name, const Cast& cast,
                                        const std::string& uniswap_folder);

// Looks for node_modules/@uniswap above the binary and the current folder; empty if there is none.
std::string find_uniswap_folder();

}  // namespace meridian::load
