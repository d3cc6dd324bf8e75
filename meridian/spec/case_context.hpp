// What the runner of a kind of test is given, and where it reports.
#pragma once

#include <meridian/spec/exclusions.hpp>
#include <meridian/spec/json.hpp>
#include <meridian/spec/step_printer.hpp>

#include <optional>
#include <string>
#include <vector>

namespace meridian::evm {
class CodeCache;
}

namespace meridian::spec {

enum class Outcome : std::uint8_t { Passed, Failed, Skipped };

struct CaseReport {
    std::string file;
    std::string name;
    std::string fork;
    Outcome outcome = Outcome::Passed;
    std::string reason;  // empty for a passed case
    std::optional<Hash> state_root;

    // As filters and exclusions see it: "file name fork".
    std::string id() const {
        return file + (name.empty() ? "" : " " + name) + (fork.empty() ? "" : " " + fork);
    }
};

struct RunSettings {
    std::string filter;  // a substring of the id or, with * or ?, a pattern for the whole of it
    const Exclusions* exclusions = nullptr;
    std::optional<TraceOptions> trace;
};

// Serves one file on one thread.
class CaseContext {
public:
    CaseContext(const RunSettings& settings, evm::CodeCache& code_cache, std::string file)
        : m_settings(settings), m_code_cache(code_cache), m_file(std::move(file)) {}

    // The name that the cases of the test now run share.
    void set_test(std::string_view name) { m_test = name; }
    const std::string& test() const noexcept { return m_test; }

    // Begins a case: false if it was not asked for or is excluded (which is recorded). `detail` tells apart
    // the cases of one test and fork.
    bool begin(std::string_view fork, std::string_view detail = {});
    // Ends it. An empty reason is a pass.
    void finish(std::string reason, std::optional<Hash> state_root = {});
    void skip(std::string reason);

    // Runs `body`, a callable that returns a reason, as one case. Bad fixture data pass through.
    template <class Body>
    void run(std::string_view fork, const Body& body) {
        if (begin(fork))
            finish(body());
    }

    evm::CodeCache& code_cache() noexcept { return m_code_cache; }
    const std::optional<TraceOptions>& trace() const noexcept { return m_settings.trace; }
    std::vector<CaseReport>& reports() noexcept { return m_reports; }

private:
    const RunSettings& m_settings;
    evm::CodeCache& m_code_cache;
    std::string m_file;
    std::string m_test;
    CaseReport m_current;
    std::vector<CaseReport> m_reports;
};

}  // namespace meridian::spec
