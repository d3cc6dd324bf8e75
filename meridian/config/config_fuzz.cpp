// Fuzzer: any text is either a configuration or a list of problems, each with words and a place in the text;
// and a configuration that is written out again reads as itself.
#include <meridian/config/config_file.hpp>

#include <meridian/base/assert.hpp>

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace meridian::config;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    auto config = parse_node_config(text, "chain.toml");
    if (!config) {
        MERIDIAN_ASSERT(!config.error().empty());
        const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
        for (const Problem& problem : config.error()) {
            MERIDIAN_ASSERT(!problem.message.empty());
            MERIDIAN_ASSERT(problem.line <= lines);
            MERIDIAN_ASSERT(problem.text().find('\n') == std::string::npos);
        }
        return 0;
    }
    const std::string written = default_text(sections_of(*config));
    auto again = parse_node_config(written, "written.toml");
    MERIDIAN_ASSERT(again.has_value());
    MERIDIAN_ASSERT(default_text(sections_of(*again)) == written);
    return 0;
}
