// The gas of a transaction before any of it executes: EIP-2, 2028, 2930, 3860, 7623, 7702.
#include <meridian/chain/executor.hpp>

#include <algorithm>

namespace meridian::chain {

using evm::Revision;

namespace {

constexpr std::uint64_t kTransaction = 21000;
constexpr std::uint64_t kCreation = 32000;
constexpr std::uint64_t kInitCodeWord = 2;
constexpr std::uint64_t kZeroByte = 4;
constexpr std::uint64_t kByteBeforeIstanbul = 68;
constexpr std::uint64_t kByte = 16;
constexpr std::uint64_t kAccessListAddress = 2400;
constexpr std::uint64_t kAccessListKey = 1900;
constexpr std::uint64_t kAuthorization = 25000;
constexpr std::uint64_t kFloorPerToken = 10;
constexpr std::uint64_t kTokensPerByte = 4;

std::uint64_t creation_gas(Revision revision, std::size_t init_code_size) noexcept {
    std::uint64_t gas = revision >= Revision::Homestead ? kCreation : 0;
    if (revision >= Revision::Shanghai)
        gas += kInitCodeWord * ((init_code_size + 31) / 32);
    return gas;
}

std::uint64_t access_list_gas(const AccessList& access_list) noexcept {
    std::uint64_t gas = 0;
    for (const AccessListEntry& entry : access_list)
        gas += kAccessListAddress + kAccessListKey * entry.storage_keys.size();
    return gas;
}

}  // namespace

IntrinsicGas intrinsic_gas(Revision revision, const Transaction& txn) {
    const auto zeros =
        static_cast<std::uint64_t>(std::count(txn.data.begin(), txn.data.end(), std::uint8_t{0}));
    const std::uint64_t others = txn.data.size() - zeros;
    IntrinsicGas out;
    out.gas = kTransaction + zeros * kZeroByte +
              others * (revision >= Revision::Istanbul ? kByte : kByteBeforeIstanbul) +
              access_list_gas(txn.access_list) + kAuthorization * txn.authorizations.size();
    if (!txn.to.has_value())
        out.gas += creation_gas(revision, txn.data.size());
    if (revision >= Revision::Prague)
        out.floor = kTransaction + kFloorPerToken * (zeros + others * kTokensPerByte);
    return out;
}

}  // namespace meridian::chain
