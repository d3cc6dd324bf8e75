// Execution traces as JSON lines, in the form of EIP-3155 that geth's `evm` prints.
#pragma once

#include <meridian/evm/tracer.hpp>

#include <cstdio>
#include <string>
#include <vector>

namespace meridian::spec {

struct TraceOptions {
    bool memory = false;
    bool stack = true;
    bool return_data = false;
    // Also a line at the beginning and the end of each inner call.
    bool call_frames = false;
};

// "PUSH1"; geth's words for what is no instruction.
std::string opcode_name(std::uint8_t opcode);

class StepPrinter final : public evm::Tracer {
public:
    // Neither is owned. The revision is that of the traced execution.
    StepPrinter(const TraceOptions& options, evm::Revision revision, std::FILE* out)
        : m_options(options), m_revision(revision), m_out(out) {}

    void on_enter(const evm::Message& message, BytesView code) override;
    void on_exit(const evm::Message& message, const evm::CallResult& result) override;
    void on_step(const evm::Step& step) override;
    void on_selfdestruct(const Address& contract, const Address& beneficiary, const u256& balance) override;
    void on_log(const state::Log&) override {}

private:
    // What of a frame's last step is needed to print it again if the instruction fails.
    struct LastStep {
        evm::Step step;
        std::vector<u256> stack;
        Bytes memory;
        bool printed = false;
        bool failed = false;
        std::string error;  // geth's words where they differ from the status's
    };

    void hold(const evm::Step& step);
    void flush();
    void print(const evm::Step& step, std::string_view error);
    void print_fault(LastStep& last, evm::Status status);
    void print_frame(std::string_view type, const Address& from, const Address& to, std::int64_t gas,
                     const u256& value, BytesView input);
    void print_end(BytesView output, std::int64_t gas_used, std::string_view error);

    bool lacks_cold_access(const evm::Step& step) const noexcept;

    const TraceOptions& m_options;
    evm::Revision m_revision;
    std::FILE* m_out;
    std::vector<LastStep> m_frames;
    // An instruction whose refund geth counts before it prints: it waits for the next event.
    LastStep m_held;
    bool m_holding = false;
    std::string m_line;
};

}  // namespace meridian::spec
