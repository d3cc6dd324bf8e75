// What every runner that executes blocks or transactions needs around the state-transition function.
#pragma once

#include <meridian/chain/executor.hpp>
#include <meridian/state/memory_state.hpp>

#include <map>

namespace meridian::spec {

// Roots amid a block, for receipts before Byzantium.
class MemoryIntermediateRoot final : public chain::IntermediateRoot {
public:
    explicit MemoryIntermediateRoot(const state::MemoryState& parent) : m_parent(parent) {}
    Hash root_after(const state::StateChanges& changes) override {
        state::MemoryState state = m_parent;
        state.apply(changes);
        return state.root();
    }

private:
    const state::MemoryState& m_parent;
};

// Hashes that are given. Remembers whether one was missing.
class MapBlockHashes final : public evm::BlockHashSource {
public:
    std::map<std::uint64_t, Hash> hashes;

    Hash block_hash(std::uint64_t number) override {
        const auto found = hashes.find(number);
        if (found != hashes.end())
            return found->second;
        if (!m_missing)
            m_missing = number;
        return {};
    }
    const std::optional<std::uint64_t>& missing() const noexcept { return m_missing; }

private:
    std::optional<std::uint64_t> m_missing;
};

// keccak256 of the RLP list of logs.
Hash logs_hash(const std::vector<state::Log>& logs);

}  // namespace meridian::spec
