#include <meridian/gateway/http_rules.hpp>
#include <meridian/gateway/http_session.hpp>
#include <meridian/gateway/websocket_session.hpp>

#include <spdlog/spdlog.h>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <algorithm>
#include <chrono>

namespace meridian::gateway {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using beast::error_code;

constexpr std::string_view kWelcome =
    "Meridian: an Ethereum JSON-RPC endpoint. POST a JSON-RPC 2.0 request to this address, or open a "
    "WebSocket\n"
    "on it; the method rpc_methods lists what there is.\n";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr const char* kPreflight_s = "600";  // how long a browser remembers what it may do
constexpr std::size_t kReadBytes = 16 << 10;
constexpr std::chrono::milliseconds kLeftCheck{250};  // between two looks whether a waiting client has left

// One request after another: the wait for its first byte, its header, its body, the answer, each with a
// deadline of its own. What is refused is answered, then drained within bounds and closed.
class HttpSession final : public Connection, public std::enable_shared_from_this<HttpSession> {
public:
    HttpSession(Hub& hub, Tcp::socket socket)
        : m_hub(hub),
          m_stream(std::move(socket)),
          m_left_check(m_stream.get_executor()),
          m_ticket(hub, *this, m_stream.socket()),
          m_request_bytes(hub.request_bytes, m_ticket.id()),
          m_answer_bytes(hub.answer_bytes, m_ticket.id()) {}

    void start() {
        asio::dispatch(m_stream.get_executor(), [self = shared_from_this()] {
            // Its first request has begun when a client connects.
            self->await_request(self->m_hub.options.header_s_max);
        });
    }

    void shut_down() override {
        // Moved, as nobody may end a connection while the hub goes through them.
        if (auto self = weak_from_this().lock())
            asio::post(m_stream.get_executor(), [self = std::move(self)] {
                if (self->m_idle)
                    self->m_stream.close();
                else if (self->m_waiting && self->m_hub.aborting)
                    self->give_up_waiting();
            });
    }

private:
    using Response = http::response<http::string_body>;

    const ServerOptions& options() const { return m_hub.options; }
    void set_deadline(std::uint64_t seconds) { m_stream.expires_after(std::chrono::seconds(seconds)); }

    void await_request(std::uint64_t seconds) {
        if (m_hub.stopping)
            return close();
        m_head = m_wants_cors = false;
        m_parser.emplace();
        m_parser->body_limit(options().request_bytes_max);
        m_parser->header_limit(static_cast<std::uint32_t>(options().header_bytes_max));
        if (m_buffer.size() > 0)  // of a client that did not wait for the answer
            return read_header();
        set_deadline(seconds);
        m_idle = true;
        m_stream.async_read_some(m_buffer.prepare(kReadBytes),
                                 [self = shared_from_this()](error_code ec, std::size_t count) {
                                     self->m_idle = false;
                                     if (ec)
                                         return self->close();
                                     self->m_buffer.commit(count);
                                     self->read_header();
                                 });
    }

    void read_header() {
        set_deadline(options().header_s_max);
        http::async_read_header(
            m_stream, m_buffer, *m_parser,
            [self = shared_from_this()](error_code ec, std::size_t) { self->on_header(ec); });
    }

    void on_header(error_code ec) {
        if (ec)
            return on_read_error(ec);
        const Upgrade& request = m_parser->get();
        m_version = request.version();
        m_keep_alive = request.keep_alive();
        m_head = request.method() == http::verb::head;
        set_cors_origin(request);
        if (const auto refusal = check_header(request, m_hub.hosts, m_hub.origins))
            return refuse(*refusal);
        // Of one that does not say how long it is, the most that it may be.
        const auto length = m_parser->content_length();
        if (request.chunked() || length)
            if (!m_request_bytes.hold(std::min<std::uint64_t>(length.value_or(options().request_bytes_max),
                                                              options().request_bytes_max)))
                return refuse({http::status::service_unavailable,
                               "too much is asked at once; try again (rpc.requests_mib_max)"});
        if (!expects_continue(request) || m_parser->is_done())
            return read_body();
        set_deadline(options().write_s_max);
        asio::async_write(m_stream, asio::buffer(kContinue),
                          [self = shared_from_this()](error_code write_ec, std::size_t) {
                              if (write_ec)
                                  return self->close();
                              self->read_body();
                          });
    }

    void read_body() {
        set_deadline(options().body_s_max);
        http::async_read(m_stream, m_buffer, *m_parser,
                         [self = shared_from_this()](error_code ec, std::size_t) { self->on_request(ec); });
    }

