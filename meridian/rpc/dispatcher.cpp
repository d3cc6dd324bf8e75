#include <meridian/rpc/dispatcher.hpp>

#include <meridian/rpc/json_text.hpp>
#include <meridian/rpc/sound_reads.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <deque>

namespace meridian::rpc {
namespace {

json::object error_object(ErrorCode code, std::string_view message, const std::optional<json::value>& data) {
    json::object out{{"code", static_cast<int>(code)}, {"message", json::string(message)}};
    if (data)
        out["data"] = *data;
    return out;
}

// `content` is JSON.
std::string frame(std::string_view id, std::string_view member, std::string_view content) {
    std::string out = R"({"jsonrpc":"2.0","id":)";
    out.append(id).append(",\"").append(member).append("\":");
    return out.append(content).append("}");
}

std::string error_text(std::string_view id, const RpcError& error) {
    return frame(id, "error", json::serialize(error_object(error.code(), error.message(), error.data())));
}

// Text, a finite number or null, as it is to be echoed; nothing for what is no identifier. Numbers are
// written by hand, as the library writes 1.5 as 1.5E0.
std::optional<std::string> identifier(const json::value& id) {
    if (const auto* number = id.if_double()) {
        if (!std::isfinite(*number))
            return std::nullopt;
        char text[32];
        return std::string(text, std::to_chars(text, text + sizeof text, *number).ptr);
    }
    if (id.is_string() || id.is_number() || id.is_null())
        return json::serialize(id);
    return std::nullopt;
}

}  // namespace

std::string error_answer(ErrorCode code, std::string_view message) {
    return error_text("null", RpcError(code, std::string(message)));
}

std::expected<json::value, std::string> Dispatcher::parse(std::string_view text, const Limits& limits) {
    auto request = parse_json(text, {limits.json_depth_max, limits.json_values_max});
    if (!request)
        return std::unexpected(error_text("null", request.error()));
    return *std::move(request);
}

std::string Dispatcher::handle(std::string_view text, Session* session) {
    const auto request = parse(text, m_service.limits());
    return request ? answer(*request, session) : request.error();
}

std::string Dispatcher::answer(json::value request, Session* session) {
    Exchange exchange(*this, std::move(request), session);
    while (true) {
        switch (exchange.step({})) {
            case Exchange::State::More:
                break;
            case Exchange::State::Waiting:
                exchange.expire();
                break;
            case Exchange::State::Done:
                return exchange.take();
        }
    }
}

namespace {
const RpcError kTooLarge(ErrorCode::ResponseTooLarge, "response too large (rpc.batch_response_kib_max)");
const RpcError kInvalid(ErrorCode::InvalidRequest, "invalid request");
}  // namespace

// --- one item -------------------------------------------------------------------------------------------

class Exchange::Item {
public:
    Item(Dispatcher& dispatcher, const json::value& request, std::size_t index, ClientId client)
        : m_dispatcher(dispatcher), m_service(dispatcher.service()), m_index(index), m_client(client) {
        const auto* object = request.if_object();
        const json::value* given = object != nullptr ? object->if_contains("id") : nullptr;
        const auto id = given != nullptr ? identifier(*given) : std::string("null");
        const json::value* name = object != nullptr ? object->if_contains("method") : nullptr;
        const json::value* version = object != nullptr ? object->if_contains("jsonrpc") : nullptr;
        const bool valid_version = version != nullptr && *version == "2.0";
        m_id = id.value_or("null");
        m_valid = id && valid_version && name != nullptr && name->is_string();
        m_notification = m_valid && given == nullptr;
        if (m_valid)
            m_name = std::string(text_of(name->get_string()));
    }

    // With a refusal the method is not called, and that is its error. The parameters may be taken away.
    void begin(json::value& request, Session* session, const RpcError* refusal) {
        if (!m_valid) {
            m_answer = error_text(m_id, kInvalid);
            return;
        }
        settle([&] {
            if (refusal != nullptr)
                throw RpcError(*refusal);
            return invoke(request.get_object()["params"], session);
        });
    }
    // Precondition: ready().
    void resume() {
        settle([&] {
            return with_sound_reads(m_service.chain(),
                                    [&] { return with_argument_errors([&] { return m_later->resume(); }); });
        });
    }

    std::size_t index() const noexcept { return m_index; }
    bool answered() const noexcept { return m_answer.has_value(); }
    // Precondition: not answered().
    Later& later() noexcept { return *m_later; }
    // Empty for a notification. Precondition: answered().
    std::string take() { return *std::move(m_answer); }
    // What to answer in place of that.
    std::string too_large() const {
        return m_notification ? std::string{} : error_text(m_id, m_valid ? kTooLarge : kInvalid);
    }

private:
    template <class Work>
    static std::optional<std::string> with_argument_errors(Work work) {
        try {
            return work();
        } catch (const ValueError& error) {
            invalid_params(error.message());
        }
    }

