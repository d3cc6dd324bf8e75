// Assertions on our own invariants. Invalid input is never an assertion; it is a returned error.
#pragma once

namespace meridian {

// Prints the failed condition and its place to stderr, then aborts.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

// Not defined anywhere: a literal that reaches it while it is evaluated does not compile.
void invalid_literal(const char* reason);

}  // namespace meridian

// Always on.
#define MERIDIAN_ASSERT(condition) \
    (static_cast<bool>(condition) ? void(0) : ::meridian::assertion_failed(#condition, __FILE__, __LINE__))

// For hot loops: on in builds without NDEBUG.
#ifdef NDEBUG
#define MERIDIAN_DEBUG_ASSERT(condition) void(0)
#else
#define MERIDIAN_DEBUG_ASSERT(condition) MERIDIAN_ASSERT(condition)
#endif
