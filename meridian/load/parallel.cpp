#include <meridian/load/parallel.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <vector>

namespace meridian::load {
namespace {

// Small, so that cores of different speed end together.
constexpr std::size_t kPart = 256;

}  // namespace

void on_all_cores(std::size_t count, const std::function<void(std::size_t, std::size_t)>& work,
                  std::string_view name) {
    std::atomic<std::size_t> taken = 0;
    std::atomic<std::size_t> done = 0;
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i)
        threads.emplace_back([&] {
            for (std::size_t from; (from = taken.fetch_add(kPart)) < count;) {
                const std::size_t to = std::min(count, from + kPart);
                work(from, to);
                if (done.fetch_add(to - from) + (to - from) == count) {
                    const std::lock_guard lock(mutex);
                    changed.notify_all();
                }
            }
        });
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, std::chrono::seconds(1), [&] { return done == count; }))
        if (!name.empty())
            std::fprintf(stderr, "%.*s: %zu of %zu\n", static_cast<int>(name.size()), name.data(),
                         done.load(), count);
}

}  // namespace meridian::load
