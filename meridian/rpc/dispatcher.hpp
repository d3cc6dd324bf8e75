// JSON-RPC 2.0: from the text of a request, single or batch, to the text of the answer.
//
// Never throws and never fails: whatever is wrong becomes an error object.
#pragma once

#include <meridian/rpc/method.hpp>
#include <meridian/rpc/method_filter.hpp>
#include <meridian/rpc/service.hpp>

#include <chrono>
#include <expected>
#include <map>

namespace meridian::rpc {

// Told what each request came to. On the thread that answers; must not wait.
class RequestObserver {
public:
    virtual ~RequestObserver() = default;
    // `method` is a name of the table, or empty for a method that is not there. The time is that until the
    // answer, waiting included.
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
    // Executes. Empty if nothing is to be answered (notifications only). Nothing waits here: what would have
    // to is told at once that its time is up.
    std::string answer(json::value request, Session* session);
    // Both in one.
    std::string handle(std::string_view text, Session* session = nullptr);

    Service& service() noexcept { return m_service; }
    const Limits& limits() const noexcept { return m_service.limits(); }
    const MethodFilter& filter() const noexcept { return m_filter; }
    RequestObserver* observer() const noexcept { return m_observer; }

private:
    Service& m_service;
    MethodFilter m_filter;
    RequestObserver* m_observer;
};

// One request or batch being answered, in turns, so that whoever owns the chain can serve others in between,
// or give up. Items of a batch begin in their order; while some of them wait the next ones begin. The answers
// are in the order of the items. They share a time to begin in, from the construction on, and a size of the
// answer.
class Exchange {
public:
    // The dispatcher and the session have to outlive this.
    Exchange(Dispatcher& dispatcher, json::value request, Session* session, ClientId client = kNobody);
    ~Exchange();
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

    // How many requests it is; at least 1.
    std::size_t items() const noexcept { return m_size == 0 ? 1 : m_size; }
    // Before the first step(): every item is answered with this error, and needs no access to the chain.
    void refuse(RpcError error) { m_refusal = std::move(error); }

    enum class State : std::uint8_t {
        More,     // has had its turn, and wants another
        Waiting,  // wants one when it is woken
        Done,     // take() it and call nothing more
    };
    // Goes on for one turn. `wake` is called at most once, on the chain's thread, if the state is Waiting.
    // An exchange that waits may be destroyed on any thread; then `wake` is not called any more.
    State step(std::function<void()> wake);
    // While it waits: whether that is for readers, and so for work that is done for it.
    bool reading() const;
    // Gives up waiting: step() will tell so.
    void expire();
    // Empty if nothing is to be answered.
    std::string take() { return std::move(m_out); }

private:
    class Item;
    struct Waker;
    struct Open;

    bool refuse_batch();
    void begin_next();
    bool resume_ready();
    bool may_begin() const;
    void await(Item& item);
    void close(Item& item);
    void join();

    Dispatcher& m_dispatcher;
    json::value m_request;  // null once every item has begun
    Session* m_session;
    ClientId m_client;
    std::chrono::steady_clock::time_point m_deadline;
    std::size_t m_size = 1;
    bool m_batch = false;
    std::size_t m_next = 0;
    std::size_t m_bytes = 0;
    bool m_full = false;
    std::optional<RpcError> m_refusal;
    std::map<std::size_t, Open> m_open;  // begun, and not answered
    std::size_t m_works = 0;             // of them, what is_work()
    std::vector<std::string> m_answers;
    std::shared_ptr<Waker> m_waker;
    std::string m_out;
};

// A finished answer without a request's identifier.
std::string error_answer(ErrorCode code, std::string_view message);

}  // namespace meridian::rpc
