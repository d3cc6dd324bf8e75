#include "node_options.hpp"

#include "commands.hpp"

#include <meridian/spec/json.hpp>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdio>

namespace meridian::app {
namespace {

constexpr std::string_view kRevisionNames[] = {
    "frontier",       "homestead",  "tangerinewhistle", "spuriousdragon", "byzantium",
    "constantinople", "petersburg", "istanbul",         "berlin",         "london",
    "paris",          "shanghai",   "cancun",           "prague",         "osaka"};
static_assert(std::size(kRevisionNames) == evm::kRevisionCount);

constexpr std::size_t kEtherDigits = 18;

// The path "stdin" is a file here.
Result<std::string, std::string> read_file(const std::string& path) {
    auto content = spec::read_file(path == "stdin" ? "./stdin" : path);
    if (!content)
        return fail(content.error().text());
    return *std::move(content);
}

}  // namespace

Result<node::Genesis, std::string> load_genesis(const std::string& path) {
    const auto text = read_file(path);
    if (!text)
        return fail(text.error());
    auto genesis = node::parse_genesis(*text);
    if (!genesis)
        return fail(path + ": " + genesis.error().message());
    for (const std::string& field : genesis->ignored)
        std::fprintf(stderr, "meridian: warning: %s: %s: unknown, and ignored\n", path.c_str(),
                     field.c_str());
    return *std::move(genesis);
}

Result<node::ImportProgress, Refusal> import_file(node::DevChain& chain, const std::string& path) {
    const auto rlp = read_file(path);
    if (!rlp)
        return fail(Refusal{rlp.error(), kExitUsage});
    if (rlp->empty())
        return fail(Refusal{path + ": holds no block", kExitFailed});
    auto last = std::chrono::steady_clock::now();
    const auto imported =
        node::import_blocks(chain, as_bytes(*rlp), [&](const node::ImportProgress& progress) {
            const auto now = std::chrono::steady_clock::now();
            if (now - last < std::chrono::seconds(1))
                return;
            last = now;
            std::fprintf(stderr, "block %llu, %llu transactions, %llu Mgas\n",
                         static_cast<unsigned long long>(progress.last_number),
                         static_cast<unsigned long long>(progress.transactions),
                         static_cast<unsigned long long>(progress.gas / 1'000'000));
        });
    if (!imported)
        return fail(Refusal{path + ": " + imported.error().message(), kExitFailed});
    return *imported;
}

std::optional<evm::Revision> parse_revision(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
    std::erase_if(text, [](char c) { return c == '-' || c == '_' || c == ' '; });
    if (text == "merge")
        text = "paris";
    if (text == "latest")
        text = kRevisionNames[evm::kRevisionCount - 1];
    const auto found = std::find(std::begin(kRevisionNames), std::end(kRevisionNames), text);
    if (found == std::end(kRevisionNames))
        return std::nullopt;
    return static_cast<evm::Revision>(found - std::begin(kRevisionNames));
}

std::optional<u256> parse_ether(const std::string& text) {
    const std::size_t point = text.find('.');
    std::string digits = text.substr(0, point);
    std::string fraction = point == std::string::npos ? "" : text.substr(point + 1);
    if (fraction.size() > kEtherDigits || text.starts_with("0x"))
        return std::nullopt;
    fraction.resize(kEtherDigits, '0');
    const auto wei = parse_u256(digits + fraction);
    return wei ? std::optional<u256>(*wei) : std::nullopt;
}

std::uint64_t seconds_since_epoch() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
}

}  // namespace meridian::app
