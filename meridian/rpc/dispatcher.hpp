// JSON-RPC 2.0: from the text of a request, single or batch, to the text of the answer.
//
// Never throws and never fails: whatever is wrong becomes an error object.
#pragma once

#include <meridian/rpc/method.hpp>
#include <meridian/rpc/method_filter.hpp>
#include <meridian/rpc/service.hpp>

#include <chrono>
#include <expected>

namespace meridian::rpc {

// Told what each request came to. On the thread that answers; must not wait.
class RequestObserver {
public:
    virtual ~RequestObserver() = default;
    // `method` is a name of the table, or empty for a method that is not there.
    virtual void on_request(std::string_view method, std::optional<ErrorCode> error,
                            std::uint64_t duration_us) = 0;
};

class Dispatcher {
public:
    // The observer outlives this; null: nobody counts.
    explicit Dispatcher(Service& service, MethodFilter filter = {}, RequestObserver* observer = nullptr)
        : m_service(service), m_filter(std::move(filter)), m_observer(observer) {}

    // Needs no access to the chain, so any thread may call it. The error is a finished answer.
    static std::expected<json::value, std::string> parse(std::string_view text, const Limits& limits);
    // Executes. Empty if nothing is to be answered (notifications only).
    std::string answer(json::value request, Session* session);
    // Both in one.
    std::string handle(std::string_view text, Session* session = nullptr);

    const Limits& limits() const noexcept { return m_service.limits(); }

private:
    friend class Exchange;

    // Empty for a notification. With a refusal the method is not called, and that is its error.
    std::string answer_one(const json::value& request, Session* session, const RpcError* refusal = nullptr);
    json::value invoke(std::string_view name, const json::value* params, Session* session);

    Service& m_service;
    MethodFilter m_filter;
    RequestObserver* m_observer;
};

// One request or batch being answered, an item at a time, so that whoever owns the chain can serve others in
// between, or give up. The batch's items share a time, from the construction on, and a size of the answer.
class Exchange {
public:
    // The dispatcher and the session have to outlive this.
    Exchange(Dispatcher& dispatcher, json::value request, Session* session);

    // How many requests it is; at least 1.
    std::size_t items() const;
    // Before the first step(): every item is answered with this error, and needs no access to the chain.
    void refuse(RpcError error) { m_refusal = std::move(error); }
    // Answers the next item. True if it was the last one: then take() it and call nothing more.
    bool step();
    // Empty if nothing is to be answered.
    std::string take() { return std::move(m_out); }

private:
    void append(const json::value& request);

    Dispatcher& m_dispatcher;
    json::value m_request;
    Session* m_session;
    std::chrono::steady_clock::time_point m_deadline;
    std::size_t m_next = 0;
    std::optional<RpcError> m_refusal;
    bool m_full = false;
    std::string m_out;
};

// A finished answer without a request's identifier.
std::string error_answer(ErrorCode code, std::string_view message);

}  // namespace meridian::rpc
