#include <meridian/load/submit_message.hpp>

#include <meridian/load/receipt_json.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace meridian::load {
namespace {

namespace json = boost::json;

constexpr std::string_view kHead = R"({"jsonrpc":"2.0","id":)";
constexpr std::string_view kTail = R"("]})";

std::string_view middle(SubmitMethod method) {
    return method == SubmitMethod::Plain ? R"(,"method":"eth_sendRawTransaction","params":["0x)"
                                         : R"(,"method":"eth_sendRawTransactionSync","params":["0x)";
}

constexpr std::int64_t kLimitExceeded = -32005;  // EIP-1474

bool contains_any(std::string_view text, std::initializer_list<std::string_view> parts) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

// By the words that geth, anvil and our node use.
void read_error(const json::value& error, SubmitAnswer& out) {
    out.verdict = Verdict::Refused;
    if (!error.is_object())
        return;
    if (const json::value* text = error.get_object().if_contains("message"); text && text->is_string())
        out.error = text->get_string();
    const json::value* code = error.get_object().if_contains("code");
    if (contains_any(out.error, {"already known", "already imported", "nonce too low"}))
        out.verdict = Verdict::AlreadyThere;
    else if ((code && code->is_int64() && code->get_int64() == kLimitExceeded) ||
             contains_any(out.error, {"busy", "pool is full", "account limit exceeded", "nonce too high"}))
        out.verdict = Verdict::NotNow;
}

}  // namespace

void append_submission(std::string& out, SubmitMethod method, std::uint32_t id, BytesView envelope) {
    static constexpr char kDigits[] = "0123456789abcdef";
    out += kHead;
    out += std::to_string(id);
    out += middle(method);
    const std::size_t at = out.size();
    out.resize(at + 2 * envelope.size());
    char* to = out.data() + at;
    for (const std::uint8_t byte : envelope) {
        *to++ = kDigits[byte >> 4];
        *to++ = kDigits[byte & 15];
    }
    out += kTail;
}

std::size_t submission_size(SubmitMethod method, std::uint32_t id, BytesView envelope) {
    return kHead.size() + std::to_string(id).size() + middle(method).size() + 2 * envelope.size() +
           kTail.size();
}

bool read_submit_answer(std::string_view text, ChannelListener& listener) {
    std::array<unsigned char, 4096> buffer;
    json::monotonic_resource memory(buffer.data(), buffer.size());
    boost::system::error_code ec;
    const json::value value = json::parse(text, ec, &memory);
    if (ec || !value.is_object())
        return false;
    const json::object& object = value.get_object();
    const json::value* id = object.if_contains("id");
    if (id == nullptr || !id->is_int64() || id->get_int64() < 0 ||
        id->get_int64() > std::numeric_limits<std::uint32_t>::max())
        return false;
    SubmitAnswer answer{.txn = static_cast<std::uint32_t>(id->get_int64()), .error = {}, .inclusion = {}};
    if (const json::value* error = object.if_contains("error"); error != nullptr && !error->is_null()) {
        read_error(*error, answer);
    } else if (const json::value* result = object.if_contains("result")) {
        if (result->is_object())
            answer.inclusion = read_inclusion(result->get_object());
    } else {
        return false;
    }
    listener.on_answer(answer);
    return true;
}

}  // namespace meridian::load
