// JSON-RPC 2.0: from the text of a request, single or batch, to the text of the answer.
//
// Never throws and never fails: whatever is wrong becomes an error object.
#pragma once

#include <meridian/rpc/method.hpp>
#include <meridian/rpc/service.hpp>

#include <expected>

namespace meridian::rpc {

class Dispatcher {
public:
    explicit Dispatcher(Service& service) : m_service(service) {}

    // Needs no access to the chain, so any thread may call it. The error is a finished answer.
    static std::expected<json::value, std::string> parse(std::string_view text, const Limits& limits);
    // Executes. Empty if nothing is to be answered (notifications only).
    std::string answer(const json::value& request, Session* session);
    // Both in one.
    std::string handle(std::string_view text, Session* session = nullptr);

private:
    std::string answer_batch(const json::array& batch, Session* session);
    // Empty for a notification.
    std::string answer_one(const json::value& request, Session* session);
    json::value invoke(std::string_view name, const json::value* params, Session* session);

    Service& m_service;
};

// A finished answer without a request's identifier.
std::string error_answer(ErrorCode code, std::string_view message);

}  // namespace meridian::rpc
