#include <meridian/load/signed_load.hpp>

#include <meridian/crypto/keccak.hpp>
#include <meridian/load/parallel.hpp>

#include <bit>

namespace meridian::load {
namespace {

constexpr std::uint32_t kNone = ~std::uint32_t{0};

std::size_t place_of(const Hash& hash, std::size_t mask) {
    std::uint64_t word;
    std::memcpy(&word, hash.data(), sizeof word);
    return word & mask;
}

}  // namespace

SignedLoad sign_load(const Workload& workload, const Cast& cast, std::uint64_t chain_id, const Fees& fees,
                     std::vector<std::uint64_t> first_nonces) {
    SignedLoad out;
    out.envelopes.resize(cast.txns);
    out.hashes.resize(cast.txns);
    out.values.resize(cast.txns);
    out.first_nonces = std::move(first_nonces);
    const std::size_t senders = cast.senders.size();
    const auto sign = [&](std::size_t i) {
        Operation operation = workload.operation(i);
        chain::Transaction txn;
        txn.type = chain::TxnType::DynamicFee;
        txn.chain_id = chain_id;
        txn.nonce = out.first_nonces[i % senders] + i / senders;
        txn.gas_limit = operation.gas_limit;
        txn.max_fee_per_gas = fees.max_fee_per_gas;
        txn.max_priority_fee_per_gas = fees.max_priority_fee_per_gas;
        txn.to = operation.to;
        txn.value = operation.value;
        txn.data = std::move(operation.data);
        out.values[i] = operation.value;
        out.envelopes[i] =
            chain::encode(sign_transaction(std::move(txn), cast.senders[i % senders].private_key));
        out.hashes[i] = crypto::keccak256(out.envelopes[i]);
    };
    on_all_cores(
        cast.txns,
        [&](std::size_t from, std::size_t to) {
            for (std::size_t i = from; i < to; ++i)
                sign(i);
        },
        "signing");
    return out;
}

HashIndex::HashIndex(const std::vector<Hash>& hashes)
    : m_hashes(hashes), m_slots(std::bit_ceil(2 * hashes.size() + 2), kNone) {
    for (std::uint32_t i = 0; i < hashes.size(); ++i) {
        std::size_t at = place_of(hashes[i], m_slots.size() - 1);
        while (m_slots[at] != kNone)
            at = (at + 1) & (m_slots.size() - 1);
        m_slots[at] = i;
    }
}

std::optional<std::uint32_t> HashIndex::find(const Hash& hash) const noexcept {
    for (std::size_t at = place_of(hash, m_slots.size() - 1); m_slots[at] != kNone;
         at = (at + 1) & (m_slots.size() - 1))
        if (m_hashes[m_slots[at]] == hash)
            return m_slots[at];
    return std::nullopt;
}

}  // namespace meridian::load
