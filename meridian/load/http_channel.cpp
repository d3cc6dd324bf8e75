#include <meridian/load/http_channel.hpp>

#include <meridian/load/connecting.hpp>
#include <meridian/load/submit_message.hpp>

#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <deque>

namespace meridian::load {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr std::size_t kReadBytes = 64 << 10;

class HttpChannel final : public Channel {
public:
    HttpChannel(asio::io_context& io, const Endpoint& endpoint, SubmitMethod method,
                ChannelListener& listener)
        : m_io(io), m_endpoint(endpoint), m_method(method), m_listener(listener) {
        m_head = "POST " + endpoint.path + " HTTP/1.1\r\nHost: " + endpoint.host + ":" +
                 std::to_string(endpoint.port) +
                 "\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nContent-Length: ";
    }

    void open() override {
        m_buffer.clear();
        m_parser.emplace();
        m_waiting.clear();
        m_sending.clear();
        m_written = true;
        m_socket.emplace(connected_socket(m_io, m_endpoint));
        read();
    }

    void submit(std::uint32_t txn, BytesView envelope) override {
        m_waiting += m_head;
        m_waiting += std::to_string(submission_size(m_method, txn, envelope));
        m_waiting += "\r\n\r\n";
        append_submission(m_waiting, m_method, txn, envelope);
        if (m_written)
            write();
    }

private:
    // What has gathered while the last write was under way goes out in one.
    void write() {
        m_written = false;
        m_sending.swap(m_waiting);
        m_waiting.clear();
        asio::async_write(*m_socket, asio::buffer(m_sending), [this](error_code ec, std::size_t) {
            if (ec)
                return;  // the reading side tells
            m_written = true;
            if (!m_waiting.empty())
                write();
        });
    }

    void read() {
        m_socket->async_read_some(m_buffer.prepare(kReadBytes), [this](error_code ec, std::size_t size) {
            m_buffer.commit(size);
            if (ec)
                return lose(ec.message());
            if (take_answers())
                read();
        });
    }

    // False if the connection is given up.
    bool take_answers() {
        while (m_buffer.size() != 0) {
            error_code ec;
            m_parser->eager(true);
            m_buffer.consume(m_parser->put(m_buffer.data(), ec));
            if (ec == http::error::need_more)
                return true;
            if (ec)
                return lose(ec.message()), false;
            if (!m_parser->is_done())
                continue;
            const bool kept = m_parser->get().keep_alive();
            if (!read_submit_answer(m_parser->get().body(), m_listener))
                return lose("HTTP " + std::to_string(m_parser->get().result_int()) + " without an answer"),
                       false;
            m_parser.emplace();
            if (!kept)
                return lose("the node closes connections after one answer"), false;
        }
        return true;
    }

    void lose(const std::string& reason) {
        error_code ignored;
        m_socket->close(ignored);
        m_listener.on_lost(reason);
    }

    asio::io_context& m_io;
    Endpoint m_endpoint;
    SubmitMethod m_method;
    ChannelListener& m_listener;
    std::string m_head;
    std::optional<Tcp::socket> m_socket;
    beast::flat_buffer m_buffer;
    std::optional<http::response_parser<http::string_body>> m_parser;
    std::string m_waiting;
    std::string m_sending;
    bool m_written = true;
};

}  // namespace

std::unique_ptr<Channel> make_http_channel(asio::io_context& io, const Endpoint& endpoint,
                                           SubmitMethod method, ChannelListener& listener) {
    return std::make_unique<HttpChannel>(io, endpoint, method, listener);
}

}  // namespace meridian::load
