// Which methods are served: those of an allow list, without those of a deny list.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace meridian::rpc {

class MethodFilter {
public:
    // Serves everything.
    MethodFilter() = default;
    // Each item is a method's name or NAMESPACE_*. An empty allow list allows all.
    MethodFilter(const std::vector<std::string>& allow, const std::vector<std::string>& deny);

    // The configuration's key that forbids the method; empty if it is served.
    std::string_view forbidden_by(std::string_view method) const;

private:
    struct List {
        explicit List(const std::vector<std::string>& items = {});
        bool holds(std::string_view method) const;
        bool empty() const noexcept { return names.empty() && namespaces.empty(); }
        std::unordered_set<std::string> names;
        std::unordered_set<std::string> namespaces;  // without "_*"
    };
    List m_allow;
    List m_deny;
};

// What is wrong with an item of such a list, in words: it names no method there is. A method of development
// chains counts, as a list may be that of several nodes.
std::optional<std::string> find_method_mistake(const std::string& item);

}  // namespace meridian::rpc
