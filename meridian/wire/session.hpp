// One connection of either protocol, on either side: greetings, messages in and out, pings, deadlines, and
// the error before the end. Internal to wire/.
//
// Everything runs on the one thread of its io_context, except where it says otherwise.
#pragma once

#include <meridian/base/fair_queue.hpp>
#include <meridian/wire/limits.hpp>
#include <meridian/wire/message.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>

namespace meridian::wire {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

// Who is at the other end, as bounds are counted; kNobody if it has left already.
ClientId client_of(const Tcp::socket& socket);

class Session : public std::enable_shared_from_this<Session> {
public:
    Session(Tcp::socket socket, Side side, Protocol protocol, const ChainIdentity& chain,
            const SessionLimits& limits);
    virtual ~Session() = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    void start();
    // Tells the peer why, and closes as soon as it may have read that.
    void refuse(Error error);
    // Closes at once. Nothing happens on a second call.
    void end(const std::string& why);
    bool ended() const noexcept { return m_ended; }
    // Nothing is sent any more.
    bool closing() const noexcept { return m_closing || m_ended; }
    ClientId client() const noexcept { return m_client; }
    // Called once when the connection has ended.
    void set_on_gone(std::function<void(Session&)> callback) { m_on_gone = std::move(callback); }

protected:
    // The greetings are done.
    virtual void on_ready() = 0;
    // Neither greetings nor pings. Views in it are valid during the call.
    virtual void on_message(const Message& message) = 0;
    // Why the end follows: the peer says it, or is told. The text is safe to print.
    virtual void on_error(const Error& error) = 0;
    virtual void on_end(const std::string& why) = 0;
    // Something was written and there is room for more.
    virtual void on_written() {}
    // It is time for a ping: what else tells the peer that we live.
    virtual void on_heartbeat() {}

    void send(const Message& message);
    void send(Bytes messages);
    // As a Record, Proposal or Held message, without copying it.
    void send_record(Kind kind, std::shared_ptr<const Bytes> record);
    void set_fetching(Fetching fetching) noexcept { m_reader.set_fetching(fetching); }
    // Bytes that wait to be written.
    std::size_t queued_size() const noexcept { return m_queued_size; }
    // No further message is delivered, nor read from the socket.
    void pause() noexcept {
        m_paused = true;
        m_resuming = false;
    }
    void resume();
    // `text` without what could trouble a terminal.
    static std::string printable(const std::string& text);

    asio::any_io_executor executor() { return m_socket.get_executor(); }

private:
    using Clock = std::chrono::steady_clock;
    using Chunk = std::shared_ptr<const Bytes>;

    void read();
    void on_read(error_code ec, std::size_t size);
    void deliver();
    bool handle(const Message& message);
    bool greet(const Message& message);
    bool check_hello(const Hello& hello);
    bool check_welcome(const Welcome& welcome);
    void enqueue(Chunk chunk);
    void write();
    void on_write(error_code ec, std::size_t size);
    void finish_writing();
    void tick();
    std::string overdue(Clock::time_point now) const;

    Tcp::socket m_socket;
    asio::steady_timer m_timer;
    const Side m_side;
    const Protocol m_protocol;
    const ChainIdentity m_chain;
    const SessionLimits m_limits;
    const ClientId m_client;
    MessageReader m_reader;
    std::deque<Chunk> m_queue;
    Bytes m_pending;           // small messages that become the queue's next chunk
    std::size_t m_offset = 0;  // in the queue's first chunk
    std::size_t m_queued_size = 0;
    bool m_ready = false;
    bool m_reading = false;
    bool m_writing = false;
    bool m_paused = false;
    bool m_resuming = false;
    bool m_closing = false;  // an error is on its way; what comes in is thrown away
    bool m_ended = false;
    Clock::time_point m_began, m_last_read, m_last_written, m_message_began, m_closing_since;
    std::uint64_t m_pings = 1;  // sent, and one
    std::function<void(Session&)> m_on_gone;
};

}  // namespace meridian::wire
