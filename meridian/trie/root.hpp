// Roots of tries that are needed only for their root.
#pragma once

#include <meridian/trie/trie.hpp>

#include <utility>

namespace meridian::trie {

// The root of the trie from rlp(index) to value: transactions, receipts, withdrawals. An empty value is as
// if it were not there. Precondition: no value is longer than kValueSizeMax.
Hash ordered_root(std::span<const Bytes> values);
Hash ordered_root(std::span<const BytesView> values);

// The root of the trie with these entries, in memory for one path only. Precondition: keys strictly
// ascending, no value empty.
Hash root_of_sorted(std::span<const std::pair<Hash, BytesView>> entries);

}  // namespace meridian::trie
