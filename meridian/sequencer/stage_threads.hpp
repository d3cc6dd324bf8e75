// Gives stages threads of their own.
#pragma once

#include <meridian/sequencer/bounded_queue.hpp>
#include <meridian/sequencer/stage.hpp>

#include <atomic>
#include <thread>

namespace meridian::sequencer {

class StageThreads {
public:
    ~StageThreads() { stop(); }

    // The stage is asked as long as it has work, then when its doorbell rings. Both outlive the thread.
    // `nice`: how far it gives way to others (setpriority).
    void start(Stage& stage, Doorbell& doorbell, int nice);
    // In the order in which they were started, each once it has no more work: what is begun comes through.
    void stop();

private:
    struct One {
        One(Stage& s, Doorbell& d, int n) : stage(s), doorbell(d), nice(n) {}
        Stage& stage;
        Doorbell& doorbell;
        int nice;
        std::atomic<bool> ending = false;
        std::thread thread;
    };
    static void run(One& self);

    std::deque<One> m_threads;
};

}  // namespace meridian::sequencer
