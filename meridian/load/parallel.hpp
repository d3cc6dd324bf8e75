// Work on all cores.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace meridian::load {

// Calls work(from, to) for parts of [0, count) on every core, until all are done. With a name, reports to
// stderr about once a second how far it is. `work` must not throw.
void on_all_cores(std::size_t count, const std::function<void(std::size_t, std::size_t)>& work,
                  std::string_view name = {});

}  // namespace meridian::load
