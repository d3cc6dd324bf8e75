#include <meridian/sequencer/adoption.hpp>

namespace meridian::sequencer {
namespace {

// Of a log that begins behind a snapshot no more than the hash before is known, which the log itself
// compares.
frames::FrameTip before(const frames::FrameHeader& first) {
    const bool opens = first.index == 0;
    return {.chain_id = first.chain_id,
            .term = first.term,
            .number = first.number - 1,
            .hash = first.parent_hash,
            .block_number = first.block_number - (opens ? 1 : 0),
            .index = opens ? 0 : first.index - 1,
            .timestamp_us = first.timestamp_us};
}

}  // namespace

Adoption::Adoption(frames::FrameLog& log, const Address& sequencer) : m_log(log), m_sequencer(sequencer) {
    if (const auto last = log.last_header())
        m_tip = frames::tip_of(*last);
    else if (log.last() == 0)
        m_tip = frames::genesis_tip(log.options().chain_id, log.options().genesis_hash);
}

std::uint64_t Adoption::wanted() const {
    return m_log.last() + 1;
}

Result<bool, std::string> Adoption::offer(BytesView record) {
    const auto describe = [this](const std::string& why) {
        return fail("frame " + std::to_string(wanted()) + ": " + why);
    };
    const auto view = frames::peek(record);
    if (!view)
        return describe(view.error().message);
    if (view->head.header.number < wanted())
        return true;
    if (view->head.header.number > wanted())
        return describe("frame " + std::to_string(view->head.header.number) + " comes in its place");
    const auto verified = frames::verify(record, m_tip ? *m_tip : before(view->head.header), m_sequencer);
    if (!verified)
        return describe(verified.error().message);
    auto done = m_log.append(record, wanted());
    if (done)
        done = m_log.sync();
    if (!done)
        return take_back(done.error());
    m_tip = frames::tip_of(verified->head);
    ++m_adopted;
    return true;
}

// A disk that is full may have room later: the frame comes again then.
Result<bool, std::string> Adoption::take_back(const frames::LogFailure& failure) {
    if (failure.error != frames::LogError::Io)
        return fail(failure.message);
    if (m_log.last() != m_log.last_written())
        if (auto undone = m_log.truncate_after(m_log.last_written()); !undone)
            return fail(undone.error().message);
    return false;
}

Result<void, std::string> Adoption::show_released() {
    if (auto done = m_log.sync(); !done)
        return fail(done.error().message);
    return {};
}

}  // namespace meridian::sequencer
