// The index from what a log says to the transactions that logged it, and queries over it.
#pragma once

#include <meridian/chain/receipt.hpp>
#include <meridian/store/database.hpp>
#include <meridian/store/keys.hpp>
#include <meridian/store/log_query.hpp>

namespace meridian::store {

// The entries of one block, ascending.
struct Posting {
    TermKey term;
    std::vector<std::uint32_t> txn_indexes;
};
std::vector<Posting> postings_of(std::span<const chain::Receipt> receipts);

bool matches(const LogQuery& query, const state::Log& log) noexcept;
// False if no log of a block with this bloom can match.
bool may_match(const LogQuery& query, const chain::Bloom& bloom);

// The transactions that may hold a match, block by block.
class LogCandidates {
public:
    // Precondition: the query has an address or a topic; at most kLogTermsMax of them.
    LogCandidates(const Snapshot& snapshot, const LogQuery& query);

    // The next block with candidates, not above query.to_block; false at the end.
    StoreResult<bool> next();
    std::uint64_t block() const noexcept { return m_block; }
    const std::vector<std::uint32_t>& txn_indexes() const noexcept { return m_txns; }

private:
    // One address or topic, and its next block.
    struct Term {
        TermKey key;
        std::unique_ptr<Cursor> cursor;
        bool ended = false;
        std::uint64_t block = 0;
    };
    // Alternatives: a log has to have one of them.
    using Criterion = std::vector<Term>;

    StoreResult<void> advance(Criterion& criterion, std::uint64_t from, std::uint64_t& reached);
    StoreResult<void> seek(Term& term, std::uint64_t from);
    StoreResult<std::vector<std::uint32_t>> txns_of(Criterion& criterion) const;

    std::vector<Criterion> m_criteria;
    std::uint64_t m_next = 0;
    std::uint64_t m_to = 0;
    std::uint64_t m_block = 0;
    std::vector<std::uint32_t> m_txns;
};

}  // namespace meridian::store
