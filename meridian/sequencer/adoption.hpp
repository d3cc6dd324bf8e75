// What a sequencer takes back from its replicas before it makes frames: those that its own log, which it does
// not flush, has lost (docs/frames.md, Replication).
#pragma once

#include <meridian/frames/frame_log.hpp>
#include <meridian/sequencer/record_sink.hpp>

#include <atomic>

namespace meridian::sequencer {

// Appends frames to the log. For one thread at a time; nobody else writes the log meanwhile.
class Adoption final : public RecordSink {
public:
    // `sequencer` has signed them.
    Adoption(frames::FrameLog& log, const Address& sequencer);

    std::uint64_t wanted() const override;
    // A frame that the log has already is passed over. False: the disk is full.
    Result<bool, std::string> offer(BytesView record) override;
    // More frames are released than before.
    Result<void, std::string> show_released();

    // From any thread.
    std::uint64_t adopted() const noexcept { return m_adopted; }

private:
    Result<bool, std::string> take_back(const frames::LogFailure& failure);

    frames::FrameLog& m_log;
    Address m_sequencer;
    std::optional<frames::FrameTip> m_tip;  // empty: the log has no frame yet
    std::atomic<std::uint64_t> m_adopted = 0;
};

}  // namespace meridian::sequencer
