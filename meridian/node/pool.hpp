// Transactions that wait for a block: per sender by nonce, bounded, replaceable for a higher fee.
#pragma once

#include <meridian/sequencer/pool.hpp>

#include <functional>

namespace meridian::node {

using sequencer::PooledTxn;
using sequencer::PooledTxnPtr;

enum class [[nodiscard]] PoolError : std::uint8_t {
    AlreadyKnown,
    ReplacementUnderpriced,  // same sender and nonce without 10 % more of both fees
    PoolFull,
    SenderFull,
};

struct PoolLimits {
    std::size_t total = 100'000;
    std::size_t per_sender = 10'000;
};

class TxnPool {
public:
    using BySender = sequencer::Pool::BySender;

    explicit TxnPool(const PoolLimits& limits = {}) : m_limits(limits) {}

    // The replaced transaction, if there was one.
    Result<PooledTxnPtr, PoolError> add(PooledTxn txn);
    bool remove(const Hash& hash);
    void remove_sender(const Address& sender);
    // Drops what a state with these nonces has made obsolete.
    void remove_below(const Address& sender, std::uint64_t nonce);
    void clear();

    PooledTxnPtr find(const Hash& hash) const;
    std::size_t size() const noexcept { return m_by_hash.size(); }
    // Without module transactions, which are in no order.
    const BySender& by_sender() const noexcept { return m_by_sender; }
    // The nonce after the sender's executable transactions, from its account's nonce on.
    std::uint64_t next_nonce(const Address& sender, std::uint64_t account_nonce) const;

    using NonceOf = std::function<std::uint64_t(const Address&)>;
    // What can be executed now: module transactions, then the best effective tip first; each by arrival.
    std::vector<PooledTxnPtr> ready(const NonceOf& nonce_of, const u256& base_fee) const;

private:
    struct Entry {
        PooledTxnPtr txn;
        std::uint64_t arrival = 0;
    };
    void erase(const PooledTxnPtr& txn);

    PoolLimits m_limits;
    std::uint64_t m_arrivals = 0;
    BySender m_by_sender;
    std::map<std::uint64_t, PooledTxnPtr> m_modules;  // module transactions, by arrival
    std::unordered_map<Hash, Entry> m_by_hash;
};

}  // namespace meridian::node
