// The tracers of debug_traceTransaction, for t8n.
#pragma once

#include <meridian/spec/t8n.hpp>

namespace meridian::app {

// Throws CLI::ValidationError, which names the flag, for an unknown tracer or wrong options.
std::function<std::unique_ptr<spec::T8nTracer>()> named_tracer(const std::string& name,
                                                               const std::string& options);

}  // namespace meridian::app
