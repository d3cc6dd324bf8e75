#include <meridian/wire/txn_server.hpp>

#include <meridian/wire/port.hpp>
#include <meridian/wire/txn_waiters.hpp>

#include <boost/asio/post.hpp>

namespace meridian::wire {
namespace {

// Answers of one connection that wait to be written, beyond which it is not read.
constexpr std::size_t kAnswersSizeMax = std::size_t{1} << 20;
constexpr std::chrono::milliseconds kExpiryInterval{50};

struct Counters {
    std::atomic<std::uint64_t> submitted = 0, accepted = 0, refused = 0, included = 0, dropped = 0;
};

// Answers come from other threads, many at a time, and go to the port's thread together.
class Outbox final : public Mailbox, public std::enable_shared_from_this<Outbox> {
public:
    Outbox(asio::io_context& io, std::function<void(Bytes, std::size_t)> deliver)
        : m_io(&io), m_deliver(std::move(deliver)) {}

    void post(const Message& answer, bool last) override {
        const std::unique_lock lock(m_mutex);
        if (m_io == nullptr)
            return;
        encode(m_bytes, answer);
        m_settled += last ? 1 : 0;
        if (!std::exchange(m_posted, true))
            asio::post(*m_io, [self = shared_from_this()] { self->flush(); });
    }
    // On the port's thread, or when that has ended: the connection is gone.
    void close() {
        const std::unique_lock lock(m_mutex);
        m_io = nullptr;
        m_bytes = {};
    }

private:
    void flush() {
        Bytes bytes;
        std::size_t settled = 0;
        {
            const std::unique_lock lock(m_mutex);
            m_posted = false;
            if (m_io == nullptr)
                return;
            bytes = std::exchange(m_bytes, {});
            settled = std::exchange(m_settled, 0);
        }
        m_deliver(std::move(bytes), settled);
    }

    std::mutex m_mutex;
    asio::io_context* m_io;  // null: closed
    std::function<void(Bytes, std::size_t)> m_deliver;
    Bytes m_bytes;
    std::size_t m_settled = 0;
    bool m_posted = false;
};

}  // namespace

// --- one connection ---------------------------------------------------------------------------------------

class TxnServer::Impl {
public:
    Impl(const TxnServerOptions& options, const ChainIdentity& chain, SubmitFunction submit)
        : m_options(options),
          m_chain(chain),
          m_submit(std::move(submit)),
          m_waiters(std::make_shared<TxnWaiters>(options.waiting_max,
                                                 std::chrono::milliseconds(options.wait_ms_max))),
          m_counters(std::make_shared<Counters>()),
          m_port(options.port, "the transaction port",
                 [this](Tcp::socket socket) { return make_session(std::move(socket)); }),
          m_expiry(m_port.io()) {}

    Result<void, std::string> start() {
        expire();
        return m_port.start();
    }
    void stop() { m_port.stop(); }
    std::uint16_t port() const noexcept { return m_port.port(); }
    TxnServerStatus status() const;
    void begin_amid_block(const sequencer::Head& head);
    void on_frame(const sequencer::PublishedFramePtr& frame);
    void on_rejected(const Hash& hash, std::string_view why) {
        if (!m_waiters->empty())
            m_counters->dropped += m_waiters->reject(hash, why);
    }

private:
    class Client;

    std::shared_ptr<Session> make_session(Tcp::socket socket);
    void expire();

    TxnServerOptions m_options;
    ChainIdentity m_chain;
    SubmitFunction m_submit;
    std::shared_ptr<TxnWaiters> m_waiters;
    std::shared_ptr<Counters> m_counters;
    std::size_t m_block_txns = 0;  // of the frames of the open block so far
    Port m_port;
    asio::steady_timer m_expiry;
};

class TxnServer::Impl::Client final : public Session {
public:
    Client(Impl& server, Tcp::socket socket)
        : Session(std::move(socket), Side::Server, Protocol::Transactions, server.m_chain,
                  server.m_options.port.session),
          m_server(server),
          m_outbox(std::make_shared<Outbox>(server.m_port.io(), [this](Bytes answers, std::size_t settled) {
              on_answers(std::move(answers), settled);
          })) {}
    ~Client() override { m_outbox->close(); }

private:
    void on_ready() override {
        const TxnServerOptions& options = m_server.m_options;
        send(TxnLimits{static_cast<std::uint32_t>(options.in_flight_max), options.envelope_size_max,
                       static_cast<std::uint32_t>(options.wait_ms_max)});
    }
    void on_error(const Error&) override {}
    void on_end(const std::string&) override { m_outbox->close(); }
    void on_written() override { read_if_room(); }
    void on_message(const Message& message) override;
    void on_answers(Bytes answers, std::size_t settled);
    bool has_room() const {
        return m_in_flight < m_server.m_options.in_flight_max && queued_size() < kAnswersSizeMax;
    }
    void read_if_room() {
        if (has_room())
            resume();
    }