    void on_request(error_code ec) {
        if (ec)
            return on_read_error(ec);
        m_stream.expires_never();
        Upgrade request = m_parser->release();
        if (beast::websocket::is_upgrade(request)) {
            if (m_buffer.size() > 0)
                return refuse(
                    {http::status::bad_request, "nothing may follow before the upgrade is answered"});
            return serve_websocket(m_hub, m_stream.release_socket(), std::move(request));
        }
        answer(std::move(request));
    }

    // The other side's end, a deadline or a broken connection leave nobody to tell.
    void on_read_error(error_code ec) {
        const bool about_http = ec.category() == make_error_code(http::error::bad_method).category();
        if (!about_http || ec == http::error::end_of_stream)
            return close();
        m_version = 11;
        refuse(describe_read_error(ec, options().header_bytes_max, options().request_bytes_max));
    }

    void answer(Upgrade request) {
        switch (request.method()) {
            case http::verb::post:
                return call(std::move(request.body()));
            case http::verb::options:
                return answer_options(request);
            default:
                return answer_page(request);
        }
    }

    void answer_page(const Upgrade& request) {
        const std::string_view target(request.target().data(), request.target().size());
        auto page = options().pages ? options().pages(target.substr(0, target.find('?'))) : std::nullopt;
        if (!page)
            return respond(http::status::ok, "text/plain; charset=utf-8", std::string(kWelcome));
        respond(static_cast<http::status>(page->status), page->type, std::move(page->body));
    }

    void answer_options(const Upgrade& request) {
        Response response = make_response(http::status::no_content);
        response.set(http::field::allow, "POST, GET, HEAD, OPTIONS");
        if (is_preflight(request)) {
            response.set(http::field::access_control_allow_methods, "POST, GET");
            response.set(http::field::access_control_max_age, kPreflight_s);
            if (const auto headers = request[http::field::access_control_request_headers]; !headers.empty())
                response.set(http::field::access_control_allow_headers, headers);
        }
        write(std::move(response));
    }

    // Parses here, executes on the chain's strand, answers here.
    void call(std::string body) {
        auto request = rpc::Dispatcher::parse(body, m_hub.service.limits());
        if (!request)
            return respond(http::status::ok, "application/json", std::move(request.error()));
        auto exchange =
            std::make_shared<rpc::Exchange>(m_hub.dispatcher, *std::move(request), nullptr, m_ticket.id());
        auto admitted = m_hub.admission.admit(m_ticket.client(), m_ticket.id(), exchange->items());
        if (!admitted)
            return respond_too_many(std::move(admitted.error()), *exchange);
        m_slot = *std::move(admitted);
        step(std::move(exchange));
    }

    void respond_too_many(RequestRefusal refusal, rpc::Exchange& exchange) {
        constexpr std::uint64_t kMsPerSecond = 1'000;
        exchange.refuse(std::move(refusal.error));
        while (exchange.step({}) != rpc::Exchange::State::Done) {
        }
        m_retry_after_s = (refusal.retry_ms + kMsPerSecond - 1) / kMsPerSecond;
        respond(http::status::too_many_requests, "application/json", exchange.take());
    }

    // One turn at a time: between them other connections have theirs, and a client that has left, or the
    // server's end, is noticed.
    void step(std::shared_ptr<rpc::Exchange> exchange) {
        m_hub.post_turn(m_ticket.id(), [self = shared_from_this(), exchange = std::move(exchange)]() mutable {
            const auto state =
                exchange->step([session = std::weak_ptr(self), waiting = std::weak_ptr(exchange)] {
                    wake(session, waiting);
                });
            const bool reading = state == rpc::Exchange::State::Waiting && exchange->reading();
            asio::post(self->m_stream.get_executor(), [self, state, reading, exchange = std::move(exchange)] {
                self->after_step(exchange, state, reading);
            });
        });
    }

    // `reading`: it waits for work that is done for it.
    void after_step(const std::shared_ptr<rpc::Exchange>& exchange, rpc::Exchange::State state,
                    bool reading) {
        if (state == rpc::Exchange::State::Done)
            return respond(http::status::ok, "application/json", exchange->take());
        if (m_hub.aborting || has_left(m_stream.socket()))
            return close();
        if (state == rpc::Exchange::State::More)
            return step(exchange);
        if (!reading)
            m_slot.reset();
        m_waiting = exchange;
        await_wake();
    }

    // On the chain's strand.
    static void wake(const std::weak_ptr<HttpSession>& session,
                     const std::weak_ptr<rpc::Exchange>& exchange) {
        if (auto self = session.lock())
            asio::post(self->m_stream.get_executor(), [self, exchange] {
                if (self->m_waiting == nullptr || self->m_waiting != exchange.lock())
                    return;
                self->m_left_check.cancel();
                self->step(std::exchange(self->m_waiting, nullptr));
            });
    }

