#include <meridian/base/assert.hpp>
#include <meridian/rpc/method.hpp>

#include <algorithm>

namespace meridian::rpc {

MethodTable::MethodTable(bool development) {
    for (const auto table :
         {chain_methods(), state_methods(), call_methods(), transaction_methods(), realtime_methods(),
          filter_methods(), debug_methods(), txpool_methods(), network_methods()})
        add(table);
    if (development)
        for (const auto table : {signing_methods(), development_methods(), token_methods(), reorg_methods(),
                                 dump_methods(), testing_methods()})
            add(table);
}

void MethodTable::add(std::span<const Method> table) {
    for (const Method& method : table)
        MERIDIAN_ASSERT(m_by_name.emplace(method.name, &method).second);
}

const Method* MethodTable::find(std::string_view name) const {
    const auto found = m_by_name.find(name);
    return found != m_by_name.end() ? found->second : nullptr;
}

std::vector<const Method*> MethodTable::sorted() const {
    std::vector<const Method*> out;
    for (const auto& [name, method] : m_by_name)
        out.push_back(method);
    std::sort(out.begin(), out.end(), [](const Method* a, const Method* b) { return a->name < b->name; });
    return out;
}

json::value describe(const MethodTable& table) {
    json::array out;
    for (const Method* method : table.sorted()) {
        json::array params;
        for (const Param& param : method->params)
            params.push_back(json::object{{"name", json::string(param.name)},
                                          {"type", json::string(param.type)},
                                          {"required", param.required}});
        out.push_back(json::object{{"name", json::string(method->name)},
                                   {"summary", json::string(method->summary)},
                                   {"params", std::move(params)},
                                   {"result", json::string(method->result)}});
    }
    return out;
}

}  // namespace meridian::rpc
