#include <meridian/sequencer/replica_quorum.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/base/hex.hpp>

#include <algorithm>

namespace meridian::sequencer {

std::size_t QuorumStatus::connected() const {
    return static_cast<std::size_t>(std::ranges::count(replicas, true, &ReplicaStatus::connected));
}

std::size_t QuorumStatus::reported() const {
    return static_cast<std::size_t>(std::ranges::count_if(
        replicas, [](const ReplicaStatus& one) { return one.connected && one.acknowledged.has_value(); }));
}

ReplicaQuorum::ReplicaQuorum(QuorumOptions options, Clock& clock)
    : m_options(std::move(options)), m_clock(clock) {
    MERIDIAN_ASSERT(m_options.replicas_min >= 1 && m_options.replicas_min <= m_options.replicas.size());
    for (const Address& address : m_options.replicas)
        m_replicas.push_back({.address = address, .connected = false, .acknowledged = {}});
}

std::optional<std::size_t> ReplicaQuorum::find(const Address& address) const {
    const auto at = std::ranges::find(m_options.replicas, address);
    if (at == m_options.replicas.end())
        return std::nullopt;
    return static_cast<std::size_t>(at - m_options.replicas.begin());
}

// What it held before is what it has to say again: it may have lost its disk.
void ReplicaQuorum::connect(std::size_t replica) {
    const std::unique_lock lock(m_mutex);
    m_replicas.at(replica).connected = true;
    m_replicas.at(replica).acknowledged.reset();
}

void ReplicaQuorum::disconnect(std::size_t replica) {
    const std::unique_lock lock(m_mutex);
    m_replicas.at(replica).connected = false;
}

void ReplicaQuorum::acknowledge(std::size_t replica, std::uint64_t number) {
    {
        const std::unique_lock lock(m_mutex);
        m_replicas.at(replica).acknowledged = number;
        // How many hold the frames up to which number: the replicas_min-th of the numbers, from the top.
        std::vector<std::uint64_t> held;
        for (const ReplicaStatus& one : m_replicas)
            held.push_back(one.acknowledged.value_or(0));
        std::ranges::sort(held, std::greater{});
        const std::uint64_t released = held[m_options.replicas_min - 1];
        if (released <= m_released)
            return;
        const std::uint64_t now = m_clock.steady_us();
        for (; !m_waiting.empty() && m_waiting.front().number <= released; m_waiting.pop_front()) {
            ++m_waits;
            m_wait_us += now - m_waiting.front().since_us;
        }
        m_released = released;
    }
    if (m_on_release)
        m_on_release();
}

void ReplicaQuorum::on_logged(const PublishedFramePtr& frame) {
    {
        const std::unique_lock lock(m_mutex);
        m_logged = frame->content->number;
        // A replica may have read it from the log, and have been faster.
        if (m_logged > m_released)
            m_waiting.push_back({m_logged, m_clock.steady_us()});
        else
            ++m_waits;
    }
    if (m_on_logged)
        m_on_logged(frame);
}

// Those that are not there. With m_mutex held.
std::string ReplicaQuorum::missing() const {
    std::string out;
    for (const ReplicaStatus& one : m_replicas)
        if (!one.connected || !one.acknowledged)
            out += (out.empty() ? "" : ", ") + to_hex0x(one.address);
    return out;
}

std::string ReplicaQuorum::fault() const {
    const std::unique_lock lock(m_mutex);
    const auto there = static_cast<std::size_t>(std::ranges::count_if(
        m_replicas, [](const ReplicaStatus& one) { return one.connected && one.acknowledged; }));
    if (there < m_options.replicas_min)
        return "log.replicas_min: " + std::to_string(m_options.replicas_min) + " of " +
               std::to_string(m_replicas.size()) + " replicas have to hold a frame before it is shown, and " +
               std::to_string(there) + (there == 1 ? " is" : " are") + " connected; start " + missing();
    if (m_waiting.empty())
        return {};
    const std::uint64_t waited_us = m_clock.steady_us() - m_waiting.front().since_us;
    if (waited_us < m_options.stalled_us)
        return {};
    return "frame " + std::to_string(m_waiting.front().number) + " has waited " +
           std::to_string(waited_us / 1'000'000) + " s for " + std::to_string(m_options.replicas_min) +
           " of " + std::to_string(m_replicas.size()) +
           " replicas to hold it (log.replicas_min): see what keeps them from writing their logs";
}

QuorumStatus ReplicaQuorum::status() const {
    const std::unique_lock lock(m_mutex);
    return {.replicas = m_replicas,
            .replicas_min = m_options.replicas_min,
            .released = m_released,
            .logged = m_logged,
            .waits = m_waits,
            .wait_us = m_wait_us};
}

}  // namespace meridian::sequencer
