// Recovery of signers in batches against libsecp256k1 one by one: recoveries a second, and how many times as
// many. The two take turns, so that what disturbs the machine meets both.
#include "interleaved.hpp"

#include <meridian/crypto/secp256k1.hpp>
#include <meridian/crypto/secp256k1_recover_backend.hpp>

#include <barrier>
#include <chrono>
#include <random>
#include <thread>

namespace meridian::bench {
namespace {

using namespace crypto::secp256k1;

constexpr std::size_t kSignatures = 1024;

std::vector<RecoverRequest> make_requests() {
    std::mt19937_64 random(1);
    const auto random_hash = [&] {
        Hash out;
        for (auto& byte : out)
            byte = static_cast<std::uint8_t>(random());
        return out;
    };
    std::vector<RecoverRequest> out;
    while (out.size() < kSignatures) {
        const Hash digest = random_hash();
        const auto signature = *sign(digest, random_hash());
        out.push_back({digest, signature.r, signature.s, signature.recovery_id});
    }
    return out;
}

// What accelerator().ecrecover() does.
std::optional<Address> signer(const RecoverRequest& r) {
    const auto key = recover(r.digest, r.r, r.s, r.parity);
    if (!key)
        return std::nullopt;
    return address_of_public_key(*key);
}

void report(std::size_t batch, std::size_t threads, double ours_ns, double peer_ns) {
    std::printf("batch %5zu  threads %zu %10.0f/s   libsecp256k1 %8.0f/s   times %5.2f\n", batch, threads,
                1e9 / ours_ns, 1e9 / peer_ns, peer_ns / ours_ns);
}

void bench_batch(const std::vector<RecoverRequest>& requests, std::size_t batch) {
    std::vector<std::optional<Address>> signers(batch);
    const auto in_batch = [&] {
        recover_batch(std::span(requests).first(batch), signers);
        keep(signers);
    };
    // The peer's signatures are as many as take about as long.
    const std::size_t alone = std::max<std::size_t>(1, batch / 8);
    const auto one_by_one = [&] {
        for (std::size_t i = 0; i < alone; ++i)
            keep(signer(requests[i]));
    };
    const Comparison c =
        compare(in_batch, one_by_one, static_cast<double>(batch), static_cast<double>(alone));
    report(batch, 1, c.ours_ns, c.peer_ns);
}

// Nanoseconds of wall time a signature while every thread does its share of `requests` this many times.
template <class Function>
double threads_ns(std::size_t threads, int times, std::span<const RecoverRequest> requests,
                  Function&& function) {
    using Clock = std::chrono::steady_clock;
    std::barrier barrier(static_cast<std::ptrdiff_t>(threads) + 1);
    const std::size_t share = requests.size() / threads;
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < threads; ++i) {
        workers.emplace_back([&, part = requests.subspan(i * share, share)] {
            barrier.arrive_and_wait();
            for (int n = 0; n < times; ++n)
                function(part);
            barrier.arrive_and_wait();
        });
    }
    barrier.arrive_and_wait();
    const auto start = Clock::now();
    barrier.arrive_and_wait();
    const std::chrono::duration<double, std::nano> elapsed = Clock::now() - start;
    return elapsed.count() / (static_cast<double>(share * threads) * times);
}

void bench_threads(const std::vector<RecoverRequest>& requests, std::size_t threads) {
    const auto in_batch = [](std::span<const RecoverRequest> part) {
        std::vector<std::optional<Address>> signers(part.size());
        recover_batch(part, signers);
        keep(signers);
    };
    const auto one_by_one = [](std::span<const RecoverRequest> part) {
        for (const auto& request : part)
            keep(signer(request));
    };
    constexpr std::size_t kRounds = 15;
    std::vector<double> ours;
    std::vector<double> peer;
    for (std::size_t i = 0; i < kRounds; ++i) {
        ours.push_back(threads_ns(threads, 2, requests, in_batch));
        peer.push_back(threads_ns(threads, 1, std::span(requests).first(kSignatures / 4), one_by_one));
    }
    std::sort(ours.begin(), ours.end());
    std::sort(peer.begin(), peer.end());
    report(kSignatures, threads, ours[kRounds / 2], peer[kRounds / 2]);
}

void run() {
    std::printf("backend: %s\n",
                fastest_recover_backend() == RecoverBackend::Ifma ? "AVX-512 IFMA" : "libsecp256k1");
    const auto requests = make_requests();
    // The first call makes a table, which must not count.
    std::vector<std::optional<Address>> signers(requests.size());
    recover_batch(requests, signers);
    for (const std::size_t batch : {1, 2, 8, 16, 64, 1024})
        bench_batch(requests, batch);
    bench_threads(requests, 1);
    bench_threads(requests, 2);
}

}  // namespace
}  // namespace meridian::bench

int main() {
    meridian::bench::run();
}
