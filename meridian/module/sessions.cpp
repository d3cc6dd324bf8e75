#include <meridian/module/sessions.hpp>

#include <meridian/base/u256.hpp>
#include <meridian/module/ordered_map.hpp>

#include <tuple>

namespace meridian::module {
namespace {

struct SignerNonce {
    Address signer;
    std::uint32_t reserved;
    std::uint64_t nonce;
    friend bool operator<(const SignerNonce& a, const SignerNonce& b) noexcept {
        return std::tie(a.signer, a.nonce) < std::tie(b.signer, b.nonce);
    }
};
struct TimedNonce {
    std::uint64_t nonce;
    Address signer;
    std::uint32_t reserved;
    friend bool operator<(const TimedNonce& a, const TimedNonce& b) noexcept {
        return std::tie(a.nonce, a.signer) < std::tie(b.nonce, b.signer);
    }
};
struct SessionKey {
    Address account;
    Address key;
    friend bool operator<(const SessionKey& a, const SessionKey& b) noexcept {
        return std::tie(a.account, a.key) < std::tie(b.account, b.key);
    }
};

struct Framework {
    OrderedMapState by_signer;
    OrderedMapState by_time;
    OrderedMapState sessions;
};

using BySigner = OrderedMap<SignerNonce, std::uint32_t>;
using ByTime = OrderedMap<TimedNonce, std::uint32_t>;
using Sessions = OrderedMap<SessionKey, Session>;

Ptr<Framework> framework(const Arena& arena) noexcept {
    return {arena.header().framework};
}
BySigner by_signer(Arena& arena) noexcept {
    return {arena, arena.place(framework(arena), &Framework::by_signer)};
}
ByTime by_time(Arena& arena) noexcept {
    return {arena, arena.place(framework(arena), &Framework::by_time)};
}
Sessions sessions(Arena& arena) noexcept {
    return {arena, arena.place(framework(arena), &Framework::sessions)};
}

void forget(Arena& arena, const Address& signer, std::uint64_t nonce) {
    by_signer(arena).erase({signer, 0, nonce});
    by_time(arena).erase({nonce, signer, 0});
}

// How many of the signer are remembered, at most kNoncesMax; `lowest` is the first.
std::uint32_t count_nonces(Arena& arena, const Address& signer, std::uint64_t& lowest) {
    const BySigner nonces = by_signer(arena);
    std::uint32_t count = 0;
    for (auto at = nonces.lower_bound({signer, 0, 0}); at && nonces.key(at).signer == signer;
         at = nonces.next(at)) {
        if (count++ == 0)
            lowest = nonces.key(at).nonce;
        if (count == kNoncesMax)
            break;
    }
    return count;
}

std::uint64_t number(BytesView bytes) noexcept {
    return detail::load_be64(bytes.data());
}

bool has_room(Arena& arena, const SessionKey& key) {
    const Sessions all = sessions(arena);
    if (all.find(key))
        return true;
    std::uint32_t count = 0;
    for (auto at = all.lower_bound({key.account, {}}); at && all.key(at).account == key.account;
         at = all.next(at))
        if (++count >= kSessionsMax)
            return false;
    return true;
}

}  // namespace

Result<void, Error> make_framework(Arena& arena) {
    const auto page = arena.allocate_pages(1);
    if (!page)
        return fail(page.error());
    arena.edit(Place<ArenaHeader>()).framework = Ptr<Framework>::to(offset_of_page(*page)).granule;
    return {};
}

Result<void, TransactError> use_nonce(Arena& arena, const Address& signer, std::uint64_t nonce,
                                      std::uint64_t now_ms) {
    if (nonce >= now_ms + kNonceWindowFutureMs)
        return fail(TransactError::NonceTooNew);
    if (nonce + kNonceWindowPastMs <= now_ms)
        return fail(TransactError::NonceTooOld);
    if (by_signer(arena).find({signer, 0, nonce}))
        return fail(TransactError::NonceUsed);
    std::uint64_t lowest = 0;
    if (count_nonces(arena, signer, lowest) == kNoncesMax) {
        if (nonce < lowest)
            return fail(TransactError::NonceTooOld);
        forget(arena, signer, lowest);
    }
    if (!by_signer(arena).put({signer, 0, nonce}, 1) || !by_time(arena).put({nonce, signer, 0}, 1))
        return fail(TransactError::NonceTooOld);
    return {};
}

Result<void, TransactError> use_session(Arena& arena, const Address& account, const Address& key,
                                        std::uint64_t kinds, std::uint64_t commands, std::uint64_t now_ms) {
    Sessions all = sessions(arena);
    const auto at = all.find({account, key});
    if (!at)
        return fail(TransactError::SignerNotAllowed);
    const Session session = all.value(at);
    if (session.expiry_ms != 0 && session.expiry_ms <= now_ms)
        return fail(TransactError::SessionExpired);
    if ((kinds & ~session.scope) != 0)
        return fail(TransactError::SessionScope);
    if (session.commands_left < commands)
        return fail(TransactError::SessionCap);
    all.edit(at).commands_left -= commands;
    return {};
}

bool run_framework_command(Arena& arena, const Address& account, BytesView command, std::string_view& why) {
    constexpr std::size_t kHead = 2 + Address::kSize;
    why = "not a command: want 0001, key, scope, expiry and number of commands, or 0002 and key";
    if (command.size() < kHead || command[0] != kFrameworkCommand)
        return false;
    const SessionKey key{account, first_bytes<20>(command.subspan(2))};
    if (command[1] == kRevoke && command.size() == kHead) {
        why = "no session of that key";
        return sessions(arena).erase(key);
    }
    if (command[1] != kAuthorise || command.size() != kHead + 24)
        return false;
    const Session terms{number(command.subspan(kHead)), number(command.subspan(kHead + 8)),
                        number(command.subspan(kHead + 16)), 0};
    why = "an account has 16 session keys at most, and the arena its page limit";
    return has_room(arena, key) && sessions(arena).put(key, terms).has_value();
}

void forget_nonces(Arena& arena, std::uint64_t now_ms) {
    for (std::uint32_t i = 0; i < kNoncesForgotten; ++i) {
        const ByTime times = by_time(arena);
        const auto first = times.first();
        if (!first || times.key(first).nonce >= now_ms ||
            times.key(first).nonce + kNonceWindowPastMs > now_ms)
            return;
        const TimedNonce oldest = times.key(first);
        forget(arena, oldest.signer, oldest.nonce);
    }
}

}  // namespace meridian::module
