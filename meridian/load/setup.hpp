// What has to be on the chain before the load: ether for the senders, contracts, tokens, allowances.
#pragma once

#include <meridian/chain/transaction.hpp>
#include <meridian/load/accounts.hpp>
#include <meridian/load/rpc_client.hpp>

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace meridian::load {

struct ChainFacts {
    std::uint64_t chain_id = 0;
    u256 base_fee;                // of the newest block, wei a gas; zero before London
    std::uint64_t gas_limit = 0;  // of the newest block
    std::string client;           // as web3_clientVersion says
};

// Throws LoadFailure if the node does not answer.
ChainFacts read_chain_facts(RpcClient& rpc);

struct Fees {
    u256 max_fee_per_gas;  // wei
    u256 max_priority_fee_per_gas;
};

// An EIP-1559 transaction, signed. `to` is empty for a creation.
chain::Transaction sign_transaction(chain::Transaction txn, const Hash& private_key);

struct SetupCall {
    std::optional<Address> to;
    u256 value;
    Bytes data;
    std::uint64_t gas_limit = 0;
};

// Sends transactions and waits for them; not timed, not many.
class Setup {
public:
    Setup(RpcClient& rpc, const ChainFacts& chain, const Fees& fees, Account payer);

    RpcClient& rpc() noexcept { return m_rpc; }
    const Account& payer() const noexcept { return m_payer; }

    // Queued until finish().
    void send(const Account& from, SetupCall call);
    // Sends what is queued and waits until all of it is in blocks. Throws LoadFailure if one failed or does
    // not come.
    void finish();
    // A contract of the payer's; waits. The address is where it is.
    Address deploy(Bytes creation_code);

private:
    struct Queued {
        const Account* from;
        SetupCall call;
    };
    void load_nonces();
    void submit(const std::vector<std::string>& envelopes) const;
    void wait_for(const std::vector<std::string>& hashes) const;

    RpcClient& m_rpc;
    ChainFacts m_chain;
    Fees m_fees;
    Account m_payer;
    std::vector<Queued> m_queue;
    std::unordered_map<Address, std::uint64_t> m_nonces;
};

// Balances and nonces of many accounts, in their order.
std::vector<u256> read_balances(RpcClient& rpc, std::span<const Address> accounts);
std::vector<std::uint64_t> read_nonces(RpcClient& rpc, std::span<const Address> accounts);
// balanceOf() of many holders.
std::vector<u256> read_token_balances(RpcClient& rpc, const Address& token, std::span<const Address> holders);

std::vector<Address> addresses_of(const std::vector<Account>& accounts);

// Brings every account to at least `need` wei, from the payer, by a Distributor. Throws LoadFailure that
// names what is lacking if the payer has not enough.
void fund(Setup& setup, const std::vector<Account>& accounts, const u256& need, const Address& distributor);

}  // namespace meridian::load
