#include <meridian/load/recovery_rate.hpp>

#include <meridian/chain/transaction.hpp>
#include <meridian/crypto/accelerator.hpp>
#include <meridian/crypto/secp256k1_recover.hpp>
#include <meridian/load/parallel.hpp>

#include <chrono>
#include <optional>

namespace meridian::load {
namespace {

using crypto::secp256k1::RecoverRequest;

constexpr std::size_t kBatchedMax = 50'000;
constexpr std::size_t kSingleMax = 10'000;

double rate_of(std::size_t count, const std::function<void(std::size_t, std::size_t)>& work) {
    const auto begin = std::chrono::steady_clock::now();
    on_all_cores(count, work);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
    return static_cast<double>(count) / elapsed.count();
}

}  // namespace

RecoveryRate measure_recovery_rate(const std::vector<Bytes>& envelopes) {
    std::vector<RecoverRequest> requests;
    for (std::size_t i = 0; i < std::min(envelopes.size(), kBatchedMax); ++i) {
        const auto signature = *chain::sender_signature(*chain::decode_transaction(envelopes[i]));
        requests.push_back({signature.digest, signature.r, signature.s, signature.parity});
    }
    if (requests.empty())
        return {};
    std::vector<std::optional<Address>> signers(requests.size());
    RecoveryRate out;
    out.batched = rate_of(requests.size(), [&](std::size_t from, std::size_t to) {
        for (; from < to; from += crypto::secp256k1::kRecoverBatch) {
            const std::size_t count = std::min(crypto::secp256k1::kRecoverBatch, to - from);
            crypto::secp256k1::recover_batch(std::span(requests).subspan(from, count),
                                             std::span(signers).subspan(from, count));
        }
    });
    out.single = rate_of(std::min(requests.size(), kSingleMax), [&](std::size_t from, std::size_t to) {
        for (; from < to; ++from)
            signers[from] = crypto::accelerator().ecrecover(requests[from].digest, requests[from].r,
                                                            requests[from].s, requests[from].parity);
    });
    return out;
}

}  // namespace meridian::load
