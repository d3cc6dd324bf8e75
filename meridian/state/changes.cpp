#include <meridian/state/changes.hpp>

namespace meridian::state {

void append(AccountChange& change, const AccountChange& later) {
    change.account = later.account;
    if (later.storage_cleared || !later.account) {
        change.storage_cleared = true;
        change.storage.clear();
    }
    for (const auto& [key, value] : later.storage)
        change.storage[key] = value;
}

void append(StateChanges& changes, const StateChanges& later) {
    for (const auto& [address, from] : later.accounts)
        append(changes.accounts[address], from);
    for (const auto& [hash, code] : later.code)
        changes.code.emplace(hash, code);
}

}  // namespace meridian::state
