#include <meridian/state/account.hpp>

namespace meridian::state {

void append(StateChanges& changes, const StateChanges& later) {
    for (const auto& [address, from] : later.accounts) {
        AccountChange& to = changes.accounts[address];
        to.account = from.account;
        if (from.storage_cleared || !from.account) {
            to.storage_cleared = true;
            to.storage.clear();
        }
        for (const auto& [key, value] : from.storage)
            to.storage[key] = value;
    }
    for (const auto& [hash, code] : later.code)
        changes.code.emplace(hash, code);
}

}  // namespace meridian::state
