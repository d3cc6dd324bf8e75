#include <meridian/wire/forwarder.hpp>

#include <meridian/base/client_shares.hpp>
#include <meridian/sequencer/bounded_queue.hpp>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

namespace meridian::wire {
namespace {

using sequencer::SubmitCallback;
using sequencer::SubmitError;
using sequencer::SubmitFailure;
using sequencer::Submitted;

constexpr std::uint64_t kIdleUs = 1'000'000;

std::unexpected<SubmitFailure> busy(std::string why) {
    return fail(SubmitFailure{SubmitError::Busy, std::move(why)});
}

}  // namespace

// Submissions wait for the thread that connects and sends, then for the answer; together they are bounded.
class Forwarder::Impl final : private TxnClientListener {
public:
    Impl(const ForwarderOptions& options, const ChainIdentity& chain)
        : m_options(options), m_shares(options.in_flight_max) {
        m_client_options.address = options.address;
        m_client_options.chain = chain;
        m_client_options.connect_ms_max = options.connect_ms_max;
        m_client_options.in_flight_max = options.in_flight_max;
        m_client_options.session = options.session;
        if (!options.address.empty())
            m_thread = std::thread([this] { run(); });
    }
    ~Impl() override {
        m_ending = true;
        m_bell.ring();
        if (m_thread.joinable())
            m_thread.join();
        m_client.reset();
        refuse_all("the node is shutting down");
    }

    void submit(Bytes envelope, SubmitCallback done, ClientId client);
    std::string fault() const {
        const std::unique_lock lock(m_mutex);
        return m_fault;
    }

private:
    struct Waiting {
        Bytes envelope;
        SubmitCallback done;
        ClientId client = kNobody;
    };
    struct Sent {
        SubmitCallback done;
        ClientId client;
    };

    void run();
    bool connect();
    void send();
    void answer(std::uint64_t id, sequencer::SubmitResult result);
    void refuse_all(const std::string& why);

    void on_accepted(const Accepted& accepted) override {
        answer(accepted.id, Submitted{accepted.hash, accepted.missing_nonce});
    }
    void on_refused(const Refused& refused) override {
        answer(refused.id, fail(SubmitFailure{refused.error, refused.text}));
    }
    void on_included(const Included&) override {}
    void on_dropped(const Dropped&) override {}
    void on_closed(const std::string& why) override {
        refuse_all(
            "the connection to the sequencer was lost before it answered (the transaction may have "
            "arrived): " +
            why);
        m_bell.ring();
    }

    ForwarderOptions m_options;
    TxnClientOptions m_client_options;
    sequencer::Doorbell m_bell;
    std::atomic<bool> m_ending = false;
    mutable std::mutex m_mutex;
    FairQueue<Waiting> m_waiting;                    // not sent
    std::optional<Waiting> m_next;                   // the same; the connection had no room for it
    std::unordered_map<std::uint64_t, Sent> m_sent;  // not answered
    ClientShares m_shares;                           // of all of them
    std::uint64_t m_next_id = 0;
    std::string m_fault;
    std::chrono::steady_clock::time_point m_retry_at;
    std::unique_ptr<TxnClient> m_client;  // of the thread
    std::thread m_thread;
};

void Forwarder::Impl::submit(Bytes envelope, SubmitCallback done, ClientId client) {
    std::string refusal;
    if (m_options.address.empty())
        refusal =
            "this node is a replica without the address of its sequencer's transaction port: send "
            "transactions "
            "to the sequencer, or name that address in the configuration";
    else if (envelope.size() > kEnvelopeSizeMax)
        return done(fail(SubmitFailure{SubmitError::Malformed,
                                       "oversized data: transaction size " + std::to_string(envelope.size()) +
                                           ", limit " + std::to_string(kEnvelopeSizeMax)}));
    if (refusal.empty()) {
        const std::unique_lock lock(m_mutex);
        if (!m_fault.empty() && std::chrono::steady_clock::now() < m_retry_at)
            refusal = m_fault;
        else if (!m_shares.take(client))
            refusal = "too many transactions wait for the sequencer's answer; try again";
        else
            m_waiting.push(client, {std::move(envelope), std::move(done), client});
    }
    if (!refusal.empty())
        return done(busy(std::move(refusal)));
    m_bell.ring();
}

void Forwarder::Impl::run() {
    while (!m_ending) {
        bool work = false;
        {
            const std::unique_lock lock(m_mutex);
            work = m_next || !m_waiting.empty();
        }
        if (work && connect())
            send();
        m_bell.wait(kIdleUs);
    }
}

bool Forwarder::Impl::connect() {
    if (m_client && !m_client->closed())
        return true;
    m_client.reset();
    auto client = TxnClient::connect(m_client_options, *this);
    {
        const std::unique_lock lock(m_mutex);
        m_fault = client ? "" : "transactions cannot be passed on to the sequencer: " + client.error();
        m_retry_at = std::chrono::steady_clock::now() + std::chrono::milliseconds(m_options.retry_ms);
    }
    if (client)
        m_client = *std::move(client);
    else
        refuse_all(fault());
    return m_client != nullptr;
}

void Forwarder::Impl::send() {
    for (;;) {
        Waiting next;
        std::uint64_t id = 0;
        {
            const std::unique_lock lock(m_mutex);
            auto waiting = m_next ? std::exchange(m_next, std::nullopt) : m_waiting.pop();
            if (!waiting)
                return;
            id = ++m_next_id;
            next = *std::move(waiting);
            m_sent.emplace(id, Sent{std::move(next.done), next.client});
        }
        if (m_client->try_submit(id, next.envelope, false))
            continue;
        if (m_client->closed())
            return answer(id, busy("the connection to the sequencer was lost; try again"));
        // The sequencer takes fewer at once than may wait here: on with the next answer.
        const std::unique_lock lock(m_mutex);
        const auto sent = m_sent.extract(id);
        if (!sent.empty())
            m_next = Waiting{std::move(next.envelope), std::move(sent.mapped().done), next.client};
        return;
    }
}

void Forwarder::Impl::answer(std::uint64_t id, sequencer::SubmitResult result) {
    SubmitCallback done;
    {
        const std::unique_lock lock(m_mutex);
        const auto found = m_sent.find(id);
        if (found == m_sent.end())
            return;
        done = std::move(found->second.done);
        m_shares.give_back(found->second.client);
        m_sent.erase(found);
    }
    done(std::move(result));
    m_bell.ring();
}

void Forwarder::Impl::refuse_all(const std::string& why) {
    std::vector<SubmitCallback> refused;
    {
        const std::unique_lock lock(m_mutex);
        const auto drop = [&](ClientId client, SubmitCallback done) {
            m_shares.give_back(client);
            refused.push_back(std::move(done));
        };
        for (auto& [id, sent] : m_sent)
            drop(sent.client, std::move(sent.done));
        m_sent.clear();
        if (auto next = std::exchange(m_next, std::nullopt))
            drop(next->client, std::move(next->done));
        while (auto waiting = m_waiting.pop())
            drop(waiting->client, std::move(waiting->done));
    }
    for (const SubmitCallback& done : refused)
        done(busy(why));
}

Forwarder::Forwarder(const ForwarderOptions& options, const ChainIdentity& chain)
    : m_impl(std::make_unique<Impl>(options, chain)) {}
Forwarder::~Forwarder() = default;

void Forwarder::submit(Bytes envelope, SubmitCallback done, ClientId client) {
    m_impl->submit(std::move(envelope), std::move(done), client);
}
std::string Forwarder::fault() const {
    return m_impl->fault();
}

}  // namespace meridian::wire
