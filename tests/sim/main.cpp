// meridian-sim [--seed S] [--seeds N] [--steps M]: simulations of a whole node, one seed after the other.
// Each seed is printed before it runs; the last line is `N passed, N failed`.
#include "simulation.hpp"

#include <charconv>
#include <cstdio>
#include <string_view>

namespace {

// Gives false for anything but a whole number.
bool read(std::string_view text, std::uint64_t& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t seed = 1, seeds = 1, steps = 4'000;
    for (int i = 1; i + 1 < argc || i < argc; i += 2) {
        const std::string_view name = argv[i];
        std::uint64_t* const value = name == "--seed"    ? &seed
                                     : name == "--seeds" ? &seeds
                                     : name == "--steps" ? &steps
                                                         : nullptr;
        if (value == nullptr || i + 1 >= argc || !read(argv[i + 1], *value)) {
            std::fprintf(stderr, "usage: meridian-sim [--seed S] [--seeds N] [--steps M]\n");
            return 2;
        }
    }
    if (seeds == 0 || steps == 0) {
        std::fprintf(stderr, "meridian-sim: --seeds and --steps are at least 1: nothing would be run\n");
        return 2;
    }
    std::uint64_t passed = 0, failed = 0;
    for (std::uint64_t i = 0; i < seeds; ++i) {
        std::printf("seed %llu: ", static_cast<unsigned long long>(seed + i));
        std::fflush(stdout);
        const auto result = meridian::sim::simulate({.seed = seed + i, .steps = steps});
        const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
        std::printf(
            "%llu frames, %llu blocks, %llu transactions, %llu kills, %llu power cuts, %llu crashes amid "
            "a write, %llu full disks, %llu clock jumps; %llu replica crashes, %llu connections cut, %llu "
            "records spoilt%s, %llu frames taken back, %llu replicas begun anew: %s\n",
            number(result.frames), number(result.blocks), number(result.txns), number(result.kills),
            number(result.power_cuts), number(result.crashes_amid_write), number(result.full_disks),
            number(result.clock_jumps), number(result.replica_crashes), number(result.connections_cut),
            number(result.records_spoilt), result.replicated ? "; replicated" : "",
            number(result.frames_adopted), number(result.replicas_anew),
            result.failure.empty() ? "passed" : result.failure.c_str());
        ++(result.failure.empty() ? passed : failed);
    }
    std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(passed),
                static_cast<unsigned long long>(failed));
    return failed == 0 ? 0 : 1;
}
