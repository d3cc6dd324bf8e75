// The protocol revisions ("forks") of the EVM, in order.
#pragma once

#include <cstdint>
#include <string_view>

namespace meridian::evm {

enum class Revision : std::uint8_t {
    Frontier,
    Homestead,
    TangerineWhistle,  // EIP-150
    SpuriousDragon,    // EIP-155, 158, 160, 161, 170
    Byzantium,
    Constantinople,
    Petersburg,
    Istanbul,
    Berlin,
    London,
    Paris,
    Shanghai,
    Cancun,
    Prague,
    Osaka,
};

inline constexpr std::size_t kRevisionCount = static_cast<std::size_t>(Revision::Osaka) + 1;

// The upgrades of the OP Stack that change the EVM itself, in order; they come on top of a revision.
enum class OpRevision : std::uint8_t {
    None,
    Fjord,    // P256VERIFY
    Granite,  // bounds the input of BN254_PAIRING
    Isthmus,  // and those of BLS12-381
    Jovian,   // tightens them
};

inline constexpr std::size_t kOpRevisionCount = static_cast<std::size_t>(OpRevision::Jovian) + 1;

}  // namespace meridian::evm
