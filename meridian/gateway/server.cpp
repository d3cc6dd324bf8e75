#include <meridian/gateway/http_session.hpp>
#include <meridian/gateway/listener.hpp>
#include <meridian/gateway/server.hpp>
#include <meridian/gateway/ticks.hpp>
#include <meridian/node/dev_chain.hpp>

#include <spdlog/spdlog.h>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <thread>

namespace meridian::gateway {

namespace {

constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    "Content-Length: 21\r\n\r\ntoo many connections\n";

}  // namespace

class Server::Impl {
public:
    Impl(rpc::Service& service, ServerOptions options)
        : m_hub(service, options),
          m_acceptor(asio::make_strand(m_hub.io)),
          m_signals(m_acceptor.get_executor()),
          m_mining(m_hub.chain),
          m_deadline(m_hub.chain),
          m_timer(m_acceptor.get_executor()) {}

    ~Impl() {
        m_hub.service.set_mining_mode_callback({});
        m_hub.service.waiting().set_deadline_callback({});
        m_hub.service.mailbox()->set_poster({});
    }

    Result<void, std::string> listen();
    std::uint16_t port() const noexcept { return m_port; }
    void run();
    ServerStatus status();
    void stop() {
        asio::post(m_acceptor.get_executor(), [this] { begin_stop(); });
    }

private:
    void accept();
    void on_accept(boost::system::error_code ec, Tcp::socket socket);
    bool has_room(const Tcp::socket& socket);
    void begin_stop();
    void abort();
    void schedule_mining(std::optional<Ticks::time_point> last = {});
    void schedule_expiry();

