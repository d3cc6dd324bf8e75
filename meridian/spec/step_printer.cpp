#include <meridian/spec/step_printer.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/evm/instructions.hpp>

#include <algorithm>
#include <charconv>

namespace meridian::spec {
namespace {

// EIP-2929.
constexpr std::int64_t kColdAccessCost = 2600;
constexpr std::int64_t kWarmAccessCost = 100;

void append_number(std::string& out, std::uint64_t value, int base) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value, base).ptr;
    out.append(digits, static_cast<std::size_t>(end - digits));
}

void append_hex(std::string& out, std::int64_t value) {
    out += "\"0x";
    append_number(out, static_cast<std::uint64_t>(value < 0 ? 0 : value), 16);
    out += '"';
}

// Failures that geth notices before it executes the instruction, and so reports in the step's own line.
bool precedes_execution(evm::Status status) noexcept {
    return status == evm::Status::OutOfGas || status == evm::Status::StackUnderflow ||
           status == evm::Status::StackOverflow;
}

std::string_view kind_name(evm::CallKind kind) noexcept {
    switch (kind) {
        case evm::CallKind::Call:
            return "CALL";
        case evm::CallKind::CallCode:
            return "CALLCODE";
        case evm::CallKind::DelegateCall:
            return "DELEGATECALL";
        case evm::CallKind::StaticCall:
            return "STATICCALL";
        case evm::CallKind::Create:
            return "CREATE";
        case evm::CallKind::Create2:
            return "CREATE2";
    }
    return "";
}

}  // namespace

std::string opcode_name(std::uint8_t opcode) {
    const std::string_view name = evm::kInstructions[opcode].name;
    if (!name.empty())
        return std::string(name);
    std::string out = "opcode 0x";
    append_number(out, opcode, 16);
    return out + " not defined";
}

void StepPrinter::on_enter(const evm::Message& message, BytesView) {
    flush();
    m_frames.emplace_back();
    if (m_options.call_frames)
        print_frame(kind_name(message.kind), message.sender, message.recipient, message.gas, message.value,
                    message.input);
}

void StepPrinter::on_exit(const evm::Message& message, const evm::CallResult& result) {
    flush();
    std::string error(evm::describe(result.status));
    if (!m_frames.empty()) {
        LastStep& last = m_frames.back();
        if (!last.error.empty())
            error = last.error;
        if (result.status != evm::Status::Success && last.printed && !last.failed &&
            (result.status == evm::Status::Revert || !precedes_execution(result.status)))
            print_fault(last, result.status);
        m_frames.pop_back();
    }
    print_end(result.output, message.gas - result.gas_left, error);
}

void StepPrinter::on_step(const evm::Step& step) {
    if (m_holding)
        m_held.step.refund = step.refund;
    flush();
    const bool early = precedes_execution(step.status);
    std::string error(early ? evm::describe(step.status) : std::string_view{});
    if (step.opcode == static_cast<std::uint8_t>(evm::Op::Sstore) && !early) {
        hold(step);
    } else if (lacks_cold_access(step)) {
        error += ": " + error;
        evm::Step charged = step;
        charged.cost = kWarmAccessCost;
        print(charged, error);
    } else {
        print(step, error);
    }
    if (m_frames.empty())
        return;
    LastStep& last = m_frames.back();
    last.step = step;
    last.printed = true;
    last.failed = early;
    last.error = std::move(error);
    const auto inputs = std::min<std::size_t>(step.stack.size(), evm::kInstructions[step.opcode].pops);
    last.stack.assign(step.stack.begin(), step.stack.end() - static_cast<std::ptrdiff_t>(inputs));
    if (m_options.memory)
        last.memory = to_bytes(step.memory);
    else
        last.memory.resize(step.memory.size());
}

void StepPrinter::on_selfdestruct(const Address& contract, const Address& beneficiary, const u256& balance) {
    flush();
    if (!m_options.call_frames)
        return;
    print_frame("SELFDESTRUCT", contract, beneficiary, 0, balance, {});
    print_end({}, 0, {});
}

