// Whether the node can be sent work, and why not. Thread-safe.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::operation {

struct Reason {
    std::string
        code;  // "recovering", "stopping", "fault", "damaged", "behind", "diverged"; a word for programs
    std::string message;  // a sentence
};

class Health {
public:
    // Begins as recovering: not ready before set_running().
    void set_running();
    void set_stopping();
    // What else can be wrong; asked whenever somebody wants to know. Gives what is wrong now, or nothing.
    void add_check(std::function<std::vector<Reason>()> check);
    void clear_checks();

    bool stopping() const;
    // Empty: ready.
    std::vector<Reason> reasons() const;

private:
    enum class Phase { Recovering, Running, Stopping };
    mutable std::mutex m_mutex;
    Phase m_phase = Phase::Recovering;
    std::vector<std::function<std::vector<Reason>()>> m_checks;
};

// {"ready":false,"reasons":[{"code":"recovering","message":"..."}]}
std::string readiness_json(const std::vector<Reason>& reasons);

}  // namespace meridian::operation
