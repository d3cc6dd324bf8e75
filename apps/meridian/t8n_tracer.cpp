#include "t8n_tracer.hpp"

#include <meridian/rpc/tracing.hpp>

#include <boost/json/parse.hpp>

#include <CLI/CLI.hpp>

namespace meridian::app {
namespace {

class NamedTracer final : public spec::T8nTracer {
public:
    explicit NamedTracer(const rpc::TraceConfig& config) : m_tracer(rpc::make_tracer(config)) {}

    void begin(const spec::T8nTraced& subject) override { m_tracer->begin(as_rpc(subject)); }
    boost::json::value result(const spec::T8nTraced& subject) override {
        return m_tracer->result(as_rpc(subject));
    }
    void on_enter(const evm::Message& message, BytesView code) override { m_tracer->on_enter(message, code); }
    void on_exit(const evm::Message& message, const evm::CallResult& result) override {
        m_tracer->on_exit(message, result);
    }
    void on_step(const evm::Step& step) override { m_tracer->on_step(step); }
    void on_selfdestruct(const Address& contract, const Address& beneficiary, const u256& balance) override {
        m_tracer->on_selfdestruct(contract, beneficiary, balance);
    }
    void on_log(const state::Log& log) override { m_tracer->on_log(log); }

private:
    static rpc::TraceSubject as_rpc(const spec::T8nTraced& subject) {
        return {.txn = subject.txn,
                .sender = subject.sender,
                .coinbase = subject.coinbase,
                .revision = subject.revision,
                .before = &subject.before,
                .after = subject.after,
                .outcome = subject.outcome};
    }

    std::unique_ptr<rpc::TransactionTracer> m_tracer;
};

boost::json::value parse_options(const std::string& options) {
    boost::json::parse_options limits;
    limits.max_depth = 16;
    boost::system::error_code error;
    auto out = boost::json::parse(options, error, {}, limits);
    if (error)
        throw CLI::ValidationError("--trace.jsonconfig", "not JSON: " + error.message());
    return out;
}

}  // namespace

std::function<std::unique_ptr<spec::T8nTracer>()> named_tracer(const std::string& name,
                                                               const std::string& options) {
    boost::json::object settings{{"tracer", name}};
    if (!options.empty())
        settings["tracerConfig"] = parse_options(options);
    try {
        const rpc::TraceConfig config = rpc::read_trace_config(settings);
        rpc::make_tracer(config);
        return [config] { return std::make_unique<NamedTracer>(config); };
    } catch (const std::exception& error) {  // whatever the reader of options throws
        throw CLI::ValidationError(options.empty() ? "--trace.tracer" : "--trace.tracer, --trace.jsonconfig",
                                   error.what());
    }
}

}  // namespace meridian::app
