#include <meridian/rpc/dispatcher.hpp>

#include <spdlog/spdlog.h>

namespace meridian::rpc {
namespace {

json::object error_object(ErrorCode code, std::string_view message, const std::optional<json::value>& data) {
    json::object out{{"code", static_cast<int>(code)}, {"message", json::string(message)}};
    if (data)
        out["data"] = *data;
    return out;
}

std::string error_text(const json::value& id, const RpcError& error) {
    return json::serialize(
        json::object{{"jsonrpc", "2.0"},
                     {"id", id},
                     {"error", error_object(error.code(), error.message(), error.data())}});
}

// An identifier is text, a number or null.
const json::value* identifier(const json::object& request) {
    const json::value* id = request.if_contains("id");
    return id != nullptr && (id->is_string() || id->is_number() || id->is_null()) ? id : nullptr;
}

}  // namespace

std::string error_answer(ErrorCode code, std::string_view message) {
    return error_text(nullptr, RpcError(code, std::string(message)));
}

std::expected<json::value, std::string> Dispatcher::parse(std::string_view text, const Limits& limits) {
    json::parse_options options;
    options.max_depth = limits.json_depth_max;
    boost::system::error_code ec;
    json::value request = json::parse({text.data(), text.size()}, ec, {}, options);
    if (ec)
        return std::unexpected(error_answer(ErrorCode::ParseError, "parse error: " + ec.message()));
    return request;
}

std::string Dispatcher::handle(std::string_view text, Session* session) {
    const auto request = parse(text, m_service.limits());
    return request ? answer(*request, session) : request.error();
}

std::string Dispatcher::answer(const json::value& request, Session* session) {
    return request.is_array() ? answer_batch(request.get_array(), session) : answer_one(request, session);
}

std::string Dispatcher::answer_batch(const json::array& batch, Session* session) {
    const Limits& limits = m_service.limits();
    if (batch.empty())
        return error_answer(ErrorCode::InvalidRequest, "empty batch");
    if (batch.size() > limits.batch_items_max)
        return error_answer(ErrorCode::InvalidRequest,
                            "batch too large (at most " + std::to_string(limits.batch_items_max) + ")");
    std::string out = "[";
    for (const auto& request : batch) {
        std::string one = out.size() < limits.response_bytes_max
                              ? answer_one(request, session)
                              : error_answer(ErrorCode::ResponseTooLarge, "response too large");
        if (one.empty())
            continue;
        if (out.size() > 1)
            out.push_back(',');
        out += one;
    }
    return out.size() > 1 ? out + "]" : std::string{};
}

std::string Dispatcher::answer_one(const json::value& request, Session* session) {
    const auto* object = request.if_object();
    const json::value* name = object != nullptr ? object->if_contains("method") : nullptr;
    const json::value* id = object != nullptr ? identifier(*object) : nullptr;
    const json::value no_id = nullptr;
    if (name == nullptr || !name->is_string())
        return error_text(id != nullptr ? *id : no_id,
                          RpcError(ErrorCode::InvalidRequest, "invalid request"));
    try {
        json::value result = invoke(text_of(name->get_string()), object->if_contains("params"), session);
        if (!object->contains("id"))
            return {};
        std::string out = json::serialize(json::object{
            {"jsonrpc", "2.0"}, {"id", id != nullptr ? *id : no_id}, {"result", std::move(result)}});
        if (out.size() > m_service.limits().response_bytes_max)
            throw RpcError(ErrorCode::ResponseTooLarge, "response too large");
        return out;
    } catch (const RpcError& error) {
        return object->contains("id") ? error_text(id != nullptr ? *id : no_id, error) : std::string{};
    } catch (const std::exception& error) {
        spdlog::error("{} failed: {}", text_of(name->get_string()), error.what());
        return error_text(id != nullptr ? *id : no_id, RpcError(ErrorCode::Internal, "internal error"));
    }
}

json::value Dispatcher::invoke(std::string_view name, const json::value* params, Session* session) {
    const Method* method = m_service.methods().find(name);
    if (method == nullptr)
        throw RpcError(ErrorCode::MethodNotFound,
                       "the method " + excerpt(name) + " does not exist/is not available");
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

}  // namespace meridian::rpc
