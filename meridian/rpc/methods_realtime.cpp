// Waiting in place of polling: for a receipt (EIP-7966, and as MegaETH offers it), and for a nonce.
#include <meridian/rpc/call_runner.hpp>
#include <meridian/rpc/read_pool.hpp>
#include <meridian/rpc/submission.hpp>

namespace meridian::rpc {
namespace {

// One that is not within the bounds counts as none (EIP-7966).
std::uint64_t receipt_limit(const Call& call) {
    const Limits& limits = call.service.limits();
    if (!call.args.has(1))
        return limits.receipt_ms;
    const u256 wanted = call.args.get(1, read_lenient_quantity);
    return wanted == u256{} || wanted > limits.receipt_ms_max ? limits.receipt_ms : wanted[0];
}

LaterPtr send_raw_transaction_sync(const Call& call) {
    return submit_and_wait(call, call.args.get(0, read_data), {receipt_limit(call), true, receipt_timeout});
}

RpcError realtime_expired(Service&, const Hash&, std::uint64_t) {
    return {ErrorCode::Default, "realtime transaction expired"};
}

LaterPtr realtime_send_raw_transaction(const Call& call) {
    return submit_and_wait(call, call.args.get(0, read_data),
                           {call.service.limits().receipt_ms_max, false, realtime_expired});
}

// --- eth_callAfter --------------------------------------------------------------------------------------

struct NonceCondition {
    Address account;
    std::uint64_t nonce = 0;
    std::uint64_t timeout_ms = 0;
};

NonceCondition read_nonce_condition(const json::value& value, std::uint64_t timeout_ms_max) {
    const json::object& object = read_object(value, "NonceCondition");
    NonceCondition out;
    const auto account = optional_member(object, "account", read_address);
    const auto nonce = optional_member(object, "nonce", read_lenient_uint64);
    if (!account || !nonce)
        throw ValueError(account ? "missing nonce" : "missing account");
    out.account = *account;
    out.nonce = *nonce;
    out.timeout_ms = optional_member(object, "timeout", read_lenient_uint64).value_or(timeout_ms_max);
    if (out.timeout_ms > timeout_ms_max)
        throw ValueError("timeout above " + std::to_string(timeout_ms_max) + " ms");
    return out;
}

class CallAfterLater final : public Later {
public:
    CallAfterLater(const Call& call, CallArgs args, const NonceCondition& condition)
        : m_service(call.service),
          m_client(call.client),
          m_ticket(m_service.waiting().admit(m_client)),
          m_args(std::move(args)),
          m_condition(condition) {}

    std::optional<std::string> resume() override {
        if (m_reading) {
            if (m_reading->ready() || expired())
                return m_reading->resume();
            wait();
            return std::nullopt;
        }
        if (nonce() >= m_condition.nonce)
            return run();
        if (expired())
            throw RpcError(ErrorCode::TimedOut, "nonce " + std::to_string(m_condition.nonce) +
                                                    " was not reached within " +
                                                    format_duration(m_condition.timeout_ms));
        WaitingRoom& room = m_service.waiting();
        room.await_nonce(shared_from_this(), m_condition.account, m_condition.nonce);
        if (!std::exchange(m_limited, true))
            room.add(shared_from_this(),
                     WaitingRoom::Clock::now() + std::chrono::milliseconds(m_condition.timeout_ms));
        wait();
        return std::nullopt;
    }

private:
    std::uint64_t nonce() {
        return m_service.chain().head_state().account(m_condition.account).value_or(state::Account{}).nonce;
    }
    std::optional<std::string> run() {
        if (m_service.readers() == nullptr)
            return json::serialize(execute(m_service, m_args));
        m_reading = ReadLater::start(m_service, m_client,
                                     [args = m_args](Service& reader) { return execute(reader, args); });
        m_reading->set_waker([later = weak_from_this()] {
            if (const LaterPtr waiting = later.lock())
                waiting->wake();
        });
        wait();
        return std::nullopt;
    }
    static json::value execute(Service& service, const CallArgs& args) {
        CallRunner runner(service, args, {});
        const chain::TxnOutcome outcome = runner.execute();
        runner.throw_if_failed(outcome);
        return hex_data(outcome.output);
    }

    Service& m_service;
    ClientId m_client;
    WaitingRoom::Ticket m_ticket;
    CallArgs m_args;
    NonceCondition m_condition;
    bool m_limited = false;
    std::shared_ptr<ReadLater> m_reading;  // once the nonce is reached
};

LaterPtr call_after(const Call& call) {
    const CallArgs args = call.args.get(0, read_call_args);
    const std::uint64_t timeout_ms_max = call.service.limits().call_after_ms_max;
    const NonceCondition condition =
        call.args.get(1, [&](const json::value& v) { return read_nonce_condition(v, timeout_ms_max); });
    return std::make_shared<CallAfterLater>(call, args, condition);
}

}  // namespace

std::span<const Method> realtime_methods() {
    static const Param kRaw{"transaction", "Data"};
    static const Method kMethods[] = {
        {"eth_sendRawTransactionSync",
         "Takes a signed transaction into the pool and waits for its receipt, for so many milliseconds "
         "(EIP-7966)",
         {kRaw, {"timeout", "Quantity", false}},
         "Receipt",
         nullptr,
         send_raw_transaction_sync},
        {"realtime_sendRawTransaction",
         "The same as MegaETH offers it",
         {kRaw},
         "Receipt",
         nullptr,
         realtime_send_raw_transaction},
        {"eth_callAfter",
         "Waits until an account's nonce is at least so high, for so many milliseconds, and then executes a "
         "call as eth_call does",
         {{"transaction", "Call"}, {"condition", "{account, nonce, timeout}"}},
         "Data",
         nullptr,
         call_after},
    };
    return kMethods;
}

}  // namespace meridian::rpc
