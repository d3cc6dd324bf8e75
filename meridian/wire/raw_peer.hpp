// A peer made by hand, for tests: sends whatever bytes it likes and reads messages one at a time.
#pragma once

#include <meridian/wire/message.hpp>

#include <gtest/gtest.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <sys/socket.h>

#include <memory>

namespace meridian::wire {

inline ChainIdentity test_chain() {
    ChainIdentity out;
    out.chain_id = 1234321;
    out.genesis_hash.bytes[0] = 0xab;
    return out;
}

class RawPeer {
public:
    explicit RawPeer(std::uint16_t port, Protocol protocol) : RawPeer(protocol) {
        m_socket.connect({boost::asio::ip::make_address("127.0.0.1"), port});
        guard();
    }
    // The side that is connected to.
    RawPeer(Protocol protocol, boost::asio::ip::tcp::acceptor& acceptor) : RawPeer(protocol) {
        acceptor.accept(m_socket);
        m_reader = MessageReader(protocol, Side::Server);
        guard();
    }

    void send(BytesView bytes) {
        boost::system::error_code ignored;
        boost::asio::write(m_socket, boost::asio::buffer(bytes.data(), bytes.size()), ignored);
    }
    void send(const Message& message) {
        Bytes bytes;
        encode(bytes, message);
        send(bytes);
    }
    void greet(Protocol protocol) { send(Hello{protocol, kVersion, test_chain()}); }

    // The next message that is no ping; empty when the connection has ended. Views are valid until the next.
    std::optional<Message> read() {
        for (;;) {
            auto message = m_reader.next();
            if (!message) {
                ADD_FAILURE() << message.error().text;
                return std::nullopt;
            }
            if (*message && !std::holds_alternative<Ping>(**message))
                return **message;
            if (*message)
                continue;
            const auto room = m_reader.prepare(4096);
            boost::system::error_code ec;
            const std::size_t size = m_socket.read_some(boost::asio::buffer(room.data(), room.size()), ec);
            if (ec) {
                EXPECT_NE(ec, boost::asio::error::would_block) << "nothing came";
                return std::nullopt;
            }
            m_reader.commit(size);
        }
    }
    // The next message of that type; others are passed over. Fails the test if there is none.
    template <class T>
    T expect() {
        while (auto message = read())
            if (auto* found = std::get_if<T>(&*message))
                return *found;
        ADD_FAILURE() << "the connection ended before the message came";
        return {};
    }
    bool ended() {
        while (read()) {
        }
        return true;
    }
    boost::asio::ip::tcp::socket& socket() { return m_socket; }

private:
    explicit RawPeer(Protocol protocol) : m_reader(protocol, Side::Client) {}
    // A read that nothing comes for ends some day.
    void guard() {
        const timeval seconds{60, 0};
        ::setsockopt(m_socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &seconds, sizeof(seconds));
    }

    std::unique_ptr<boost::asio::io_context> m_io = std::make_unique<boost::asio::io_context>();
    boost::asio::ip::tcp::socket m_socket{*m_io};
    MessageReader m_reader;
};

}  // namespace meridian::wire
