// Between frames as the executor has them and frames as they are signed, logged and sent.
#pragma once

#include <meridian/frames/codec.hpp>
#include <meridian/sequencer/sealed_frame.hpp>

namespace meridian::sequencer {

Result<frames::Sections, frames::EncodeError> encode_sections(const SealedFrame& frame);

// A frame from a log or a feed, with its senders.
struct FollowedFrame {
    frames::SignedHeader head;
    SealedFrame frame;  // without receipts and changes, which execution gives
    // As they were signed.
    std::vector<frames::FrameReceipt> receipts;
    state::StateChanges changes;
};
// Decodes and recovers the senders; signature, hash chain and the sections' hashes are the caller's to check.
// The error is a sentence.
Result<FollowedFrame, std::string> decode_followed(BytesView record);
Result<FollowedFrame, std::string> decode_followed(const frames::SignedHeader& head,
                                                   const frames::Sections& sections);

// Whether execution gave what was signed. The error says what differs, and where first.
Result<void, std::string> compare(const SealedFrame& executed, const FollowedFrame& signed_frame);
// What differs first, in words; empty if nothing does.
std::string first_difference(const state::StateChanges& here, const state::StateChanges& there);

}  // namespace meridian::sequencer
