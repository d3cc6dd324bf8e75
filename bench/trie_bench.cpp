// State roots, against the time that hashing the changed nodes takes by itself.
//
// ratio_to_hashing: time of the change and the new root, divided by the time of hashing the same encodings
// with the same function in the same run. One would be a trie that costs nothing.
#include "arguments.hpp"

#include <meridian/crypto/keccak.hpp>
#include <meridian/rlp/encode.hpp>
#include <meridian/trie/root.hpp>
#include <meridian/trie/trie.hpp>

#include <benchmark/benchmark.h>

#include <time.h>

#include <algorithm>
#include <random>
#include <string>

namespace meridian::trie {
namespace {

constexpr std::size_t kAccounts = 1'000'000;

// Of this thread, so that other load on the machine counts less.
double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::vector<Hash> hashed_keys(std::size_t count) {
    std::vector<Address> addresses(count);
    std::vector<BytesView> views(count);
    for (std::size_t i = 0; i < count; ++i) {
        std::memcpy(addresses[i].data(), &i, sizeof i);
        views[i] = addresses[i];
    }
    std::vector<Hash> keys(count);
    crypto::keccak256_batch(views, keys);
    return keys;
}

// As an account without code: nonce, balance, storage root, code hash.
Bytes account(std::mt19937_64& random) {
    return rlp::ListBuilder()
        .uint(random() % 1000)
        .uint(random())
        .bytes(kEmptyRoot)
        .bytes(crypto::kEmptyKeccak)
        .build();
}

// One million accounts, made once.
struct State {
    std::vector<Hash> keys = hashed_keys(kAccounts);
    std::mt19937_64 random{1};
    Trie trie;
    double build_seconds = 0;

    State() {
        const double start = cpu_seconds();
        for (const Hash& key : keys) {
            if (!trie.put(key, account(random)))
                std::abort();
        }
        trie.root();
        build_seconds = cpu_seconds() - start;
        trie.for_each_new_node([](const Hash&, BytesView) {});
    }
    static State& get() {
        static State state;
        return state;
    }
};

// The encodings of the nodes that changed, as they are to be hashed: alike lengths together.
struct Encodings {
    std::vector<Bytes> owned;

    double hashing_seconds() {
        std::sort(owned.begin(), owned.end(),
                  [](const Bytes& a, const Bytes& b) { return a.size() < b.size(); });
        std::vector<BytesView> views(owned.begin(), owned.end());
        std::vector<Hash> hashes(views.size());
        const double start = cpu_seconds();
        crypto::keccak256_batch(views, hashes);
        benchmark::DoNotOptimize(hashes.data());
        return cpu_seconds() - start;
    }
};

double median(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

void BM_StateRoot(benchmark::State& run) {
    State& state = State::get();
    const auto changes = static_cast<std::size_t>(run.range(0));
    std::vector<double> total;
    std::vector<double> hashing;
    std::uint64_t nodes = 0;
    for (auto _ : run) {
        std::vector<std::pair<Hash, Bytes>> changed;
        for (std::size_t i = 0; i < changes; ++i)
            changed.emplace_back(state.keys[state.random() % kAccounts], account(state.random));
        std::sort(changed.begin(), changed.end());
        std::vector<KeyValue> entries;
        for (const auto& [key, value] : changed)
            entries.push_back({key, value});

        const double start = cpu_seconds();
        const bool done = state.trie.update(entries).has_value();
        benchmark::DoNotOptimize(state.trie.root());
        const double elapsed = cpu_seconds() - start;
        if (!done)
            std::abort();
        run.SetIterationTime(elapsed);
        total.push_back(elapsed);

        Encodings encodings;
        state.trie.for_each_new_node(
            [&](const Hash&, BytesView rlp) { encodings.owned.push_back(to_bytes(rlp)); });
        nodes += encodings.owned.size();
        hashing.push_back(encodings.hashing_seconds());
    }
    const auto iterations = static_cast<double>(run.iterations());
    run.counters["median_ms"] = 1e3 * median(total);
    run.counters["hashing_ms"] = 1e3 * median(hashing);
    run.counters["ratio_to_hashing"] = median(total) / median(hashing);
    run.counters["nodes"] = static_cast<double>(nodes) / iterations;
    run.counters["bytes_per_account"] = static_cast<double>(state.trie.used_bytes()) / kAccounts;
    run.counters["build_s"] = state.build_seconds;
}
BENCHMARK(BM_StateRoot)->Arg(100)->Arg(1'000)->Arg(10'000)->UseManualTime()->Unit(benchmark::kMillisecond);

void BM_Get(benchmark::State& run) {
    State& state = State::get();
    for (auto _ : run)
        benchmark::DoNotOptimize(state.trie.get(state.keys[state.random() % kAccounts]));
}
BENCHMARK(BM_Get);

void BM_OrderedRoot(benchmark::State& run) {
    std::mt19937_64 random{2};
    std::vector<Bytes> values;
    for (int i = 0; i < run.range(0); ++i) {
        values.emplace_back(110 + random() % 300);
        for (auto& byte : values.back())
            byte = static_cast<std::uint8_t>(random());
    }
    for (auto _ : run)
        benchmark::DoNotOptimize(ordered_root(std::span<const Bytes>(values)));
}
BENCHMARK(BM_OrderedRoot)->Arg(10)->Arg(200)->Arg(2000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace meridian::trie

// Its rows are Google Benchmark's, hence --run has to become its filter.
int main(int argc, char** argv) {
    meridian::bench::read_arguments(argc, argv);
    std::string filter = "--benchmark_filter=";
    for (const char c : meridian::bench::row_filter) {
        if (std::string_view(".[]{}()\\*+?^$|").find(c) != std::string_view::npos)
            filter += '\\';
        filter += c;
    }
    char* arguments[] = {argv[0], filter.data()};
    int count = meridian::bench::row_filter.empty() ? 1 : 2;
    benchmark::Initialize(&count, arguments);
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
