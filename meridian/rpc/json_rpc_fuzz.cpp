// Any text as JSON-RPC, one request or batch a line, all to the same small chain: the answer is JSON-RPC,
// only notifications go without, and no method fails in a way that it has no words for.
#include <meridian/base/assert.hpp>
#include <meridian/node/dev_chain.hpp>
#include <meridian/rpc/dispatcher.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>

namespace meridian::rpc {
namespace {

constexpr std::size_t kRequestsMax = 12;
constexpr std::size_t kAnswerDepthMax = 512;

const std::vector<node::DevAccount>& accounts() {
    static const auto made = *node::dev_accounts(node::kDefaultMnemonic, 2);
    return made;
}

// Counts up, logs the count and gives it back.
constexpr std::string_view kCounterCode = "600054600101806000558060005260206000a160206000f3";

node::Genesis genesis() {
    node::DevGenesisOptions options;
    options.gas_limit = 2'000'000;
    options.timestamp = 1'600'000'000;
    options.balance = u256{1'000'000'000} * u256{1'000'000'000};
    node::Genesis out = node::dev_genesis(options, accounts());
    out.alloc["0x00000000000000000000000000000000000000cc"_address].code = *from_hex(kCounterCode);
    return out;
}

node::ChainOptions chain_options() {
    node::ChainOptions out;
    out.clock = [] { return std::uint64_t{1'700'000'000}; };
    out.accounts = accounts();
    return out;
}

// Small, so that no input takes long.
ServiceOptions service_options() {
    ServiceOptions out;
    out.limits.batch_items_max = 8;
    out.limits.response_bytes_max = 1 << 20;
    out.limits.call_gas_max = 300'000;
    out.limits.json_values_max = 10'000;
    out.limits.simulate_blocks_max = 4;
    out.limits.simulate_calls_max = 8;
    out.limits.trace_steps_max = 2'000;
    out.limits.mine_blocks_max = 8;
    out.client_version = "meridian/fuzz";
    return out;
}

struct CheckingSession final : Session {
    bool has_room() override { return true; }
    void cut_off(std::string) override {}
    void notify(Notification message) override {
        boost::system::error_code ec;
        const json::value notification = json::parse(message.head + *message.body, ec);
        MERIDIAN_ASSERT(!ec && notification.is_object() && !notification.get_object().contains("id"));
    }
};

void check_response(const json::value& value) {
    const auto* response = value.if_object();
    MERIDIAN_ASSERT(response != nullptr && response->contains("id"));
    const json::value* version = response->if_contains("jsonrpc");
    MERIDIAN_ASSERT(version != nullptr && *version == "2.0");
    const json::value* error = response->if_contains("error");
    MERIDIAN_ASSERT((error != nullptr) != response->contains("result"));
    if (error == nullptr)
        return;
    const json::object& object = error->as_object();
    MERIDIAN_ASSERT(object.at("code").is_int64());
    const json::string& message = object.at("message").as_string();
    // "internal error" is an exception that no method expected.
    MERIDIAN_ASSERT(!message.empty() && message != "internal error");
}

bool is_notification(const json::value& request) {
    const auto* object = request.if_object();
    const json::value* method = object != nullptr ? object->if_contains("method") : nullptr;
    const json::value* version = object != nullptr ? object->if_contains("jsonrpc") : nullptr;
    return version != nullptr && *version == "2.0" && method != nullptr && method->is_string() &&
           !object->contains("id");
}

bool only_notifications(const json::value& request) {
    const auto* batch = request.if_array();
    if (batch == nullptr)
        return is_notification(request);
    return !batch->empty() && std::all_of(batch->begin(), batch->end(), is_notification);
}

void check_answer(const Limits& limits, std::string_view text, const std::string& answer) {
    const auto request = Dispatcher::parse(text, limits);
    if (answer.empty()) {
        MERIDIAN_ASSERT(request && only_notifications(*request));
        return;
    }
    json::parse_options options;
    options.max_depth = kAnswerDepthMax;
    boost::system::error_code ec;
    const json::value value = json::parse({answer.data(), answer.size()}, ec, {}, options);
    MERIDIAN_ASSERT(!ec);
    const auto* batch = value.if_array();
    if (batch == nullptr)
        return check_response(value);
    MERIDIAN_ASSERT(!batch->empty() && request && request->is_array());
    for (const json::value& response : *batch)
        check_response(response);
}

void run(std::string_view input) {
    spdlog::set_level(spdlog::level::off);
    node::DevChain chain(genesis(), chain_options());
    Service service(chain, service_options(), &chain);
    Dispatcher dispatcher(service);
    CheckingSession session;
    for (std::size_t i = 0; i < kRequestsMax && !input.empty(); ++i) {
        const std::string_view line = input.substr(0, input.find('\n'));
        input.remove_prefix(std::min(input.size(), line.size() + 1));
        check_answer(service.limits(), line, dispatcher.handle(line, &session));
    }
    service.forget(session);
}

}  // namespace
}  // namespace meridian::rpc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    meridian::rpc::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
