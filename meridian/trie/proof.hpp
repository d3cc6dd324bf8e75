// Proofs that a key has a value, or none, in the trie of a root (as in eth_getProof, EIP-1186).
#pragma once

#include <meridian/trie/trie.hpp>

namespace meridian::trie {

enum class [[nodiscard]] ProofError : std::uint8_t {
    MissingNode,  // the proof ends before the key's path does
    WrongHash,    // a node is not the one that its parent, or the root, refers to
    InvalidNode,  // a node that an encoder would not write
    ExtraNodes,   // nodes after the one where the path ends
    KeyTooLong,   // above kKeySizeMax
};

// Name of an error, for messages.
const char* to_string(ProofError error) noexcept;

// The nodes from the root to where the key's path ends; inlined nodes stand in their parents. Empty for the
// empty trie.
Result<std::vector<Bytes>, TrieError> prove(Trie& trie, BytesView key);

// The key's value in the trie of that root, or nothing if the proof shows that it has none. The proof must
// be exactly that of prove(); for the empty trie, the single node 0x80 is accepted too. Work is bounded by
// the size of the proof.
Result<std::optional<Bytes>, ProofError> verify_proof(const Hash& root, BytesView key,
                                                      std::span<const Bytes> proof);

}  // namespace meridian::trie
