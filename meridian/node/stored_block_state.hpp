// The state after a block of the store, with proofs.
#pragma once

#include <meridian/node/chain.hpp>

namespace meridian::node {

class StoredBlockState final : public ChainState {
public:
    // `state` is that after block `number` of the view.
    StoredBlockState(store::ChainView view, std::unique_ptr<store::StoredState> state, std::uint64_t number)
        : m_view(std::move(view)), m_state(std::move(state)), m_number(number) {}

    std::optional<state::Account> account(const Address& address) override {
        return m_state->account(address);
    }
    u256 storage(const Address& address, const u256& key) override { return m_state->storage(address, key); }
    bool has_storage(const Address& address) override { return m_state->has_storage(address); }
    BytesView code(const Hash& code_hash) override { return m_state->code(code_hash); }
    bool arena_page(const Address& module, std::uint32_t page, std::uint8_t* out) override {
        return m_state->arena_page(module, page, out);
    }
    state::StateError error() const noexcept override { return m_state->error(); }
    ChainResult<store::AccountProof> prove(const Address& address, std::span<const u256> slots) override {
        return or_failure(m_view.prove(m_number, address, slots));
    }
    ChainResult<Hash> root_after(const state::StateChanges& changes) override {
        return or_failure(m_view.root_after(m_number, changes));
    }

private:
    store::ChainView m_view;
    std::unique_ptr<store::StoredState> m_state;
    std::uint64_t m_number;
};

}  // namespace meridian::node
