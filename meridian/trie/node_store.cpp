#include <meridian/trie/node_store.hpp>

#include <meridian/crypto/keccak.hpp>

namespace meridian::trie {

bool MemoryNodeStore::node(const Hash& hash, Bytes& out) {
    const auto found = m_nodes.find(hash);
    if (found == m_nodes.end())
        return false;
    out.assign(found->second.begin(), found->second.end());
    return true;
}

void MemoryNodeStore::put(const Hash& hash, BytesView rlp) {
    m_nodes.try_emplace(hash, rlp.begin(), rlp.end());
}

void MemoryNodeStore::add(BytesView rlp) {
    put(crypto::keccak256(rlp), rlp);
}

}  // namespace meridian::trie
