// A trie whose keys are hashed, as those of accounts and of storage are.
#pragma once

#include <meridian/crypto/keccak.hpp>
#include <meridian/trie/trie.hpp>

namespace meridian::trie {

class SecureTrie {
public:
    SecureTrie() = default;
    explicit SecureTrie(const Hash& root, NodeReader* reader) : m_trie(root, reader) {}

    Result<BytesOrNone, TrieError> get(BytesView key) { return m_trie.get(crypto::keccak256(key)); }
    Result<void, TrieError> put(BytesView key, BytesView value) {
        return m_trie.put(crypto::keccak256(key), value);
    }
    Result<void, TrieError> erase(BytesView key) { return m_trie.erase(crypto::keccak256(key)); }
    Hash root() { return m_trie.root(); }
    void commit(NodeSink& sink) { m_trie.commit(sink); }

    // Takes hashed keys.
    Trie& hashed() noexcept { return m_trie; }

private:
    Trie m_trie;
};

}  // namespace meridian::trie
