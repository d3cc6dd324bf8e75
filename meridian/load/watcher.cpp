#include <meridian/load/watcher.hpp>

#include <meridian/load/connecting.hpp>
#include <meridian/load/receipt_json.hpp>
#include <meridian/load/rpc_client.hpp>

#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <algorithm>
#include <deque>
#include <thread>

namespace meridian::load {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;

constexpr std::chrono::milliseconds kPollPause{2};
constexpr std::chrono::milliseconds kFailurePause{20};
constexpr std::size_t kPolledBlocksMax = 50;  // in one batch
constexpr std::int64_t kSubscribeId = 1;

void take_receipts(const json::value& receipts, RunState& state) {
    if (!receipts.is_array())
        return;
    for (const json::value& receipt : receipts.get_array()) {
        if (!receipt.is_object())
            continue;
        const auto hash = read_transaction_hash(receipt.get_object());
        const auto inclusion = read_inclusion(receipt.get_object());
        if (hash && inclusion)
            state.note_included(*hash, *inclusion);
    }
}

// A thread whose failure is kept for whoever asks.
class ThreadedWatcher : public Watcher {
public:
    std::string failure() const override {
        const std::lock_guard lock(m_mutex);
        return m_failure;
    }

protected:
    template <class Work>
    void run(Work&& work) {
        m_thread = std::thread([this, work = std::forward<Work>(work)] {
            try {
                work();
            } catch (const std::exception& error) {
                fail_with(error.what());
            }
        });
    }
    void fail_with(const std::string& reason) {
        const std::lock_guard lock(m_mutex);
        m_failure = reason;
    }
    void join() {
        if (m_thread.joinable())
            m_thread.join();
    }

private:
    mutable std::mutex m_mutex;
    std::string m_failure;
    std::thread m_thread;
};

class Poller final : public ThreadedWatcher {
public:
    Poller(const Endpoint& endpoint, double reconnect_s, RunState& state)
        : m_rpc(endpoint), m_reconnect_s(reconnect_s), m_state(state) {
        m_next = number_of(m_rpc.call("eth_blockNumber")) + 1;
        run([this] {
            while (!m_stopped)
                poll_patiently();
        });
    }
    ~Poller() override {
        m_stopped = true;
        join();
    }
    ReceiptSource source() const noexcept override { return ReceiptSource::Poll; }

private:
    // A node that is being started again may refuse connections, answers or blocks for a while.
    void poll_patiently() {
        try {
            poll();
            m_failed_us = 0;
        } catch (const std::exception&) {
            const std::uint64_t now = m_state.now_us();
            if (m_failed_us == 0)
                m_failed_us = now;
            if (static_cast<double>(now - std::min(now, m_failed_us)) >= 1e6 * m_reconnect_s)
                throw;
            std::this_thread::sleep_for(kFailurePause);
        }
    }

    void poll() {
        const std::uint64_t newest = number_of(m_rpc.call("eth_blockNumber"));
        if (newest < m_next) {
            std::this_thread::sleep_for(kPollPause);
            return;
        }
        std::vector<RpcRequest> requests;
        for (std::uint64_t n = m_next; n <= newest && requests.size() < kPolledBlocksMax; ++n)
            requests.push_back({"eth_getBlockReceipts", {to_quantity(u256{n})}});
        for (const json::value& receipts : m_rpc.call_all(requests)) {
            if (!receipts.is_array())
                return;  // there after all only later
            ++m_next;
            m_state.note_block();
            take_receipts(receipts, m_state);
        }
    }

    RpcClient m_rpc;
    double m_reconnect_s;
    std::uint64_t m_failed_us = 0;  // since when; zero: it answers
    RunState& m_state;
    std::uint64_t m_next = 0;
    std::atomic<bool> m_stopped = false;
};

// What is common to subscriptions: one WebSocket, messages as JSON.
class Subscriber : public ThreadedWatcher {
public:
    ~Subscriber() override { end(); }

protected:
    Subscriber(const Endpoint& endpoint, RunState& state)
        : m_state(state), m_stream(connected_websocket(m_io, endpoint.as(Endpoint::Kind::WebSocket))) {}

    virtual void on_notification(const json::value& result) = 0;
    virtual void on_result(const json::value& result) = 0;

