#include <meridian/gateway/http_session.hpp>
#include <meridian/gateway/websocket_session.hpp>

#include <spdlog/spdlog.h>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

namespace meridian::gateway {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;

constexpr std::string_view kWelcome =
    "Meridian: an Ethereum JSON-RPC endpoint. POST a JSON-RPC 2.0 request to this address, or open a "
    "WebSocket\n"
    "on it; the method rpc_methods lists what there is.\n";

class HttpSession final : public std::enable_shared_from_this<HttpSession> {
public:
    HttpSession(Hub& hub, Tcp::socket socket) : m_hub(hub), m_ticket(hub), m_stream(std::move(socket)) {}

    void start() {
        asio::dispatch(m_stream.get_executor(), [self = shared_from_this()] { self->read(); });
    }

private:
    using Response = http::response<http::string_body>;

    void read() {
        m_parser.emplace();
        m_parser->body_limit(m_hub.options.request_bytes_max);
        m_parser->header_limit(64 << 10);
        m_stream.expires_after(std::chrono::seconds(m_hub.options.idle_s_max));
        http::async_read(
            m_stream, m_buffer, *m_parser,
            [self = shared_from_this()](beast::error_code ec, std::size_t) { self->on_read(ec); });
    }

    void on_read(beast::error_code ec) {
        if (ec == http::error::body_limit || ec == http::error::header_limit) {
            m_keep_alive = false;
            return respond(http::status::payload_too_large, "text/plain",
                           "request too large (at most " + std::to_string(m_hub.options.request_bytes_max) +
                               " bytes)\n");
        }
        if (ec)
            return close();
        m_stream.expires_never();
        Upgrade request = m_parser->release();
        if (beast::websocket::is_upgrade(request))
            return serve_websocket(m_hub, m_stream.release_socket(), std::move(request));
        m_keep_alive = request.keep_alive();
        m_version = request.version();
        answer(std::move(request));
    }

    void answer(Upgrade request) {
        switch (request.method()) {
            case http::verb::post:
                return call(std::move(request.body()));
            case http::verb::options:
                return respond(http::status::no_content, "text/plain", {});
            case http::verb::get:
            case http::verb::head:
                m_head = request.method() == http::verb::head;
                return respond(http::status::ok, "text/plain; charset=utf-8", std::string(kWelcome));
            default:
                break;
        }
        respond(http::status::method_not_allowed, "text/plain", "only POST, GET and OPTIONS\n");
    }

    // Parses here, executes on the chain's strand, answers here.
    void call(std::string body) {
        auto request = rpc::Dispatcher::parse(body, m_hub.service.limits());
        if (!request)
            return respond(http::status::ok, "application/json", std::move(request.error()));
        step(std::make_shared<rpc::Exchange>(m_hub.dispatcher, *std::move(request), nullptr));
    }

    // One item of a batch at a time: between them other connections have their turn, and a client that has
    // left is noticed.
    void step(std::shared_ptr<rpc::Exchange> exchange) {
        asio::post(m_hub.chain, [self = shared_from_this(), exchange = std::move(exchange)]() mutable {
            const bool done = exchange->step();
            asio::post(self->m_stream.get_executor(), [self, done, exchange = std::move(exchange)] {
                if (done)
                    return self->respond(http::status::ok, "application/json", exchange->take());
                if (has_left(self->m_stream.socket()))
                    return self->close();
                self->step(exchange);
            });
        });
    }

    void respond(http::status status, std::string_view type, std::string body) {
        m_response = Response{status, m_version};
        m_response.set(http::field::server, "Meridian");
        m_response.set(http::field::content_type, beast::string_view{type.data(), type.size()});
        m_response.set(http::field::access_control_allow_origin, "*");
        m_response.set(http::field::access_control_allow_methods, "POST, GET, OPTIONS");
        m_response.set(http::field::access_control_allow_headers, "*");
        m_response.keep_alive(m_keep_alive);
        if (!m_head)
            m_response.body() = std::move(body);
        m_response.prepare_payload();
        m_head = false;
        m_stream.expires_after(std::chrono::seconds(m_hub.options.idle_s_max));
        http::async_write(
            m_stream, m_response,
            [self = shared_from_this()](beast::error_code ec, std::size_t) { self->on_write(ec); });
    }

    void on_write(beast::error_code ec) {
        if (ec || !m_keep_alive)
            return close();
        m_response = {};
        read();
    }

    void close() {
        beast::error_code ignored;
        m_stream.socket().shutdown(Tcp::socket::shutdown_send, ignored);
    }

    Hub& m_hub;
    ConnectionTicket m_ticket;
    beast::tcp_stream m_stream;
    beast::flat_buffer m_buffer;
    std::optional<http::request_parser<http::string_body>> m_parser;
    Response m_response;
    bool m_keep_alive = false;
    bool m_head = false;
    unsigned m_version = 11;
};

}  // namespace

void serve_http(Hub& hub, Tcp::socket socket) {
    std::make_shared<HttpSession>(hub, std::move(socket))->start();
}

}  // namespace meridian::gateway
