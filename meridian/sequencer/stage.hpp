// A stage of the pipeline: does a bounded piece of work whenever it is asked to. A thread asks it on a node,
// a scheduler with a seed in a simulation.
#pragma once

#include <meridian/sequencer/clock.hpp>

#include <string_view>

namespace meridian::sequencer {

struct Step {
    bool progressed = false;
    // When to ask again if nothing calls sooner; the steady clock's time, or kNever.
    std::uint64_t wait_us = kNever;  // from now
};

class Stage {
public:
    virtual ~Stage() = default;
    virtual std::string_view name() const noexcept = 0;
    virtual Step step() = 0;
};

}  // namespace meridian::sequencer
