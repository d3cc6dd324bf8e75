#include <meridian/load/driver.hpp>

#include <meridian/load/failure.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <queue>
#include <thread>

namespace meridian::load {
namespace {

namespace asio = boost::asio;

constexpr std::uint64_t kNever = ~std::uint64_t{0};
constexpr std::uint64_t kTickUs = 100;       // the least time between two looks at the schedule
constexpr std::uint64_t kBlockedUs = 500;    // until looking again for room in flight
constexpr std::uint64_t kBackoffUs = 1'000;  // after the node said: not now
constexpr std::uint64_t kNotNowUsMax = 60'000'000;
constexpr std::uint64_t kReconnectUs = 100'000;

// One connection and the transactions that go over it. On one thread.
class Sender final : public ChannelListener {
public:
    Sender(asio::io_context& io, const DriveOptions& options, RunState& state)
        : m_options(options), m_state(state), m_broken(options.senders) {
        m_channel = make_channel(io,
                                 {.endpoint = options.endpoint,
                                  .method = options.method,
                                  .chain_id = options.chain_id,
                                  .genesis_hash = options.genesis_hash,
                                  .wait = options.wait},
                                 *this);
        m_channel->open();
    }

    void assign(std::uint32_t txn) { m_order.push_back(txn); }

    // Sends what may be sent; returns when to ask again (microseconds of the run), or kNever if an answer has
    // to come first.
    std::uint64_t pump() {
        const std::uint64_t now = m_state.now_us();
        if (!m_open)
            return reopen(now);
        if (now < m_paused_until_us)
            return m_paused_until_us;
        while (m_unanswered < m_options.pipeline && m_channel->has_room()) {
            if (!m_again.empty()) {
                const std::uint32_t txn = m_again.top();
                m_again.pop();
                submit(txn, 0);
                continue;
            }
            drop_broken();
            if (m_next == m_order.size() || over(now))
                return kNever;
            const std::uint64_t due = due_us(m_order[m_next]);
            if (due > now)
                return due;
            if (m_state.in_flight() >= m_options.in_flight)
                return now + kBlockedUs;
            submit(m_order[m_next++], due);
        }
        return kNever;
    }

    bool done() const {
        return m_again.empty() && m_unanswered == 0 &&
               (m_next == m_order.size() || over(m_state.now_us()) || m_given_up);
    }

    void on_answer(const SubmitAnswer& answer) override {
        if (answer.txn >= m_waiting.size() || !m_waiting[answer.txn])
            return m_state.note_error("an answer to nothing that was asked");
        m_waiting[answer.txn] = false;
        --m_unanswered;
        switch (answer.verdict) {
            case Verdict::Accepted:
            case Verdict::AlreadyThere:
                m_state.note_accepted(answer.txn);
                break;
            case Verdict::NotNow:
                not_now(answer);
                break;
            case Verdict::Refused:
                fail(answer.txn, std::string(answer.error));
                break;
        }
        if (answer.inclusion)
            m_state.note_included(answer.txn, *answer.inclusion);
        pump();
    }

    void on_included(std::uint32_t txn, const Inclusion& inclusion, const FrameStamp& frame) override {
        if (txn >= m_waiting.size())
            return m_state.note_error("the inclusion of nothing that was sent");
        m_state.note_included(txn, inclusion);
        m_state.note_frame(frame);
        pump();
    }

    void on_dropped(std::uint32_t txn, std::string_view reason) override {
        if (txn < m_waiting.size())
            fail(txn, "dropped: " + std::string(reason));
    }

    void on_lost(std::string_view reason) override {
        m_state.note_error("connection lost: " + std::string(reason));
        m_open = false;
        m_unanswered = 0;
        m_lost_us = m_state.now_us();
        m_reopen_us = m_lost_us + kReconnectUs;
        m_again = {};
        // What was accepted and is in no block yet went with the pool of a node that ended.
        for (std::size_t i = 0; i < m_next; ++i)
            if (unanswered(m_order[i]) || (m_options.reconnect_s > 0 && may_be_lost(m_order[i])))
                m_again.push(m_order[i]);
        m_waiting.assign(m_waiting.size(), false);
        if (m_options.reconnect_s == 0)
            give_up();
    }

    void expect(std::size_t txns) { m_waiting.resize(txns); }

private:
    std::uint64_t due_us(std::uint32_t txn) const {
        if (m_options.rate == 0)
            return 0;
        return 1 + static_cast<std::uint64_t>(1e6 * txn / m_options.rate);
    }

    bool over(std::uint64_t now) const {
        return m_options.duration_s > 0 && static_cast<double>(now) > 1e6 * m_options.duration_s;
    }

    // Sent, neither taken nor given up: on its way, or waiting to be sent again.
    bool unanswered(std::uint32_t txn) const {
        const TxnRecord& record = m_state.records()[txn];
        return record.accepted_us == 0 && !record.settled;
    }
    bool may_be_lost(std::uint32_t txn) const {
        const TxnRecord& record = m_state.records()[txn];
        return record.accepted_us != 0 && !record.settled;
    }

    void submit(std::uint32_t txn, std::uint64_t due) {
        ++m_unanswered;
        m_waiting[txn] = true;
        m_state.note_sent(txn, due);
        m_channel->submit(txn, m_state.load().envelopes[txn]);
    }

