#include <meridian/node/overlay_state.hpp>

#include <algorithm>

namespace meridian::node {

std::optional<state::Account> OverlayState::account(const Address& address) {
    const auto found = m_changes.accounts.find(address);
    return found != m_changes.accounts.end() ? found->second.account : m_base.account(address);
}

u256 OverlayState::storage(const Address& address, const u256& key) {
    const auto found = m_changes.accounts.find(address);
    if (found == m_changes.accounts.end())
        return m_base.storage(address, key);
    const auto slot = found->second.storage.find(key);
    if (slot != found->second.storage.end())
        return slot->second;
    return found->second.storage_cleared || !found->second.account ? u256{} : m_base.storage(address, key);
}

bool OverlayState::has_storage(const Address& address) {
    const auto found = m_changes.accounts.find(address);
    if (found == m_changes.accounts.end())
        return m_base.has_storage(address);
    for (const auto& [key, value] : found->second.storage)
        if (value != u256{})
            return true;
    // Slots that the overlay zeroes may be the last ones of the base, which it cannot enumerate; an account
    // with storage in the base counts as one that still has some.
    return found->second.account && !found->second.storage_cleared && m_base.has_storage(address);
}

BytesView OverlayState::code(const Hash& code_hash) {
    const auto found = m_changes.code.find(code_hash);
    return found != m_changes.code.end() ? BytesView{found->second} : m_base.code(code_hash);
}

bool OverlayState::arena_page(const Address& module, std::uint32_t page, std::uint8_t* out) {
    if (!m_base.arena_page(module, page, out))
        return false;
    if (const auto arena = m_changes.arenas.find(module); arena != m_changes.arenas.end())
        if (const auto patch = arena->second.find(page); patch != arena->second.end())
            patch->second.write_to(out);
    return true;
}

void OverlayState::apply(const state::StateChanges& changes) {
    state::append(m_changes, changes);
}

state::AccountChange& OverlayState::change(const Address& address) {
    const auto found = m_changes.accounts.find(address);
    if (found != m_changes.accounts.end())
        return found->second;
    return m_changes.accounts.emplace(address, state::AccountChange{m_base.account(address), false, {}})
        .first->second;
}

state::Account& OverlayState::writable(const Address& address) {
    auto& entry = change(address);
    if (!entry.account)
        entry.account.emplace();
    return *entry.account;
}

void OverlayState::set_balance(const Address& address, const u256& balance) {
    writable(address).balance = balance;
}

void OverlayState::set_nonce(const Address& address, std::uint64_t nonce) {
    writable(address).nonce = nonce;
}

void OverlayState::set_code(const Address& address, Bytes code) {
    const Hash hash = crypto::keccak256(code);
    writable(address).code_hash = hash;
    if (!code.empty())
        m_changes.code.emplace(hash, std::move(code));
}

void OverlayState::set_storage(const Address& address, const u256& key, const u256& value) {
    writable(address);
    change(address).storage[key] = value;
}

void OverlayState::clear_storage(const Address& address) {
    writable(address);
    auto& entry = change(address);
    entry.storage_cleared = true;
    entry.storage.clear();
}

void OverlayState::drop_empty() {
    for (auto& [address, change] : m_changes.accounts) {
        if (!change.account || !change.account->is_empty())
            continue;
        const bool has_slots = std::any_of(change.storage.begin(), change.storage.end(),
                                           [](const auto& slot) { return slot.second != u256{}; });
        if (has_slots)
            continue;
        change.account.reset();
        change.storage_cleared = true;
        change.storage.clear();
    }
}

}  // namespace meridian::node
