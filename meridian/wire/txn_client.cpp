#include <meridian/wire/txn_client.hpp>

#include <meridian/wire/connector.hpp>

#include <boost/asio/post.hpp>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace meridian::wire {

// --- pipelined --------------------------------------------------------------------------------------------

class TxnClient::Impl {
public:
    Impl(const TxnClientOptions& options, TxnClientListener& listener)
        : m_options(options), m_listener(listener) {}
    ~Impl();

    Result<void, std::string> connect();
    const TxnLimits& limits() const noexcept { return m_limits; }
    bool submit(std::uint64_t id, BytesView envelope, bool wait, bool patient);
    std::size_t in_flight() const {
        const std::unique_lock lock(m_mutex);
        return m_in_flight.size();
    }
    bool closed() const {
        const std::unique_lock lock(m_mutex);
        return m_closed;
    }

private:
    class Link;

    void flush();
    void on_connected(Result<Tcp::socket, std::string> socket);
    void on_limits(const TxnLimits& limits);
    void on_link_end(const std::string& why);
    // False if no such answer is due.
    bool settle(std::uint64_t id, bool last);

    TxnClientOptions m_options;
    TxnClientListener& m_listener;
    asio::io_context m_io{1};
    std::shared_ptr<Connector> m_connector;
    std::shared_ptr<Link> m_link;  // of the client's thread
    std::promise<Result<void, std::string>> m_greeted;
    bool m_open = false;  // of the client's thread: the caller of connect() knows
    TxnLimits m_limits;

    mutable std::mutex m_mutex;
    std::condition_variable m_room;
    // By id, whether it is waited for.
    std::unordered_map<std::uint64_t, bool> m_in_flight;
    std::size_t m_in_flight_max = 0;
    Bytes m_outbox;
    bool m_flushing = false;
    bool m_closed = false;

    std::thread m_thread;
};

class TxnClient::Impl::Link final : public Session {
public:
    Link(Impl& impl, Tcp::socket socket)
        : Session(std::move(socket), Side::Client, Protocol::Transactions, impl.m_options.chain,
                  impl.m_options.session),
          m_impl(impl) {}
    using Session::send;

private:
    void on_ready() override {}
    void on_error(const Error& error) override { m_why = error.text; }
    void on_end(const std::string& why) override { m_impl.on_link_end(m_why.empty() ? why : m_why); }
    void on_message(const Message& message) override {
        TxnClientListener& listener = m_impl.m_listener;
        bool due = true;
        if (const auto* accepted = std::get_if<Accepted>(&message)) {
            if ((due = m_impl.settle(accepted->id, false)))
                listener.on_accepted(*accepted);
        } else if (const auto* refused = std::get_if<Refused>(&message)) {
            if ((due = m_impl.settle(refused->id, true)))
                listener.on_refused(*refused);
        } else if (const auto* included = std::get_if<Included>(&message)) {
            if ((due = m_impl.settle(included->id, true)))
                listener.on_included(*included);
        } else if (const auto* dropped = std::get_if<Dropped>(&message)) {
            if ((due = m_impl.settle(dropped->id, true)))
                listener.on_dropped(*dropped);
        } else if (const auto* limits = std::get_if<TxnLimits>(&message)) {
            m_impl.on_limits(*limits);
        }
        if (!due)
            refuse({ErrorCode::Unexpected, 0, "an answer to something that was not submitted"});
    }

    Impl& m_impl;
    std::string m_why;
};

TxnClient::Impl::~Impl() {
    if (!m_thread.joinable())
        return;
    asio::post(m_io, [this] {
        if (m_connector)
            m_connector->cancel();
        m_io.stop();
    });
    m_thread.join();
}

Result<void, std::string> TxnClient::Impl::connect() {
    auto greeted = m_greeted.get_future();
    m_connector = std::make_shared<Connector>(
        m_io, m_options.address,
        [this](Result<Tcp::socket, std::string> socket) { on_connected(std::move(socket)); });
    asio::post(m_io, [this] { m_connector->start(m_options.connect_ms_max); });
    m_thread = std::thread([this] { m_io.run(); });
    // The connector has a deadline of its own; this one is for the greetings.
    if (greeted.wait_for(std::chrono::milliseconds(2 * m_options.connect_ms_max)) !=
        std::future_status::ready)
        return fail("the transaction port at " + m_options.address + ": no greeting within " +
                    std::to_string(2 * m_options.connect_ms_max) + " ms");
    return greeted.get();
}

void TxnClient::Impl::on_connected(Result<Tcp::socket, std::string> socket) {
    if (!socket)
        return m_greeted.set_value(fail(std::move(socket.error())));
    m_link = std::make_shared<Link>(*this, *std::move(socket));
    m_link->start();
}

void TxnClient::Impl::on_limits(const TxnLimits& limits) {
    if (m_open)
        return;
    m_limits = limits;
    {
        const std::unique_lock lock(m_mutex);
        m_in_flight_max =
            std::max<std::size_t>(std::min<std::size_t>(m_options.in_flight_max, limits.in_flight_max), 1);
    }
    m_open = true;
    m_greeted.set_value({});
}

void TxnClient::Impl::on_link_end(const std::string& why) {
    {
        const std::unique_lock lock(m_mutex);
        m_closed = true;
    }
    m_room.notify_all();
    if (std::exchange(m_open, true))
        m_listener.on_closed(why);
    else
        m_greeted.set_value(fail("the transaction port at " + m_options.address + ": " + why));
}

