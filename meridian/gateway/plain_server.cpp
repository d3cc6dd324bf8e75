#include <meridian/gateway/plain_server.hpp>

#include <meridian/gateway/listener.hpp>

#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <optional>
#include <thread>

namespace meridian::gateway {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;
using Tcp = asio::ip::tcp;

struct Shared {
    PlainServerOptions options;
    PlainHandler handler;
    std::size_t connections = 0;  // on the one thread only
};

std::string text(beast::string_view view) {
    return {view.data(), view.size()};
}

// One connection, request after request.
class PlainSession final : public std::enable_shared_from_this<PlainSession> {
public:
    PlainSession(Shared& shared, Tcp::socket socket) : m_shared(shared), m_stream(std::move(socket)) {
        ++m_shared.connections;
    }
    ~PlainSession() { --m_shared.connections; }

    void await_request(std::uint64_t seconds) {
        m_parser.emplace();
        m_parser->header_limit(static_cast<std::uint32_t>(m_shared.options.header_bytes_max));
        m_parser->body_limit(m_shared.options.body_bytes_max);
        if (m_buffer.size() > 0)
            return read();
        m_stream.expires_after(std::chrono::seconds(seconds));
        m_stream.async_read_some(m_buffer.prepare(kReadBytes),
                                 [self = shared_from_this()](error_code ec, std::size_t count) {
                                     if (ec)
                                         return;
                                     self->m_buffer.commit(count);
                                     self->read();
                                 });
    }

private:
    static constexpr std::size_t kReadBytes = 4 << 10;

    void read() {
        m_stream.expires_after(std::chrono::seconds(m_shared.options.request_s_max));
        http::async_read(m_stream, m_buffer, *m_parser,
                         [self = shared_from_this()](error_code ec, std::size_t) { self->on_request(ec); });
    }

    void on_request(error_code ec) {
        if (ec == http::error::body_limit)
            return refuse(http::status::payload_too_large, "request too large\n");
        if (ec == http::error::header_limit || ec == http::error::buffer_overflow)
            return refuse(http::status::request_header_fields_too_large, "header too large\n");
        if (ec)
            return;
        auto request = m_parser->release();
        m_keep_alive = request.keep_alive();
        const std::string target = text(request.target());
        const PlainAnswer answer = ask({.method = text(request.method_string()),
                                        .path = target.substr(0, target.find('?')),
                                        .authorization = text(request[http::field::authorization]),
                                        .body = std::move(request.body())});
        write(answer, request.method() == http::verb::head);
    }

    // What a handler throws is the answer's end, not the node's.
    PlainAnswer ask(const PlainRequest& request) const {
        try {
            return m_shared.handler(request);
        } catch (const std::exception& error) {
            spdlog::error("{} on the port of [{}] failed: {}", request.path, m_shared.options.section,
                          error.what());
            return {.status = static_cast<unsigned>(http::status::internal_server_error),
                    .type = "text/plain; charset=utf-8",
                    .body = "internal error\n"};
        }
    }

    void refuse(http::status status, const char* why) {
        m_keep_alive = false;
        write({.status = static_cast<unsigned>(status), .type = "text/plain; charset=utf-8", .body = why},
              false);
    }

    void write(const PlainAnswer& answer, bool head) {
        m_response = {};
        m_response.version(11);
        m_response.result(answer.status);
        m_response.set(http::field::server, "Meridian");
        m_response.set(http::field::content_type, answer.type);
        m_response.set(http::field::cache_control, "no-store");
        for (const auto& [name, value] : answer.fields)
            m_response.set(name, value);
        m_response.content_length(answer.body.size());
        if (!head)
            m_response.body() = answer.body;
        m_response.keep_alive(m_keep_alive);
        m_stream.expires_after(std::chrono::seconds(m_shared.options.write_s_max));
        http::async_write(m_stream, m_response, [self = shared_from_this()](error_code ec, std::size_t) {
            if (!ec && self->m_keep_alive)
                return self->await_request(self->m_shared.options.idle_s_max);
            error_code ignored;
            self->m_stream.socket().shutdown(Tcp::socket::shutdown_send, ignored);
        });
    }

    Shared& m_shared;
    beast::tcp_stream m_stream;
    beast::flat_buffer m_buffer;
    std::optional<http::request_parser<http::string_body>> m_parser;
    http::response<http::string_body> m_response;
    bool m_keep_alive = false;
};

}  // namespace

class PlainServer::Impl {
public:
    Impl(PlainServerOptions options, PlainHandler handler)
        : m_shared{std::move(options), std::move(handler)}, m_acceptor(m_io), m_pause(m_io) {}
    ~Impl() { stop(); }

    Result<void, std::string> start() {
        const PlainServerOptions& options = m_shared.options;
        if (auto opened = open_port(m_acceptor, options.host, options.port, options.section + ".host",
                                    options.section + ".port");
            !opened)
            return opened;
        m_port = m_acceptor.local_endpoint().port();
        accept();
        m_thread = std::thread([this] { m_io.run(); });
        return {};
    }
    std::uint16_t port() const noexcept { return m_port; }
    void stop() {
        if (!m_thread.joinable())
            return;
        m_io.stop();
        m_thread.join();
    }

private:
    void accept() {
        m_acceptor.async_accept([this](error_code ec, Tcp::socket socket) {
            if (ec == asio::error::operation_aborted)
                return;
            if (!ec && m_shared.connections < m_shared.options.connections_max)
                std::make_shared<PlainSession>(m_shared, std::move(socket))
                    ->await_request(m_shared.options.request_s_max);
            if (!ec)
                return accept();
            // Out of descriptors, most likely: some will be free again soon.
            m_pause.expires_after(std::chrono::milliseconds(50));
            m_pause.async_wait([this](error_code waited) {
                if (!waited)
                    accept();
            });
        });
    }

    Shared m_shared;
    asio::io_context m_io;  // after what sessions refer to, as it ends them
    Tcp::acceptor m_acceptor;
    asio::steady_timer m_pause;
    std::uint16_t m_port = 0;
    std::thread m_thread;
};

PlainServer::PlainServer(PlainServerOptions options, PlainHandler handler)
    : m_impl(std::make_unique<Impl>(std::move(options), std::move(handler))) {}
PlainServer::~PlainServer() = default;

Result<void, std::string> PlainServer::start() {
    return m_impl->start();
}
std::uint16_t PlainServer::port() const noexcept {
    return m_impl->port();
}
void PlainServer::stop() {
    m_impl->stop();
}

}  // namespace meridian::gateway
