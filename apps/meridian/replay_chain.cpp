#include "replay_chain.hpp"

#include "node_options.hpp"

#include <meridian/node/dev_chain.hpp>
#include <meridian/node/import.hpp>
#include <meridian/rlp/decode.hpp>

#include <algorithm>
#include <filesystem>

namespace meridian::app {
namespace {

namespace fs = std::filesystem;
using evm::Revision;

Result<chain::Block, std::string> first_block(BytesView rlp) {
    const auto item = rlp::next(rlp);
    if (!item)
        return fail("no block at byte 0: " + std::string(rlp::to_string(item.error())));
    auto block = chain::decode_block(item->raw);
    if (!block)
        return fail("block at position 1: " + block.error().field + ": " + block.error().reason);
    return std::move(*block);
}

node::ChainOptions chain_options() {
    node::ChainOptions out;
    out.clock = seconds_since_epoch;
    return out;
}

// Files of early rollups follow the rules without requests although their genesis names a time for Prague:
// whoever made them did not know that fork yet.
void forget_unknown_forks(node::Genesis& genesis, const chain::Block& first) {
    auto& prague = genesis.config.activation[static_cast<std::size_t>(Revision::Prague)];
    if (prague && first.header.timestamp >= *prague && !first.header.requests_hash)
        prague.reset();
}

// The genesis among the folder's JSON files with which the chain begins.
std::optional<node::Genesis> find_genesis(const fs::path& folder, const chain::Block& first) {
    const Hash own = chain::header_hash(first.header);
    std::vector<fs::path> files;
    std::error_code code;
    for (const auto& entry : fs::directory_iterator(folder, code))
        if (entry.path().extension() == ".json")
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
        auto genesis = load_genesis(file.string());
        if (!genesis)
            continue;
        node::DevChain chain(*genesis, chain_options());
        if (chain.head()->hash != own && chain.head()->hash != first.header.parent_hash)
            continue;
        forget_unknown_forks(*genesis, first);
        return std::move(*genesis);
    }
    return std::nullopt;
}

}  // namespace

spec::ReplayCheck replay_chain(const std::string& path) {
    const auto content = spec::read_file(path);
    if (!content)
        return {content.error().reason, {}};
    const auto first = first_block(as_bytes(*content));
    if (!first)
        return {first.error(), {}};
    const auto genesis = find_genesis(fs::absolute(path).parent_path(), *first);
    if (!genesis)
        return {{}, "no genesis file that the chain begins with lies beside it"};
    node::DevChain chain(*genesis, chain_options());
    const auto imported = node::import_blocks(chain, as_bytes(*content), {});
    if (!imported)
        return {imported.error().message(), {}};
    return {imported->blocks == 0 ? "holds no block" : "", {}};
}

}  // namespace meridian::app
