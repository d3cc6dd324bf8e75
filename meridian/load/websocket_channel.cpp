#include <meridian/load/websocket_channel.hpp>

#include <meridian/load/connecting.hpp>
#include <meridian/load/submit_message.hpp>

#include <boost/beast/core/flat_buffer.hpp>

#include <deque>

namespace meridian::load {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;

class WebSocketChannel final : public Channel {
public:
    WebSocketChannel(asio::io_context& io, const Endpoint& endpoint, SubmitMethod method,
                     ChannelListener& listener)
        : m_io(io), m_endpoint(endpoint), m_method(method), m_listener(listener) {}

    void open() override {
        m_buffer.clear();
        m_queue.clear();
        m_stream = connected_websocket(m_io, m_endpoint);
        read();
    }

    void submit(std::uint32_t txn, BytesView envelope) override {
        append_submission(m_queue.emplace_back(), m_method, txn, envelope);
        if (m_queue.size() == 1)
            write();
    }

private:
    void write() {
        m_stream->async_write(asio::buffer(m_queue.front()), [this](error_code ec, std::size_t) {
            if (ec)
                return;  // the reading side tells
            m_queue.pop_front();
            if (!m_queue.empty())
                write();
        });
    }

    void read() {
        m_stream->async_read(m_buffer, [this](error_code ec, std::size_t) {
            if (ec)
                return lose(ec.message());
            const auto data = m_buffer.cdata();
            if (!read_submit_answer({static_cast<const char*>(data.data()), data.size()}, m_listener))
                return lose("a message that is no answer");
            m_buffer.consume(m_buffer.size());
            read();
        });
    }

    void lose(const std::string& reason) {
        error_code ignored;
        m_stream->next_layer().close(ignored);
        m_listener.on_lost(reason);
    }

    asio::io_context& m_io;
    Endpoint m_endpoint;
    SubmitMethod m_method;
    ChannelListener& m_listener;
    std::unique_ptr<WebSocket> m_stream;
    beast::flat_buffer m_buffer;
    std::deque<std::string> m_queue;  // the first is being written
};

}  // namespace

std::unique_ptr<Channel> make_websocket_channel(asio::io_context& io, const Endpoint& endpoint,
                                                SubmitMethod method, ChannelListener& listener) {
    return std::make_unique<WebSocketChannel>(io, endpoint, method, listener);
}

}  // namespace meridian::load
