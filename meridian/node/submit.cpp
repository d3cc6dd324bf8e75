// How a transaction enters a DevChain.
#include <meridian/crypto/keccak.hpp>
#include <meridian/node/dev_chain.hpp>

#include <algorithm>

namespace meridian::node {

using chain::Transaction;
using chain::TxnType;

const Hash* DevChain::key_of(const Address& address) const {
    for (const DevAccount& account : m_options.accounts)
        if (account.address == address)
            return &account.private_key;
    return nullptr;
}

std::optional<SubmitFailure> DevChain::check(const Transaction& txn, const Address& sender) {
    const chain::Header& parent = m_head->header();
    if (txn.type == TxnType::Module)
        return sequencer::check_module_transaction(txn, sender, *m_state, m_config,
                                                   std::max(now(), parent.timestamp + 1));
    const sequencer::AdmissionRules rules{.block_gas_max = m_settings.gas_limit,
                                          .txn_gas_max = 0,
                                          .min_gas_price = m_settings.min_gas_price,
                                          .blobs = true};
    return sequencer::check_transaction(txn, sender, m_state->account(sender).value_or(state::Account{}),
                                        m_config, parent.number + 1, std::max(now(), parent.timestamp + 1),
                                        rules);
}

Result<Hash, SubmitFailure> DevChain::submit(const Transaction& txn) {
    if (txn.chain_id && *txn.chain_id != m_config.chain_id)
        return fail(SubmitFailure{SubmitError::WrongChainId,
                                  sequencer::pair("invalid chain id for signer: have ", *txn.chain_id,
                                                  " want ", m_config.chain_id)});
    const auto sender = chain::recover_sender(txn);
    if (!sender || txn.type == TxnType::Deposit)
        return fail(SubmitFailure{SubmitError::InvalidSignature, "invalid sender"});
    return enqueue({txn, chain::encode(txn), *sender, chain::transaction_hash(txn)});
}

void DevChain::submit(Bytes envelope, std::function<void(SubmitOutcome)> done, ClientId) {
    const auto txn = chain::decode_pooled_transaction(envelope);
    if (!txn)
        return done(
            fail(SubmitFailure{SubmitError::Malformed, txn.error().field + ": " + txn.error().reason}));
    const auto hash = submit(*txn);
    if (!hash)
        return done(fail(hash.error()));
    Submitted out{*hash, {}};
    if (const PooledTxnPtr waiting = m_pool.find(*hash); waiting && !sequencer::is_module(*waiting))
        if (const std::uint64_t next = next_nonce(waiting->sender); next < waiting->txn.nonce)
            out.missing_nonce = next;
    done(out);
}

std::uint64_t DevChain::next_nonce(const Address& sender) {
    return m_pool.next_nonce(sender, account_nonce(sender));
}

PooledTxn DevChain::stand_in(Transaction txn, const Address& sender) {
    // In the signature's place stands the sender, so that equal transactions of two senders differ.
    txn.v = txn.type == TxnType::Legacy ? u256{27} : u256{0};
    txn.r = from_address(sender);
    txn.s = 1;
    const Hash hash = chain::transaction_hash(txn);
    Bytes envelope = chain::encode(txn);
    return {std::move(txn), std::move(envelope), sender, hash};
}

Result<Hash, SubmitFailure> DevChain::submit_as(Transaction txn, const Address& sender) {
    return enqueue(stand_in(std::move(txn), sender));
}

Result<Hash, SubmitFailure> DevChain::enqueue(PooledTxn txn) {
    const auto mined = m_view->find_transaction(txn.hash);
    if (m_pool.find(txn.hash) || (mined && *mined))
        return fail(SubmitFailure{SubmitError::AlreadyKnown, "already known"});
    if (auto failure = check(txn.txn, txn.sender))
        return fail(*std::move(failure));
    const Hash hash = txn.hash;
    const auto added = m_pool.add(std::move(txn));
    if (!added) {
        switch (added.error()) {
            case PoolError::AlreadyKnown:
                return fail(SubmitFailure{SubmitError::AlreadyKnown, "already known"});
            case PoolError::ReplacementUnderpriced:
                return fail(SubmitFailure{SubmitError::ReplacementUnderpriced,
                                          "replacement transaction underpriced"});
            case PoolError::PoolFull:
                return fail(SubmitFailure{SubmitError::PoolFull, "txpool is full"});
            case PoolError::SenderFull:
                break;
        }
        return fail(SubmitFailure{SubmitError::SenderFull, "account limit exceeded"});
    }
    if (m_listener != nullptr)
        m_listener->on_pending_transaction(*m_pool.find(hash));
    if (m_mining.automine)
        automine();
    return hash;
}

// Mines until the pool has nothing left that a block takes.
void DevChain::automine() {
    while (!ready_transactions(next_attributes()).empty()) {
        const auto sealed = mine();
        if (!sealed || (*sealed)->txn_hashes.empty())
            break;
    }
}

}  // namespace meridian::node
