#include <meridian/load/rpc_client.hpp>

#include <meridian/base/hex.hpp>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <optional>
#include <thread>

namespace meridian::load {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;
using Tcp = asio::ip::tcp;

constexpr std::size_t kBatchMax = 100;  // requests: every node takes so many
constexpr std::uint64_t kAnswerBytesMax = std::uint64_t{1} << 30;
constexpr std::chrono::seconds kTimeout{60};
constexpr std::chrono::milliseconds kPatiencePause{20};

RpcAnswer read_answer(const json::object& object) {
    RpcAnswer out;
    if (const json::value* error = object.if_contains("error"); error != nullptr && error->is_object()) {
        out.failed = true;
        if (const json::value* code = error->as_object().if_contains("code"); code && code->is_int64())
            out.error_code = code->get_int64();
        if (const json::value* text = error->as_object().if_contains("message"); text && text->is_string())
            out.error_message = text->get_string();
    } else if (const json::value* result = object.if_contains("result")) {
        out.result = *result;
    } else {
        throw LoadFailure("an answer has neither result nor error");
    }
    return out;
}

json::object request_object(const RpcRequest& request, std::size_t id) {
    return {{"jsonrpc", "2.0"}, {"id", id}, {"method", request.method}, {"params", request.params}};
}

}  // namespace

class RpcClient::Impl {
public:
    explicit Impl(const Endpoint& endpoint) : m_endpoint(endpoint.as(Endpoint::Kind::Http)) {}

    const Endpoint& endpoint() const { return m_endpoint; }

    json::value post(const std::string& body) {
        const auto deadline = std::chrono::steady_clock::now() + m_patience;
        for (;;) {
            try {
                return post_once(body);
            } catch (const LoadFailure&) {
                if (std::chrono::steady_clock::now() >= deadline)
                    throw;
                std::this_thread::sleep_for(kPatiencePause);
            }
        }
    }