    Hub m_hub;
    Tcp::acceptor m_acceptor;
    asio::signal_set m_signals;
    asio::steady_timer m_mining;
    asio::steady_timer m_deadline;  // of the requests that wait
    asio::steady_timer m_timer;     // before the next accept, or to the end of a stop
    std::uint16_t m_port = 0;
    bool m_full = false;  // the last connection was one too many
    std::atomic<std::uint64_t> m_accepted = 0;
    std::atomic<std::uint64_t> m_refused = 0;
};

Result<void, std::string> Server::Impl::listen() {
    const ServerOptions& options = m_hub.options;
    if (auto opened =
            open_port(m_acceptor, options.host, options.port, options.host_option, options.port_option);
        !opened)
        return opened;
    m_port = m_acceptor.local_endpoint().port();
    // From here on a signal waits for run(): whoever learns that the port is open may end the process at
    // once.
    m_signals.add(SIGINT);
    m_signals.add(SIGTERM);
    return {};
}

void Server::Impl::accept() {
    m_acceptor.async_accept(asio::make_strand(m_hub.io),
                            [this](boost::system::error_code ec, Tcp::socket socket) {
                                if (ec != asio::error::operation_aborted && !m_hub.stopping)
                                    on_accept(ec, std::move(socket));
                            });
}

void Server::Impl::on_accept(boost::system::error_code ec, Tcp::socket socket) {
    if (ec) {
        // Out of descriptors, most likely: some will be free again soon.
        m_timer.expires_after(std::chrono::milliseconds(50));
        return m_timer.async_wait([this](boost::system::error_code waited) {
            if (!waited)
                accept();
        });
    }
    boost::system::error_code ignored;
    const bool full = !has_room(socket);
    if (!full) {
        ++m_accepted;
        socket.set_option(Tcp::no_delay(true), ignored);
        serve_http(m_hub, std::move(socket));
    } else {
        // As much as the kernel takes at once: this one gets no more of our time.
        ++m_refused;
        socket.non_blocking(true, ignored);
        socket.write_some(asio::buffer(kFull), ignored);
    }
    if (full && !m_full)
        spdlog::warn("there are {} connections; further ones are refused", m_hub.connection_count());
    m_full = full;
    accept();
}

// On the chain's strand. The next block comes an interval from now, or from when the last one was due.
void Server::Impl::schedule_mining(std::optional<Ticks::time_point> last) {
    m_mining.cancel();
    if (m_hub.stopping)
        return;
    node::DevChain* const chain = m_hub.service.development();
    const std::uint64_t interval_ms = chain != nullptr ? chain->mining().interval_ms : 0;
    if (interval_ms == 0)
        return;
    const auto now = Ticks::now();
    const auto due = next_tick(last.value_or(now), std::chrono::milliseconds(interval_ms), now);
    m_mining.expires_at(due);
    m_mining.async_wait([this, chain, due](boost::system::error_code ec) {
        if (ec)
            return;
        if (const auto block = chain->mine(); !block)
            spdlog::error("cannot build a block: {}", block.error().message);
        schedule_mining(due);
    });
}

// On the chain's strand.
void Server::Impl::schedule_expiry() {
    m_deadline.cancel();
    const auto at = m_hub.service.waiting().next_deadline();
    if (!at || m_hub.aborting)
        return;
    m_deadline.expires_at(*at);
    m_deadline.async_wait([this](boost::system::error_code ec) {
        if (ec)
            return;
        m_hub.service.refresh();
        m_hub.service.waiting().expire(std::chrono::steady_clock::now());
        schedule_expiry();
    });
}

// Whether one more connection is within the bounds, of all and of its address: without one of its own, an
// address may have as many as are still free.
bool Server::Impl::has_room(const Tcp::socket& socket) {
    const std::size_t per_address = m_hub.options.connections_per_address_max;
    const std::size_t all = m_hub.connection_count();
    const std::size_t own = m_hub.connection_count(client_of(socket));
    if (per_address != 0)
        return all < m_hub.options.connections_max && own < per_address;
    return all + own < m_hub.options.connections_max;
}

// On the acceptor's strand. Connections are asked to end, those that are answering when they have answered.
void Server::Impl::begin_stop() {
    if (m_hub.stopping)
        return;
    const ServerOptions& options = m_hub.options;
    if (options.on_stop)
        options.on_stop();
    boost::system::error_code ignored;
    m_acceptor.close(ignored);
    if (options.drain_ms_max == 0)
        return abort();
    m_timer.expires_after(std::chrono::milliseconds(options.drain_ms_max));
    m_timer.async_wait([this](boost::system::error_code ec) {
        if (!ec)
            abort();
    });
    m_hub.shut_down();
}

// On the same. What has not ended in time is abandoned.
void Server::Impl::abort() {
    m_timer.expires_after(std::chrono::milliseconds(m_hub.options.stop_ms_max));
    m_timer.async_wait([this](boost::system::error_code ec) {
        if (!ec)
            m_hub.io.stop();
    });
    m_hub.abort();
}

ServerStatus Server::Impl::status() {
    const rpc::ReadPool* const readers = m_hub.service.readers();
    return {.connections = m_hub.connection_count(),
            .websockets = m_hub.websockets,
            .requests = m_hub.admission.in_work(),
            .accepted = m_accepted,
            .refused_connections = m_refused,
            .refused_for_rate = m_hub.admission.refused_for_rate(),
            .refused_for_load = m_hub.admission.refused_for_load(),
            .slow_subscribers = m_hub.slow_subscribers,
            .subscriptions = m_hub.service.streams().size(),
            .reads_waiting = readers != nullptr ? readers->waiting() : 0,
            .reads_running = readers != nullptr ? readers->running() : 0};
}

void Server::Impl::run() {
    m_signals.async_wait([this](boost::system::error_code ec, int) {
        if (ec)
            return;
        boost::system::error_code ignored;
        m_signals.clear(ignored);  // a second one ends the process
        begin_stop();
    });
    m_hub.service.mailbox()->set_poster(
        [this](std::function<void()> work) { m_hub.post_turn(kNobody, std::move(work)); });
    m_hub.service.waiting().set_deadline_callback([this] { schedule_expiry(); });
    m_hub.service.set_mining_mode_callback([this] { schedule_mining(); });
    asio::post(m_hub.chain, [this] { schedule_mining(); });
    asio::post(m_acceptor.get_executor(), [this] {
        if (!m_hub.stopping)
            accept();
    });
    const auto chain_work = asio::make_work_guard(m_hub.chain_io);
    std::thread chain_thread([this] { m_hub.chain_io.run(); });
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < m_hub.options.threads; ++i)
        threads.emplace_back([this] { m_hub.io.run(); });
    m_hub.io.run();
    for (std::thread& thread : threads)
        thread.join();
    m_hub.chain_io.stop();
    chain_thread.join();
}

Server::Server(rpc::Service& service, ServerOptions options)
    : m_impl(std::make_unique<Impl>(service, std::move(options))) {}
Server::~Server() = default;

Result<void, std::string> Server::listen() {
    return m_impl->listen();
}
std::uint16_t Server::port() const noexcept {
    return m_impl->port();
}
ServerStatus Server::status() const {
    return m_impl->status();
}
void Server::run() {
    m_impl->run();
}
void Server::stop() {
    m_impl->stop();
}

}  // namespace meridian::gateway
