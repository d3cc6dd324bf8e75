// Any text as the transition tool's input from stdin: refused with a reason, or executed.
#include <meridian/base/assert.hpp>
#include <meridian/spec/json.hpp>
#include <meridian/spec/t8n.hpp>

namespace meridian::spec {
namespace {

// Much gas is much time, and finds no more.
constexpr std::uint64_t kGasMax = 1'000'000;
constexpr std::string_view kForks[] = {"Frontier", "Berlin", "London", "Shanghai",
                                       "Cancun",   "Prague", "Osaka"};

bool is_affordable(const Json& txn) {
    for (const char* name : {"gas", "gasLimit"})
        if (const Json* gas = txn.is_object() ? find(txn, name) : nullptr)
            if (number(*gas) > kGasMax)
                return false;
    return true;
}

bool is_affordable(std::string_view text) {
    const auto document = Document::parse(text, "stdin");
    if (!document)
        return true;
    try {
        const Json* txns = document->root().is_object() ? find(document->root(), "txs") : nullptr;
        if (txns == nullptr || !txns->is_array())
            // The encoded form: not read here.
            return txns != nullptr || text.find("txsRlp") == std::string_view::npos || text.size() < 2048;
        for (const Json& txn : array(*txns))
            if (!is_affordable(txn))
                return false;
    } catch (const FieldFailure&) {
    }
    return true;
}

void run(BytesView input) {
    if (input.empty())
        return;
    T8nOptions options;
    options.fork = kForks[input[0] % std::size(kForks)];
    options.reward = input[0] % 2 == 0 ? 5 : -1;
    options.input_alloc = options.input_env = options.input_txs = "stdin";
    options.output_alloc = options.output_result = options.output_body = "";
    options.standard_input.emplace(reinterpret_cast<const char*>(input.data()) + 1, input.size() - 1);
    if (!is_affordable(*options.standard_input))
        return;
    const auto done = transition(options);
    MERIDIAN_ASSERT(done || !done.error().message.empty());
    MERIDIAN_ASSERT(done || done.error().code != T8nCode::Success);
    MERIDIAN_ASSERT(done || done.error().code != T8nCode::Io);
}

}  // namespace
}  // namespace meridian::spec

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    meridian::spec::run({data, size});
    return 0;
}
