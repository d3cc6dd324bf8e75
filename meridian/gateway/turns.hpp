// Work for the chain's strand, by turns: one piece of each client's before the second of any, and every other
// turn for the node's own, so that however many clients there are, what they wait for goes on.
#pragma once

#include <meridian/base/fair_queue.hpp>

#include <functional>
#include <mutex>
#include <utility>

namespace meridian::gateway {

// Thread-safe. Whoever posts work has to see to it that run_next() is called once more, on the strand.
class Turns {
public:
    using Work = std::function<void()>;

    void add(ClientId client, Work work) {
        const std::lock_guard lock(m_mutex);
        m_queue.push(client, std::move(work));
    }
    // Precondition: more was added than has run.
    void run_next() {
        Work work;
        {
            const std::lock_guard lock(m_mutex);
            m_own_turn = !m_own_turn;
            auto next = m_queue.pop_if([this](ClientId client) { return m_own_turn == (client == kNobody); });
            if (!next)
                next = m_queue.pop();
            work = *std::move(next);
        }
        work();
    }

private:
    std::mutex m_mutex;
    FairQueue<Work> m_queue;
    bool m_own_turn = false;
};

}  // namespace meridian::gateway