    // Nothing if the answer comes later.
    std::optional<std::string> invoke(json::value& params, Session* session) {
        const Method* method = m_service.methods().find(m_name);
        if (method == nullptr)
            throw RpcError(ErrorCode::MethodNotFound,
                           "the method " + excerpt(m_name) + " does not exist/is not available");
        if (const auto key = m_dispatcher.filter().forbidden_by(m_name); !key.empty())
            throw RpcError(
                ErrorCode::MethodNotFound,
                "the method " + excerpt(m_name) + " is not served by this node (" + std::string(key) + ")");
        if (params.is_null())
            params.emplace_array();
        json::array* const values = params.if_array();
        if (values == nullptr)
            invalid_params("non-array args");
        const Args args(*values);
        if (args.size() > method->params.size())
            invalid_params("too many arguments, want at most " + std::to_string(method->params.size()));
        for (std::size_t i = 0; i < method->params.size(); ++i)
            if (method->params[i].required && !args.has(i))
                invalid_params("missing value for required argument " + std::to_string(i));
        if (m_service.readers() != nullptr && m_service.methods().is_for_readers(m_name)) {
            read(*method, std::move(*values));
            return std::nullopt;
        }
        m_service.refresh();
        const auto answer = [&]() -> std::optional<std::string> {
            const Call call{m_service, session, args, m_client};
            if (method->handler != nullptr)
                return json::serialize(method->handler(call));
            m_later = method->later(call);
            return m_later->ready() ? m_later->resume() : std::nullopt;
        };
        return with_sound_reads(m_service.chain(), [&] { return with_argument_errors(answer); });
    }

    void read(const Method& method, json::array values) {
        const auto work = [&method, values = std::move(values), client = m_client](Service& reader) {
            return method.handler({reader, nullptr, Args(values), client});
        };
        m_later = ReadLater::start(m_service, m_client, work);
    }

    template <class Work>
    void settle(Work work) {
        try {
            const std::optional<std::string> result = work();
            if (!result)
                return;
            std::string out = m_notification ? std::string{} : frame(m_id, "result", *result);
            if (out.size() > m_service.limits().response_bytes_max)
                throw RpcError(ErrorCode::ResponseTooLarge, "response too large (rpc.response_kib_max)");
            m_answer = std::move(out);
        } catch (const RpcError& error) {
            fail(error);
        } catch (const std::exception& error) {
            spdlog::error("{} failed: {}", json::serialize(json::string(excerpt(m_name))), error.what());
            fail(RpcError(ErrorCode::Internal, "internal error"));
        }
        m_later.reset();
        log();
    }

    void fail(const RpcError& error) {
        m_error = error.code();
        m_answer = m_notification ? std::string{} : error_text(m_id, error);
    }

    // Tells the log, at debug, and the observer what the request came to.
    void log() const {
        if (RequestObserver* const observer = m_dispatcher.observer()) {
            const Method* known = m_service.methods().find(m_name);
            const auto us = std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::steady_clock::now() - m_start);
            observer->on_request(known != nullptr ? known->name : std::string_view{}, m_error,
                                 static_cast<std::uint64_t>(us.count()));
        }
        if (!spdlog::should_log(spdlog::level::debug))
            return;
        const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - m_start;
        // Quoted, as a line break in a caller's word is no new line of the log.
        const std::string method = json::serialize(json::string(excerpt(m_name)));
        if (m_error)
            spdlog::debug("{} {:.3f} ms, error {}", method, taken.count(), static_cast<int>(*m_error));
        else
            spdlog::debug("{} {:.3f} ms", method, taken.count());
    }

    Dispatcher& m_dispatcher;
    Service& m_service;
    std::size_t m_index;
    ClientId m_client;
    std::string m_id;
    std::string m_name;
    bool m_valid = false;
    bool m_notification = false;
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
    std::optional<ErrorCode> m_error;
    LaterPtr m_later;
    std::optional<std::string> m_answer;
};

// --- Exchange -------------------------------------------------------------------------------------------

// What the items that wait call: they go on in the order in which they were woken.
struct Exchange::Waker {
    std::deque<std::size_t> ready;
    std::function<void()> wake;  // for the first of them
};

struct Exchange::Open {
    std::unique_ptr<Item> item;
    bool is_work;
};

namespace {

// How long an exchange may go on where others wait for their turn, beyond the one item that is longer.
constexpr std::chrono::microseconds kTurn{200};

}  // namespace

