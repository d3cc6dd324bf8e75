// Between frames as the executor has them and frames as they are signed, logged and sent.
#pragma once

#include <meridian/frames/codec.hpp>
#include <meridian/sequencer/sealed_frame.hpp>

namespace meridian::sequencer {

Result<frames::Sections, frames::EncodeError> encode_sections(const SealedFrame& frame);

// A frame from a log or a feed, to be executed again: without receipts and changes, which execution gives.
struct FollowedFrame {
    frames::SignedHeader head;
    SealedFrame frame;
};
// Decodes and recovers the senders; signature and hash chain are the caller's to check. The error is a
// sentence.
Result<FollowedFrame, std::string> decode_followed(BytesView record);

// Whether execution gave what the header commits to. The error says what differs.
Result<void, std::string> compare(const SealedFrame& executed, const frames::FrameHeader& header);

}  // namespace meridian::sequencer
