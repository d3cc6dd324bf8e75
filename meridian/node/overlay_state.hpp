// Changes in front of a state: what overrides, pending and simulated blocks read.
#pragma once

#include <meridian/state/state_reader.hpp>

namespace meridian::node {

// Later changes win over earlier ones; the changes of several blocks can be applied in turn.
class OverlayState final : public state::StateReader {
public:
    // The base outlives this and does not change meanwhile.
    explicit OverlayState(state::StateReader& base) : m_base(base) {}

    std::optional<state::Account> account(const Address& address) override;
    u256 storage(const Address& address, const u256& key) override;
    bool has_storage(const Address& address) override;
    BytesView code(const Hash& code_hash) override;
    bool arena_page(const Address& module, std::uint32_t page, std::uint8_t* out) override;
    state::StateError error() const noexcept override { return m_base.error(); }

    void apply(const state::StateChanges& changes);
    // Everything applied so far, as one change of the base.
    const state::StateChanges& changes() const noexcept { return m_changes; }

    // Overrides of single values; the account is created where it does not exist.
    void set_balance(const Address& address, const u256& balance);
    void set_nonce(const Address& address, std::uint64_t nonce);
    void set_code(const Address& address, Bytes code);
    void set_storage(const Address& address, const u256& key, const u256& value);
    // Afterwards the account has only the slots that are set from then on.
    void clear_storage(const Address& address);
    // Takes away accounts that are empty (EIP-161), so that no override leaves one in the state.
    void drop_empty();

private:
    state::AccountChange& change(const Address& address);
    state::Account& writable(const Address& address);

    state::StateReader& m_base;
    state::StateChanges m_changes;
};

}  // namespace meridian::node
