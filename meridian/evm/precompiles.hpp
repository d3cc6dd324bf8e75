// The precompiled contracts of every revision, as data: what each costs and what it does.
//
// A caller asks gas() first, fails the call if that is more than it has, and then runs. A failed run
// consumes all gas of the call. Elliptic curves and hashes are crypto::accelerator()'s.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>
#include <meridian/evm/revision.hpp>

#include <span>
#include <string_view>

namespace meridian::evm {

enum class [[nodiscard]] PrecompileError : std::uint8_t {
    InvalidLength,  // the input's size, or one of the sizes within it
    InvalidInput,   // an encoding, a point off its curve or subgroup, a flag, a proof that does not hold
};

struct Precompile {
    std::string_view name;
    // Saturates at the largest number.
    std::uint64_t (*gas)(BytesView input) noexcept;
    // `output` is overwritten; it is unspecified after a failure.
    Result<void, PrecompileError> (*run)(BytesView input, Bytes& output);
};

// Null if the address has no precompile in the revision.
const Precompile* find_precompile(Revision revision, const Address& address,
                                  OpRevision op_revision = OpRevision::None) noexcept;

// In ascending order: what is warm from the start of a transaction (EIP-2929).
std::span<const Address> precompile_addresses(Revision revision,
                                              OpRevision op_revision = OpRevision::None) noexcept;

}  // namespace meridian::evm