Exchange::Exchange(Dispatcher& dispatcher, json::value request, Session* session, ClientId client)
    : m_dispatcher(dispatcher),
      m_request(std::move(request)),
      m_session(session),
      m_client(client),
      m_deadline(std::chrono::steady_clock::now() +
                 std::chrono::milliseconds(dispatcher.limits().batch_ms_max)),
      m_waker(std::make_shared<Waker>()) {
    if (const auto* batch = m_request.if_array()) {
        m_batch = true;
        m_size = batch->size();
    }
    if (!refuse_batch())
        m_answers.resize(m_size);
}

Exchange::~Exchange() = default;

// True if there is an answer to the whole already.
bool Exchange::refuse_batch() {
    const std::size_t items_max = m_dispatcher.limits().batch_items_max;
    if (!m_batch || (m_size > 0 && m_size <= items_max))
        return false;
    m_out = error_answer(ErrorCode::InvalidRequest, m_size == 0 ? "empty batch"
                                                                : "batch too large (at most " +
                                                                      std::to_string(items_max) +
                                                                      " requests, rpc.batch_items_max)");
    m_next = m_size;
    return true;
}

Exchange::State Exchange::step(std::function<void()> wake) {
    m_waker->wake = nullptr;
    const auto end_of_turn = std::chrono::steady_clock::now() + kTurn;
    do {
        if (resume_ready())
            continue;
        if (m_next < m_size && may_begin()) {
            begin_next();
            continue;
        }
        if (m_open.empty()) {
            join();
            return State::Done;
        }
        m_waker->wake = std::move(wake);
        return State::Waiting;
    } while (std::chrono::steady_clock::now() < end_of_turn);
    return State::More;
}

// Of what waits for a reader a batch has few at once: the others' turns come sooner, and it needs no more of
// the queue.
bool Exchange::may_begin() const {
    constexpr std::size_t kReadsOfABatch = 4;
    return m_open.size() < m_dispatcher.limits().waiting_per_batch_max && m_works < kReadsOfABatch;
}

bool Exchange::reading() const {
    return m_works > 0;
}

// One that wants turns has them before the next item begins.
bool Exchange::resume_ready() {
    if (m_waker->ready.empty())
        return false;
    const auto at = m_open.find(m_waker->ready.front());
    m_waker->ready.pop_front();
    Item& item = *at->second.item;
    m_dispatcher.service().refresh();
    item.resume();
    if (!item.answered()) {
        await(item);
        return true;
    }
    close(item);
    m_works -= at->second.is_work ? 1 : 0;
    m_open.erase(at);
    return true;
}

void Exchange::begin_next() {
    static const RpcError kTimedOut(ErrorCode::TimedOut, "request timed out (rpc.batch_ms_max)");
    json::value& request = m_batch ? m_request.get_array()[m_next] : m_request;
    const RpcError* refusal = m_refusal ? &*m_refusal : nullptr;
    if (m_batch && m_full)
        refusal = &kTooLarge;
    else if (m_batch && std::chrono::steady_clock::now() >= m_deadline)
        refusal = &kTimedOut;
    auto item = std::make_unique<Item>(m_dispatcher, request, m_next++, m_client);
    item->begin(request, m_session, refusal);
    if (item->answered()) {
        close(*item);
    } else {
        await(*item);
        const bool is_work = item->later().is_work();
        m_works += is_work ? 1 : 0;
        const std::size_t index = item->index();
        m_open.emplace(index, Open{std::move(item), is_work});
    }
    if (m_next == m_size)
        m_request = nullptr;
}

// Has it in the line of those that are ready, once, as soon as it is.
void Exchange::await(Item& item) {
    if (item.later().ready()) {
        m_waker->ready.push_back(item.index());
        return;
    }
    item.later().set_waker([waker = m_waker, index = item.index()] {
        waker->ready.push_back(index);
        if (const auto call = std::exchange(waker->wake, nullptr))
            call();
    });
}

// A batch's answers have a size together; beyond it they are replaced.
void Exchange::close(Item& item) {
    std::string answer = item.take();
    if (m_batch && (m_full || m_bytes + answer.size() > m_dispatcher.limits().batch_response_bytes_max)) {
        m_full = true;
        answer = item.too_large();
    }
    m_bytes += answer.size();
    m_answers[item.index()] = std::move(answer);
}

void Exchange::join() {
    if (m_answers.empty())
        return;
    for (std::string& answer : m_answers) {
        if (answer.empty())
            continue;
        if (!m_batch) {
            m_out = std::move(answer);
            return;
        }
        m_out.push_back(m_out.empty() ? '[' : ',');
        m_out += std::exchange(answer, {});
    }
    if (!m_out.empty())
        m_out.push_back(']');
}

void Exchange::expire() {
    for (const auto& [index, open] : m_open)
        open.item->later().expire();
}

}  // namespace meridian::rpc
