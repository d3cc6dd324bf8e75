// Every state that the chain has had, as tries in memory, and readers over them.
#pragma once

#include <meridian/state/trie_state.hpp>

#include <map>
#include <memory>
#include <set>

namespace meridian::node {

// Nodes made by a simulation, in front of the chain's own, and gone with the simulation.
class ScratchNodes final : public trie::NodeReader, public trie::NodeSink {
public:
    explicit ScratchNodes(trie::NodeReader& base) : m_base(base) {}
    bool node(const Hash& hash, Bytes& out) override {
        return m_own.node(hash, out) || m_base.node(hash, out);
    }
    void put(const Hash& hash, BytesView rlp) override { m_own.put(hash, rlp); }

private:
    trie::NodeReader& m_base;
    trie::MemoryNodeStore m_own;
};

class StateStore {
public:
    // A reader of the state with that root, which must have been committed. The store outlives it.
    std::unique_ptr<state::TrieState> open(const Hash& root) {
        return std::make_unique<state::TrieState>(root, m_nodes, m_codes);
    }
    // Every account that a committed change has named, with its slots: what the tries, whose keys are hashes,
    // cannot tell. Some of them may not exist any more.
    using KnownKeys = std::map<Address, std::set<u256>>;
    const KnownKeys& known_keys() const noexcept { return m_known_keys; }

    // Moves `state` (from open()) on and keeps the result.
    Result<Hash, state::StateError> commit(state::TrieState& state, const state::StateChanges& changes) {
        m_codes.add(changes);
        for (const auto& [address, change] : changes.accounts) {
            auto& slots = m_known_keys[address];
            for (const auto& [slot, value] : change.storage)
                slots.insert(slot);
        }
        return state.apply(changes, &m_nodes);
    }
    // The root that `changes` on top of `parent` would give. New nodes go to `scratch`, so that a further
    // state can be computed on top.
    Result<Hash, state::StateError> preview(const Hash& parent, const state::StateChanges& changes,
                                            ScratchNodes& scratch) {
        m_codes.add(changes);
        return state::TrieState(parent, scratch, m_codes).apply(changes, &scratch);
    }

    trie::MemoryNodeStore& nodes() noexcept { return m_nodes; }
    state::MemoryCodeStore& codes() noexcept { return m_codes; }

private:
    trie::MemoryNodeStore m_nodes;
    state::MemoryCodeStore m_codes;
    KnownKeys m_known_keys;
};

}  // namespace meridian::node
