#include <meridian/rpc/call_args.hpp>
#include <meridian/rpc/tracing.hpp>

#include <map>

namespace meridian::rpc {
namespace {

// Counts calls by selector and size of the arguments.
class FourByteTracer final : public TransactionTracer {
public:
    void begin(const TraceSubject& subject) override { m_revision = subject.revision; }
    void on_enter(const evm::Message& message, BytesView) override {
        const bool creation = message.kind == evm::CallKind::Create || message.kind == evm::CallKind::Create2;
        if (creation || message.input.size() < 4 || is_precompile(message.code_address, m_revision))
            return;
        ++m_counts[std::string(text_of(hex_data(message.input.first(4)).get_string())) + "-" +
                   std::to_string(message.input.size() - 4)];
    }
    json::value result(const TraceSubject&) override {
        json::object out;
        for (const auto& [key, count] : m_counts)
            out[key] = count;
        return out;
    }

private:
    evm::Revision m_revision = evm::Revision::Osaka;
    std::map<std::string, std::uint64_t> m_counts;
};

class NoopTracer final : public TransactionTracer {
public:
    json::value result(const TraceSubject&) override { return json::object{}; }
};

void read_flag(const json::object& object, const char* name, bool& flag) {
    if (const auto* value = member(object, name))
        flag = read_bool(*value);
}

}  // namespace

TraceConfig read_trace_config(const json::value& value) {
    const json::object& object = read_object(value, "tracers.TraceConfig");
    TraceConfig out;
    if (const auto* tracer = member(object, "tracer"))
        out.tracer = std::string(read_text(*tracer, "string"));
    read_flag(object, "disableStack", out.disable_stack);
    read_flag(object, "disableStorage", out.disable_storage);
    read_flag(object, "enableMemory", out.enable_memory);
    read_flag(object, "enableReturnData", out.enable_return_data);
    if (const auto* limit = member(object, "limit"))
        out.limit = read_lenient_uint64(*limit);
    const auto* config = member(object, "tracerConfig");
    if (config == nullptr)
        return out;
    const json::object& options = read_object(*config, "tracerConfig");
    read_flag(options, "onlyTopCall", out.only_top_call);
    read_flag(options, "withLog", out.with_log);
    read_flag(options, "diffMode", out.diff_mode);
    read_flag(options, "disableCode", out.disable_code);
    read_flag(options, "disableStorage", out.prestate_disable_storage);
    read_flag(options, "includeEmpty", out.include_empty);
    if (out.diff_mode && out.include_empty)
        refuse("cannot use diffMode with includeEmpty");
    return out;
}

std::unique_ptr<TransactionTracer> make_four_byte_tracer() {
    return std::make_unique<FourByteTracer>();
}

std::unique_ptr<TransactionTracer> make_tracer(const TraceConfig& config) {
    if (config.tracer.empty() || config.tracer == "structLogger")
        return make_struct_tracer(config);
    if (config.tracer == "callTracer")
        return make_call_tracer(config);
    if (config.tracer == "prestateTracer")
        return make_prestate_tracer(config);
    if (config.tracer == "4byteTracer")
        return make_four_byte_tracer();
    if (config.tracer == "noopTracer")
        return std::make_unique<NoopTracer>();
    refuse("unknown tracer \"" + excerpt(config.tracer, 40) +
           "\"; there are callTracer, prestateTracer, 4byteTracer, noopTracer and, without a name, the "
           "struct logger");
}

}  // namespace meridian::rpc
