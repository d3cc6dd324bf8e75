#include <meridian/store/log_index.hpp>

#include <algorithm>
#include <iterator>
#include <limits>

namespace meridian::store {
namespace {

constexpr std::uint64_t kNoBlock = std::numeric_limits<std::uint64_t>::max();

}  // namespace

std::vector<Posting> postings_of(std::span<const chain::Receipt> receipts) {
    std::vector<std::pair<TermKey, std::uint32_t>> found;
    for (std::size_t i = 0; i < receipts.size(); ++i) {
        const auto index = static_cast<std::uint32_t>(i);
        for (const state::Log& log : receipts[i].logs) {
            found.emplace_back(log_term(0, log.address), index);
            for (std::size_t t = 0; t < log.topics.size(); ++t)
                found.emplace_back(log_term(static_cast<std::uint8_t>(t + 1), log.topics[t]), index);
        }
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    std::vector<Posting> out;
    for (const auto& [term, index] : found) {
        if (out.empty() || out.back().term != term)
            out.push_back({term, {}});
        out.back().txn_indexes.push_back(index);
    }
    return out;
}

bool matches(const LogQuery& query, const state::Log& log) noexcept {
    const auto contains = [](const auto& list, const auto& value) {
        return std::find(list.begin(), list.end(), value) != list.end();
    };
    if (!query.addresses.empty() && !contains(query.addresses, log.address))
        return false;
    if (query.topics.size() > log.topics.size())
        return false;
    for (std::size_t i = 0; i < query.topics.size(); ++i)
        if (!query.topics[i].empty() && !contains(query.topics[i], log.topics[i]))
            return false;
    return true;
}

bool may_match(const LogQuery& query, const chain::Bloom& bloom) {
    const auto contains = [&](const auto& item) { return chain::bloom_contains(bloom, item); };
    if (!query.addresses.empty() && std::none_of(query.addresses.begin(), query.addresses.end(), contains))
        return false;
    return std::all_of(query.topics.begin(), query.topics.end(), [&](const std::vector<Hash>& alternatives) {
        return alternatives.empty() || std::any_of(alternatives.begin(), alternatives.end(), contains);
    });
}

LogCandidates::LogCandidates(const Snapshot& snapshot, const LogQuery& query)
    : m_next(query.from_block), m_to(query.to_block) {
    const auto add = [&](std::uint8_t position, const auto& values) {
        if (values.empty())
            return;
        Criterion& criterion = m_criteria.emplace_back();
        for (const auto& value : values)
            criterion.push_back({log_term(position, value), snapshot.cursor(Table::LogIndex), false, 0});
    };
    add(0, query.addresses);
    for (std::size_t i = 0; i < query.topics.size(); ++i)
        add(static_cast<std::uint8_t>(i + 1), query.topics[i]);
    for (Criterion& criterion : m_criteria)
        for (Term& term : criterion)
            term.block = kNoBlock;
}

StoreResult<void> LogCandidates::seek(Term& term, std::uint64_t from) {
    const bool found = term.cursor->seek(posting_key(term.key, from));
    if (!found && term.cursor->error())
        return fail(*term.cursor->error());
    const bool same = found && term.cursor->key().size() == PostingKey::kSize &&
                      equal(term.cursor->key().first(TermKey::kSize), term.key);
    term.ended = !same;
    term.block = same ? number_at(term.cursor->key().subspan(TermKey::kSize)) : kNoBlock;
    return {};
}

// Moves each alternative to a block not below `from`, and gives the lowest one reached.
StoreResult<void> LogCandidates::advance(Criterion& criterion, std::uint64_t from, std::uint64_t& reached) {
    reached = kNoBlock;
    for (Term& term : criterion) {
        const bool behind = term.block == kNoBlock || term.block < from;
        if (!term.ended && behind)
            if (auto done = seek(term, from); !done)
                return done;
        reached = std::min(reached, term.block);
    }
    return {};
}

StoreResult<std::vector<std::uint32_t>> LogCandidates::txns_of(Criterion& criterion) const {
    std::vector<std::uint32_t> out;
    for (Term& term : criterion) {
        if (term.block != m_block)
            continue;
        const auto posting = decode_posting(term.cursor->value());
        if (!posting)
            return store_fail(StoreErrorKind::Corrupt, "log_index: malformed entry of block " +
                                                           std::to_string(m_block) +
                                                           "; check the store, or restore a snapshot");
        std::vector<std::uint32_t> both;
        std::set_union(out.begin(), out.end(), posting->begin(), posting->end(), std::back_inserter(both));
        out = std::move(both);
    }
    return out;
}

StoreResult<bool> LogCandidates::next() {
    while (m_next <= m_to) {
        m_block = m_next;
        bool agreed = true;
        for (Criterion& criterion : m_criteria) {
            std::uint64_t reached = 0;
            if (auto done = advance(criterion, m_block, reached); !done)
                return fail(std::move(done.error()));
            if (reached > m_to)
                return false;
            if (reached > m_block) {
                m_block = m_next = reached;
                agreed = false;
                break;
            }
        }
        if (!agreed)
            continue;
        m_next = m_block + 1;
        bool first = true;
        for (Criterion& criterion : m_criteria) {
            auto txns = txns_of(criterion);
            if (!txns)
                return fail(std::move(txns.error()));
            std::vector<std::uint32_t> common;
            std::set_intersection(m_txns.begin(), m_txns.end(), txns->begin(), txns->end(),
                                  std::back_inserter(common));
            m_txns = std::exchange(first, false) ? *std::move(txns) : std::move(common);
        }
        if (!m_txns.empty())
            return true;
    }
    return false;
}

}  // namespace meridian::store
