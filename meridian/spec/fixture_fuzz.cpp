// Any text as a file of tests, of every kind: cases pass or fail with a reason, or the text is refused.
#include <meridian/base/assert.hpp>
#include <meridian/evm/code_cache.hpp>
#include <meridian/spec/runner.hpp>

#include <memory>

namespace meridian::spec {
namespace {

// Much gas is much time, and finds no more.
constexpr std::uint64_t kGasMax = 1'000'000;

bool exceeds(const Json& value) {
    try {
        return number(value) > kGasMax;
    } catch (const FieldFailure&) {
        return false;
    }
}

// Whether some "gas" or "gasLimit" below asks for much. Recursion is bounded by the parser's depth.
bool asks_for_much(const Json& value) {
    if (const auto* items = value.if_array()) {
        for (const Json& item : *items)
            if (asks_for_much(item))
                return true;
    } else if (const auto* members = value.if_object()) {
        for (const auto& item : *members) {
            const bool is_gas = item.key() == "gas" || item.key() == "gasLimit";
            if (is_gas && item.value().is_array()) {
                for (const Json& gas : item.value().get_array())
                    if (exceeds(gas))
                        return true;
            } else if ((is_gas && exceeds(item.value())) || asks_for_much(item.value())) {
                return true;
            }
        }
    }
    return false;
}

void run(std::string_view text) {
    const auto document = Document::parse(text, "fuzz");
    if (!document) {
        MERIDIAN_ASSERT(!document.error().reason.empty());
        return;
    }
    // A blockchain test's own limits are in its RLP, and those of its headers need not be small.
    if (asks_for_much(document->root()) && text.find("lastblockhash") == std::string_view::npos)
        return;
    const RunSettings settings{.filter = {}, .exclusions = nullptr, .trace = {}};
    const auto cache = std::make_unique<evm::CodeCache>();
    bool any = false;
    const auto reports = run_document(
        *document,
        {CaseKind::State, CaseKind::Vm, CaseKind::Blockchain, CaseKind::Transaction, CaseKind::Rlp,
         CaseKind::Trie, CaseKind::TrieOrder, CaseKind::Difficulty, CaseKind::HexPrefix, CaseKind::Engine},
        settings, *cache, any);
    MERIDIAN_ASSERT(any || reports.empty());
    for (const CaseReport& report : reports)
        MERIDIAN_ASSERT((report.outcome == Outcome::Passed) == report.reason.empty());
}

}  // namespace
}  // namespace meridian::spec

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    meridian::spec::run({reinterpret_cast<const char*>(data), size});
    return 0;
}
