#include <meridian/wire/port.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>

namespace meridian::wire {

Port::Port(const PortOptions& options, std::string what, MakeSession make)
    : m_options(options), m_what(std::move(what)), m_make(std::move(make)) {}

Port::~Port() {
    stop();
}

Result<void, std::string> Port::start() {
    if (auto open = listen(); !open)
        return open;
    accept();
    m_thread = std::thread([this] { m_io.run(); });
    return {};
}

Result<void, std::string> Port::listen() {
    error_code ec;
    const auto address = asio::ip::make_address(m_options.host, ec);
    if (ec)
        return fail(m_what + ": \"" + m_options.host +
                    "\" is not an IP address; use 127.0.0.1 for this machine alone, or 0.0.0.0 for all");
    const Tcp::endpoint endpoint(address, m_options.port);
    m_acceptor.open(endpoint.protocol(), ec);
    if (!ec)
        m_acceptor.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec)
        m_acceptor.bind(endpoint, ec);
    if (!ec)
        m_acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (ec == asio::error::address_in_use)
        return fail(m_what + ": port " + std::to_string(m_options.port) +
                    " is in use; end the program that has it, or choose another port");
    if (ec)
        return fail(m_what + ": cannot listen on " + m_options.host + ":" + std::to_string(m_options.port) +
                    ": " + ec.message());
    m_port = m_acceptor.local_endpoint().port();
    return {};
}

void Port::accept() {
    m_acceptor.async_accept([this](error_code ec, Tcp::socket socket) {
        if (ec != asio::error::operation_aborted && !m_stopping)
            on_accept(ec, std::move(socket));
    });
}

void Port::on_accept(error_code ec, Tcp::socket socket) {
    if (ec) {
        // Out of descriptors, most likely: some will be free again soon.
        m_timer.expires_after(std::chrono::milliseconds(50));
        return m_timer.async_wait([this](error_code waited) {
            if (!waited)
                accept();
        });
    }
    if (!has_room(socket)) {
        turn_away(std::move(socket));
    } else {
        const auto session = m_make(std::move(socket));
        m_sessions.emplace(session.get(), session);
        m_count = m_sessions.size();
        session->set_on_gone([this](Session& gone) {
            m_sessions.erase(&gone);
            m_count = m_sessions.size();
            if (m_stopping && m_sessions.empty())
                m_io.stop();
        });
        session->start();
    }
    accept();
}

// One address may have as many connections as are free, and so half of all if nobody else is there.
bool Port::has_room(const Tcp::socket& socket) const {
    const std::size_t total = m_sessions.size();
    if (total >= m_options.connections_max)
        return false;
    const ClientId client = client_of(socket);
    const auto own = static_cast<std::size_t>(std::ranges::count_if(
        m_sessions, [client](const auto& entry) { return entry.second->client() == client; }));
    return own <= m_options.connections_max - total;
}

// As much as the kernel takes at once: this one gets no more of our time.
void Port::turn_away(Tcp::socket socket) {
    Bytes bytes;
    encode(bytes,
           Error{ErrorCode::TooManyConnections, m_options.connections_max,
                 "at most " + std::to_string(m_options.connections_max) +
                     " connections are taken, and of one address as many as are free: try again later"});
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(bytes), ignored);
}

void Port::for_each(const std::function<void(Session&)>& visit) {
    std::vector<std::shared_ptr<Session>> sessions;
    for (const auto& [key, session] : m_sessions)
        sessions.push_back(session);
    for (const auto& session : sessions)
        visit(*session);
}

void Port::begin_stop() {
    m_stopping = true;
    error_code ignored;
    m_acceptor.close(ignored);
    for_each(
        [](Session& session) { session.refuse({ErrorCode::ShuttingDown, 0, "the node is shutting down"}); });
    if (m_sessions.empty())
        return m_io.stop();
    // What has not ended by then is abandoned.
    m_timer.expires_after(std::chrono::milliseconds(m_options.stop_ms_max));
    m_timer.async_wait([this](error_code) {
        for_each([](Session& session) { session.end("the node is shutting down"); });
        m_io.stop();
    });
}

void Port::stop() {
    if (!m_thread.joinable())
        return;
    asio::post(m_io, [this] { begin_stop(); });
    m_thread.join();
}

}  // namespace meridian::wire
