#include <meridian/sequencer/publisher.hpp>

#include <meridian/sequencer/conversion.hpp>

namespace meridian::sequencer {
namespace {

// Frames that one group takes at most: bounds the time until the first of them is seen.
constexpr std::size_t kGroupMax = 64;
// Until a disk that was full is tried again.
constexpr std::uint64_t kRetryUs = 100'000;

frames::FrameHeader header_of(const SealedFrame& frame, const frames::FrameTip& tip, std::uint64_t chain_id,
                              std::uint64_t term) {
    frames::FrameHeader out;
    out.chain_id = chain_id;
    out.term = term;
    out.number = frame.number;
    out.parent_hash = tip.hash;
    out.block_number = frame.block_number;
    out.index = frame.index;
    out.timestamp_us = frame.timestamp_us;
    return out;
}

}  // namespace

Publisher::Publisher(std::uint64_t chain_id, std::uint64_t term, const frames::FrameTip& tip,
                     std::size_t queue_frames_max, Doorbell* doorbell, const Parts& parts)
    : m_chain_id(chain_id), m_term(term), m_tip(tip), m_parts(parts), m_queue(queue_frames_max, doorbell) {
    m_published = tip.number;
    m_logged = parts.log.last();
}

Step Publisher::step() {
    if (m_broken)
        return {};
    const bool took = take();
    if (m_broken)
        return {};
    if (m_undurable.empty())
        return {took, kNever};
    if (!make_durable())
        return {false, kRetryUs};
    tell_logged();
    return {show() || took, kNever};
}

// Appends what waits. A frame that does not fit the log's buffer stays for the next time.
bool Publisher::take() {
    if (m_taken.empty()) {
        m_taken = m_queue.pop(kGroupMax);
        if (!m_taken.empty() && m_on_room)
            m_on_room();
    }
    std::size_t appended = 0;
    for (; appended < m_taken.size(); ++appended) {
        // A follower has bounds of its own, and may not refuse to log what it has taken.
        if (m_parts.signer != nullptr &&
            (m_undurable.size() >= kUnreleasedFrames || m_undurable_size >= kUnreleasedSize))
            break;
        const ToPublish& next = m_taken[appended];
        auto built = next.made ? Result<PublishedFramePtr, std::string>(next.made) : build(next.frame);
        if (!built) {
            set_fault(std::move(built.error()));
            m_broken = true;
            break;
        }
        if (!append(*built))
            break;
        m_tip = frames::tip_of((*built)->head);
        m_undurable_size += (*built)->record->size();
        m_undurable.push_back(*std::move(built));
    }
    m_taken.erase(m_taken.begin(), m_taken.begin() + static_cast<std::ptrdiff_t>(appended));
    return appended != 0;
}

// False if there is no room, or the log is of no use any more.
bool Publisher::append(const PublishedFramePtr& frame) {
    const std::uint64_t number = frame->content->number;
    if (number <= m_parts.log.last())
        return true;  // a follower's, that its log held before it was released
    const auto added = m_parts.log.append(*frame->record, number);
    if (added)
        return true;
    if (added.error().error != frames::LogError::BufferFull) {
        set_fault(added.error().message);
        m_broken = true;
    }
    return false;
}

Result<PublishedFramePtr, std::string> Publisher::build(const SealedFramePtr& frame) const {
    const auto describe = [&](std::string_view why) {
        return fail("frame " + std::to_string(frame->number) + " cannot be published: " + std::string(why));
    };
    const auto sections = encode_sections(*frame);
    if (!sections)
        return describe(frames::to_string(sections.error()));
    frames::FrameHeader header = header_of(*frame, m_tip, m_chain_id, m_term);
    frames::commit_sections(header, *sections);
    auto signed_header = frames::sign_header(header, *m_parts.signer);
    if (!signed_header)
        return describe("the signer gives no signature");
    auto record = std::make_shared<const Bytes>(frames::encode_record(*signed_header, *sections));
    return std::make_shared<const PublishedFrame>(frame, *std::move(signed_header), std::move(record));
}

bool Publisher::make_durable() {
    const auto synced = m_parts.log.sync();
    if (synced) {
        set_fault({});
        return true;
    }
    set_fault(synced.error().message);
    m_broken = synced.error().error != frames::LogError::Io;
    return false;
}

void Publisher::tell_logged() {
    if (m_parts.replication == nullptr)
        return;
    for (const PublishedFramePtr& frame : m_undurable) {
        if (frame->content->number <= m_logged)
            continue;
        m_logged = frame->content->number;
        m_parts.replication->on_logged(frame);
    }
}

// False if there is nothing to be shown.
bool Publisher::show() {
    const std::uint64_t last = m_parts.log.last_durable();
    bool shown = false;
    for (; !m_undurable.empty() && m_undurable.front()->content->number <= last; m_undurable.pop_front()) {
        const PublishedFramePtr& frame = m_undurable.front();
        m_parts.live.publish(frame);
        if (m_parts.pool != nullptr)
            m_parts.pool->settle(frame->content->txns, frame->content->number);
        m_published = frame->content->number;
        m_undurable_size -= frame->record->size();
        shown = true;
    }
    return shown;
}

void Publisher::set_fault(std::string why) {
    const std::unique_lock lock(m_fault_mutex);
    m_fault = std::move(why);
}

std::string Publisher::fault() const {
    {
        const std::unique_lock lock(m_fault_mutex);
        if (!m_fault.empty() || m_parts.replication == nullptr)
            return m_fault;
    }
    return m_parts.replication->fault();
}

}  // namespace meridian::sequencer
