// Roots of tries that are needed only for their root.
#pragma once

#include <meridian/trie/trie.hpp>

#include <utility>

namespace meridian::trie {

// The root of the trie from rlp(index) to value: transactions, receipts, withdrawals. An empty value is as
// if it were not there. Precondition: no value is longer than kValueSizeMax.
Hash ordered_root(std::span<const Bytes> values);
Hash ordered_root(std::span<const BytesView> values);

// The same for values that come one after the other: hashes as they come, so that root() costs little.
class OrderedRoot {
public:
    // Precondition: not longer than kValueSizeMax.
    void add(BytesView value);
    Hash root() { return m_trie.root(); }
    std::size_t size() const noexcept { return m_size; }

private:
    Trie m_trie;
    std::size_t m_size = 0;
};

// The root of the trie with these entries, in memory for one path only. Precondition: keys strictly
// ascending, no value empty.
Hash root_of_sorted(std::span<const std::pair<Hash, BytesView>> entries);

}  // namespace meridian::trie
