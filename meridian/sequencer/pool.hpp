// Transactions that wait for the executor: a chain of nonces for each sender, and one queue, in order of
// arrival, of those that can be executed now. Thread-safe.
//
// Bounds and policy. A sender may wait with `per_sender` transactions, of which the highest nonce is at most
// `nonce_gap` beyond the next one; the pool holds `total` transactions of `bytes` bytes. A transaction of a
// nonce that waits already replaces it for 10 % more of both fees. When the pool is full, a newcomer that
// could not be executed now is refused; for another one, the end of a sender's chain is dropped that has
// waited behind a gap for longest. Where there is none, 1 % of the pool is dropped from the ends of senders'
// chains, the lowest tips, if the newcomer's tip is above all of these. What waits behind a gap for
// `gap_life_us` is dropped. What offers less than the base fee waits as behind a gap, until it is enough.
//
// A module transaction (type 0x4D) has a time for a nonce and waits for no other: each is a chain of its own.
//
// No call looks through the whole pool but the search for the lowest tips, which is rare: a pool that
// somebody has filled with what cannot be executed is as fast as an empty one.
#pragma once

#include <meridian/base/result.hpp>
#include <meridian/chain/transaction.hpp>

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>

namespace meridian::sequencer {

struct PooledTxn {
    chain::Transaction txn;
    Bytes envelope;  // EIP-2718, as signed
    Address sender;
    Hash hash;
    std::uint64_t arrived_us = 0;
};
using PooledTxnPtr = std::shared_ptr<const PooledTxn>;

inline bool is_module(const PooledTxn& txn) noexcept {
    return txn.txn.type == chain::TxnType::Module;
}

enum class [[nodiscard]] PoolError : std::uint8_t {
    AlreadyKnown,
    NonceTooLow,
    NonceTooHigh,            // further ahead than `nonce_gap`
    ReplacementUnderpriced,  // same sender and nonce without 10 % more of both fees
    SenderFull,
    PoolFull,
    Outdated,  // frames of the sender have been settled since: ask again with a newer nonce
};

struct PoolLimits {
    std::size_t total = 200'000;
    std::size_t bytes = 256u << 20;
    std::size_t per_sender = 4'096;
    std::size_t module_txns_per_signer = 100;  // as many nonces as a module remembers
    std::uint64_t nonce_gap = 4'096;
    std::uint64_t gap_life_us = 600'000'000;
};

class Pool {
public:
    using BySender = std::map<Address, std::map<std::uint64_t, PooledTxnPtr>>;

    explicit Pool(const PoolLimits& limits = {}) : m_limits(limits) {}

    struct Added {
        // The nonce that must come first, if the transaction waits behind a gap.
        std::optional<std::uint64_t> missing_nonce;
        PooledTxnPtr replaced;
    };
    struct Refused {
        PoolError error;
        std::uint64_t expected_nonce = 0;  // the next one that would be executable
    };
    static constexpr std::uint64_t kNewest = ~std::uint64_t{0};
    // `account_nonce` is the sender's as of the frame `seen`, which readers see. The pool forgets senders
    // once they are settled: of an unknown one, a nonce from before the last settled frame says nothing.
    Result<Added, Refused> add(PooledTxnPtr txn, std::uint64_t account_nonce, std::uint64_t seen = kNewest);

    // Takes up to `count` transactions that pay `base_fee`, each sender's in order of nonce. They count as in
    // flight until settled() or given back. Those that do not pay wait for unpark().
    std::vector<PooledTxnPtr> take(std::size_t count, const u256& base_fee);
    // Not executed yet after all: back to the head of the queue, in the order given.
    void give_back(std::span<const PooledTxnPtr> txns);
    // Refused for good; `account_nonce` is the sender's in the executor's state.
    void reject(const PooledTxnPtr& txn, std::uint64_t account_nonce);
    // Executed in the frame of that number, which readers see.
    void settle(std::span<const PooledTxnPtr> txns, std::uint64_t frame);
    // A new base fee: those that can pay it, and could not pay the old one, may be taken again.
    void unpark(const u256& base_fee);

    bool remove(const Hash& hash);
    void clear();
    // What waited behind a gap for too long.
    std::size_t drop_expired(std::uint64_t now_us);

    // Waiting or in flight; null if unknown.
    PooledTxnPtr find(const Hash& hash) const;
    // The nonce after the sender's executable transactions.
    std::uint64_t next_nonce(const Address& sender, std::uint64_t account_nonce) const;
    std::size_t size() const;
    std::size_t executable() const;
    // A copy of all that wait.
    BySender by_sender() const;
    std::map<std::uint64_t, PooledTxnPtr> of_sender(const Address& sender) const;
    const PoolLimits& limits() const noexcept { return m_limits; }

private:
    struct Sender {
        std::uint64_t next = 0;      // the executor takes this one next
        std::uint64_t promised = 0;  // [next, promised) are in the queue
        std::size_t in_flight = 0;
        std::map<std::uint64_t, PooledTxnPtr> waiting;
        // In m_gapped under that time: no transaction of it behind the gap arrived before.
        std::optional<std::uint64_t> gapped_us;
        std::optional<u256> parked_at;  // in m_parked under that fee
    };
    struct Place {
        Address sender;
        std::uint64_t nonce;
    };

    void promote(const Address& address, Sender& sender);
    void meet_state(Sender& sender, std::uint64_t account_nonce);
    void forget_hash(const PooledTxn& txn);
    void erase_waiting(Sender& sender, std::map<std::uint64_t, PooledTxnPtr>::iterator at);
    void forget_if_idle(const Address& address);
    void note_gap(const Address& address, Sender& sender);
    void park(const Address& address, Sender& sender, const std::optional<u256>& fee);
    void drop_last(const Address& address);
    bool make_room(const PooledTxn& newcomer);
    bool full(std::size_t more_bytes) const noexcept;
    std::uint64_t first_missing(const Sender& sender) const noexcept;

    PoolLimits m_limits;
    mutable std::mutex m_mutex;
    std::unordered_map<Address, Sender> m_senders;
    std::unordered_map<Hash, PooledTxnPtr> m_by_hash;  // waiting and in flight
    // Module transactions in m_by_hash, by signer.
    std::unordered_map<Address, std::size_t> m_module_txns;
    std::deque<Place> m_queue;
    std::set<std::pair<u256, Address>> m_parked;  // senders, by the fee that was too low
    // Senders whose last transaction is not in the queue, by the time from when it waits.
    std::set<std::pair<std::uint64_t, Address>> m_gapped;
    std::uint64_t m_settled_frame = 0;
    std::size_t m_waiting = 0;
    std::size_t m_bytes = 0;  // of those that wait
    // While the pool is full: no executable newcomer with a tip at or below this finds room.
    std::optional<u256> m_lowest_tip;
};

}  // namespace meridian::sequencer
