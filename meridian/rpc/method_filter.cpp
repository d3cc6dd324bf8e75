#include <meridian/config/nearest.hpp>
#include <meridian/rpc/method.hpp>
#include <meridian/rpc/method_filter.hpp>

#include <algorithm>
#include <set>

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

std::optional<std::string> find_method_mistake(const std::string& item) {
    const MethodTable table(true);
    std::set<std::string> names;
    for (const Method* method : table.sorted()) {
        names.emplace(method->name);
        names.insert(std::string(method->name.substr(0, method->name.find('_'))) + "_*");
    }
    if (names.contains(item))
        return std::nullopt;
    std::string out = "\"" + item + "\" names no method";
    const std::vector<std::string> known(names.begin(), names.end());
    if (const auto meant = config::nearest_name(item, known))
        return out + "; did you mean \"" + *meant + "\"?";
    return out + ": want NAME or NAMESPACE_*, as rpc_methods lists them";
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
