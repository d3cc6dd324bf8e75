#include <meridian/gateway/websocket_session.hpp>

#include <spdlog/spdlog.h>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/websocket.hpp>

#include <array>
#include <deque>
#include <mutex>
#include <unordered_set>
#include <vector>

namespace meridian::gateway {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using beast::error_code;

constexpr std::size_t kReadBytes = 64 << 10;
constexpr std::chrono::milliseconds kLeftCheck{250};  // between two looks whether the client has left
// A subscription gets its next message while less than this waits to be written, or than may wait at all.
constexpr std::size_t kRoomBytes = 256 << 10;
// How long the other side has to answer a close frame.
constexpr std::chrono::seconds kCloseTimeout{5};

// Requests are answered one after another, but for those that wait, which the next ones pass; notifications
// join the same queue of what is to be written. While more waits there than the bound, or as many requests as
// may wait, no further request is read.
class WebSocketSession final : public Connection,
                               public rpc::Session,
                               public std::enable_shared_from_this<WebSocketSession> {
public:
    WebSocketSession(Hub& hub, Tcp::socket socket)
        : m_hub(hub),
          m_stream(std::move(socket)),
          m_deadline(m_stream.get_executor()),
          m_left_check(m_stream.get_executor()),
          m_room_bytes(std::min(kRoomBytes, hub.options.notification_bytes_max)),
          m_ticket(hub, *this, beast::get_lowest_layer(m_stream).socket()),
          m_message_bytes(hub.request_bytes, m_ticket.id()) {
        ++m_hub.websockets;
    }
    ~WebSocketSession() override {
        --m_hub.websockets;
        if (!m_finished)
            m_hub.service.forget(*this);
    }

    void start(Upgrade request) {
        auto timeout = websocket::stream_base::timeout::suggested(beast::role_type::server);
        timeout.idle_timeout = std::chrono::seconds(m_hub.options.websocket_idle_s_max);
        m_stream.set_option(timeout);
        m_stream.read_message_max(0);  // ours to bound, so that the closing says how much is allowed
        m_request = std::move(request);
        m_stream.async_accept(m_request, [self = shared_from_this()](error_code ec) {
            if (ec)
                return self->finish();
            self->m_request = {};
            self->m_open = true;
            if (self->m_closing)
                return self->close();
            if (self->m_hub.stopping)
                return self->give_up(websocket::close_code::going_away, "the node is ending");
            self->read();
        });
    }

    void shut_down() override {
        // Moved, as nobody may end a connection while the hub goes through them.
        if (auto self = weak_from_this().lock())
            asio::post(m_stream.get_executor(), [self = std::move(self)] {
                // What is being answered ends with its answer, the upgrade too.
                if (self->m_open && (!self->busy() || self->m_hub.aborting))
                    self->give_up(websocket::close_code::going_away, "the node is ending");
            });
    }

    ClientId client() const override { return m_ticket.id(); }

    // On the chain's strand.
    void notify(rpc::Notification message) override {
        // One that finds room is taken whatever its size: refused, it would be in the way for good.
        const std::size_t before = m_waiting.fetch_add(message.size());
        if (before >= m_room_bytes && before + message.size() > m_hub.options.notification_bytes_max) {
            m_waiting.fetch_sub(message.size());
            if (!m_overrun.exchange(true)) {
                asio::post(m_stream.get_executor(), [self = shared_from_this()] {
                    self->tell_slow();
                    self->give_up(websocket::close_code::try_again_later, "too slow for its subscriptions");
                });
            }
            return;
        }
        {
            const std::lock_guard lock(m_notified_mutex);
            m_notified.push_back(std::move(message));
            if (m_notified.size() > 1)
                return;
        }
        asio::post(m_stream.get_executor(), [self = shared_from_this()] { self->take_notified(); });
    }

    // On the chain's strand. Asked for again by on_write(), which may find room at the same time.
    bool has_room() override {
        if (m_waiting < m_room_bytes)
            return true;
        m_starved = true;
        return m_waiting < m_room_bytes;
    }

    void cut_off(std::string reason) override {
        asio::post(m_stream.get_executor(), [self = shared_from_this(), text = std::move(reason)] {
            self->m_last_words = close_reason(text);
            if (self->m_queue.empty())
                self->give_up(websocket::close_code::try_again_later, self->m_last_words);
        });
    }

private:
    struct Request {
        Request(Hub& hub, boost::json::value content, rpc::Session* session, ClientId client,
                std::size_t size, HeldBytes text)
            : exchange(hub.dispatcher, std::move(content), session, client),
              bytes(size),
              held(std::move(text)) {}
        rpc::Exchange exchange;
        std::size_t bytes;                // of its text
        HeldBytes held;                   // the same
        std::optional<RequestSlot> slot;  // until it waits
        bool waits = false;               // or has waited: the next ones pass it
    };
    using RequestPtr = std::shared_ptr<Request>;

    // To be written: an answer, or a notification.
    struct Outgoing {
        rpc::Notification text;
        std::optional<HeldBytes> held;  // of an answer
        std::size_t size() const noexcept { return text.size(); }
    };

    bool busy() const { return !m_requests.empty(); }
    bool may_read() const {
        return m_waiting <= m_hub.options.notification_bytes_max &&
               m_requests.size() < m_hub.options.waiting_requests_max &&
               m_request_bytes <= m_hub.options.request_bytes_max;
    }

    // The next request. Called again by what may make room, if there was none.
    void read() {
        if (m_closing || m_ending)
            return;
        if (m_hub.stopping && !busy())
            return end_after_answers();
        if (!m_hub.stopping && may_read()) {
            m_paused = false;
            return read_some();
        }
        if (!std::exchange(m_paused, true))
            watch();
    }

    // While nothing is read: keeps the session, and takes a look from time to time whether the client has
    // left.
    void watch() {
        m_left_check.expires_after(kLeftCheck);
        m_left_check.async_wait([self = shared_from_this()](error_code ec) {
            if (ec || self->m_closing || !self->m_paused)
                return;
            if (has_left(beast::get_lowest_layer(self->m_stream).socket()))
                return self->finish();
            self->watch();
        });
    }

    void read_on() {
        if (m_paused || m_hub.stopping)
            read();
    }

    void read_some() {
        m_stream.async_read_some(m_buffer, kReadBytes,
                                 [self = shared_from_this()](error_code ec, std::size_t) {
                                     if (ec)
                                         return self->finish();
                                     self->on_part();
                                 });
    }

    void on_part() {
        if (m_closing)
            return;
        const std::size_t bytes_max = m_hub.options.request_bytes_max;
        if (m_buffer.size() > bytes_max)
            return give_up(websocket::close_code::too_big,
                           "message too large (at most " + std::to_string(bytes_max) + " bytes)");
        if (!m_message_bytes.hold(m_buffer.size()))
            return give_up(websocket::close_code::try_again_later,
                           "too much is asked at once; try again (rpc.requests_mib_max)");
        if (!m_stream.is_message_done())
            return read_some();
        const std::string text = beast::buffers_to_string(m_buffer.data());
        m_buffer.clear();
        auto request = rpc::Dispatcher::parse(text, m_hub.service.limits());
        if (!request) {
            m_message_bytes.release();
            send(std::move(request.error()));
            return read();
        }
        begin(std::make_shared<Request>(m_hub, *std::move(request), this, m_ticket.id(), text.size(),
                                        std::move(m_message_bytes)));
    }

    void begin(const RequestPtr& request) {
        m_requests.insert(request);
        m_request_bytes += request->bytes;
        auto admitted = m_hub.admission.admit(m_ticket.client(), m_ticket.id(), request->exchange.items());
        if (!admitted) {
            request->exchange.refuse(std::move(admitted.error().error));
            while (request->exchange.step({}) != rpc::Exchange::State::Done) {
            }
            return on_answer(request);
        }
        request->slot = *std::move(admitted);
        step(request);
    }

    // One turn at a time: between them other connections have theirs, and a client that has left is noticed.
    void step(RequestPtr request) {
        m_hub.post_turn(m_ticket.id(), [self = shared_from_this(), request = std::move(request)]() mutable {
            const auto state =
                request->exchange.step([session = std::weak_ptr(self), waiting = std::weak_ptr(request)] {
                    wake(session, waiting);
                });
            const bool reading = state == rpc::Exchange::State::Waiting && request->exchange.reading();
            asio::post(self->m_stream.get_executor(), [self, state, reading, request = std::move(request)] {
                self->after_step(request, state, reading);
            });
        });
    }

    // `reading`: it waits for work that is done for it.
    void after_step(const RequestPtr& request, rpc::Exchange::State state, bool reading) {
        if (m_closing)
            return;
        if (state == rpc::Exchange::State::Done)
            return on_answer(request);
        if (state == rpc::Exchange::State::More) {
            if (has_left(beast::get_lowest_layer(m_stream).socket()))
                return finish();
            return step(request);
        }
        if (!reading)
            request->slot.reset();
        if (!std::exchange(request->waits, true))
            read();
    }

    // On the chain's strand.
    static void wake(const std::weak_ptr<WebSocketSession>& session, const std::weak_ptr<Request>& waiting) {
        if (auto self = session.lock())
            asio::post(self->m_stream.get_executor(), [self, waiting] {
                if (const RequestPtr request = waiting.lock(); request && !self->m_closing)
                    self->step(request);
            });
    }

    void on_answer(const RequestPtr& request) {
        m_requests.erase(request);
        m_request_bytes -= request->bytes;
        request->slot.reset();
        if (std::string answer = request->exchange.take(); !answer.empty())
            send(std::move(answer));
        if (request->waits)
            read_on();
        else
            read();
    }

    void send(std::string text) {
        static const auto kNothing = std::make_shared<const std::string>();
        HeldBytes held(m_hub.answer_bytes, m_ticket.id());
        if (!held.hold(text.size()))
            return give_up(websocket::close_code::try_again_later,
                           "too many answers are not read yet (rpc.answers_mib_max)");
        m_waiting.fetch_add(text.size());
        enqueue({{std::move(text), kNothing}, std::move(held)});
    }

    // All that came since the last time, at once.
    void take_notified() {
        std::vector<rpc::Notification> notified;
        {
            const std::lock_guard lock(m_notified_mutex);
            notified.swap(m_notified);
        }
        for (rpc::Notification& message : notified)
            enqueue({std::move(message), {}});
    }

    // The queue's bytes are counted in m_waiting already.
    void enqueue(Outgoing message) {
        if (m_closing || m_ending) {
            m_waiting.fetch_sub(message.size());
            return;
        }
        m_queue.push_back(std::move(message));
        if (m_queue.size() == 1)
            write();
    }

    void write() {
        m_deadline.expires_after(std::chrono::seconds(m_hub.options.write_s_max));
        m_deadline.async_wait([self = shared_from_this()](error_code ec) {
            if (ec || self->m_closing)
                return;
            if (!self->m_queue.front().held)
                self->tell_slow();
            self->finish();
        });
        m_stream.text(true);
        const rpc::Notification& text = m_queue.front().text;
        const std::array<asio::const_buffer, 2> parts{asio::buffer(text.head), asio::buffer(*text.body)};
        m_stream.async_write(parts,
                             [self = shared_from_this()](error_code ec, std::size_t) { self->on_write(ec); });
    }

    void on_write(error_code ec) {
        m_waiting.fetch_sub(m_queue.front().size());
        m_queue.pop_front();
        if (ec)
            return finish();
        if (m_closing)
            return close();
        m_deadline.cancel();
        if (m_waiting < m_room_bytes && m_starved.exchange(false))
            asio::post(m_hub.chain, [self = shared_from_this()] { self->m_hub.service.on_room(*self); });
        if (!m_queue.empty())
            write();
        else if (m_ending)
            return give_up(websocket::close_code::going_away, "the node is ending");
        else if (!m_last_words.empty())
            return give_up(websocket::close_code::try_again_later, m_last_words);
        read_on();
    }

    void tell_slow() {
        ++m_hub.slow_subscribers;
        spdlog::warn("a subscriber reads too slowly and is disconnected");
    }

    // The answers that wait are still sent, notifications no more.
    void end_after_answers() {
        if (m_queue.empty())
            return give_up(websocket::close_code::going_away, "the node is ending");
        m_ending = true;
    }

    // Says why and closes, within a deadline; what is not on its way yet is not sent any more.
    void give_up(websocket::close_code code, std::string reason) {
        if (std::exchange(m_closing, true))
            return;
        m_requests.clear();
        m_reason = {code, reason};
        spdlog::debug("WebSocket closed, {}: {}", static_cast<unsigned>(code), reason);
        const bool writing = !m_queue.empty();
        for (std::size_t i = 1; i < m_queue.size(); ++i)
            m_waiting.fetch_sub(m_queue[i].size());
        m_queue.resize(writing ? 1 : 0);  // what is being written has to stay
        // One that reads nothing at all would never let the message under way be finished.
        set_deadline(kCloseTimeout);
        if (!writing)
            close();
    }

    // A read that is under way goes on until the closing ends it. An upgrade that is under way comes first:
    // its client may have seen the answer already.
    void close() {
        if (!m_open)
            return;
        m_stream.async_close(m_reason, [self = shared_from_this()](error_code) { self->finish(); });
    }

    void set_deadline(std::chrono::seconds after) {
        m_deadline.expires_after(after);
        m_deadline.async_wait([self = shared_from_this()](error_code ec) {
            if (!ec)
                self->finish();
        });
    }

    void finish() {
        if (std::exchange(m_finished, true))
            return;
        m_closing = true;
        m_requests.clear();
        m_deadline.cancel();
        m_left_check.cancel();
        beast::get_lowest_layer(m_stream).close();
        asio::post(m_hub.chain, [self = shared_from_this()] { self->m_hub.service.forget(*self); });
    }

    Hub& m_hub;
    websocket::stream<beast::tcp_stream> m_stream;
    asio::steady_timer m_deadline;  // of what is being written, or of the closing
    asio::steady_timer m_left_check;
    beast::flat_buffer m_buffer;
    Upgrade m_request;
    std::unordered_set<RequestPtr> m_requests;  // one in work, and those that wait
    std::size_t m_request_bytes = 0;            // of them
    std::deque<Outgoing> m_queue;
    std::mutex m_notified_mutex;
    std::vector<rpc::Notification> m_notified;  // on their way to the queue
    std::atomic<std::size_t> m_waiting = 0;     // bytes in the queue or on their way to it
    const std::size_t m_room_bytes;
    std::atomic<bool> m_overrun = false;
    websocket::close_reason m_reason;
    std::string m_last_words;             // of a subscription that cannot go on; said when all is written
    std::atomic<bool> m_starved = false;  // a subscription waits for room
    bool m_open = false;                  // the upgrade has been answered
    bool m_paused = false;                // reads no request until more of the queue has left
    bool m_ending = false;                // to be closed when the queue is empty
    bool m_closing = false;
    bool m_finished = false;
    // Last: it is the first to go, but for what it names the client of.
    ConnectionTicket m_ticket;
    HeldBytes m_message_bytes;  // of the request that is being read
};

}  // namespace

void serve_websocket(Hub& hub, Tcp::socket socket, Upgrade request) {
    std::make_shared<WebSocketSession>(hub, std::move(socket))->start(std::move(request));
}

}  // namespace meridian::gateway
