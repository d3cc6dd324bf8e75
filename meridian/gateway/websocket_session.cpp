#include <meridian/gateway/websocket_session.hpp>

#include <spdlog/spdlog.h>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket.hpp>

#include <deque>

namespace meridian::gateway {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;

// Requests are answered one after another; notifications join the same queue of what is to be written.
class WebSocketSession final : public rpc::Session, public std::enable_shared_from_this<WebSocketSession> {
public:
    WebSocketSession(Hub& hub, Tcp::socket socket)
        : m_hub(hub), m_ticket(hub), m_stream(std::move(socket)), m_deadline(m_stream.get_executor()) {}
    ~WebSocketSession() override {
        if (!m_finished)
            m_hub.service.forget(*this);
    }

    void start(Upgrade request) {
        m_stream.set_option(websocket::stream_base::timeout::suggested(beast::role_type::server));
        m_stream.read_message_max(m_hub.options.request_bytes_max);
        m_request = std::move(request);
        m_stream.async_accept(m_request, [self = shared_from_this()](beast::error_code ec) {
            if (ec)
                return;
            self->m_request = {};
            self->read();
        });
    }

    // On the chain's strand.
    void notify(std::string message) override {
        const std::size_t waiting = m_waiting.fetch_add(message.size()) + message.size();
        if (waiting > m_hub.options.notification_bytes_max) {
            m_waiting.fetch_sub(message.size());
            if (!m_overrun.exchange(true))
                asio::post(m_stream.get_executor(), [self = shared_from_this()] { self->cut_off(); });
            return;
        }
        asio::post(m_stream.get_executor(), [self = shared_from_this(), text = std::move(message)]() mutable {
            self->enqueue(std::move(text));
        });
    }

private:
    void read() {
        m_stream.async_read(m_buffer, [self = shared_from_this()](beast::error_code ec, std::size_t) {
            if (ec)
                return self->finish();
            self->on_message();
        });
    }

    void on_message() {
        const std::string text = beast::buffers_to_string(m_buffer.data());
        m_buffer.consume(m_buffer.size());
        auto request = rpc::Dispatcher::parse(text, m_hub.service.limits());
        if (!request) {
            send(std::move(request.error()));
            return read();
        }
        step(std::make_shared<rpc::Exchange>(m_hub.dispatcher, *std::move(request), this));
    }

    // One item of a batch at a time: between them other connections have their turn, and a client that has
    // left is noticed.
    void step(std::shared_ptr<rpc::Exchange> exchange) {
        asio::post(m_hub.chain, [self = shared_from_this(), exchange = std::move(exchange)]() mutable {
            const bool done = exchange->step();
            asio::post(self->m_stream.get_executor(), [self, done, exchange = std::move(exchange)] {
                if (done)
                    return self->on_answer(exchange->take());
                if (self->m_finished)
                    return;
                if (has_left(beast::get_lowest_layer(self->m_stream).socket()))
                    return self->finish();
                self->step(exchange);
            });
        });
    }

    void on_answer(std::string answer) {
        if (!answer.empty())
            send(std::move(answer));
        read();
    }

    void send(std::string text) {
        m_waiting.fetch_add(text.size());
        enqueue(std::move(text));
    }

    // The queue's bytes are counted in m_waiting already.
    void enqueue(std::string text) {
        if (m_closing) {
            m_waiting.fetch_sub(text.size());
            return;
        }
        m_queue.push_back(std::move(text));
        if (m_queue.size() == 1)
            write();
    }

    void write() {
        m_stream.text(true);
        m_stream.async_write(
            asio::buffer(m_queue.front()),
            [self = shared_from_this()](beast::error_code ec, std::size_t) { self->on_write(ec); });
    }

    void on_write(beast::error_code ec) {
        m_waiting.fetch_sub(m_queue.front().size());
        m_queue.pop_front();
        if (ec)
            return finish();
        if (!m_queue.empty())
            return write();
        if (m_closing)
            close();
    }

    // Tells a subscriber that does not read fast enough, then closes.
    void cut_off() {
        spdlog::warn("a subscriber reads too slowly and is disconnected");
        m_closing = true;
        // What is being written has to stay; the rest is given up.
        if (m_queue.size() > 1) {
            for (std::size_t i = 1; i < m_queue.size(); ++i)
                m_waiting.fetch_sub(m_queue[i].size());
            m_queue.resize(1);
        }
        if (m_queue.empty())
            close();
        // One that reads nothing at all would never let the message under way be finished.
        m_deadline.expires_after(std::chrono::seconds(5));
        m_deadline.async_wait([self = shared_from_this()](beast::error_code) { self->finish(); });
    }

    void close() {
        m_stream.async_close({websocket::close_code::try_again_later, "too slow for its subscriptions"},
                             [self = shared_from_this()](beast::error_code) { self->finish(); });
    }

    void finish() {
        if (std::exchange(m_finished, true))
            return;
        m_closing = true;
        m_deadline.cancel();
        beast::get_lowest_layer(m_stream).close();
        asio::post(m_hub.chain, [self = shared_from_this()] { self->m_hub.service.forget(*self); });
    }

    Hub& m_hub;
    ConnectionTicket m_ticket;
    websocket::stream<beast::tcp_stream> m_stream;
    asio::steady_timer m_deadline;
    beast::flat_buffer m_buffer;
    Upgrade m_request;
    std::deque<std::string> m_queue;
    std::atomic<std::size_t> m_waiting = 0;  // bytes in the queue or on their way to it
    std::atomic<bool> m_overrun = false;
    bool m_closing = false;
    bool m_finished = false;
};

}  // namespace

void serve_websocket(Hub& hub, Tcp::socket socket, Upgrade request) {
    std::make_shared<WebSocketSession>(hub, std::move(socket))->start(std::move(request));
}

}  // namespace meridian::gateway
