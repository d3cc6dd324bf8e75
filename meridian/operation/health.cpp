#include <meridian/operation/health.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace meridian::operation {

void Health::set_running() {
    const std::lock_guard lock(m_mutex);
    if (m_phase == Phase::Recovering)
        m_phase = Phase::Running;
}

void Health::set_stopping() {
    const std::lock_guard lock(m_mutex);
    m_phase = Phase::Stopping;
}

void Health::add_check(std::function<std::vector<Reason>()> check) {
    const std::lock_guard lock(m_mutex);
    m_checks.push_back(std::move(check));
}

void Health::clear_checks() {
    const std::lock_guard lock(m_mutex);
    m_checks.clear();
}

bool Health::stopping() const {
    const std::lock_guard lock(m_mutex);
    return m_phase == Phase::Stopping;
}

std::vector<Reason> Health::reasons() const {
    const std::lock_guard lock(m_mutex);
    std::vector<Reason> out;
    if (m_phase == Phase::Recovering)
        out.push_back({"recovering", "the node is bringing its store and its frame log together"});
    if (m_phase == Phase::Stopping)
        out.push_back({"stopping", "the node is ending"});
    for (const auto& check : m_checks) {
        auto found = check();
        out.insert(out.end(), found.begin(), found.end());
    }
    return out;
}

std::string readiness_json(const std::vector<Reason>& reasons) {
    boost::json::array list;
    for (const Reason& reason : reasons)
        list.push_back({{"code", reason.code}, {"message", reason.message}});
    return boost::json::serialize(
               boost::json::object{{"ready", reasons.empty()}, {"reasons", std::move(list)}}) +
           "\n";
}

}  // namespace meridian::operation
