#include <meridian/load/setup.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/evm/evm.hpp>
#include <meridian/load/abi.hpp>

#include <chrono>
#include <thread>

namespace meridian::load {
namespace {

// Of one setup transaction; below EIP-7825's bound and every block's.
constexpr std::uint64_t kDeployGas = 6'000'000;
constexpr std::uint64_t kShareGas = 60'000;  // for each account that gets ether
constexpr std::size_t kSharesMax = 100;      // accounts in one transaction
constexpr std::chrono::seconds kWait{60};

std::string ether_text(const u256& wei) {
    const std::string digits = to_decimal(wei / u256{1'000'000'000'000'000});  // thousandths
    const std::string padded = digits.size() < 4 ? std::string(4 - digits.size(), '0') + digits : digits;
    return padded.substr(0, padded.size() - 3) + "." + padded.substr(padded.size() - 3) + " ether";
}

template <class Read>
auto read_for_each(RpcClient& rpc, std::span<const Address> accounts, const std::string& method,
                   Read&& read) {
    std::vector<RpcRequest> requests;
    for (const Address& account : accounts)
        requests.push_back({method, {to_hex0x(account), "latest"}});
    std::vector<decltype(read(json::value{}))> out;
    for (const json::value& value : rpc.call_all(requests))
        out.push_back(read(value));
    return out;
}

}  // namespace

ChainFacts read_chain_facts(RpcClient& rpc) {
    ChainFacts out;
    out.chain_id = number_of(rpc.call("eth_chainId"));
    const json::value block = rpc.call("eth_getBlockByNumber", {"latest", false});
    out.gas_limit = number_of(block.as_object().at("gasLimit"));
    if (const json::value* fee = block.as_object().if_contains("baseFeePerGas"))
        out.base_fee = quantity_of(*fee);
    const json::value client = rpc.call("web3_clientVersion");
    out.client = client.is_string() ? std::string(client.get_string()) : "";
    return out;
}

chain::Transaction sign_transaction(chain::Transaction txn, const Hash& private_key) {
    const auto signature = crypto::secp256k1::sign(chain::signing_hash(txn), private_key);
    MERIDIAN_ASSERT(signature);
    txn.v = signature->recovery_id;
    txn.r = from_hash(signature->r);
    txn.s = from_hash(signature->s);
    return txn;
}

Setup::Setup(RpcClient& rpc, const ChainFacts& chain, const Fees& fees, Account payer)
    : m_rpc(rpc), m_chain(chain), m_fees(fees), m_payer(payer) {}

void Setup::send(const Account& from, SetupCall call) {
    m_queue.push_back({&from, std::move(call)});
}

void Setup::load_nonces() {
    std::vector<Address> unknown;
    for (const Queued& queued : m_queue)
        if (m_nonces.try_emplace(queued.from->address, 0).second)
            unknown.push_back(queued.from->address);
    const auto nonces = read_nonces(m_rpc, unknown);
    for (std::size_t i = 0; i < unknown.size(); ++i)
        m_nonces[unknown[i]] = nonces[i];
}

void Setup::finish() {
    load_nonces();
    std::vector<std::string> envelopes;
    std::vector<std::string> hashes;
    for (Queued& queued : m_queue) {
        chain::Transaction txn;
        txn.type = chain::TxnType::DynamicFee;
        txn.chain_id = m_chain.chain_id;
        txn.nonce = m_nonces[queued.from->address]++;
        txn.gas_limit = queued.call.gas_limit;
        txn.max_fee_per_gas = m_fees.max_fee_per_gas;
        txn.max_priority_fee_per_gas = m_fees.max_priority_fee_per_gas;
        txn.to = queued.call.to;
        txn.value = queued.call.value;
        txn.data = std::move(queued.call.data);
        txn = sign_transaction(std::move(txn), queued.from->private_key);
        envelopes.push_back(to_hex0x(chain::encode(txn)));
        hashes.push_back(to_hex0x(chain::transaction_hash(txn)));
    }
    m_queue.clear();
    submit(envelopes);
    wait_for(hashes);
}

void Setup::submit(const std::vector<std::string>& envelopes) const {
    std::vector<RpcRequest> requests;
    for (const std::string& envelope : envelopes)
        requests.push_back({"eth_sendRawTransaction", {json::value(envelope)}});
    m_rpc.call_all(requests);
}

void Setup::wait_for(const std::vector<std::string>& hashes) const {
    const auto deadline = std::chrono::steady_clock::now() + kWait;
    std::vector<std::string> waiting = hashes;
    while (!waiting.empty()) {
        std::vector<RpcRequest> requests;
        for (const std::string& hash : waiting)
            requests.push_back({"eth_getTransactionReceipt", {json::value(hash)}});
        std::vector<std::string> still;
        for (std::size_t i = 0; const RpcAnswer& answer : m_rpc.batch(requests)) {
            // Some nodes answer with an error while they index the block.
            if (answer.failed || !answer.result.is_object())
                still.push_back(waiting[i]);
            else if (number_of(answer.result.get_object().at("status")) != 1)
                throw LoadFailure("the setup transaction " + waiting[i] + " failed on the chain");
            ++i;
        }
        waiting.swap(still);
        if (waiting.empty())
            return;
        if (std::chrono::steady_clock::now() > deadline)
            throw LoadFailure(std::to_string(waiting.size()) + " setup transactions are in no block after " +
                              std::to_string(kWait.count()) + " s, such as " + waiting.front() +
                              "; does the node make blocks?");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

Address Setup::deploy(Bytes creation_code) {
    finish();
    send(m_payer, {.to = {}, .value = {}, .data = std::move(creation_code), .gas_limit = kDeployGas});
    finish();
    return evm::create_address(m_payer.address, m_nonces[m_payer.address] - 1);
}

std::vector<u256> read_balances(RpcClient& rpc, std::span<const Address> accounts) {
    return read_for_each(rpc, accounts, "eth_getBalance", quantity_of);
}

std::vector<std::uint64_t> read_nonces(RpcClient& rpc, std::span<const Address> accounts) {
    return read_for_each(rpc, accounts, "eth_getTransactionCount", number_of);
}

std::vector<u256> read_token_balances(RpcClient& rpc, const Address& token,
                                      std::span<const Address> holders) {
    std::vector<RpcRequest> requests;
    for (const Address& holder : holders)
        requests.push_back(
            {"eth_call",
             {json::object{{"to", to_hex0x(token)},
                           {"data", to_hex0x(call_data("balanceOf(address)", {word(holder)}))}},
              "latest"}});
    std::vector<u256> out;
    for (const json::value& value : rpc.call_all(requests))
        out.push_back(from_hash(hash_of(value)));
    return out;
}

std::vector<Address> addresses_of(const std::vector<Account>& accounts) {
    std::vector<Address> out;
    out.reserve(accounts.size());
    for (const Account& account : accounts)
        out.push_back(account.address);
    return out;
}

void fund(Setup& setup, const std::vector<Account>& accounts, const u256& need, const Address& distributor) {
    const std::vector<Address> addresses = addresses_of(accounts);
    const std::vector<u256> balances = read_balances(setup.rpc(), addresses);
    std::vector<Address> poor;
    for (std::size_t i = 0; i < addresses.size(); ++i)
        if (balances[i] < need)
            poor.push_back(addresses[i]);
    const u256 sum = need * u256{poor.size()};
    const Address payer = setup.payer().address;
    if (const u256 has = read_balances(setup.rpc(), {&payer, 1}).front(); has < sum)
        throw LoadFailure(
            "the payer " + to_hex0x(payer) + " has " + ether_text(has) + ", the accounts need " +
            ether_text(sum) +
            ": name a richer one by --fund-key, lower --max-fee or --transactions, or start the "
            "node with the genesis of --print-genesis");
    for (std::size_t from = 0; from < poor.size(); from += kSharesMax) {
        const auto part = std::span(poor).subspan(from, std::min(kSharesMax, poor.size() - from));
        setup.send(setup.payer(), {.to = distributor,
                                   .value = need * u256{part.size()},
                                   .data = call_data("shareEther(address[])", {u256{}}, 0, part),
                                   .gas_limit = 100'000 + kShareGas * part.size()});
    }
    setup.finish();
}

}  // namespace meridian::load