    // Waits for the answer. Throws LoadFailure if the node has no such subscription.
    void subscribe(json::array params) {
        m_stream->write(asio::buffer(json::serialize(json::object{{"jsonrpc", "2.0"},
                                                                  {"id", kSubscribeId},
                                                                  {"method", "eth_subscribe"},
                                                                  {"params", std::move(params)}})));
        beast::flat_buffer buffer;
        m_stream->read(buffer);
        const auto data = buffer.cdata();
        const json::value answer = json::parse({static_cast<const char*>(data.data()), data.size()});
        if (!answer.is_object() || !answer.get_object().contains("result"))
            throw LoadFailure("the node refused the subscription: " + json::serialize(answer).substr(0, 200));
    }

    void start() {
        read();
        run([this] { m_io.run(); });
    }
    // Before the members of a derived class go.
    void end() {
        m_io.stop();
        join();
    }

    void request(const std::string& method, json::array params) {
        m_queue.push_back(json::serialize(
            json::object{{"jsonrpc", "2.0"}, {"id", 2}, {"method", method}, {"params", std::move(params)}}));
        if (m_queue.size() == 1)
            write();
    }

    RunState& m_state;

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
                throw LoadFailure("the subscription ended: " + ec.message());
            const auto data = m_buffer.cdata();
            take({static_cast<const char*>(data.data()), data.size()});
            m_buffer.consume(m_buffer.size());
            read();
        });
    }

    void take(std::string_view text) {
        json::monotonic_resource memory;
        const json::value message = json::parse(text, &memory);
        const json::object& object = message.as_object();
        if (const json::value* params = object.if_contains("params"))
            on_notification(params->as_object().at("result"));
        else if (const json::value* result = object.if_contains("result"))
            on_result(*result);
        else
            throw LoadFailure("the node answered the watcher with " + std::string(text.substr(0, 200)));
    }

    asio::io_context m_io{1};
    std::unique_ptr<WebSocket> m_stream;
    beast::flat_buffer m_buffer;
    std::deque<std::string> m_queue;  // the first is being written
};

class HeadWatcher final : public Subscriber {
public:
    HeadWatcher(const Endpoint& endpoint, RunState& state) : Subscriber(endpoint, state) {
        subscribe({"newHeads"});
        start();
    }
    ~HeadWatcher() override { end(); }
    ReceiptSource source() const noexcept override { return ReceiptSource::Heads; }

private:
    void on_notification(const json::value& head) override {
        const std::uint64_t number = number_of(head.as_object().at("number"));
        m_state.note_block();
        if (m_next == 0)
            m_next = number;
        // Some nodes tell only the newest of several.
        for (; m_next <= number; ++m_next)
            request("eth_getBlockReceipts", {to_quantity(u256{m_next})});
    }
    void on_result(const json::value& receipts) override { take_receipts(receipts, m_state); }

    std::uint64_t m_next = 0;
};

class FrameWatcher final : public Subscriber {
public:
    FrameWatcher(const Endpoint& endpoint, RunState& state) : Subscriber(endpoint, state) {
        subscribe({"frames", json::object{{"receipts", true}}});
        start();
    }
    ~FrameWatcher() override { end(); }
    ReceiptSource source() const noexcept override { return ReceiptSource::Frames; }

private:
    void on_notification(const json::value& frame) override {
        const json::object& object = frame.as_object();
        m_state.note_frame(
            {.number = number_of(object.at("number")), .timestamp_us = number_of(object.at("timestampUs"))});
        take_receipts(object.at("receipts"), m_state);
    }
    void on_result(const json::value&) override {}
};

}  // namespace

std::string_view to_string(ReceiptSource source) noexcept {
    switch (source) {
        case ReceiptSource::Auto:
            return "auto";
        case ReceiptSource::Frames:
            return "frames";
        case ReceiptSource::Heads:
            return "heads";
        case ReceiptSource::Poll:
            return "poll";
        case ReceiptSource::Answer:
            return "answer";
    }
    return "";
}

std::unique_ptr<Watcher> make_watcher(ReceiptSource source, const Endpoint& endpoint, double reconnect_s,
                                      RunState& state) {
    switch (source) {
        case ReceiptSource::Answer:
            return nullptr;
        case ReceiptSource::Poll:
            return std::make_unique<Poller>(endpoint, reconnect_s, state);
        case ReceiptSource::Heads:
            return std::make_unique<HeadWatcher>(endpoint, state);
        case ReceiptSource::Frames:
            return std::make_unique<FrameWatcher>(endpoint, state);
        case ReceiptSource::Auto:
            break;
    }
    for (const ReceiptSource candidate : {ReceiptSource::Frames, ReceiptSource::Heads})
        try {
            return make_watcher(candidate, endpoint, reconnect_s, state);
        } catch (const std::exception&) {  // then the next
        }
    return make_watcher(ReceiptSource::Poll, endpoint, reconnect_s, state);
}

}  // namespace meridian::load
