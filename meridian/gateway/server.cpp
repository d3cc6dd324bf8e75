#include <meridian/gateway/http_session.hpp>
#include <meridian/gateway/server.hpp>

#include <spdlog/spdlog.h>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <csignal>
#include <thread>

namespace meridian::gateway {

class Server::Impl {
public:
    Impl(rpc::Service& service, ServerOptions options)
        : m_hub(service, options),
          m_acceptor(m_hub.io),
          m_signals(m_hub.io),
          m_mining(m_hub.chain),
          m_retry(m_hub.io) {}

    ~Impl() { m_hub.service.set_mining_mode_callback({}); }

    Result<void, std::string> listen();
    std::uint16_t port() const noexcept { return m_port; }
    void run();
    void stop() { m_hub.io.stop(); }

private:
    void accept();
    void schedule_mining();

    Hub m_hub;
    Tcp::acceptor m_acceptor;
    asio::signal_set m_signals;
    asio::steady_timer m_mining;
    asio::steady_timer m_retry;
    std::uint16_t m_port = 0;
};

Result<void, std::string> Server::Impl::listen() {
    const ServerOptions& options = m_hub.options;
    boost::system::error_code ec;
    const auto address = asio::ip::make_address(options.host, ec);
    if (ec)
        return fail("\"" + options.host + "\" is not an IP address; use --host 127.0.0.1 or --host 0.0.0.0");
    const Tcp::endpoint endpoint(address, options.port);
    m_acceptor.open(endpoint.protocol(), ec);
    if (!ec)
        m_acceptor.set_option(asio::socket_base::reuse_address(true), ec);
    if (!ec)
        m_acceptor.bind(endpoint, ec);
    if (!ec)
        m_acceptor.listen(asio::socket_base::max_listen_connections, ec);
    if (ec == asio::error::address_in_use)
        return fail("port " + std::to_string(options.port) +
                    " is in use; end the program that has it, or choose another with --port N");
    if (ec)
        return fail("cannot listen on " + options.host + ":" + std::to_string(options.port) + ": " +
                    ec.message());
    m_port = m_acceptor.local_endpoint().port();
    return {};
}

void Server::Impl::accept() {
    m_acceptor.async_accept(
        asio::make_strand(m_hub.io), [this](boost::system::error_code ec, Tcp::socket socket) {
            if (ec == asio::error::operation_aborted)
                return;
            if (!ec && m_hub.connections < m_hub.options.connections_max) {
                boost::system::error_code ignored;
                socket.set_option(Tcp::no_delay(true), ignored);
                serve_http(m_hub, std::move(socket));
            } else if (ec) {
                // Out of descriptors, most likely: some will be free again soon.
                m_retry.expires_after(std::chrono::milliseconds(50));
                return m_retry.async_wait([this](boost::system::error_code waited) {
                    if (!waited)
                        accept();
                });
            } else {
                spdlog::warn("more than {} connections; one was refused", m_hub.options.connections_max);
            }
            accept();
        });
}

// On the chain's strand.
void Server::Impl::schedule_mining() {
    m_mining.cancel();
    const std::uint64_t interval_ms = m_hub.service.chain().mining().interval_ms;
    if (interval_ms == 0)
        return;
    m_mining.expires_after(std::chrono::milliseconds(interval_ms));
    m_mining.async_wait([this](boost::system::error_code ec) {
        if (ec)
            return;
        if (const auto block = m_hub.service.chain().mine(); !block)
            spdlog::error("cannot build a block: {}", block.error().message);
        schedule_mining();
    });
}

void Server::Impl::run() {
    m_signals.add(SIGINT);
    m_signals.add(SIGTERM);
    m_signals.async_wait([this](boost::system::error_code ec, int) {
        if (!ec)
            stop();
    });
    m_hub.service.set_mining_mode_callback([this] { schedule_mining(); });
    asio::post(m_hub.chain, [this] { schedule_mining(); });
    accept();
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < m_hub.options.threads; ++i)
        threads.emplace_back([this] { m_hub.io.run(); });
    m_hub.io.run();
    for (std::thread& thread : threads)
        thread.join();
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
void Server::run() {
    m_impl->run();
}
void Server::stop() {
    m_impl->stop();
}

}  // namespace meridian::gateway
