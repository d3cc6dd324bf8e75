// Fork rules as compile-time facts. Handlers whose behaviour depends on the revision are templates on
// Traits; whatever is a number or a yes/no of a revision is stated here, once, with its EIP.
#pragma once

#include <meridian/evm/revision.hpp>

#include <cstdint>

namespace meridian::evm {

enum class SstoreRule : std::uint8_t {
    Simple,  // Frontier's: by the current value alone
    Net,     // EIP-1283, EIP-2200, EIP-2929: by the original, current and new values
};

template <Revision R>
struct Traits {
    static constexpr Revision kRevision = R;

    // EIP-2: failing to pay for the code deposit fails the creation.
    static constexpr bool kDepositMustBePaid = R >= Revision::Homestead;
    // EIP-150: a call asks for gas instead of demanding it, and a 64th is kept.
    static constexpr bool kKeepsSixtyFourth = R >= Revision::TangerineWhistle;
    // EIP-161: emptiness instead of existence decides; contracts begin with nonce 1.
    static constexpr bool kEmptyIsAbsent = R >= Revision::SpuriousDragon;
    // EIP-170.
    static constexpr bool kLimitsCodeSize = R >= Revision::SpuriousDragon;
    // EIP-160.
    static constexpr std::int64_t kExpByteCost = R >= Revision::SpuriousDragon ? 50 : 10;
    // EIP-150 and EIP-161: SELFDESTRUCT pays for the account that it creates.
    static constexpr bool kSelfdestructPaysNewAccount = R >= Revision::TangerineWhistle;
    // EIP-1283 was in Constantinople alone; EIP-2200 brought it back with a guard.
    static constexpr SstoreRule kSstore =
        R == Revision::Constantinople || R >= Revision::Istanbul ? SstoreRule::Net : SstoreRule::Simple;
    // EIP-2200: SSTORE needs more than a call stipend of gas.
    static constexpr bool kSstoreGuardsStipend = R >= Revision::Istanbul;
    // EIP-2929.
    static constexpr bool kAccessLists = R >= Revision::Berlin;
    static constexpr std::int64_t kSloadCost = R >= Revision::Berlin             ? 100
                                               : R >= Revision::Istanbul         ? 800
                                               : R >= Revision::TangerineWhistle ? 200
                                                                                 : 50;
    static constexpr std::int64_t kSstoreResetCost = R >= Revision::Berlin ? 2900 : 5000;
    // EIP-3529.
    static constexpr std::int64_t kSstoreClearRefund = R >= Revision::London ? 4800 : 15000;
    static constexpr std::int64_t kSelfdestructRefund = R >= Revision::London ? 0 : 24000;
    // EIP-3541.
    static constexpr bool kRejectsEf = R >= Revision::London;
    // EIP-3860.
    static constexpr bool kMetersInitCode = R >= Revision::Shanghai;
    // EIP-6780.
    static constexpr bool kSelfdestructOnlyNew = R >= Revision::Cancun;
    // EIP-7702.
    static constexpr bool kDelegations = R >= Revision::Prague;
};

inline constexpr std::int64_t kColdAccountCost = 2600;
inline constexpr std::int64_t kWarmAccessCost = 100;
inline constexpr std::int64_t kColdSlotCost = 2100;
inline constexpr std::int64_t kCallValueCost = 9000;
inline constexpr std::int64_t kCallStipend = 2300;
inline constexpr std::int64_t kNewAccountCost = 25000;
inline constexpr std::int64_t kCodeDepositCost = 200;  // a byte
inline constexpr std::int64_t kKeccakWordCost = 6;
inline constexpr std::int64_t kCopyWordCost = 3;
inline constexpr std::int64_t kInitCodeWordCost = 2;
inline constexpr std::int64_t kLogByteCost = 8;
inline constexpr std::int32_t kCallDepthMax = 1024;

// Calls body.template operator()<R>() with the revision as a constant.
template <class Body>
constexpr auto with_revision(Revision revision, Body&& body) {
    switch (revision) {
#define MERIDIAN_REVISION(name) \
    case Revision::name:        \
        return body.template operator()<Revision::name>();
        MERIDIAN_REVISION(Frontier)
        MERIDIAN_REVISION(Homestead)
        MERIDIAN_REVISION(TangerineWhistle)
        MERIDIAN_REVISION(SpuriousDragon)
        MERIDIAN_REVISION(Byzantium)
        MERIDIAN_REVISION(Constantinople)
        MERIDIAN_REVISION(Petersburg)
        MERIDIAN_REVISION(Istanbul)
        MERIDIAN_REVISION(Berlin)
        MERIDIAN_REVISION(London)
        MERIDIAN_REVISION(Paris)
        MERIDIAN_REVISION(Shanghai)
        MERIDIAN_REVISION(Cancun)
        MERIDIAN_REVISION(Prague)
        MERIDIAN_REVISION(Osaka)
#undef MERIDIAN_REVISION
    }
    __builtin_unreachable();
}

}  // namespace meridian::evm
