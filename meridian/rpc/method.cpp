#include <meridian/base/assert.hpp>
#include <meridian/rpc/method.hpp>

#include <algorithm>

namespace meridian::rpc {

namespace {

// Of the tables of methods that read, those that take no longer than the way to a reader and back.
constexpr std::string_view kQuick[] = {"eth_blockNumber", "eth_accounts",    "eth_requestAccounts",
                                       "eth_getBalance",  "eth_getCode",     "eth_getTransactionCount",
                                       "txpool_status",   "eth_getStorageAt"};
// Of the other tables, those that only read.
constexpr std::string_view kSlow[] = {"eth_getLogs", "eth_feeHistory", "eth_fillTransaction"};

}  // namespace

MethodTable::MethodTable(bool development) {
    for (const auto table :
         {chain_methods(), state_methods(), call_methods(), debug_methods(), txpool_methods()})
        add(table, true);
    for (const auto table : {transaction_methods(), realtime_methods(), filter_methods(), network_methods()})
        add(table);
    for (const std::string_view name : kQuick)
        m_by_name.at(name).reads = false;
    for (const std::string_view name : kSlow)
        m_by_name.at(name).reads = true;
    if (development)
        for (const auto table : {signing_methods(), development_methods(), token_methods(), reorg_methods(),
                                 dump_methods(), testing_methods()})
            add(table);
}

void MethodTable::add(std::span<const Method> table, bool reads) {
    for (const Method& method : table)
        MERIDIAN_ASSERT(m_by_name.emplace(method.name, Entry{&method, reads}).second);
}

const Method* MethodTable::find(std::string_view name) const {
    const auto found = m_by_name.find(name);
    return found != m_by_name.end() ? found->second.method : nullptr;
}

std::vector<const Method*> MethodTable::sorted() const {
    std::vector<const Method*> out;
    for (const auto& [name, entry] : m_by_name)
        out.push_back(entry.method);
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
