#include <meridian/rpc/dispatcher.hpp>

#include <meridian/rpc/json_text.hpp>

#include <spdlog/spdlog.h>

#include <charconv>
#include <cmath>

namespace meridian::rpc {
namespace {

json::object error_object(ErrorCode code, std::string_view message, const std::optional<json::value>& data) {
    json::object out{{"code", static_cast<int>(code)}, {"message", json::string(message)}};
    if (data)
        out["data"] = *data;
    return out;
}

std::string frame(std::string_view id, std::string_view member, const json::value& content) {
    std::string out = R"({"jsonrpc":"2.0","id":)";
    out.append(id).append(",\"").append(member).append("\":");
    return out.append(json::serialize(content)).append("}");
}

std::string error_text(std::string_view id, const RpcError& error) {
    return frame(id, "error", error_object(error.code(), error.message(), error.data()));
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

// Tells the log, at debug, and the observer what one request came to.
class RequestLog {
public:
    // `known` is the method's name in the table, or empty.
    RequestLog(std::string_view method, std::string_view known, RequestObserver* observer)
        : m_method(method), m_known(known), m_observer(observer) {}
    ~RequestLog() {
        if (m_observer != nullptr) {
            const auto us = std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::steady_clock::now() - m_start);
            m_observer->on_request(m_known, m_error, static_cast<std::uint64_t>(us.count()));
        }
        if (!spdlog::should_log(spdlog::level::debug))
            return;
        const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - m_start;
        // Quoted, as a line break in a caller's word is no new line of the log.
        const std::string method = json::serialize(json::string(excerpt(m_method)));
        if (m_error)
            spdlog::debug("{} {:.3f} ms, error {}", method, taken.count(), static_cast<int>(*m_error));
        else
            spdlog::debug("{} {:.3f} ms", method, taken.count());
    }
    RequestLog(const RequestLog&) = delete;
    RequestLog& operator=(const RequestLog&) = delete;

    void failed(ErrorCode code) noexcept { m_error = code; }

private:
    std::string_view m_method;
    std::string_view m_known;
    RequestObserver* m_observer;
    std::chrono::steady_clock::time_point m_start = std::chrono::steady_clock::now();
    std::optional<ErrorCode> m_error;
};

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
    while (!exchange.step()) {
    }
    return exchange.take();
}

std::string Dispatcher::answer_one(const json::value& request, Session* session, const RpcError* refusal) {
    static const RpcError kInvalid(ErrorCode::InvalidRequest, "invalid request");
    const auto* object = request.if_object();
    const json::value* given = object != nullptr ? object->if_contains("id") : nullptr;
    const auto id = given != nullptr ? identifier(*given) : std::string("null");
    const json::value* name = object != nullptr ? object->if_contains("method") : nullptr;
    const json::value* version = object != nullptr ? object->if_contains("jsonrpc") : nullptr;
    const bool valid_version = version != nullptr && *version == "2.0";
    if (!id || !valid_version || name == nullptr || !name->is_string())
        return error_text(id.value_or("null"), kInvalid);
    const std::string_view called = text_of(name->get_string());
    const Method* known = m_observer != nullptr ? m_service.methods().find(called) : nullptr;
    RequestLog log(called, known != nullptr ? known->name : std::string_view{}, m_observer);
    try {
        if (refusal != nullptr)
            throw RpcError(*refusal);
        const json::value result = invoke(called, object->if_contains("params"), session);
        if (given == nullptr)
            return {};
        std::string out = frame(*id, "result", result);
        if (out.size() > m_service.limits().response_bytes_max)
            throw RpcError(ErrorCode::ResponseTooLarge, "response too large (rpc.response_kib_max)");
        return out;
    } catch (const RpcError& error) {
        log.failed(error.code());
        return given != nullptr ? error_text(*id, error) : std::string{};
    } catch (const std::exception& error) {
        log.failed(ErrorCode::Internal);
        spdlog::error("{} failed: {}", called, error.what());
        return error_text(*id, RpcError(ErrorCode::Internal, "internal error"));
    }
}

json::value Dispatcher::invoke(std::string_view name, const json::value* params, Session* session) {
    const Method* method = m_service.methods().find(name);
    if (method == nullptr)
        throw RpcError(ErrorCode::MethodNotFound,
                       "the method " + excerpt(name) + " does not exist/is not available");
    if (const auto key = m_filter.forbidden_by(name); !key.empty())
        throw RpcError(
            ErrorCode::MethodNotFound,
            "the method " + excerpt(name) + " is not served by this node (" + std::string(key) + ")");
    static const json::array kNone;
    const json::array* values = &kNone;
    if (params != nullptr && !params->is_null()) {
        values = params->if_array();
        if (values == nullptr)
            invalid_params("non-array args");
    }
    const Args args(*values);
    if (args.size() > method->params.size())
        invalid_params("too many arguments, want at most " + std::to_string(method->params.size()));
    for (std::size_t i = 0; i < method->params.size(); ++i)
        if (method->params[i].required && !args.has(i))
            invalid_params("missing value for required argument " + std::to_string(i));
    try {
        return method->handler({m_service, session, args});
    } catch (const ValueError& error) {
        invalid_params(error.message());
    }
}

// --- Exchange -------------------------------------------------------------------------------------------

Exchange::Exchange(Dispatcher& dispatcher, json::value request, Session* session)
    : m_dispatcher(dispatcher),
      m_request(std::move(request)),
      m_session(session),
      m_deadline(std::chrono::steady_clock::now() +
                 std::chrono::milliseconds(dispatcher.limits().batch_ms_max)) {}

std::size_t Exchange::items() const {
    const auto* batch = m_request.if_array();
    return batch == nullptr || batch->empty() ? 1 : batch->size();
}

bool Exchange::step() {
    const auto* batch = m_request.if_array();
    if (batch == nullptr) {
        m_out = m_dispatcher.answer_one(m_request, m_session, m_refusal ? &*m_refusal : nullptr);
        return true;
    }
    const Limits& limits = m_dispatcher.limits();
    if (batch->empty()) {
        m_out = error_answer(ErrorCode::InvalidRequest, "empty batch");
        return true;
    }
    if (batch->size() > limits.batch_items_max) {
        m_out = error_answer(ErrorCode::InvalidRequest, "batch too large (at most " +
                                                            std::to_string(limits.batch_items_max) +
                                                            " requests, rpc.batch_items_max)");
        return true;
    }
    append((*batch)[m_next]);
    if (++m_next < batch->size())
        return false;
    if (!m_out.empty())
        m_out.push_back(']');
    return true;
}

void Exchange::append(const json::value& request) {
    static const RpcError kTooLarge(ErrorCode::ResponseTooLarge,
                                    "response too large (rpc.batch_response_kib_max)");
    static const RpcError kTimedOut(ErrorCode::TimedOut, "request timed out (rpc.batch_ms_max)");
    const std::size_t bytes_max = m_dispatcher.limits().batch_response_bytes_max;
    const RpcError* refusal = m_refusal ? &*m_refusal : nullptr;
    if (m_full)
        refusal = &kTooLarge;
    else if (std::chrono::steady_clock::now() >= m_deadline)
        refusal = &kTimedOut;
    std::string one = m_dispatcher.answer_one(request, m_session, refusal);
    if (!m_full && m_out.size() + one.size() > bytes_max) {
        m_full = true;
        one = m_dispatcher.answer_one(request, m_session, &kTooLarge);
    }
    if (one.empty())
        return;
    m_out.push_back(m_out.empty() ? '[' : ',');
    m_out += one;
}

}  // namespace meridian::rpc
