// All transactions of a run, signed beforehand.
#pragma once

#include <meridian/load/setup.hpp>
#include <meridian/load/workload.hpp>

#include <optional>
#include <vector>

namespace meridian::load {

struct SignedLoad {
    std::vector<Bytes> envelopes;
    std::vector<Hash> hashes;
    std::vector<u256> values;                 // wei that transaction i sends
    std::vector<std::uint64_t> first_nonces;  // of each sender
};

// On all cores, with progress on stderr. `first_nonces` as the chain has them.
SignedLoad sign_load(const Workload& workload, const Cast& cast, std::uint64_t chain_id, const Fees& fees,
                     std::vector<std::uint64_t> first_nonces);

// From a transaction's hash to its number. For lookups from many threads.
class HashIndex {
public:
    explicit HashIndex(const std::vector<Hash>& hashes);
    std::optional<std::uint32_t> find(const Hash& hash) const noexcept;

private:
    const std::vector<Hash>& m_hashes;
    std::vector<std::uint32_t> m_slots;  // open addressing, less than half full
};

}  // namespace meridian::load