    // Nothing is read meanwhile, so it takes a look from time to time to notice that the client has left.
    void await_wake() {
        m_left_check.expires_after(kLeftCheck);
        m_left_check.async_wait([self = shared_from_this()](error_code ec) {
            if (ec || !self->m_waiting)
                return;
            if (has_left(self->m_stream.socket()))
                return self->give_up_waiting();
            self->await_wake();
        });
    }

    void give_up_waiting() {
        m_waiting = nullptr;
        m_slot.reset();
        m_left_check.cancel();
        m_stream.close();
    }

    void set_cors_origin(const Upgrade& request) {
        const auto origin = request[http::field::origin];
        m_wants_cors =
            request.count(http::field::origin) != 0 && m_hub.origins.allow({origin.data(), origin.size()});
        m_origin = m_wants_cors ? std::string(origin) : std::string();
    }

    Response make_response(http::status status) const {
        Response response{status, m_version};
        response.set(http::field::server, "Meridian");
        if (!m_hub.origins.allow_all())
            response.set(http::field::vary, "Origin");
        if (m_wants_cors)
            response.set(http::field::access_control_allow_origin,
                         m_hub.origins.allow_all() ? "*" : m_origin);
        return response;
    }

    void respond(http::status status, std::string_view type, std::string body) {
        m_slot.reset();
        m_request_bytes.release();
        if (!m_answer_bytes.hold(body.size())) {
            status = http::status::service_unavailable;
            body = rpc::error_answer(rpc::ErrorCode::LimitExceeded,
                                     "too many answers are not read yet; try again (rpc.answers_mib_max)");
        }
        Response response = make_response(status);
        response.set(http::field::content_type, beast::string_view{type.data(), type.size()});
        if (status == http::status::too_many_requests)
            response.set(http::field::retry_after, std::to_string(m_retry_after_s));
        if (status == http::status::method_not_allowed)
            response.set(http::field::allow, "POST, GET, HEAD, OPTIONS");
        response.content_length(body.size());
        if (!m_head)
            response.body() = std::move(body);
        write(std::move(response));
    }

    // The rest of the request is not served: nobody knows where it ends.
    void refuse(const HttpRefusal& refusal) {
        spdlog::debug("HTTP {}: {}", static_cast<unsigned>(refusal.status), refusal.reason);
        m_keep_alive = false;
        m_drain = true;
        respond(refusal.status, "text/plain; charset=utf-8", refusal.reason + "\n");
    }

    void write(Response response) {
        m_response = std::move(response);
        m_response.keep_alive(m_keep_alive && !m_hub.stopping);
        set_deadline(options().write_s_max);
        http::async_write(m_stream, m_response,
                          [self = shared_from_this()](error_code ec, std::size_t) { self->on_write(ec); });
    }

    void on_write(error_code ec) {
        if (!ec && m_drain)
            return drain();
        if (ec || !m_keep_alive)
            return close();
        m_response = {};
        m_answer_bytes.release();
        await_request(options().idle_s_max);
    }

    // A connection that is closed with bytes unread is reset, and the client may never see the answer.
    void drain() {
        close();
        m_buffer.clear();
        set_deadline(options().drain_s_max);
        discard(options().drain_bytes_max);
    }

    void discard(std::size_t bytes_left) {
        m_stream.async_read_some(m_buffer.prepare(kReadBytes),
                                 [self = shared_from_this(), bytes_left](error_code ec, std::size_t count) {
                                     if (!ec && count <= bytes_left && !self->m_hub.stopping)
                                         self->discard(bytes_left - count);
                                 });
    }

    // The socket itself is closed with the session, when nothing refers to it any more.
    void close() {
        error_code ignored;
        m_stream.socket().shutdown(Tcp::socket::shutdown_send, ignored);
    }

    Hub& m_hub;
    beast::tcp_stream m_stream;
    asio::steady_timer m_left_check;
    std::shared_ptr<rpc::Exchange> m_waiting;
    beast::flat_buffer m_buffer;
    std::optional<http::request_parser<http::string_body>> m_parser;
    Response m_response;
    std::string m_origin;
    bool m_wants_cors = false;
    bool m_keep_alive = false;
    bool m_drain = false;
    bool m_head = false;
    bool m_idle = false;  // waits for a request's first byte
    unsigned m_version = 11;
    std::uint64_t m_retry_after_s = 0;
    std::optional<RequestSlot> m_slot;  // while a request is being answered, and does not wait
    // Last: it is the first to go, but for what it names the client of.
    ConnectionTicket m_ticket;
    HeldBytes m_request_bytes;
    HeldBytes m_answer_bytes;
};

}  // namespace

void serve_http(Hub& hub, Tcp::socket socket) {
    std::make_shared<HttpSession>(hub, std::move(socket))->start();
}

}  // namespace meridian::gateway
