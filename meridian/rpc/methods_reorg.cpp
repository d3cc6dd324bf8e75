// anvil_rollback and anvil_reorg: taking blocks away, and putting others in their place.
#include <meridian/rpc/completion.hpp>
#include <meridian/rpc/development.hpp>
#include <meridian/rpc/raw_transaction.hpp>
#include <meridian/rpc/signing.hpp>
#include <meridian/sequencer/txn_words.hpp>

namespace meridian::rpc {
namespace {

std::uint64_t read_depth(const Call& call, const char* what, std::uint64_t depth) {
    const std::uint64_t height = development_chain(call).head()->number();
    if (depth > height)
        invalid_params(std::string(what) + " depth must not exceed current chain height: current height " +
                       std::to_string(height) + ", depth " + std::to_string(depth));
    return depth;
}

json::value rollback(const Call& call) {
    const std::uint64_t depth = call.args.get_or(0, read_lenient_uint64, std::uint64_t{1});
    available(development_chain(call).rollback(read_depth(call, "Rollback", depth)));
    return nullptr;
}

// One entry of anvil_reorg's list: an encoded transaction or a call, and the number of its block, from the
// first that is replaced.
struct ReorgTxn {
    std::variant<Bytes, CallArgs> content;
    std::uint64_t block;
};

ReorgTxn read_reorg_txn(const json::value& value) {
    const json::array& pair = read_array(value, "(TransactionData, u64)");
    if (pair.size() != 2)
        throw ValueError("not a pair of a transaction and a block");
    const auto block = read_within("[1]", read_lenient_uint64, pair[1]);
    if (pair[0].is_string())
        return {read_within("[0]", read_data, pair[0]), block};
    return {read_within("[0]", read_call_args, pair[0]), block};
}

// Makes the transactions for the blocks after `base`, with nonces that count on from there.
class ReorgMaker {
public:
    ReorgMaker(Service& service, node::DevChain& chain, std::uint64_t base)
        : m_service(service), m_chain(chain), m_base(base), m_state(available(chain.state_after(base))) {}

    node::PooledTxnPtr make(const ReorgTxn& txn) {
        sequencer::PooledTxn out = std::holds_alternative<Bytes>(txn.content)
                                       ? from_raw(std::get<Bytes>(txn.content))
                                       : from_call(std::get<CallArgs>(txn.content));
        m_nonces[out.sender] = out.txn.nonce + 1;
        return std::make_shared<const sequencer::PooledTxn>(std::move(out));
    }

private:
    static sequencer::PooledTxn from_raw(const Bytes& raw) {
        auto txn = chain::decode_pooled_transaction(raw);
        if (!txn)
            invalid_params("invalid argument 1: " + describe_raw_failure(raw, txn.error()));
        const auto sender = chain::recover_sender(*txn);
        if (!sender)
            invalid_params("invalid argument 1: invalid sender");
        const Hash hash = chain::transaction_hash(*txn);
        Bytes envelope = chain::encode(*txn);
        return {*std::move(txn), std::move(envelope), *sender, hash};
    }

    sequencer::PooledTxn from_call(CallArgs args) {
        if (!args.from)
            invalid_params("invalid argument 1: a transaction needs a sender (from)");
        const Address sender = *args.from;
        const Hash* key = m_chain.key_of(sender);
        if (key == nullptr && !m_chain.is_impersonated(sender))
            refuse("unknown account " + sequencer::checksum_address(sender));
        if (!args.nonce)
            args.nonce = next_nonce(sender);
        chain::Transaction txn =
            complete_transaction(m_service, std::move(args), {{BlockTag::Number, m_base}, {}});
        if (key == nullptr)
            return node::DevChain::stand_in(std::move(txn), sender);
        sign(txn, *key, m_chain.config().chain_id);
        const Hash hash = chain::transaction_hash(txn);
        Bytes envelope = chain::encode(txn);
        return {std::move(txn), std::move(envelope), sender, hash};
    }

    std::uint64_t next_nonce(const Address& sender) {
        const auto found = m_nonces.find(sender);
        return found != m_nonces.end() ? found->second
                                       : m_state->account(sender).value_or(state::Account{}).nonce;
    }

    Service& m_service;
    node::DevChain& m_chain;
    std::uint64_t m_base;
    std::unique_ptr<node::ChainState> m_state;
    std::map<Address, std::uint64_t> m_nonces;
};

json::value reorg(const Call& call) {
    node::DevChain& chain = development_chain(call);
    const std::uint64_t depth = read_depth(call, "Reorg", call.args.get(0, read_lenient_uint64));
    const auto read_txns = [](const json::value& v) {
        return read_list(v, "[](TransactionData, u64)", read_reorg_txn);
    };
    const auto wanted = call.args.get_or(1, read_txns, std::vector<ReorgTxn>{});
    std::vector<std::vector<node::PooledTxnPtr>> blocks(static_cast<std::size_t>(depth));
    ReorgMaker maker(call.service, chain, chain.head()->number() - depth);
    for (const ReorgTxn& txn : wanted) {
        if (txn.block >= depth)
            invalid_params("Block number for reorg tx will exceed the reorged chain height. Block number " +
                           std::to_string(txn.block) + " must be below the depth " + std::to_string(depth));
        blocks[static_cast<std::size_t>(txn.block)].push_back(maker.make(txn));
    }
    if (const auto done = chain.reorganise(blocks); !done)
        throw RpcError(ErrorCode::Internal, "cannot build a block: " + done.error().message);
    return nullptr;
}

}  // namespace

std::span<const Method> reorg_methods() {
    static const Method kMethods[] = {
        {"anvil_rollback",
         "Takes the last blocks away, one if no number is given, with their transactions",
         {{"depth", "Quantity", false}},
         "null",
         rollback},
        {"anvil_reorg",
         "Replaces the last blocks by as many others, with the given transactions, each with the number of "
         "its block from the first that is replaced",
         {{"depth", "Quantity"}, {"transactions", "[Transaction|Data, number][]", false}},
         "null",
         reorg},
    };
    return kMethods;
}

}  // namespace meridian::rpc
