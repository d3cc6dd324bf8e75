// callTracer: the tree of calls.
#include <meridian/rpc/call_args.hpp>
#include <meridian/rpc/opcode.hpp>
#include <meridian/rpc/tracing.hpp>

namespace meridian::rpc {
namespace {

using evm::CallKind;

constexpr std::size_t kFrameBytes = 1'000;  // what a call or a log takes here and in the result, about

struct Frame {
    std::string_view type;
    Address from;
    std::optional<Address> to;
    std::optional<u256> value;
    std::int64_t gas = 0;
    std::int64_t gas_used = 0;
    Bytes input;
    Bytes output;
    evm::Status status = evm::Status::Success;
    std::string error;
    std::vector<json::object> logs;
    std::vector<Frame> calls;
};

std::string_view type_of(const evm::Message& message) {
    switch (message.kind) {
        case CallKind::Call:
            return message.is_static && message.depth > 0 ? "STATICCALL" : "CALL";
        case CallKind::CallCode:
            return "CALLCODE";
        case CallKind::DelegateCall:
            return "DELEGATECALL";
        case CallKind::StaticCall:
            return "STATICCALL";
        case CallKind::Create:
            return "CREATE";
        case CallKind::Create2:
            break;
    }
    return "CREATE2";
}

bool is_creation(std::string_view type) {
    return type.starts_with("CREATE");
}

// Logs of a failed frame and of everything below it were undone.
void clear_failed_logs(Frame& frame, bool parent_failed) {
    const bool failed = parent_failed || frame.status != evm::Status::Success;
    if (failed)
        frame.logs.clear();
    for (Frame& call : frame.calls)
        clear_failed_logs(call, failed);
}

void add_outcome(json::object& out, const Frame& frame) {
    if (frame.status == evm::Status::Success) {
        if (!frame.output.empty())
            out["output"] = hex_data(frame.output);
        return;
    }
    out["error"] = frame.error;
    if (frame.status != evm::Status::Revert || frame.output.empty())
        return;
    out["output"] = hex_data(frame.output);
    const std::string message = revert_message(frame.output);
    static constexpr std::string_view kPrefix = "execution reverted: ";
    if (message.starts_with(kPrefix))
        out["revertReason"] = message.substr(kPrefix.size());
}

json::object format(Frame& frame) {
    json::object out;
    out["from"] = hex_data(frame.from);
    out["gas"] = quantity(static_cast<std::uint64_t>(frame.gas));
    out["gasUsed"] = quantity(static_cast<std::uint64_t>(frame.gas_used));
    const bool failed = frame.status != evm::Status::Success;
    if (frame.to && !(failed && is_creation(frame.type)))
        out["to"] = hex_data(*frame.to);
    out["input"] = hex_data(frame.input);
    add_outcome(out, frame);
    if (!frame.calls.empty()) {
        json::array calls;
        for (Frame& call : frame.calls)
            calls.push_back(format(call));
        out["calls"] = std::move(calls);
    }
    if (!frame.logs.empty()) {
        json::array logs;
        for (auto& log : frame.logs)
            logs.push_back(std::move(log));
        out["logs"] = std::move(logs);
    }
    if (frame.value)
        out["value"] = quantity(*frame.value);
    out["type"] = json::string(frame.type);
    return out;
}

class CallTracer final : public TransactionTracer {
public:
    explicit CallTracer(const TraceConfig& config) : m_config(config) {}

    void begin(const TraceSubject& subject) override { m_log_index = subject.log_index; }

    void on_enter(const evm::Message& message, BytesView) override {
        ++m_depth;
        if (m_config.only_top_call && m_depth > 1)
            return;
        m_config.charge(kFrameBytes + message.input.size() * 3);
        Frame frame;
        frame.type = type_of(message);
        frame.from = message.kind == CallKind::DelegateCall ? message.recipient : message.sender;
        frame.to = is_creation(frame.type) ? message.recipient : message.code_address;
        if (frame.type != "STATICCALL")
            frame.value = message.value;
        frame.gas = message.gas;
        frame.input = to_bytes(message.input);
        m_open.push_back(std::move(frame));
    }

    void on_exit(const evm::Message&, const evm::CallResult& result) override {
        --m_depth;
        if (m_config.only_top_call && m_depth > 0)
            return;
        m_config.charge(result.output.size() * 3);
        Frame frame = std::move(m_open.back());
        m_open.pop_back();
        frame.status = result.status;
        if (result.status != evm::Status::Success)
            frame.error = error_of(frame);
        frame.gas_used = frame.gas - result.gas_left;
        frame.output = result.output;
        if (m_open.empty())
            m_root = std::move(frame);
        else
            m_open.back().calls.push_back(std::move(frame));
    }

    void on_step(const evm::Step& step) override {
        m_last = {step.depth, {step.opcode, step.stack.size()}, step.status};
    }

    void on_selfdestruct(const Address& contract, const Address& beneficiary, const u256& balance) override {
        if (m_config.only_top_call || m_open.empty())
            return;
        Frame frame;
        frame.type = "SELFDESTRUCT";
        frame.from = contract;
        frame.to = beneficiary;
        frame.value = balance;
        m_open.back().calls.push_back(std::move(frame));
    }

    void on_log(const state::Log& log) override {
        if (!m_config.with_log || m_open.empty() || (m_config.only_top_call && m_depth > 1))
            return;
        m_config.charge(kFrameBytes + log.data.size() * 2);
        json::array topics;
        for (const Hash& topic : log.topics)
            topics.push_back(hex_data(topic));
        Frame& frame = m_open.back();
        frame.logs.push_back(json::object{{"address", hex_data(log.address)},
                                          {"topics", std::move(topics)},
                                          {"data", hex_data(log.data)},
                                          {"index", quantity(m_log_index++)},
                                          {"position", quantity(std::uint64_t{frame.calls.size()})}});
    }

    json::value result(const TraceSubject& subject) override {
        if (!m_root)
            refuse("the transaction executed nothing");
        m_root->gas = static_cast<std::int64_t>(subject.txn.gas_limit);
        m_root->gas_used = static_cast<std::int64_t>(subject.outcome->receipt.gas_used);
        if (m_config.with_log)
            clear_failed_logs(*m_root, false);
        return format(*m_root);
    }

private:
    struct LastStep {
        std::int32_t depth = 0;
        LastInstruction instruction;
        evm::Status status = evm::Status::Success;
    };

    // Of a frame that is ending: m_depth is its caller's already.
    std::string error_of(const Frame& frame) const {
        if (m_last.depth != m_depth + 1)
            return describe_status(frame.status);
        // A creation that came to its RETURN could not pay for the code.
        const bool returned =
            m_last.instruction.opcode == op::kReturn && m_last.status == evm::Status::Success;
        if (is_creation(frame.type) && returned && frame.status == evm::Status::OutOfGas)
            return "contract creation code storage out of gas";
        return describe_status(frame.status, m_last.instruction);
    }

    TraceConfig m_config;
    LastStep m_last;
    int m_depth = 0;
    std::vector<Frame> m_open;
    std::optional<Frame> m_root;
    std::uint64_t m_log_index = 0;
};

}  // namespace

std::unique_ptr<TransactionTracer> make_call_tracer(const TraceConfig& config) {
    return std::make_unique<CallTracer>(config);
}

}  // namespace meridian::rpc
