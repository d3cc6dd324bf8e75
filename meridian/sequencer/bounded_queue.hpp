// A queue between two stages: bounded, thread-safe, and ringing the consumer's doorbell.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

namespace meridian::sequencer {

// What a stage's thread sleeps on. A ring while it is awake is not lost.
class Doorbell {
public:
    void ring() {
        {
            const std::unique_lock lock(m_mutex);
            m_rung = true;
        }
        m_condition.notify_one();
    }
    // Until rung or `timeout_us` is over.
    void wait(std::uint64_t timeout_us) {
        std::unique_lock lock(m_mutex);
        m_condition.wait_for(lock, std::chrono::microseconds(timeout_us), [this] { return m_rung; });
        m_rung = false;
    }

private:
    std::mutex m_mutex;
    std::condition_variable m_condition;
    bool m_rung = false;
};

template <class T>
class BoundedQueue {
public:
    BoundedQueue(std::size_t capacity, Doorbell* consumer) : m_capacity(capacity), m_consumer(consumer) {}

    // False if the queue is full; the item is untouched then.
    bool try_push(T&& item) {
        {
            const std::unique_lock lock(m_mutex);
            if (m_items.size() >= m_capacity)
                return false;
            m_items.push_back(std::move(item));
        }
        if (m_consumer != nullptr)
            m_consumer->ring();
        return true;
    }
    // Up to `count` from the front.
    std::vector<T> pop(std::size_t count) {
        std::vector<T> out;
        const std::unique_lock lock(m_mutex);
        while (!m_items.empty() && out.size() < count) {
            out.push_back(std::move(m_items.front()));
            m_items.pop_front();
        }
        return out;
    }
    std::size_t size() const {
        const std::unique_lock lock(m_mutex);
        return m_items.size();
    }
    std::size_t capacity() const noexcept { return m_capacity; }

private:
    const std::size_t m_capacity;
    Doorbell* m_consumer;
    mutable std::mutex m_mutex;
    std::deque<T> m_items;
};

}  // namespace meridian::sequencer
