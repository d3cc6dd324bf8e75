// Times a function beside its peer. The two take turns, so that what disturbs the machine meets both, and
// the ratio of the medians is what a benchmark reports.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <vector>

namespace meridian::bench {

// Keeps the compiler from leaving out the computation of a value.
template <class T>
inline void keep(const T& value) {
    __asm__ volatile("" : : "r"(&value) : "memory");
}

struct Comparison {
    double ours_ns;  // per operation
    double peer_ns;

    double ratio() const { return ours_ns / peer_ns; }
};

// Time this thread has had a processor, so that other programs' turns do not count.
inline double thread_time_ns() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

template <class Function>
double time_ns(Function&& function, long calls) {
    const double start = thread_time_ns();
    for (long i = 0; i < calls; ++i)
        function();
    return (thread_time_ns() - start) / static_cast<double>(calls);
}

// Calls that take about two milliseconds.
template <class Function>
long calibrate(Function&& function) {
    long calls = 1;
    while (time_ns(function, calls) * static_cast<double>(calls) < 2e6)
        calls *= 2;
    return calls;
}

// A call of either function counts as that many operations.
template <class Ours, class Peer>
Comparison compare(Ours&& ours, Peer&& peer, double operations = 1, double peer_operations = 1) {
    constexpr std::size_t kRounds = 31;
    const long calls = calibrate(ours);
    const long peer_calls = calibrate(peer);
    std::vector<double> times;
    std::vector<double> peer_times;
    for (std::size_t i = 0; i < kRounds; ++i) {
        times.push_back(time_ns(ours, calls) / operations);
        peer_times.push_back(time_ns(peer, peer_calls) / peer_operations);
    }
    const auto median = [](std::vector<double>& values) {
        std::nth_element(values.begin(), values.begin() + kRounds / 2, values.end());
        return values[kRounds / 2];
    };
    return {median(times), median(peer_times)};
}

inline void print(const char* name, const Comparison& c, const char* peer) {
    std::printf("%-28s %10.2f ns   %-18s %10.2f ns   ratio %.2f\n", name, c.ours_ns, peer, c.peer_ns,
                c.ratio());
}

}  // namespace meridian::bench
