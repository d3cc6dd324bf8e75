#include <meridian/operation/admin.hpp>

#include <meridian/operation/token_file.hpp>

#include <spdlog/spdlog.h>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <atomic>
#include <mutex>
#include <thread>

namespace meridian::operation {
namespace {

using gateway::PlainAnswer;

constexpr unsigned kUnauthorized = 401;
constexpr unsigned kMethodNotAllowed = 405;

enum Code : int {
    kParseError = -32700,
    kInvalidRequest = -32600,
    kMethodNotFound = -32601,
    kRefused = -32000
};

PlainAnswer plain(unsigned status, std::string body, std::string field, std::string value) {
    return {.status = status,
            .type = "text/plain; charset=utf-8",
            .body = std::move(body),
            .fields = {{std::move(field), std::move(value)}}};
}

PlainAnswer result(const json::value& id, json::value value) {
    return {.body =
                json::serialize(json::object{{"jsonrpc", "2.0"}, {"id", id}, {"result", std::move(value)}}) +
                "\n"};
}

PlainAnswer error(const json::value& id, Code code, const std::string& message) {
    const json::object content{{"code", static_cast<int>(code)}, {"message", message}};
    return {.body = json::serialize(json::object{{"jsonrpc", "2.0"}, {"id", id}, {"error", content}}) + "\n"};
}

}  // namespace

PlainAnswer Admin::answer(const gateway::PlainRequest& request) const {
    if (!authorized(request.authorization, m_token)) {
        spdlog::warn("a request on the admin port without the token was refused");
        return plain(kUnauthorized, "The admin port wants: Authorization: Bearer TOKEN\n", "WWW-Authenticate",
                     "Bearer");
    }
    if (request.method != "POST")
        return plain(kMethodNotAllowed, "POST a JSON-RPC request\n", "Allow", "POST");
    boost::system::error_code ec;
    json::parse_options bounds;
    bounds.max_depth = 16;
    const json::value parsed = json::parse(request.body, ec, {}, bounds);
    if (ec)
        return error(nullptr, kParseError, "no JSON: " + ec.message());
    const json::object* call = parsed.if_object();
    const json::value* name = call != nullptr ? call->if_contains("method") : nullptr;
    const json::value* id = call != nullptr ? call->if_contains("id") : nullptr;
    const json::value given_id = id != nullptr ? *id : json::value(nullptr);
    if (name == nullptr || !name->is_string())
        return error(given_id, kInvalidRequest, "want one object with a method");
    const auto found = m_methods.find(std::string(name->get_string()));
    if (found == m_methods.end()) {
        std::string known;
        for (const auto& [each, method] : m_methods)
            known += (known.empty() ? "" : ", ") + each;
        return error(given_id, kMethodNotFound, "there is no such method; there are " + known);
    }
    const json::value* params = call->if_contains("params");
    if (params != nullptr && !params->is_array())
        return error(given_id, kInvalidRequest, "params has to be a list, " + found->second.params);
    spdlog::info("admin: {}", found->first);
    try {
        auto done = found->second.handler(params != nullptr ? params->get_array() : json::array{});
        return done ? result(given_id, *std::move(done)) : error(given_id, kRefused, done.error());
    } catch (const std::exception& thrown) {
        return error(given_id, kRefused, thrown.what());
    }
}

struct AdminJobs::State {
    mutable std::mutex mutex;
    std::string name;
    bool running = false;
    std::string progress;
    AdminResult result = json::value(nullptr);
    std::atomic<bool> stopping = false;
    std::thread thread;
};

AdminJobs::AdminJobs() : m_state(std::make_unique<State>()) {}

AdminJobs::~AdminJobs() {
    m_state->stopping = true;
    if (m_state->thread.joinable())
        m_state->thread.join();
}

AdminResult AdminJobs::start(const std::string& name, Work work) {
    {
        const std::lock_guard lock(m_state->mutex);
        if (m_state->running)
            return fail(m_state->name + " is under way (" + m_state->progress + "); wait for its end");
        m_state->name = name;
        m_state->running = true;
        m_state->progress = "begun";
    }
    if (m_state->thread.joinable())
        m_state->thread.join();
    m_state->thread = std::thread([state = m_state.get(), work = std::move(work)] {
        auto done = work([state](const std::string& words) {
            const std::lock_guard lock(state->mutex);
            state->progress = words;
            return !state->stopping;
        });
        const std::lock_guard lock(state->mutex);
        if (!done)
            spdlog::error("{} failed: {}", state->name, done.error());
        else
            spdlog::info("{} is done", state->name);
        state->progress = done ? "done" : "failed";
        state->result = std::move(done);
        state->running = false;
    });
    return json::object{{"started", name}};
}

json::value AdminJobs::status() const {
    const std::lock_guard lock(m_state->mutex);
    if (m_state->name.empty())
        return nullptr;
    json::object out{{"name", m_state->name}, {"running", m_state->running}, {"progress", m_state->progress}};
    if (!m_state->running && m_state->result)
        out["result"] = *m_state->result;
    if (!m_state->running && !m_state->result)
        out["error"] = m_state->result.error();
    return out;
}

}  // namespace meridian::operation
