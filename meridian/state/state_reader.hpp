// Where a state transition reads its parent state from.
#pragma once

#include <meridian/state/account.hpp>

namespace meridian::state {

enum class [[nodiscard]] StateError : std::uint8_t {
    None,
    MissingNode,  // a partial state (a witness) lacks a trie node that execution needed
    MissingCode,  // no code is known for an account's code hash
    CorruptNode,  // a trie node does not decode
    MissingPage,  // a page of a module's arena is not to be had
};

// The parent state. Implementations are not required to be thread-safe.
//
// Reads do not return errors, so that the hot path stays free of them: an implementation that cannot
// answer returns "absent", remembers the first failure and reports it from error(). Whoever executes a
// transaction or block must look at error() before trusting the outcome.
class StateReader {
public:
    virtual ~StateReader() = default;

    // Empty if the account does not exist.
    virtual std::optional<Account> account(const Address& address) = 0;
    // Zero if the slot or the account does not exist.
    virtual u256 storage(const Address& address, const u256& key) = 0;
    // True if any slot of the account is not zero (EIP-7610).
    virtual bool has_storage(const Address& address) = 0;
    // Valid until the reader is destroyed or changed. Empty for crypto::kEmptyKeccak.
    virtual BytesView code(const Hash& code_hash) = 0;
    // Writes a page of a module's arena; one that was never written is zero. False if this reader cannot give
    // it: then the arena fails, and who uses it says so.
    virtual bool arena_page(const Address& module, std::uint32_t page, std::uint8_t* out) {
        static_cast<void>(module), static_cast<void>(page), static_cast<void>(out);
        return false;
    }

    virtual StateError error() const noexcept { return StateError::None; }
};

}  // namespace meridian::state
