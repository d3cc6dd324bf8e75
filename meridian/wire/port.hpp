// A port that is listened on: its thread, its connections and their number. Internal to wire/.
#pragma once

#include <meridian/wire/session.hpp>

#include <atomic>
#include <thread>
#include <unordered_map>

namespace meridian::wire {

class Port {
public:
    using MakeSession = std::function<std::shared_ptr<Session>(Tcp::socket)>;
    // `what` names the port in errors.
    Port(const PortOptions& options, std::string what, MakeSession make);
    ~Port();
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    // Opens the port and serves on a thread of its own. The error is a sentence that says what to do.
    Result<void, std::string> start();
    // Ends every connection and the thread. From any other thread; nothing happens on a second call.
    void stop();
    std::uint16_t port() const noexcept { return m_port; }
    std::size_t connections() const noexcept { return m_count; }
    asio::io_context& io() noexcept { return m_io; }
    // On the port's thread.
    void for_each(const std::function<void(Session&)>& visit);

private:
    Result<void, std::string> listen();
    void accept();
    void on_accept(error_code ec, Tcp::socket socket);
    bool has_room(const Tcp::socket& socket) const;
    void turn_away(Tcp::socket socket);
    void begin_stop();

    PortOptions m_options;
    std::string m_what;
    MakeSession m_make;
    asio::io_context m_io{1};
    Tcp::acceptor m_acceptor{m_io};
    asio::steady_timer m_timer{m_io};  // before the next accept, or to the end of a stop
    std::unordered_map<Session*, std::shared_ptr<Session>> m_sessions;
    std::atomic<std::size_t> m_count = 0;
    std::uint16_t m_port = 0;
    bool m_stopping = false;
    std::thread m_thread;
};

}  // namespace meridian::wire
