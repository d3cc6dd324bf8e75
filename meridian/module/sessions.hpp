// What the framework keeps in each module's arena, beside what the module does: which nonces of module
// transactions were used, and which keys may sign for whom.
//
// Nonces are times in milliseconds, in any order. Of each signer the 100 highest within the window are
// remembered; lower ones are refused. What has left the window is forgotten, some of it in each block.
// A session key signs in an account's name until it expires, is revoked or has sent as many commands as it
// may, and commands of its scope only. It cannot authorise others.
#pragma once

#include <meridian/module/arena.hpp>

namespace meridian::module {

inline constexpr std::uint64_t kNonceWindowPastMs = 2ull * 86'400'000;
inline constexpr std::uint64_t kNonceWindowFutureMs = 86'400'000;
inline constexpr std::uint32_t kNoncesMax = 100;        // of a signer
inline constexpr std::uint32_t kSessionsMax = 16;       // of an account
inline constexpr std::uint32_t kNoncesForgotten = 256;  // in a block, at most

// Commands with a first byte of zero are the framework's:
//   00 01 key 20, scope 8, expiry 8, commands 8    authorise; expiry in milliseconds, 0: never
//   00 02 key 20                                   revoke
// Numbers are big-endian. An authorised key gets the new terms.
inline constexpr std::uint8_t kFrameworkCommand = 0;
inline constexpr std::uint8_t kAuthorise = 1;
inline constexpr std::uint8_t kRevoke = 2;

enum class [[nodiscard]] TransactError : std::uint8_t {
    SignerNotAllowed,
    SessionExpired,
    SessionScope,
    SessionCap,
    Expired,
    NonceUsed,
    NonceTooOld,  // or there is no room to remember it
    NonceTooNew,
};

struct Session {
    std::uint64_t scope = 0;
    std::uint64_t expiry_ms = 0;
    std::uint64_t commands_left = 0;
    std::uint64_t reserved = 0;
};

// In an empty arena. Error: OutOfPages.
Result<void, Error> make_framework(Arena& arena);

// Marks the nonce as used.
Result<void, TransactError> use_nonce(Arena& arena, const Address& signer, std::uint64_t nonce,
                                      std::uint64_t now_ms);
// Takes `commands` of the kinds in `kinds` (bits) off what the key may send.
Result<void, TransactError> use_session(Arena& arena, const Address& account, const Address& key,
                                        std::uint64_t kinds, std::uint64_t commands, std::uint64_t now_ms);
// A framework command. False: it is none, or there is no room; `why` says which.
bool run_framework_command(Arena& arena, const Address& account, BytesView command, std::string_view& why);
void forget_nonces(Arena& arena, std::uint64_t now_ms);

}  // namespace meridian::module
