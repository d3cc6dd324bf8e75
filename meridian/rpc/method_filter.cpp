#include <meridian/rpc/method_filter.hpp>

namespace meridian::rpc {

MethodFilter::List::List(const std::vector<std::string>& items) {
    for (const std::string& item : items) {
        if (item.ends_with("_*"))
            namespaces.insert(item.substr(0, item.size() - 2));
        else
            names.insert(item);
    }
}

bool MethodFilter::List::holds(std::string_view method) const {
    return names.contains(std::string(method)) ||
           namespaces.contains(std::string(method.substr(0, method.find('_'))));
}

MethodFilter::MethodFilter(const std::vector<std::string>& allow, const std::vector<std::string>& deny)
    : m_allow(allow), m_deny(deny) {}

std::string_view MethodFilter::forbidden_by(std::string_view method) const {
    if (!m_deny.empty() && m_deny.holds(method))
        return "rpc.deny";
    if (!m_allow.empty() && !m_allow.holds(method))
        return "rpc.allow";
    return {};
}

}  // namespace meridian::rpc
