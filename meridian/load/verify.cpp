#include <meridian/load/verify.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/load/receipt_json.hpp>

#include <thread>

namespace meridian::load {
namespace {

constexpr std::chrono::seconds kBlocksWait{15};
constexpr std::size_t kBlocksAtOnce = 50;
constexpr std::int64_t kTooLarge = -32003;  // the answer is larger than the node lets it be

// What the blocks say about our transactions.
class ChainReceipts {
public:
    explicit ChainReceipts(const RunState& state)
        : m_index(state.load().hashes), m_found(state.records().size()) {}

    // Reads the blocks that came since the last call, up to the first that the node does not have after all.
    void read_from(RpcClient& rpc, std::uint64_t first) {
        m_next = std::max(m_next, first);
        const std::uint64_t newest = number_of(rpc.call("eth_blockNumber"));
        while (m_next <= newest)
            if (!read_some(rpc, newest))
                return;
    }

    std::size_t count() const { return m_count; }
    std::size_t repeated() const { return m_repeated; }
    const std::optional<Inclusion>& at(std::size_t txn) const { return m_found[txn]; }

private:
    // As many blocks at once as a node's bound on the size of answers lets through; false at a block that it
    // does not have.
    bool read_some(RpcClient& rpc, std::uint64_t newest) {
        std::vector<RpcRequest> requests;
        for (std::uint64_t n = m_next; n <= newest && requests.size() < m_blocks_at_once; ++n)
            requests.push_back({"eth_getBlockReceipts", {to_quantity(u256{n})}});
        std::size_t read = 0;
        for (const RpcAnswer& answer : rpc.batch(requests)) {
            if (answer.failed)
                break;
            if (!answer.result.is_array())
                return false;
            take_all(answer.result.get_array());
            ++read;
            ++m_next;
        }
        if (read < requests.size())
            m_blocks_at_once = std::max<std::size_t>(read, 1);
        if (read == 0)
            read_large(rpc);
        return true;
    }

    // One block that is too large for a batch's answer, or for any.
    void read_large(RpcClient& rpc) {
        const json::value number(to_quantity(u256{m_next}));
        try {
            const json::value receipts = rpc.call("eth_getBlockReceipts", {number});
            if (!receipts.is_array())
                throw LoadFailure("the node does not give the receipts of block " + std::to_string(m_next));
            take_all(receipts.get_array());
        } catch (const RpcFailure& failure) {
            if (failure.code() != kTooLarge)
                throw;
            const json::value block = rpc.call("eth_getBlockByNumber", {number, false});
            std::vector<RpcRequest> requests;
            for (const json::value& hash : block.at("transactions").as_array())
                requests.push_back({"eth_getTransactionReceipt", {hash}});
            for (const json::value& receipt : rpc.call_all(requests))
                take(receipt.as_object());
        }
        ++m_next;
    }

    void take_all(const json::array& receipts) {
        for (const json::value& receipt : receipts)
            take(receipt.as_object());
    }

    void take(const json::object& receipt) {
        const auto hash = read_transaction_hash(receipt);
        const auto txn = hash ? m_index.find(*hash) : std::nullopt;
        if (!txn)
            return;
        m_repeated += m_found[*txn].has_value();
        m_count += !m_found[*txn].has_value();
        m_found[*txn] = read_inclusion(receipt);
    }

    HashIndex m_index;
    std::vector<std::optional<Inclusion>> m_found;
    std::uint64_t m_next = 0;
    std::size_t m_blocks_at_once = kBlocksAtOnce;
    std::size_t m_count = 0;
    std::size_t m_repeated = 0;
};

Check check_inclusion(const RunState& state) {
    std::size_t missing = 0;
    for (const TxnRecord& record : state.records())
        missing += record.accepted_us != 0 && record.included_us == 0;
    return {"every accepted transaction got a receipt", missing == 0,
            std::to_string(state.accepted()) + " accepted, " + std::to_string(missing) + " without receipt"};
}

Check check_receipts(const RunState& state, const ChainReceipts& chain) {
    std::size_t differing = 0;
    for (std::size_t i = 0; i < state.records().size(); ++i) {
        const TxnRecord& record = state.records()[i];
        if (record.included_us == 0)
            continue;
        const auto& found = chain.at(i);
        differing += !found || found->succeeded != record.inclusion.succeeded ||
                     found->gas_used != record.inclusion.gas_used;
    }
    return {"the blocks hold every receipt as it was seen", differing == 0 && chain.repeated() == 0,
            std::to_string(chain.count()) + " in blocks, " + std::to_string(differing) +
                " missing or different, " + std::to_string(chain.repeated()) + " twice"};
}

Check check_success(const RunState& state, const ChainReceipts& chain) {
    std::size_t reverted = 0;
    for (std::size_t i = 0; i < state.records().size(); ++i)
        reverted += chain.at(i) && !chain.at(i)->succeeded;
    return {"every receipt says success", reverted == 0, std::to_string(reverted) + " reverted"};
}

Check check_nonces(RpcClient& rpc, const Cast& cast, const RunState& state, const ChainReceipts& chain) {
    std::vector<std::uint64_t> expected = state.load().first_nonces;
    for (std::size_t i = 0; i < state.records().size(); ++i)
        expected[i % expected.size()] += chain.at(i).has_value();
    const std::vector<Address> senders = addresses_of(cast.senders);
    const auto nonces = read_nonces(rpc, senders);
    for (std::size_t i = 0; i < senders.size(); ++i)
        if (nonces[i] != expected[i])
            return {"nonces of the senders", false,
                    to_hex0x(senders[i]) + " has " + std::to_string(nonces[i]) + ", expected " +
                        std::to_string(expected[i])};
    return {"nonces of the senders", true, std::to_string(senders.size()) + " senders"};
}

Check check_ether(RpcClient& rpc, const Cast& cast, const RunState& state, const ChainReceipts& chain,
                  const Before& before) {
    std::vector<u256> expected = before.sender_balances;
    for (std::size_t i = 0; i < state.records().size(); ++i)
        if (const auto& found = chain.at(i)) {
            const u256 value = found->succeeded ? state.load().values[i] : u256{};
            expected[i % expected.size()] -= value + u256{found->gas_used} * found->gas_price;
        }
    const std::vector<Address> senders = addresses_of(cast.senders);
    const auto balances = read_balances(rpc, senders);
    for (std::size_t i = 0; i < senders.size(); ++i)
        if (balances[i] != expected[i])
            return {"ether of the senders", false,
                    to_hex0x(senders[i]) + " has " + to_decimal(balances[i]) + ", expected " +
                        to_decimal(expected[i])};
    return {"ether of the senders", true,
            "values and fees of " + std::to_string(chain.count()) + " receipts"};
}

}  // namespace

std::vector<Check> verify_load(RpcClient& rpc, const Workload& workload, const Cast& cast,
                               const RunState& state, const Before& before) {
    ChainReceipts chain(state);
    const auto deadline = std::chrono::steady_clock::now() + kBlocksWait;
    for (;;) {
        chain.read_from(rpc, before.block_number + 1);
        if (chain.count() >= state.included() || std::chrono::steady_clock::now() > deadline)
            break;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    std::vector<Check> out{check_inclusion(state), check_receipts(state, chain), check_success(state, chain),
                           check_nonces(rpc, cast, state, chain),
                           check_ether(rpc, cast, state, chain, before)};
    workload.check(rpc, [&](std::size_t txn) { return chain.at(txn) && chain.at(txn)->succeeded; }, out);
    return out;
}

}  // namespace meridian::load