    void not_now(const SubmitAnswer& answer) {
        const std::uint64_t now = m_state.now_us();
        m_state.note_error("not now (tried again): " + std::string(answer.error));
        if (now - m_state.records()[answer.txn].sent_us > kNotNowUsMax)
            return fail(answer.txn, "never taken: " + std::string(answer.error));
        m_again.push(answer.txn);
        m_paused_until_us = now + kBackoffUs;
    }

    // What the same account would send later can never be executed.
    void fail(std::uint32_t txn, const std::string& kind) {
        m_state.note_failed(txn, kind);
        m_broken[txn % m_options.senders] = true;
    }

    void drop_broken() {
        while (m_next < m_order.size() && m_broken[m_order[m_next] % m_options.senders])
            m_state.note_failed(m_order[m_next++], "not sent, as one before it failed");
    }

    std::uint64_t reopen(std::uint64_t now) {
        if (m_given_up)
            return kNever;
        if (now < m_reopen_us)
            return m_reopen_us;
        try {
            m_channel->open();
            m_open = true;
            return now;
        } catch (const LoadFailure&) {
            m_reopen_us = now + kReconnectUs;
            if (static_cast<double>(now - m_lost_us) > 1e6 * m_options.reconnect_s)
                give_up();
            return m_reopen_us;
        }
    }

    void give_up() {
        m_given_up = true;
        for (; !m_again.empty(); m_again.pop())
            m_state.note_failed(m_again.top(), "not answered before the connection was lost");
        for (; m_next < m_order.size(); ++m_next)
            m_state.note_error("not sent, as the connection was lost");
    }

    const DriveOptions& m_options;
    RunState& m_state;
    std::unique_ptr<Channel> m_channel;
    std::vector<std::uint32_t> m_order;
    std::size_t m_next = 0;
    // Lowest first, so that an account's go out in order.
    std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> m_again;
    std::vector<bool> m_waiting;  // by transaction: submitted and not answered
    std::vector<bool> m_broken;   // by sending account
    std::size_t m_unanswered = 0;
    std::uint64_t m_paused_until_us = 0;
    bool m_open = true;
    bool m_given_up = false;
    std::uint64_t m_lost_us = 0;
    std::uint64_t m_reopen_us = 0;
};

// One thread with its connections.
class Lane {
public:
    explicit Lane(RunState& state) : m_state(state), m_guard(asio::make_work_guard(m_io)), m_timer(m_io) {}

    asio::io_context& io() { return m_io; }
    void add(std::unique_ptr<Sender> sender) { m_senders.push_back(std::move(sender)); }

    void start() {
        asio::post(m_io, [this] { tick(); });
        m_thread = std::thread([this] {
            try {
                m_io.run();
            } catch (const std::exception& error) {
                m_error = error.what();
                m_done = true;
            }
        });
    }

    bool done() const { return m_done; }

    void stop() {
        m_io.stop();
        if (m_thread.joinable())
            m_thread.join();
        if (!m_error.empty())
            throw LoadFailure(m_error);
    }

    ~Lane() {
        m_io.stop();
        if (m_thread.joinable())
            m_thread.join();
    }

private:
    void tick() {
        std::uint64_t next = kNever;
        bool done = true;
        for (const auto& sender : m_senders) {
            next = std::min(next, sender->pump());
            done = done && sender->done();
        }
        m_done = done;
        const std::uint64_t now = m_state.now_us();
        // An answer may make room at any time: look for the end of a duration now and then.
        const std::uint64_t wait = next == kNever ? 2'000 : next > now ? next - now : 0;
        m_timer.expires_after(std::chrono::microseconds(std::clamp<std::uint64_t>(wait, kTickUs, 2'000)));
        m_timer.async_wait([this](boost::system::error_code ec) {
            if (!ec)
                tick();
        });
    }

    RunState& m_state;
    asio::io_context m_io{1};
    asio::executor_work_guard<asio::io_context::executor_type> m_guard;
    asio::steady_timer m_timer;
    std::vector<std::unique_ptr<Sender>> m_senders;
    std::atomic<bool> m_done = false;
    std::thread m_thread;
    std::string m_error;  // written before the thread ends
};

}  // namespace

class Driver::Impl {
public:
    Impl(const DriveOptions& options, RunState& state) : m_options(options) {
        for (std::size_t i = 0; i < options.threads; ++i)
            m_lanes.push_back(std::make_unique<Lane>(state));
        std::vector<Sender*> senders;
        for (std::size_t i = 0; i < options.connections; ++i) {
            Lane& lane = *m_lanes[i % m_lanes.size()];
            auto sender = std::make_unique<Sender>(lane.io(), m_options, state);
            sender->expect(state.records().size());
            senders.push_back(sender.get());
            lane.add(std::move(sender));
        }
        for (std::uint32_t txn = 0; txn < state.records().size(); ++txn)
            senders[txn % options.senders % senders.size()]->assign(txn);
    }

    std::vector<std::unique_ptr<Lane>>& lanes() { return m_lanes; }

private:
    DriveOptions m_options;
    std::vector<std::unique_ptr<Lane>> m_lanes;
};

Driver::Driver(const DriveOptions& options, RunState& state)
    : m_impl(std::make_unique<Impl>(options, state)) {}
Driver::~Driver() = default;

void Driver::start() {
    for (const auto& lane : m_impl->lanes())
        lane->start();
}

bool Driver::done() const {
    return std::all_of(m_impl->lanes().begin(), m_impl->lanes().end(),
                       [](const auto& lane) { return lane->done(); });
}

void Driver::stop() {
    for (const auto& lane : m_impl->lanes())
        lane->stop();
}

}  // namespace meridian::load
