// What happened to each transaction and when: written by the sending threads and by the watcher while the
// load runs, read afterwards.
#pragma once

#include <meridian/load/channel.hpp>
#include <meridian/load/histogram.hpp>
#include <meridian/load/signed_load.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace meridian::load {

// Microseconds since the load began, at least 1; zero: not yet.
struct TxnRecord {
    std::uint64_t due_us = 0;  // when the schedule wanted it sent; flat out: when it was sent
    std::uint64_t sent_us = 0;
    std::uint64_t accepted_us = 0;
    std::atomic<std::uint64_t> included_us = 0;
    std::atomic<bool> settled = false;  // no longer in flight
    Inclusion inclusion;                // once included_us is there
};

class RunState {
public:
    explicit RunState(const SignedLoad& load);

    const SignedLoad& load() const noexcept { return m_load; }

    // The load begins now. Once; watchers may run already.
    void begin() noexcept { m_begin = std::chrono::steady_clock::now().time_since_epoch(); }
    std::uint64_t now_us() const noexcept;

    // Of the thread that sends the transaction.
    void note_sent(std::uint32_t txn, std::uint64_t due_us);
    void note_accepted(std::uint32_t txn);
    // It will never be included, as far as the sender knows.
    void note_failed(std::uint32_t txn, const std::string& kind);
    // From any thread, also of transactions that are not ours.
    void note_included(const Hash& hash, const Inclusion& inclusion);
    void note_included(std::uint32_t txn, const Inclusion& inclusion);
    void note_frame(const FrameStamp& frame);
    // A block came, where there are no frames to be told of.
    void note_block();
    // An answer that was no success but did not end the transaction.
    void note_error(const std::string& kind);

    // Sent, and neither included nor failed.
    std::size_t in_flight() const noexcept { return m_in_flight.load(std::memory_order_relaxed); }
    std::size_t sent() const noexcept { return m_sent.load(); }
    std::size_t accepted() const noexcept { return m_accepted.load(); }
    std::size_t included() const noexcept { return m_included.load(); }

    // When all threads are done.
    const std::vector<TxnRecord>& records() const noexcept { return m_records; }
    const std::map<std::string, std::size_t>& errors() const noexcept { return m_errors; }
    const Histogram& frame_intervals_us() const noexcept { return m_frame_intervals_us; }
    const Histogram& block_intervals_us() const noexcept { return m_block_intervals_us; }

private:
    void settle(TxnRecord& record);

    const SignedLoad& m_load;
    HashIndex m_index;
    std::vector<TxnRecord> m_records;
    std::atomic<std::chrono::steady_clock::duration> m_begin;
    std::atomic<std::size_t> m_in_flight = 0;
    std::atomic<std::size_t> m_sent = 0;
    std::atomic<std::size_t> m_accepted = 0;
    std::atomic<std::size_t> m_included = 0;

    std::mutex m_mutex;  // of what follows
    std::map<std::string, std::size_t> m_errors;
    FrameStamp m_last_frame;
    Histogram m_frame_intervals_us;
    std::uint64_t m_last_block_us = 0;
    Histogram m_block_intervals_us;
};

}  // namespace meridian::load