    void be_patient(double seconds) {
        m_patience = std::chrono::milliseconds(static_cast<std::int64_t>(1'000 * seconds));
    }

private:
    // Twice, as a connection that was kept may have been closed by the node in the meantime.
    json::value post_once(const std::string& body) {
        const bool kept = m_stream.has_value();
        if (auto answer = try_post(body, !kept))
            return *answer;
        return *try_post(body, true);
    }

    // Empty if the connection broke and `must` is false.
    std::optional<json::value> try_post(const std::string& body, bool must) {
        if (!m_stream)
            connect();
        http::request<http::string_body> request(http::verb::post, m_endpoint.path, 11);
        request.set(http::field::host, m_endpoint.host + ":" + std::to_string(m_endpoint.port));
        request.set(http::field::content_type, "application/json");
        request.body() = body;
        request.prepare_payload();
        http::response_parser<http::string_body> parser;
        parser.body_limit(kAnswerBytesMax);
        const error_code ec = exchange(request, parser);
        if (ec) {
            m_stream.reset();
            if (must)
                throw LoadFailure(m_endpoint.text() + ": " + ec.message());
            return std::nullopt;
        }
        if (!parser.get().keep_alive())
            m_stream.reset();
        return parse(parser.get());
    }

    json::value parse(const http::response<http::string_body>& response) const {
        boost::system::error_code ec;
        json::value out = json::parse(response.body(), ec);
        if (ec)
            throw LoadFailure(m_endpoint.text() + ": HTTP " + std::to_string(response.result_int()) +
                              " with no JSON; is this the node's JSON-RPC port?");
        return out;
    }

    error_code exchange(http::request<http::string_body>& request,
                        http::response_parser<http::string_body>& parser) {
        error_code result = asio::error::timed_out;
        m_stream->expires_after(kTimeout);
        beast::flat_buffer buffer;
        http::async_write(*m_stream, request, [&](error_code ec, std::size_t) {
            result = ec;
            if (!ec)
                http::async_read(*m_stream, buffer, parser,
                                 [&](error_code read_ec, std::size_t) { result = read_ec; });
        });
        m_io.restart();
        m_io.run();
        return result;
    }

    void connect() {
        error_code ec;
        Tcp::resolver resolver(m_io);
        const auto addresses = resolver.resolve(m_endpoint.host, std::to_string(m_endpoint.port), ec);
        if (ec)
            throw LoadFailure(m_endpoint.text() + ": " + ec.message());
        m_stream.emplace(m_io);
        ec = asio::error::timed_out;
        m_stream->expires_after(kTimeout);
        m_stream->async_connect(addresses,
                                [&](error_code connect_ec, const Tcp::endpoint&) { ec = connect_ec; });
        m_io.restart();
        m_io.run();
        if (ec) {
            m_stream.reset();
            throw LoadFailure(m_endpoint.text() + ": " + ec.message() + "; is a node running there?");
        }
        m_stream->socket().set_option(Tcp::no_delay(true), ec);
    }

    Endpoint m_endpoint;
    asio::io_context m_io;
    std::optional<beast::tcp_stream> m_stream;
    std::chrono::milliseconds m_patience{0};
};

RpcClient::RpcClient(const Endpoint& endpoint) : m_impl(std::make_unique<Impl>(endpoint)) {}
RpcClient::~RpcClient() = default;

const Endpoint& RpcClient::endpoint() const noexcept {
    return m_impl->endpoint();
}

void RpcClient::be_patient(double seconds) {
    m_impl->be_patient(seconds);
}

json::value RpcClient::call(const std::string& method, json::array params) {
    const json::value answer = m_impl->post(json::serialize(request_object({method, std::move(params)}, 1)));
    if (!answer.is_object())
        throw LoadFailure(method + ": the answer is no object");
    RpcAnswer out = read_answer(answer.get_object());
    if (out.failed)
        throw RpcFailure(out.error_code, method + ": " + out.error_message);
    return std::move(out.result);
}

std::vector<RpcAnswer> RpcClient::batch(const std::vector<RpcRequest>& requests) {
    std::vector<RpcAnswer> out(requests.size());
    for (std::size_t from = 0; from < requests.size(); from += kBatchMax) {
        const std::size_t to = std::min(requests.size(), from + kBatchMax);
        json::array body;
        for (std::size_t i = from; i < to; ++i)
            body.push_back(request_object(requests[i], i));
        const json::value answers = m_impl->post(json::serialize(body));
        if (!answers.is_array() || answers.get_array().size() != to - from)
            throw LoadFailure(endpoint().text() + ": a batch was answered with " +
                              json::serialize(answers).substr(0, 200));
        for (const json::value& answer : answers.get_array()) {
            const std::uint64_t id = answer.as_object().at("id").to_number<std::uint64_t>();
            if (id < from || id >= to)
                throw LoadFailure(endpoint().text() + ": an answer has an id that nobody used");
            out[id] = read_answer(answer.get_object());
        }
    }
    return out;
}

std::vector<json::value> RpcClient::call_all(const std::vector<RpcRequest>& requests) {
    std::vector<json::value> out;
    for (std::size_t i = 0; RpcAnswer & answer : batch(requests)) {
        if (answer.failed)
            throw RpcFailure(answer.error_code, requests[i].method + ": " + answer.error_message);
        out.push_back(std::move(answer.result));
        ++i;
    }
    return out;
}

u256 quantity_of(const json::value& value) {
    if (value.is_string())
        if (const auto number = parse_u256(std::string_view(value.get_string())))
            return *number;
    throw LoadFailure("expected a quantity, got " + json::serialize(value).substr(0, 80));
}

std::uint64_t number_of(const json::value& value) {
    const u256 number = quantity_of(value);
    if (number > u256{~std::uint64_t{0}})
        throw LoadFailure("expected a number of 64 bits, got " + json::serialize(value).substr(0, 80));
    return static_cast<std::uint64_t>(number);
}

Hash hash_of(const json::value& value) {
    if (value.is_string())
        if (const auto hash = fixed_from_hex<32>(std::string_view(value.get_string())))
            return *hash;
    throw LoadFailure("expected a hash, got " + json::serialize(value).substr(0, 80));
}

}  // namespace meridian::load
