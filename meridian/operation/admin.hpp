// Methods for the operator: JSON-RPC 2.0 by POST on a port of their own, for who has the token.
//
//   curl -H "Authorization: Bearer $(cat admin.token)" -d '{"id":1,"method":"admin_status"}' 127.0.0.1:8547
#pragma once

#include <meridian/base/result.hpp>
#include <meridian/gateway/plain_server.hpp>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace meridian::operation {

namespace json = boost::json;

// The error is a sentence for the caller.
using AdminResult = Result<json::value, std::string>;
using AdminHandler = std::function<AdminResult(const json::array& params)>;

class Admin {
public:
    explicit Admin(std::string token) : m_token(std::move(token)) {}

    struct Method {
        std::string params;  // in words, as "[level]"
        std::string summary;
        AdminHandler handler;
    };
    // Before the port is opened.
    void add(const std::string& name, Method method) { m_methods[name] = std::move(method); }

    // For PlainServer; this outlives the handler. Never throws.
    gateway::PlainAnswer answer(const gateway::PlainRequest& request) const;

private:
    std::string m_token;
    std::map<std::string, Method> m_methods;
};

// Work of the operator's that takes long, one at a time, on a thread of its own.
class AdminJobs {
public:
    // Tells how far it is; false: to be given up.
    using Progress = std::function<bool(const std::string& words)>;
    using Work = std::function<AdminResult(const Progress& progress)>;

    AdminJobs();
    // Gives up what is under way.
    ~AdminJobs();
    AdminJobs(const AdminJobs&) = delete;
    AdminJobs& operator=(const AdminJobs&) = delete;

    // The error says which job is under way.
    AdminResult start(const std::string& name, Work work);
    // {"name","running","progress","result" or "error"} of the last one; null if there was none.
    json::value status() const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

}  // namespace meridian::operation
