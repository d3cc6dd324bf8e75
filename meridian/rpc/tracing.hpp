// The tracers behind debug_trace*, with geth's names, options and result layouts.
#pragma once

#include <meridian/chain/executor.hpp>
#include <meridian/evm/tracer.hpp>
#include <meridian/rpc/values.hpp>

#include <memory>

namespace meridian::rpc {

struct TraceConfig {
    std::string tracer;  // empty: the struct logger
    // Struct logger.
    bool disable_stack = false;
    bool disable_storage = false;
    bool enable_memory = false;
    bool enable_return_data = false;
    std::uint64_t limit = 0;  // of steps; zero: none of the caller's
    // callTracer.
    bool only_top_call = false;
    bool with_log = false;
    // prestateTracer.
    bool diff_mode = false;
    bool disable_code = false;
    bool prestate_disable_storage = false;
    bool include_empty = false;
    // Ours.
    std::size_t steps_max = 0;
    std::uint64_t timeout_ms = 5'000;
    // What the request's tracers keep, all transactions together.
    std::shared_ptr<std::size_t> bytes = std::make_shared<std::size_t>(0);

    // Counts what a tracer is going to keep. Throws RpcError beyond the bound.
    void charge(std::size_t size) const;
};

// The timeout is a duration in Go's notation ("300ms", "1m30s").
TraceConfig read_trace_config(const json::value& value);

// A traced transaction, before (without outcome) and after its execution.
struct TraceSubject {
    const chain::Transaction& txn;
    Address sender;
    Address coinbase;
    evm::Revision revision;
    state::StateReader* before;
    state::StateReader* after = nullptr;
    const chain::TxnOutcome* outcome = nullptr;
    std::uint64_t log_index = 0;  // of the transaction's first log in its block
};

class TransactionTracer : public evm::Tracer {
public:
    // Called before and after the execution that this observes.
    virtual void begin(const TraceSubject&) {}
    virtual json::value result(const TraceSubject& subject) = 0;

    void on_enter(const evm::Message&, BytesView) override {}
    void on_exit(const evm::Message&, const evm::CallResult&) override {}
    void on_step(const evm::Step&) override {}
    void on_selfdestruct(const Address&, const Address&, const u256&) override {}
    void on_log(const state::Log&) override {}
};

// Throws RpcError for an unknown tracer. The tracer throws RpcError out of the execution when too much is
// kept.
std::unique_ptr<TransactionTracer> make_tracer(const TraceConfig& config);

std::unique_ptr<TransactionTracer> make_struct_tracer(const TraceConfig& config);
std::unique_ptr<TransactionTracer> make_call_tracer(const TraceConfig& config);
std::unique_ptr<TransactionTracer> make_prestate_tracer(const TraceConfig& config);
std::unique_ptr<TransactionTracer> make_four_byte_tracer();

}  // namespace meridian::rpc