    Impl& m_server;
    std::shared_ptr<Outbox> m_outbox;
    std::size_t m_in_flight = 0;
};

void TxnServer::Impl::Client::on_message(const Message& message) {
    const auto* submit = std::get_if<Submit>(&message);
    if (submit == nullptr)
        return;  // the reader lets nothing else through
    const std::uint64_t id = submit->id;
    ++m_in_flight;
    ++m_server.m_counters->submitted;
    if (!has_room())
        pause();
    TxnWaiters::WaiterPtr waiter;
    if (submit->wait) {
        waiter = m_server.m_waiters->add(crypto::keccak256(submit->envelope), id, m_outbox);
        if (!waiter) {
            ++m_server.m_counters->refused;
            return m_outbox->post(
                Refused{id, sequencer::SubmitError::Busy,
                        "too many transactions are waited for already: submit without waiting, or later"},
                true);
        }
    }
    // It may come when this connection, or the whole server, is gone.
    auto done = [id, waiter, outbox = m_outbox, waiters = m_server.m_waiters,
                 counters = m_server.m_counters](const sequencer::SubmitResult& result) {
        ++(result ? counters->accepted : counters->refused);
        if (result) {
            const Accepted answer{id, result->hash, result->missing_nonce};
            return waiter ? waiters->accept(waiter, answer) : outbox->post(answer, true);
        }
        const Refused answer{id, result.error().error, result.error().message};
        waiter ? waiters->refuse(waiter, answer) : outbox->post(answer, true);
    };
    m_server.m_submit(to_bytes(submit->envelope), std::move(done), client());
}

void TxnServer::Impl::Client::on_answers(Bytes answers, std::size_t settled) {
    m_in_flight -= settled;
    send(std::move(answers));
    read_if_room();
}

// --- all of them ------------------------------------------------------------------------------------------

std::shared_ptr<Session> TxnServer::Impl::make_session(Tcp::socket socket) {
    return std::make_shared<Client>(*this, std::move(socket));
}

void TxnServer::Impl::expire() {
    m_counters->dropped += m_waiters->expire(TxnWaiters::Clock::now());
    m_expiry.expires_after(kExpiryInterval);
    m_expiry.async_wait([this](error_code ec) {
        if (!ec)
            expire();
    });
}

void TxnServer::Impl::begin_amid_block(const sequencer::Head& head) {
    m_block_txns = 0;
    for (const auto& frame : head.open)
        m_block_txns += frame->content->txns.size();
}

void TxnServer::Impl::on_frame(const sequencer::PublishedFramePtr& frame) {
    const sequencer::SealedFrame& content = *frame->content;
    if (content.index == 0)
        m_block_txns = 0;
    const std::size_t first = std::exchange(m_block_txns, m_block_txns + content.txns.size());
    for (std::size_t i = 0; i < content.txns.size() && !m_waiters->empty(); ++i)
        m_counters->included +=
            m_waiters->include(content.txns[i]->hash, Included{.id = 0,
                                                               .block_number = content.block_number,
                                                               .index = static_cast<std::uint32_t>(first + i),
                                                               .frame_number = content.number,
                                                               .success = content.receipts[i].success,
                                                               .gas_used = content.receipts[i].gas_used,
                                                               .timestamp_us = content.timestamp_us});
}

TxnServerStatus TxnServer::Impl::status() const {
    return {.connections = m_port.connections(),
            .waiting = m_waiters->size(),
            .submitted = m_counters->submitted,
            .accepted = m_counters->accepted,
            .refused = m_counters->refused,
            .included = m_counters->included,
            .dropped = m_counters->dropped};
}

TxnServer::TxnServer(const TxnServerOptions& options, const ChainIdentity& chain, SubmitFunction submit)
    : m_impl(std::make_unique<Impl>(options, chain, std::move(submit))) {}
TxnServer::~TxnServer() {
    stop();
}
void TxnServer::begin_amid_block(const sequencer::Head& head) {
    m_impl->begin_amid_block(head);
}
Result<void, std::string> TxnServer::start() {
    return m_impl->start();
}
void TxnServer::stop() {
    m_impl->stop();
}
std::uint16_t TxnServer::port() const noexcept {
    return m_impl->port();
}
TxnServerStatus TxnServer::status() const {
    return m_impl->status();
}
void TxnServer::on_frame(const sequencer::PublishedFramePtr& frame) {
    m_impl->on_frame(frame);
}
void TxnServer::on_rejected(const Hash& hash, std::string_view why) {
    m_impl->on_rejected(hash, why);
}

}  // namespace meridian::wire
