// The struct logger: every step of an execution.
#include <meridian/rpc/opcode.hpp>
#include <meridian/rpc/tracing.hpp>

#include <algorithm>
#include <map>

namespace meridian::rpc {
namespace {

// What a step, a word and a slot take in the result, about.
constexpr std::size_t kStepBytes = 320;
constexpr std::size_t kWordBytes = 60;
constexpr std::size_t kSlotBytes = 260;

class StructTracer final : public TransactionTracer {
public:
    explicit StructTracer(const TraceConfig& config) : m_config(config) {}

    void on_step(const evm::Step& step) override {
        settle_load(step);
        if (m_config.limit != 0 && m_logs.size() >= m_config.limit)
            return;
        if (m_config.steps_max != 0 && m_logs.size() >= m_config.steps_max)
            refuse("the trace is too large; limit it or use callTracer");
        m_config.charge(kStepBytes);
        json::object log{{"pc", step.pc},
                         {"op", opcode_name(step.opcode)},
                         {"gas", step.gas},
                         {"gasCost", step.cost},
                         {"depth", step.depth}};
        if (step.status != evm::Status::Success)
            log["error"] = describe_status(step.status, LastInstruction{step.opcode, step.stack.size()});
        if (!m_config.disable_stack)
            log["stack"] = stack_of(step);
        if (m_config.enable_return_data && !step.return_data.empty())
            log["returnData"] = return_data_of(step);
        if (m_config.enable_memory && !step.memory.empty())
            log["memory"] = memory_of(step);
        if (step.refund != 0)
            log["refund"] = step.refund;
        m_logs.push_back(std::move(log));
        if (!m_config.disable_storage)
            note_storage(step);
    }

    void on_exit(const evm::Message&, const evm::CallResult&) override { m_load.reset(); }

    json::value result(const TraceSubject& subject) override {
        const auto& outcome = *subject.outcome;
        const bool failed = outcome.status != evm::Status::Success;
        const bool reverted = outcome.status == evm::Status::Revert;
        return json::object{
            {"gas", outcome.receipt.gas_used},
            {"failed", failed},
            {"returnValue", hex_data(failed && !reverted ? BytesView{} : BytesView{outcome.output})},
            {"structLogs", std::move(m_logs)}};
    }

private:
    struct Load {
        Address contract;
        u256 key;
        std::int32_t depth;
        std::size_t log;
    };

    json::array stack_of(const evm::Step& step) {
        m_config.charge(step.stack.size() * kWordBytes);
        json::array out;
        for (const u256& word : step.stack)
            out.push_back(quantity(word));
        return out;
    }

    json::value return_data_of(const evm::Step& step) {
        m_config.charge(step.return_data.size() * 2);
        return hex_data(step.return_data);
    }

    json::array memory_of(const evm::Step& step) {
        m_config.charge(step.memory.size() * 4);
        json::array out;
        for (std::size_t i = 0; i < step.memory.size(); i += 32)
            out.push_back(
                hex_data(step.memory.subspan(i, std::min<std::size_t>(32, step.memory.size() - i))));
        return out;
    }

    void note_storage(const evm::Step& step) {
        if (step.status != evm::Status::Success)
            return;
        const std::size_t size = step.stack.size();
        if (step.opcode == op::kSstore && size >= 2) {
            m_storage[step.contract][step.stack[size - 1]] = step.stack[size - 2];
            show_storage(step.contract, m_logs.size() - 1);
        } else if (step.opcode == op::kSload && size >= 1) {
            m_load = Load{step.contract, step.stack[size - 1], step.depth, m_logs.size() - 1};
        }
    }

    // What SLOAD found is on the stack when the next step begins.
    void settle_load(const evm::Step& next) {
        if (!m_load || next.depth != m_load->depth || next.stack.empty())
            return;
        m_storage[m_load->contract][m_load->key] = next.stack.back();
        show_storage(m_load->contract, m_load->log);
        m_load.reset();
    }

    // The slots of the contract known so far.
    void show_storage(const Address& contract, std::size_t log) {
        m_config.charge(m_storage[contract].size() * kSlotBytes);
        json::object out;
        for (const auto& [key, value] : m_storage[contract])
            out[text_of(hex_data(to_hash(key)).get_string())] = hex_data(to_hash(value));
        m_logs[log].get_object()["storage"] = std::move(out);
    }

    TraceConfig m_config;
    json::array m_logs;
    std::map<Address, std::map<u256, u256>> m_storage;
    std::optional<Load> m_load;
};

}  // namespace

std::unique_ptr<TransactionTracer> make_struct_tracer(const TraceConfig& config) {
    return std::make_unique<StructTracer>(config);
}

}  // namespace meridian::rpc
