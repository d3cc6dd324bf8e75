#include <meridian/load/run_state.hpp>

#include <algorithm>

namespace meridian::load {
namespace {

// Other kinds share one entry, so that a node cannot make the report endless.
constexpr std::size_t kErrorKindsMax = 50;

}  // namespace

RunState::RunState(const SignedLoad& load)
    : m_load(load),
      m_index(load.hashes),
      m_records(load.hashes.size()),
      m_begin(std::chrono::steady_clock::now().time_since_epoch()) {}

std::uint64_t RunState::now_us() const noexcept {
    using namespace std::chrono;
    const auto elapsed = steady_clock::now().time_since_epoch() - m_begin.load(std::memory_order_relaxed);
    return static_cast<std::uint64_t>(
        std::max<std::int64_t>(1, duration_cast<microseconds>(elapsed).count()));
}

void RunState::note_sent(std::uint32_t txn, std::uint64_t due_us) {
    TxnRecord& record = m_records[txn];
    if (record.sent_us != 0)
        return;  // sent again
    record.sent_us = now_us();
    record.due_us = due_us != 0 ? due_us : record.sent_us;
    ++m_sent;
    ++m_in_flight;
}

void RunState::note_accepted(std::uint32_t txn) {
    if (m_records[txn].accepted_us != 0)
        return;
    m_records[txn].accepted_us = now_us();
    ++m_accepted;
}

void RunState::note_failed(std::uint32_t txn, const std::string& kind) {
    if (m_records[txn].sent_us != 0)
        settle(m_records[txn]);
    note_error(kind);
}

void RunState::note_included(const Hash& hash, const Inclusion& inclusion) {
    if (const auto txn = m_index.find(hash))
        note_included(*txn, inclusion);
}

void RunState::note_included(std::uint32_t txn, const Inclusion& inclusion) {
    TxnRecord& record = m_records[txn];
    if (record.included_us != 0)
        return;
    record.inclusion = inclusion;
    record.included_us = now_us();
    ++m_included;
    settle(record);
}

void RunState::settle(TxnRecord& record) {
    if (!record.settled.exchange(true))
        --m_in_flight;
}

void RunState::note_frame(const FrameStamp& frame) {
    const std::lock_guard lock(m_mutex);
    if (frame.number <= m_last_frame.number)
        return;
    // Frames without our transactions may be missing between two: those intervals are of no frame.
    if (frame.number == m_last_frame.number + 1 && m_last_frame.number != 0)
        m_frame_intervals_us.add(frame.timestamp_us -
                                 std::min(frame.timestamp_us, m_last_frame.timestamp_us));
    m_last_frame = frame;
}

void RunState::note_block() {
    const std::lock_guard lock(m_mutex);
    const std::uint64_t now = now_us();
    if (m_last_block_us != 0)
        m_block_intervals_us.add(now - std::min(now, m_last_block_us));
    m_last_block_us = now;
}

void RunState::note_error(const std::string& kind) {
    const std::lock_guard lock(m_mutex);
    const bool room = m_errors.size() < kErrorKindsMax || m_errors.contains(kind);
    ++m_errors[room ? kind : "others"];
}

}  // namespace meridian::load
