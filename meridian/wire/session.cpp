#include <meridian/wire/session.hpp>

#include <meridian/base/hex.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

namespace meridian::wire {
namespace {

constexpr std::size_t kReadSize = 64 << 10;
// Bytes that wait to be written, beyond which pings are not answered: or a flood of them would fill the
// memory.
constexpr std::size_t kPongQueueMax = 64 << 10;
// Buffers that one write takes at most.
constexpr std::size_t kGather = 16;

std::string describe(const ChainIdentity& chain) {
    return "chain " + std::to_string(chain.chain_id) + " with genesis " + to_hex0x(chain.genesis_hash);
}

}  // namespace

ClientId client_of(const Tcp::socket& socket) {
    error_code ec;
    const auto address = socket.remote_endpoint(ec).address();
    if (ec)
        return kNobody;
    return address.is_v4() ? client_id(address.to_v4().to_bytes()) : client_id(address.to_v6().to_bytes());
}

Session::Session(Tcp::socket socket, Side side, Protocol protocol, const ChainIdentity& chain,
                 const SessionLimits& limits)
    : m_socket(std::move(socket)),
      m_timer(m_socket.get_executor()),
      m_side(side),
      m_protocol(protocol),
      m_chain(chain),
      m_limits(limits),
      m_client(client_of(m_socket)),
      m_reader(protocol, side) {}

void Session::start() {
    error_code ignored;
    m_socket.set_option(Tcp::no_delay(true), ignored);
    m_began = m_last_read = m_last_written = Clock::now();
    if (m_side == Side::Client)
        send(Hello{m_protocol, kVersion, m_chain});
    tick();
    read();
}

// --- reading ----------------------------------------------------------------------------------------------

void Session::read() {
    if (m_reading || m_ended || (m_paused && !m_closing))
        return;
    m_reading = true;
    const auto room = m_reader.prepare(kReadSize);
    m_socket.async_read_some(
        asio::buffer(room.data(), room.size()),
        [self = shared_from_this()](error_code ec, std::size_t size) { self->on_read(ec, size); });
}

void Session::on_read(error_code ec, std::size_t size) {
    m_reading = false;
    if (m_ended)
        return;
    if (ec == asio::error::eof)
        return end(m_reader.amid_message() ? "the peer closed the connection amid a message"
                                           : "the peer closed the connection");
    if (ec)
        return end("the connection broke: " + ec.message());
    m_last_read = Clock::now();
    if (m_closing)
        return read();
    if (!m_reader.amid_message())
        m_message_began = m_last_read;
    m_reader.commit(size);
    deliver();
    read();
}

void Session::deliver() {
    while (!m_paused && !m_closing && !m_ended) {
        auto message = m_reader.next();
        if (!message)
            return refuse(std::move(message.error()));
        if (!*message)
            return;
        m_message_began = m_last_read;
        if (!handle(**message))
            return;
    }
}

// False if nothing more is to be delivered.
bool Session::handle(const Message& message) {
    if (const auto* error = std::get_if<Error>(&message)) {
        on_error({error->code, error->number, printable(error->text)});
        end("the peer says: " + printable(error->text));
        return false;
    }
    if (!m_ready)
        return greet(message);
    if (const auto* ping = std::get_if<Ping>(&message)) {
        // Who does not take what waits for it has signs of life enough.
        if (m_queued_size < kPongQueueMax)
            send(Pong{ping->token});
        return true;
    }
    if (std::holds_alternative<Pong>(message))
        return true;
    if (std::holds_alternative<Hello>(message) || std::holds_alternative<Welcome>(message)) {
        refuse({ErrorCode::Unexpected, 0, "a greeting, but the greetings are over"});
        return false;
    }
    on_message(message);
    return true;
}

bool Session::greet(const Message& message) {
    if (const auto* hello = std::get_if<Hello>(&message)) {
        if (!check_hello(*hello))
            return false;
        send(Welcome{kVersion, m_chain, static_cast<std::uint32_t>(m_limits.idle_ms_max)});
    } else if (const auto* welcome = std::get_if<Welcome>(&message)) {
        if (!check_welcome(*welcome))
            return false;
    } else {
        refuse({ErrorCode::Unexpected, 0, "the first message has to be a greeting"});
        return false;
    }
    m_ready = true;
    on_ready();
    return true;
}

bool Session::check_hello(const Hello& hello) {
    const auto no = [&](ErrorCode code, std::uint64_t number, std::string text) {
        refuse({code, number, std::move(text)});
        return false;
    };
    if (hello.protocol != m_protocol)
        return no(ErrorCode::WrongProtocol, 0,
                  "protocol: this is the port of the " + std::string(to_string(m_protocol)) +
                      " protocol, and the client speaks that of " + std::string(to_string(hello.protocol)) +
                      ": use the other port");
    if (hello.version != kVersion)
        return no(ErrorCode::WrongVersion, kVersion,
                  "version: the client speaks " + std::to_string(hello.version) + ", this server " +
                      std::to_string(kVersion));
    if (hello.chain != m_chain)
        return no(ErrorCode::WrongChain, 0,
                  "chain: this server is of " + describe(m_chain) + ", the client of " +
                      describe(hello.chain) + ": check the address and the genesis file");
    return true;
}

bool Session::check_welcome(const Welcome& welcome) {
    if (welcome.version == kVersion && welcome.chain == m_chain)
        return true;
    const bool version = welcome.version != kVersion;
    refuse({version ? ErrorCode::WrongVersion : ErrorCode::WrongChain, kVersion,
            version ? "version: the server speaks " + std::to_string(welcome.version) + ", this client " +
                          std::to_string(kVersion)
                    : "chain: the server is of " + describe(welcome.chain) + ", this client of " +
                          describe(m_chain)});
    return false;
}

void Session::resume() {
    if (!m_paused || m_resuming)
        return;
    // Not at once: who resumes may be in the midst of a delivery.
    m_resuming = true;
    asio::post(m_socket.get_executor(), [self = shared_from_this()] {
        if (!std::exchange(self->m_resuming, false))
            return;  // paused again
        self->m_paused = false;
        self->m_last_read = self->m_message_began = Clock::now();
        self->deliver();
        self->read();
    });
}

// --- writing ----------------------------------------------------------------------------------------------

void Session::send(const Message& message) {
    Bytes bytes;
    encode(bytes, message);
    send(std::move(bytes));
}

void Session::send(Bytes messages) {
    if (m_closing || m_ended)
        return;
    m_queued_size += messages.size();
    if (m_pending.empty())
        m_pending = std::move(messages);
    else
        append(m_pending, messages);
    write();
}

void Session::send_record(Kind kind, std::shared_ptr<const Bytes> record) {
    if (m_closing || m_ended)
        return;
    const auto head = record_head(kind, record->size());
    append(m_pending, head);
    m_queued_size += head.size();
    enqueue(std::move(record));
    write();
}

void Session::enqueue(Chunk chunk) {
    if (!m_pending.empty())
        m_queue.push_back(std::make_shared<const Bytes>(std::exchange(m_pending, {})));
    if (chunk) {
        m_queued_size += chunk->size();
        m_queue.push_back(std::move(chunk));
    }
}

void Session::write() {
    if (m_writing || m_ended)
        return;
    enqueue(nullptr);
    if (m_queue.empty())
        return m_closing ? finish_writing() : void();
    std::vector<asio::const_buffer> buffers;
    for (const Chunk& chunk : m_queue) {
        if (buffers.size() == kGather)
            break;
        const std::size_t from = buffers.empty() ? m_offset : 0;
        buffers.emplace_back(chunk->data() + from, chunk->size() - from);
    }
    m_writing = true;
    m_last_written = Clock::now();
    m_socket.async_write_some(
        buffers, [self = shared_from_this()](error_code ec, std::size_t size) { self->on_write(ec, size); });
}

void Session::on_write(error_code ec, std::size_t size) {
    m_writing = false;
    if (m_ended)
        return;
    if (ec)
        return end("the connection broke: " + ec.message());
    m_queued_size -= size;
    m_offset += size;
    while (!m_queue.empty() && m_offset >= m_queue.front()->size()) {
        m_offset -= m_queue.front()->size();
        m_queue.pop_front();
    }
    if (!m_closing)
        on_written();
    write();
}

void Session::refuse(Error error) {
    if (m_closing || m_ended)
        return;
    on_error(error);
    send(error);
    m_closing = true;
    m_closing_since = Clock::now();
    write();
    read();  // what the peer still sends is thrown away, so that it comes to read why
}

// The error is on its way; the peer closes when it has read it.
void Session::finish_writing() {
    error_code ignored;
    m_socket.shutdown(Tcp::socket::shutdown_send, ignored);
}

void Session::end(const std::string& why) {
    if (std::exchange(m_ended, true))
        return;
    const auto self = shared_from_this();
    error_code ignored;
    m_timer.cancel();
    m_socket.close(ignored);
    on_end(why);
    if (m_on_gone)
        std::exchange(m_on_gone, nullptr)(*this);
}

// --- time -------------------------------------------------------------------------------------------------

void Session::tick() {
    const Clock::time_point now = Clock::now();
    if (const std::string why = overdue(now); !why.empty()) {
        if (m_closing || m_writing)
            return end(why);
        refuse({ErrorCode::TimedOut, 0, why});
    }
    const std::chrono::milliseconds third(std::max<std::uint64_t>(m_limits.idle_ms_max / 3, 1));
    if (m_ready && !m_closing && m_pings * third + m_began <= now) {
        m_pings = static_cast<std::uint64_t>((now - m_began) / third) + 1;
        send(Ping{m_pings});
        on_heartbeat();
    }
    const std::uint64_t shortest =
        std::min({m_limits.hello_ms_max, m_limits.message_ms_max, m_limits.idle_ms_max, m_limits.write_ms_max,
                  m_limits.close_ms_max});
    m_timer.expires_after(std::chrono::milliseconds(std::max<std::uint64_t>(shortest / 4, 1)));
    m_timer.async_wait([self = shared_from_this()](error_code ec) {
        if (!ec && !self->m_ended)
            self->tick();
    });
}

// Which deadline has passed; empty if none has.
std::string Session::overdue(Clock::time_point now) const {
    const auto late = [now](Clock::time_point since, std::uint64_t ms) {
        return now - since > std::chrono::milliseconds(ms);
    };
    const auto within = [](std::uint64_t ms) { return " within " + std::to_string(ms) + " ms"; };
    if (m_closing)
        return late(m_closing_since, m_limits.close_ms_max) ? "closed with an error" : "";
    if (m_writing && late(m_last_written, m_limits.write_ms_max))
        return "the peer takes nothing of what is sent" + within(m_limits.write_ms_max);
    if (!m_ready && late(m_began, m_limits.hello_ms_max))
        return "no greeting" + within(m_limits.hello_ms_max);
    if (m_paused)
        return {};
    if (m_reader.amid_message() && late(m_message_began, m_limits.message_ms_max))
        return "a message does not come to its end" + within(m_limits.message_ms_max);
    if (late(m_last_read, m_limits.idle_ms_max))
        return "no sign of life" + within(m_limits.idle_ms_max);
    return {};
}

std::string Session::printable(const std::string& text) {
    std::string out = text;
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '?';
    return out;
}

}  // namespace meridian::wire
