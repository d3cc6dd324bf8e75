// An Ethereum account without its storage, and what a state transition changed.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/u256.hpp>
#include <meridian/crypto/keccak.hpp>

#include <map>
#include <optional>
#include <vector>

namespace meridian::state {

struct Account {
    std::uint64_t nonce = 0;
    u256 balance;
    Hash code_hash = crypto::kEmptyKeccak;

    bool has_code() const noexcept { return code_hash != crypto::kEmptyKeccak; }
    // EIP-161: no code, no nonce, no balance. Storage does not count.
    bool is_empty() const noexcept { return nonce == 0 && balance == u256{} && !has_code(); }

    friend bool operator==(const Account&, const Account&) noexcept = default;
};

// What happened to one account. Storage holds only slots whose value differs from the parent state's;
// zero means that the slot is gone.
struct AccountChange {
    // Empty: the account does not exist any more.
    std::optional<Account> account;
    // The parent state's storage is gone as a whole (self-destructed or created anew); `storage` then
    // lists every slot that is not zero.
    bool storage_cleared = false;
    std::map<u256, u256> storage;
};

// The memory of a native module, as states keep it: pages of 64 lines, changed by line (docs/modules.md).
inline constexpr std::uint32_t kArenaPageSize = 4096;
inline constexpr std::uint32_t kArenaLineSize = 64;

// The new content of some lines of a page. Invariant: as many contents as the mask has bits, ascending.
struct PagePatch {
    std::uint64_t lines = 0;  // bit n: line n
    std::vector<FixedBytes<kArenaLineSize>> contents;

    // Precondition: kArenaPageSize bytes.
    void write_to(std::uint8_t* page) const noexcept;
    friend bool operator==(const PagePatch&, const PagePatch&) = default;
};
// The lines of `page` that the mask names. Precondition: kArenaPageSize bytes.
PagePatch patch_of(const std::uint8_t* page, std::uint64_t lines);
// Both, one after the other.
void append(PagePatch& patch, const PagePatch& later);

using ArenaPatch = std::map<std::uint32_t, PagePatch>;  // by page; no empty masks

// The difference between two states, ordered so that whoever walks it does so deterministically.
struct StateChanges {
    std::map<Address, AccountChange> accounts;
    // New code by its hash.
    std::map<Hash, Bytes> code;
    // By the module's account. The accounts' trie does not know of them: it has their commitment (ADR 12).
    std::map<Address, ArenaPatch> arenas;

    bool empty() const noexcept { return accounts.empty() && arenas.empty(); }
};

// What both did, one after the other, as one change of the first one's parent state.
void append(StateChanges& changes, const StateChanges& later);

struct Log {
    Address address;
    std::vector<Hash> topics;
    Bytes data;

    friend bool operator==(const Log&, const Log&) = default;
};

}  // namespace meridian::state
