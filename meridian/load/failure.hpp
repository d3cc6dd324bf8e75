// How the load tool fails: a sentence that says what was wrong and what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace meridian::load {

class LoadFailure : public std::runtime_error {
public:
    explicit LoadFailure(const std::string& message) : std::runtime_error(message) {}
};

// An error that the node answered with.
class RpcFailure final : public LoadFailure {
public:
    RpcFailure(std::int64_t code, const std::string& message) : LoadFailure(message), m_code(code) {}
    std::int64_t code() const noexcept { return m_code; }

private:
    std::int64_t m_code;
};

}  // namespace meridian::load
