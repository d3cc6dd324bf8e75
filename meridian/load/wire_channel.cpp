#include <meridian/load/wire_channel.hpp>

#include <meridian/load/failure.hpp>
#include <meridian/wire/txn_client.hpp>

#include <boost/asio/post.hpp>

#include <mutex>
#include <variant>
#include <vector>

namespace meridian::load {
namespace {

namespace asio = boost::asio;
using sequencer::SubmitError;

Verdict verdict_of(SubmitError error) {
    switch (error) {
        case SubmitError::AlreadyKnown:
        case SubmitError::NonceTooLow:
            return Verdict::AlreadyThere;
        case SubmitError::Busy:
        case SubmitError::PoolFull:
        case SubmitError::SenderFull:
        case SubmitError::NonceTooHigh:
            return Verdict::NotNow;
        default:
            return Verdict::Refused;
    }
}

// What the client's thread is told waits in one list for the channel's own thread.
class WireChannel final : public Channel, private wire::TxnClientListener {
public:
    WireChannel(asio::io_context& io, const ChannelOptions& options, ChannelListener& listener)
        : m_io(io), m_options(options), m_listener(listener) {}
    // Before the rest, as it calls until then.
    ~WireChannel() override { m_client.reset(); }

    void open() override {
        m_client.reset();
        m_events.clear();
        m_unsettled = 0;
        wire::TxnClientOptions options;
        const std::string text = m_options.endpoint.text();
        options.address = text.substr(text.find("//") + 2);
        options.chain = {.genesis_hash = m_options.genesis_hash, .chain_id = m_options.chain_id};
        options.in_flight_max = m_options.in_flight;
        auto client = wire::TxnClient::connect(options, *this);
        if (!client)
            throw LoadFailure(client.error());
        m_client = *std::move(client);
        m_room = std::max<std::size_t>(
            1, std::min<std::size_t>(m_options.in_flight, m_client->limits().in_flight_max));
    }

    bool has_room() const override { return m_unsettled < m_room; }

    void submit(std::uint32_t txn, BytesView envelope) override {
        // Cannot fail for want of room: what is settled here is settled there. If the connection is gone,
        // that is told presently.
        m_unsettled += m_client->try_submit(txn, envelope, m_options.wait);
    }

private:
    struct Closed {
        std::string why;
    };
    using Event = std::variant<wire::Accepted, wire::Refused, wire::Included, wire::Dropped, Closed>;

    void on_accepted(const wire::Accepted& answer) override { queue(answer); }
    void on_refused(const wire::Refused& answer) override { queue(answer); }
    void on_included(const wire::Included& outcome) override { queue(outcome); }
    void on_dropped(const wire::Dropped& outcome) override { queue(outcome); }
    void on_closed(const std::string& why) override { queue(Closed{why}); }

    void queue(Event event) {
        const std::lock_guard lock(m_mutex);
        m_events.push_back(std::move(event));
        if (m_events.size() == 1)
            asio::post(m_io, [this] { take_events(); });
    }

    void take_events() {
        std::vector<Event> events;
        {
            const std::lock_guard lock(m_mutex);
            events.swap(m_events);
        }
        for (const Event& event : events)
            std::visit([this](const auto& one) { tell(one); }, event);
    }

    void tell(const wire::Accepted& answer) {
        m_unsettled -= !m_options.wait;
        m_listener.on_answer({.txn = static_cast<std::uint32_t>(answer.id), .error = {}, .inclusion = {}});
    }
    void tell(const wire::Refused& answer) {
        --m_unsettled;
        m_listener.on_answer({.txn = static_cast<std::uint32_t>(answer.id),
                              .verdict = verdict_of(answer.error),
                              .error = answer.text,
                              .inclusion = {}});
    }
    void tell(const wire::Included& outcome) {
        --m_unsettled;
        m_listener.on_included(static_cast<std::uint32_t>(outcome.id),
                               {.succeeded = outcome.success, .gas_used = outcome.gas_used, .gas_price = {}},
                               {.number = outcome.frame_number, .timestamp_us = outcome.timestamp_us});
    }
    void tell(const wire::Dropped& outcome) {
        --m_unsettled;
        m_listener.on_dropped(static_cast<std::uint32_t>(outcome.id), outcome.text);
    }
    void tell(const Closed& closed) { m_listener.on_lost(closed.why); }

    asio::io_context& m_io;
    ChannelOptions m_options;
    ChannelListener& m_listener;
    std::mutex m_mutex;
    std::vector<Event> m_events;  // at most two for each unsettled submission, and the end
    std::size_t m_unsettled = 0;  // without the last answer that they get
    std::size_t m_room = 1;
    std::unique_ptr<wire::TxnClient> m_client;
};

}  // namespace

std::unique_ptr<Channel> make_wire_channel(asio::io_context& io, const ChannelOptions& options,
                                           ChannelListener& listener) {
    return std::make_unique<WireChannel>(io, options, listener);
}

}  // namespace meridian::load
