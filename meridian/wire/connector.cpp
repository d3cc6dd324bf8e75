#include <meridian/wire/connector.hpp>

#include <boost/asio/connect.hpp>

namespace meridian::wire {

Connector::Connector(asio::io_context& io, std::string address, Done done)
    : m_address(std::move(address)), m_done(std::move(done)), m_resolver(io), m_socket(io), m_timer(io) {}

void Connector::start(std::uint64_t ms_max) {
    const auto parsed = parse_address(m_address);
    if (!parsed)
        return finish(fail(parsed.error()));
    m_timer.expires_after(std::chrono::milliseconds(ms_max));
    m_timer.async_wait([self = shared_from_this(), ms_max](error_code ec) {
        if (!ec)
            self->finish(self->failure("no connection within " + std::to_string(ms_max) + " ms"));
    });
    m_resolver.async_resolve(
        parsed->host, parsed->port,
        [self = shared_from_this()](error_code ec, const Tcp::resolver::results_type& found) {
            if (!self->m_done)
                return;
            if (ec)
                return self->finish(self->failure("the host is not known: " + ec.message()));
            asio::async_connect(self->m_socket, found, [self](error_code failed, const Tcp::endpoint&) {
                if (failed)
                    return self->finish(self->failure(failed.message()));
                self->finish(std::move(self->m_socket));
            });
        });
}

void Connector::cancel() {
    m_done = nullptr;
    error_code ignored;
    m_timer.cancel();
    m_resolver.cancel();
    m_socket.close(ignored);
}

std::unexpected<std::string> Connector::failure(const std::string& why) const {
    return fail("cannot connect to " + m_address + ": " + why);
}

void Connector::finish(Result<Tcp::socket, std::string> result) {
    const Done done = std::exchange(m_done, nullptr);
    if (!done)
        return;
    m_timer.cancel();
    m_resolver.cancel();
    done(std::move(result));
    error_code ignored;
    m_socket.close(ignored);
}

}  // namespace meridian::wire
