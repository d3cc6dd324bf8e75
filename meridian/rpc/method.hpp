// A JSON-RPC method as a self-describing object, and the table of all of them.
#pragma once

#include <meridian/base/fair_queue.hpp>
#include <meridian/rpc/later.hpp>
#include <meridian/rpc/values.hpp>

#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace meridian::rpc {

class Service;
class Session;

struct Param {
    std::string_view name;
    std::string_view type;
    bool required = true;
};

// The parameters of one call: their number has been checked against the method's table entry.
class Args {
public:
    explicit Args(const json::array& values) : m_values(values) {}

    std::size_t size() const noexcept { return m_values.size(); }
    bool has(std::size_t index) const { return index < m_values.size() && !m_values[index].is_null(); }
    // Precondition: has(index), or the parameter is required.
    const json::value& raw(std::size_t index) const { return m_values[index]; }

    // Applies a reader of values.hpp; what it throws becomes "invalid argument <index>: ...".
    template <class Read>
    auto get(std::size_t index, Read&& read) const -> decltype(read(raw(index))) {
        try {
            return read(m_values[index]);
        } catch (const ValueError& error) {
            invalid_params("invalid argument " + std::to_string(index) + ": " + error.message());
        }
    }
    template <class Read, class T>
    T get_or(std::size_t index, Read&& read, T fallback) const {
        return has(index) ? T(get(index, std::forward<Read>(read))) : fallback;
    }

private:
    const json::array& m_values;
};

struct Call {
    Service& service;
    // Where notifications go; null if the transport has no way back (HTTP).
    Session* session;
    const Args& args;
    ClientId client = kNobody;
};

struct Method {
    std::string_view name;
    std::string_view summary;
    std::vector<Param> params;
    std::string_view result;
    json::value (*handler)(const Call& call);
    // In place of `handler`, which is null then: what may have to wait.
    LaterPtr (*later)(const Call& call) = nullptr;
};

// One table a namespace or topic.
std::span<const Method> chain_methods();
std::span<const Method> state_methods();
std::span<const Method> call_methods();
std::span<const Method> transaction_methods();
std::span<const Method> realtime_methods();
std::span<const Method> filter_methods();
std::span<const Method> debug_methods();
std::span<const Method> txpool_methods();
std::span<const Method> network_methods();
// Of development chains only.
std::span<const Method> signing_methods();
std::span<const Method> development_methods();
std::span<const Method> token_methods();
std::span<const Method> reorg_methods();
std::span<const Method> dump_methods();
std::span<const Method> testing_methods();

class MethodTable {
public:
    // With development methods or without.
    explicit MethodTable(bool development);
    // Null if there is no such method.
    const Method* find(std::string_view name) const;
    // Whether it only reads the chain, and may take long: where there are readers, it is theirs. What is a
    // look-up or two stays on the chain's thread. Precondition: a method of this table.
    bool is_for_readers(std::string_view name) const { return m_by_name.find(name)->second.reads; }
    // By name.
    std::vector<const Method*> sorted() const;
    std::size_t size() const noexcept { return m_by_name.size(); }

private:
    struct Entry {
        const Method* method;
        bool reads;
    };
    void add(std::span<const Method> table, bool reads = false);

    std::unordered_map<std::string_view, Entry> m_by_name;
};

// What `rpc_methods` answers: every method with its parameters.
json::value describe(const MethodTable& table);

}  // namespace meridian::rpc