void StepPrinter::hold(const evm::Step& step) {
    m_held.step = step;
    m_held.stack.assign(step.stack.begin(), step.stack.end());
    m_held.memory = to_bytes(step.memory);
    m_held.step.stack = m_held.stack;
    m_held.step.memory = m_held.memory;
    m_held.step.return_data = {};
    m_holding = true;
}

void StepPrinter::flush() {
    if (!m_holding)
        return;
    m_holding = false;
    print(m_held.step, {});
}

// geth charges a call's cold access before it computes the rest of the cost, and so shows neither if the gas
// does not suffice for it (EIP-2929).
bool StepPrinter::lacks_cold_access(const evm::Step& step) const noexcept {
    const auto op = static_cast<evm::Op>(step.opcode);
    const bool is_call = op == evm::Op::Call || op == evm::Op::Callcode || op == evm::Op::Delegatecall ||
                         op == evm::Op::Staticcall;
    return is_call && m_revision >= evm::Revision::Berlin && step.status == evm::Status::OutOfGas &&
           step.gas < kColdAccessCost && step.gas >= kWarmAccessCost && step.cost >= kColdAccessCost;
}

// The line of an instruction that failed as it executed comes a second time, with its operands gone.
void StepPrinter::print_fault(LastStep& last, evm::Status status) {
    last.step.stack = last.stack;
    last.step.memory = last.memory;
    last.step.return_data = {};
    print(last.step, evm::describe(status));
}

void StepPrinter::print(const evm::Step& step, std::string_view error) {
    m_line = "{\"pc\":";
    append_number(m_line, step.pc, 10);
    m_line += ",\"op\":";
    append_number(m_line, step.opcode, 10);
    m_line += ",\"gas\":";
    append_hex(m_line, step.gas);
    m_line += ",\"gasCost\":";
    append_hex(m_line, step.cost);
    if (m_options.memory && !step.memory.empty())
        m_line += ",\"memory\":\"" + to_hex0x(step.memory) + '"';
    m_line += ",\"memSize\":";
    append_number(m_line, step.memory.size(), 10);
    m_line += ",\"stack\":";
    if (m_options.stack) {
        m_line += '[';
        for (std::size_t i = 0; i < step.stack.size(); ++i)
            m_line += (i == 0 ? "\"" : ",\"") + to_quantity(step.stack[i]) + '"';
        m_line += ']';
    } else {
        m_line += "null";
    }
    if (m_options.return_data && !step.return_data.empty())
        m_line += ",\"returnData\":\"" + to_hex0x(step.return_data) + '"';
    m_line += ",\"depth\":";
    append_number(m_line, static_cast<std::uint64_t>(step.depth), 10);
    m_line += ",\"refund\":";
    append_number(m_line, static_cast<std::uint64_t>(step.refund), 10);
    m_line += ",\"opName\":\"" + opcode_name(step.opcode) + '"';
    if (!error.empty())
        m_line += ",\"error\":\"" + std::string(error) + '"';
    m_line += "}\n";
    std::fwrite(m_line.data(), 1, m_line.size(), m_out);
}

void StepPrinter::print_frame(std::string_view type, const Address& from, const Address& to, std::int64_t gas,
                              const u256& value, BytesView input) {
    m_line = "{\"from\":\"" + to_hex0x(from) + "\",\"to\":\"" + to_hex0x(to) + '"';
    if (!input.empty())
        m_line += ",\"input\":\"" + to_hex0x(input) + '"';
    m_line += ",\"gas\":";
    append_hex(m_line, gas);
    m_line += ",\"value\":\"" + to_quantity(value) + "\",\"type\":\"" + std::string(type) + "\"}\n";
    std::fwrite(m_line.data(), 1, m_line.size(), m_out);
}

void StepPrinter::print_end(BytesView output, std::int64_t gas_used, std::string_view error) {
    m_line = "{\"output\":\"" + to_hex(output) + "\",\"gasUsed\":";
    append_hex(m_line, gas_used);
    if (!error.empty())
        m_line += ",\"error\":\"" + std::string(error) + '"';
    m_line += "}\n";
    std::fwrite(m_line.data(), 1, m_line.size(), m_out);
}

}  // namespace meridian::spec