bool TxnClient::Impl::settle(std::uint64_t id, bool last) {
    {
        const std::unique_lock lock(m_mutex);
        const auto found = m_in_flight.find(id);
        if (found == m_in_flight.end())
            return false;
        if (!last && found->second)
            return true;
        m_in_flight.erase(found);
    }
    m_room.notify_one();
    return true;
}

bool TxnClient::Impl::submit(std::uint64_t id, BytesView envelope, bool wait, bool patient) {
    if (envelope.size() > kEnvelopeSizeMax)
        return false;
    {
        std::unique_lock lock(m_mutex);
        const auto open = [this] { return m_closed || m_in_flight.size() < m_in_flight_max; };
        if (patient)
            m_room.wait(lock, open);
        if (m_closed || !open() || !m_in_flight.emplace(id, wait).second)
            return false;
        encode(m_outbox, Submit{id, wait, envelope});
        if (std::exchange(m_flushing, true))
            return true;
    }
    asio::post(m_io, [this] { flush(); });
    return true;
}

void TxnClient::Impl::flush() {
    Bytes messages;
    {
        const std::unique_lock lock(m_mutex);
        messages = std::exchange(m_outbox, {});
        m_flushing = false;
    }
    m_link->send(std::move(messages));
}

TxnClient::TxnClient(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
TxnClient::~TxnClient() = default;

Result<std::unique_ptr<TxnClient>, std::string> TxnClient::connect(const TxnClientOptions& options,
                                                                   TxnClientListener& listener) {
    auto impl = std::make_unique<Impl>(options, listener);
    if (auto connected = impl->connect(); !connected)
        return fail(std::move(connected.error()));
    return std::unique_ptr<TxnClient>(new TxnClient(std::move(impl)));
}

const TxnLimits& TxnClient::limits() const noexcept {
    return m_impl->limits();
}
bool TxnClient::try_submit(std::uint64_t id, BytesView envelope, bool wait) {
    return m_impl->submit(id, envelope, wait, false);
}
bool TxnClient::submit(std::uint64_t id, BytesView envelope, bool wait) {
    return m_impl->submit(id, envelope, wait, true);
}
std::size_t TxnClient::in_flight() const {
    return m_impl->in_flight();
}
bool TxnClient::closed() const {
    return m_impl->closed();
}

// --- one at a time ----------------------------------------------------------------------------------------

class BlockingTxnClient::Impl final : public TxnClientListener {
public:
    Result<void, std::string> connect(const TxnClientOptions& options) {
        auto client = TxnClient::connect(options, *this);
        if (!client)
            return fail(std::move(client.error()));
        m_client = *std::move(client);
        return {};
    }
    Result<Answer, std::string> submit(BytesView envelope, bool wait) {
        std::unique_lock lock(m_mutex);
        m_answer = {};
        m_done = false;
        m_wait = wait;
        if (envelope.size() > kEnvelopeSizeMax)
            return fail("the transaction has " + std::to_string(envelope.size()) + " bytes, at most " +
                        std::to_string(kEnvelopeSizeMax) + " can be sent");
        if (!m_client->try_submit(++m_id, envelope, wait))
            return fail(m_closed.empty() ? "the connection has ended" : m_closed);
        m_changed.wait(lock, [this] { return m_done || !m_closed.empty(); });
        if (!m_done)
            return fail(m_closed);
        return m_answer;
    }

private:
    void on_accepted(const Accepted& answer) override {
        set([&] {
            m_answer.answer = answer;
            m_done = !m_wait;
        });
    }
    void on_refused(const Refused& answer) override {
        set([&] {
            m_answer.answer = answer;
            m_done = true;
        });
    }
    void on_included(const Included& outcome) override {
        set([&] {
            m_answer.outcome = outcome;
            m_done = true;
        });
    }
    void on_dropped(const Dropped& outcome) override {
        set([&] {
            m_answer.outcome = outcome;
            m_done = true;
        });
    }
    void on_closed(const std::string& why) override {
        set([&] { m_closed = why; });
    }
    template <class Change>
    void set(const Change& change) {
        {
            const std::unique_lock lock(m_mutex);
            change();
        }
        m_changed.notify_all();
    }

    std::mutex m_mutex;
    std::condition_variable m_changed;
    Answer m_answer;
    std::uint64_t m_id = 0;
    bool m_wait = false;
    bool m_done = false;
    std::string m_closed;
    std::unique_ptr<TxnClient> m_client;  // last: it calls the rest
};

BlockingTxnClient::BlockingTxnClient(std::unique_ptr<Impl> impl) : m_impl(std::move(impl)) {}
BlockingTxnClient::~BlockingTxnClient() = default;

Result<std::unique_ptr<BlockingTxnClient>, std::string> BlockingTxnClient::connect(
    const TxnClientOptions& options) {
    auto impl = std::make_unique<Impl>();
    if (auto connected = impl->connect(options); !connected)
        return fail(std::move(connected.error()));
    return std::unique_ptr<BlockingTxnClient>(new BlockingTxnClient(std::move(impl)));
}

Result<BlockingTxnClient::Answer, std::string> BlockingTxnClient::submit(BytesView envelope, bool wait) {
    return m_impl->submit(envelope, wait);
}

}  // namespace meridian::wire
