#include <meridian/sequencer/stage_threads.hpp>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <string>

namespace meridian::sequencer {
namespace {

// Threads look around at least this often.
constexpr std::uint64_t kIdleUs = 100'000;

}  // namespace

void StageThreads::run(One& self) {
    // For whoever looks at the process with top or perf.
    pthread_setname_np(pthread_self(), std::string(self.stage.name()).c_str());
    if (self.nice != 0)
        setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), self.nice);
    for (;;) {
        const bool last = self.ending;
        const Step step = self.stage.step();
        if (step.progressed)
            continue;
        if (last)
            return;
        self.doorbell.wait(std::min(step.wait_us, kIdleUs));
    }
}

void StageThreads::start(Stage& stage, Doorbell& doorbell, int nice) {
    One& self = m_threads.emplace_back(stage, doorbell, nice);
    self.thread = std::thread([&self] { run(self); });
}

void StageThreads::stop() {
    for (One& self : m_threads) {
        self.ending = true;
        self.doorbell.ring();
        self.thread.join();
    }
    m_threads.clear();
}

}  // namespace meridian::sequencer
