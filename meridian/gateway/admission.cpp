#include <meridian/gateway/admission.hpp>

#include <chrono>

namespace meridian::gateway {
namespace {

std::uint64_t steady_us() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

RequestRefusal refusal(const std::string& message, const char* key, std::uint64_t retry_ms) {
    const std::string again = "; try again in " + std::to_string(retry_ms) + " ms (" + key + ")";
    return {rpc::RpcError(rpc::ErrorCode::LimitExceeded, message + again,
                          boost::json::object{{"limit", key}, {"retryAfterMs", retry_ms}}),
            retry_ms};
}

}  // namespace

RequestSlot::~RequestSlot() {
    if (m_admission == nullptr)
        return;
    const std::lock_guard lock(m_admission->m_mutex);
    m_admission->m_in_work.give_back(m_client);
}

std::expected<RequestSlot, RequestRefusal> Admission::admit(const std::string& client, ClientId id,
                                                            std::size_t items) {
    constexpr std::uint64_t kRetryWhenFull_ms = 100;
    if (!m_rate.unlimited()) {
        if (const std::uint64_t wait_ms = m_rate.take(client, items, steady_us()); wait_ms != 0) {
            ++m_refused_for_rate;
            return std::unexpected(
                refusal("too many requests: at most " + std::to_string(m_per_s) + " a second",
                        "rpc.requests_per_s_max", wait_ms));
        }
    }
    const std::lock_guard lock(m_mutex);
    if (!m_in_work.take(id)) {
        ++m_refused_for_load;
        return std::unexpected(refusal("too many requests at once: at most " +
                                           std::to_string(m_in_work.total_max()) +
                                           ", of one client as many as there is room left",
                                       "rpc.concurrent_requests_max", kRetryWhenFull_ms));
    }
    return RequestSlot(*this, id);
}

}  // namespace meridian::gateway
