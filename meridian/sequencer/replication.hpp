// Frames on their way from a log to others that have to hold them before anybody is shown them.
//
// How far they are released is LogOptions::released; here is what the publisher tells, and asks, besides.
#pragma once

#include <meridian/sequencer/live_chain.hpp>

#include <functional>

namespace meridian::sequencer {

class Replication {
public:
    virtual ~Replication() = default;
    // The log holds the frame, as durably as its own disk promises. In order, on the publisher's thread.
    virtual void on_logged(const PublishedFramePtr& frame) = 0;
    // What keeps frames from being released, in a sentence; empty if nothing does. From any thread.
    virtual std::string fault() const { return {}; }
    // Called when more frames are released than before, on any thread. Before there are frames.
    virtual void set_on_release(std::function<void()>) {}
};

}  // namespace meridian::sequencer
