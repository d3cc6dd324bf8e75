// Where the records of frames from elsewhere go: what a feed's client hands its frames to.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>

#include <string>

namespace meridian::sequencer {

// The last frame that a log holds durably.
struct HeldFrame {
    std::uint64_t number = 0;  // zero: none; the hash is block 0's then
    Hash hash;
};

class RecordSink {
public:
    virtual ~RecordSink() = default;
    // The number of the frame that offer() takes next.
    virtual std::uint64_t wanted() const = 0;
    // One record after the other. False: there is no room for it now; it is to be offered again later. The
    // error is a sentence: this is not the next frame of this chain, and its source not to be believed.
    virtual Result<bool, std::string> offer(BytesView record) = 0;

    // Of a sink that acknowledges frames, which then takes them before they may be shown: this one may, and
    // all before it. Those that it has not been offered yet, it may show when they are.
    virtual void release(std::uint64_t) {}
    // What it can acknowledge. From any thread.
    virtual HeldFrame held() const { return {}; }
};

}  // namespace meridian::sequencer
