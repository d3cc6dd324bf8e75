#include <meridian/spec/case_context.hpp>

#include <meridian/spec/pattern.hpp>

namespace meridian::spec {

bool CaseContext::begin(std::string_view fork, std::string_view detail) {
    m_current = {};
    m_current.file = m_file;
    m_current.name = m_test + (detail.empty() ? "" : " " + std::string(detail));
    m_current.fork = fork;
    const std::string id = m_current.id();
    if (!m_settings.filter.empty() && !matches(m_settings.filter, id))
        return false;
    if (m_settings.exclusions == nullptr)
        return true;
    const std::string* reason = m_settings.exclusions->find(id);
    if (reason == nullptr)
        return true;
    skip(*reason);
    return false;
}

void CaseContext::finish(std::string reason, std::optional<Hash> state_root) {
    m_current.outcome = reason.empty() ? Outcome::Passed : Outcome::Failed;
    m_current.reason = std::move(reason);
    m_current.state_root = state_root;
    m_reports.push_back(std::move(m_current));
}

void CaseContext::skip(std::string reason) {
    m_current.outcome = Outcome::Skipped;
    m_current.reason = std::move(reason);
    m_reports.push_back(std::move(m_current));
}

}  // namespace meridian::spec
