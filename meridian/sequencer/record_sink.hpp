// Where the records of frames from elsewhere go: what a feed's client hands its frames to.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>

#include <string>

namespace meridian::sequencer {

class RecordSink {
public:
    virtual ~RecordSink() = default;
    // The number of the frame that offer() takes next.
    virtual std::uint64_t wanted() const = 0;
    // One record after the other. False: there is no room for it now; it is to be offered again later. The
    // error is a sentence: this is not the next frame of this chain, and its source not to be believed.
    virtual Result<bool, std::string> offer(BytesView record) = 0;
};

}  // namespace meridian::sequencer
