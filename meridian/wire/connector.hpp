// Opens a connection to a peer within a time. Internal to wire/.
#pragma once

#include <meridian/wire/address.hpp>
#include <meridian/wire/session.hpp>

namespace meridian::wire {

// Calls `done` once on the thread of `io`: with a socket, or with a sentence that says why there is none.
// Can be cancelled by stopping `io`, or through what it returns.
class Connector : public std::enable_shared_from_this<Connector> {
public:
    using Done = std::function<void(Result<Tcp::socket, std::string>)>;
    Connector(asio::io_context& io, std::string address, Done done);
    void start(std::uint64_t ms_max);
    // `done` is not called any more.
    void cancel();

private:
    void finish(Result<Tcp::socket, std::string> result);
    std::unexpected<std::string> failure(const std::string& why) const;

    std::string m_address;
    Done m_done;
    Tcp::resolver m_resolver;
    Tcp::socket m_socket;
    asio::steady_timer m_timer;
};

}  // namespace meridian::wire
