#include <meridian/rpc/call_args.hpp>
#include <meridian/rpc/tracing.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
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

constexpr std::size_t kTraceBytesMax = 128 << 20;
// In nanoseconds; zero if there is no such unit.
double unit_ns(std::string_view unit) {
    static constexpr std::pair<std::string_view, double> kUnits[] = {
        {"ns", 1}, {"us", 1e3}, {"\xc2\xb5s", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
    for (const auto& [name, size] : kUnits)
        if (unit == name)
            return size;
    return 0;
}

// In milliseconds, at least one. Go's notation: numbers, each with a unit, one after another.
std::uint64_t read_duration(const json::value& value) {
    const std::string_view text = read_text(value, "string");
    const auto bad = [&] { return ValueError("time: invalid duration \"" + excerpt(text, 40) + "\""); };
    constexpr double kMax = 24 * 3600e9;
    double total = 0;
    std::string_view rest = text;
    if (rest.empty())
        throw bad();
    while (!rest.empty() && text != "0") {
        const std::size_t digits = std::min(rest.find_first_not_of("0123456789."), rest.size());
        double count = 0;
        const auto read = std::from_chars(rest.data(), rest.data() + digits, count, std::chars_format::fixed);
        if (digits == 0 || read.ec != std::errc{} || read.ptr != rest.data() + digits)
            throw bad();
        rest.remove_prefix(digits);
        const std::size_t letters = std::min(rest.find_first_of("0123456789."), rest.size());
        if (letters == 0)
            throw ValueError("time: missing unit in duration \"" + excerpt(text, 40) + "\"");
        const double unit = unit_ns(rest.substr(0, letters));
        if (unit == 0)
            throw bad();
        rest.remove_prefix(letters);
        total = std::min(kMax, total + count * unit);
    }
    return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(total / 1e6));
}

void read_flag(const json::object& object, const char* name, bool& flag) {
    if (const auto* value = member(object, name))
        flag = read_within(name, read_bool, *value);
}

std::string_view read_name(const json::value& value) {
    return read_text(value, "string");
}

void read_tracer_config(const json::value& value, TraceConfig& out) {
    const json::object& options = read_object(value, "tracerConfig");
    read_flag(options, "onlyTopCall", out.only_top_call);
    read_flag(options, "withLog", out.with_log);
    read_flag(options, "diffMode", out.diff_mode);
    read_flag(options, "disableCode", out.disable_code);
    read_flag(options, "disableStorage", out.prestate_disable_storage);
    read_flag(options, "includeEmpty", out.include_empty);
}

}  // namespace

void TraceConfig::charge(std::size_t size) const {
    *bytes += size;
    if (*bytes > kTraceBytesMax)
        refuse("the trace is too large; limit it or use callTracer");
}

TraceConfig read_trace_config(const json::value& value) {
    const json::object& object = read_object(value, "tracers.TraceConfig");
    TraceConfig out;
    if (const auto* tracer = member(object, "tracer"))
        out.tracer = std::string(read_within("tracer", read_name, *tracer));
    read_flag(object, "disableStack", out.disable_stack);
    read_flag(object, "disableStorage", out.disable_storage);
    read_flag(object, "enableMemory", out.enable_memory);
    read_flag(object, "enableReturnData", out.enable_return_data);
    if (const auto* limit = member(object, "limit"))
        out.limit = read_within("limit", read_lenient_uint64, *limit);
    if (const auto* timeout = member(object, "timeout"))
        out.timeout_ms = read_within("timeout", read_duration, *timeout);
    const auto* config = member(object, "tracerConfig");
    if (config == nullptr)
        return out;
    read_within("tracerConfig", [&](const json::value& v) { read_tracer_config(v, out); }, *config);
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
