// The transaction pool, as geth shows it.
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>
#include <meridian/sequencer/txn_words.hpp>

#include <functional>

namespace meridian::rpc {
namespace {

using Formatter = json::value (*)(const sequencer::PooledTxn&);

json::value full(const sequencer::PooledTxn& txn) {
    return format_pending(txn.txn, txn.sender, txn.hash);
}

json::value summary(const sequencer::PooledTxn& txn) {
    const std::string to = txn.txn.to ? sequencer::checksum_address(*txn.txn.to) : "contract creation";
    return json::string(to + ": " + to_decimal(txn.txn.value) + " wei + " +
                        std::to_string(txn.txn.gas_limit) + " gas × " + to_decimal(txn.txn.max_fee_per_gas) +
                        " wei");
}

struct Split {
    json::object pending;
    json::object queued;
};

// Executable from the account's nonce on without a gap, or not.
Split split(node::Chain& chain, const Address& sender,
            const std::map<std::uint64_t, node::PooledTxnPtr>& txns, Formatter format) {
    Split out;
    std::uint64_t next = chain.head_state().account(sender).value_or(state::Account{}).nonce;
    for (const auto& [nonce, txn] : txns) {
        const bool executable = nonce == next;
        next += executable ? 1 : 0;
        (executable ? out.pending : out.queued)[std::to_string(nonce)] = format(*txn);
    }
    return out;
}

json::value by_sender(const Call& call, Formatter format) {
    json::object pending;
    json::object queued;
    for (const auto& [sender, txns] : call.service.chain().pool_content()) {
        Split one = split(call.service.chain(), sender, txns, format);
        const std::string name = sequencer::checksum_address(sender);
        if (!one.pending.empty())
            pending[name] = std::move(one.pending);
        if (!one.queued.empty())
            queued[name] = std::move(one.queued);
    }
    return json::object{{"pending", std::move(pending)}, {"queued", std::move(queued)}};
}

json::value content(const Call& call) {
    return by_sender(call, full);
}
json::value inspect(const Call& call) {
    return by_sender(call, summary);
}

json::value content_from(const Call& call) {
    const Address sender = call.args.get(0, read_address);
    const auto all = call.service.chain().pool_content();
    const auto found = all.find(sender);
    Split one;
    if (found != all.end())
        one = split(call.service.chain(), sender, found->second, full);
    return json::object{{"pending", std::move(one.pending)}, {"queued", std::move(one.queued)}};
}

json::value status(const Call& call) {
    std::uint64_t pending = 0;
    std::uint64_t all = 0;
    node::Chain& chain = call.service.chain();
    for (const auto& [sender, txns] : chain.pool_content()) {
        std::uint64_t next = chain.head_state().account(sender).value_or(state::Account{}).nonce;
        for (; txns.contains(next); ++next)
            ++pending;
        all += txns.size();
    }
    return json::object{{"pending", quantity(pending)}, {"queued", quantity(all - pending)}};
}

json::value pending_transactions(const Call& call) {
    json::array out;
    for (const auto& [sender, txns] : call.service.chain().pool_content())
        for (const auto& [nonce, txn] : txns)
            out.push_back(full(*txn));
    return out;
}

}  // namespace

std::span<const Method> txpool_methods() {
    static const Method kMethods[] = {
        {"eth_pendingTransactions",
         "All waiting transactions (Hardhat)",
         {},
         "Transaction[]",
         pending_transactions},
        {"txpool_status", "How many transactions wait", {}, "{pending, queued}", status},
        {"txpool_content", "All waiting transactions by sender and nonce", {}, "{pending, queued}", content},
        {"txpool_contentFrom",
         "The waiting transactions of a sender",
         {{"address", "Address"}},
         "{pending, queued}",
         content_from},
        {"txpool_inspect", "All waiting transactions in a line each", {}, "{pending, queued}", inspect},
    };
    return kMethods;
}

}  // namespace meridian::rpc
