// meridian-guest-cases EVERY OUT PATH...
//
// Makes cases for meridian-stf (guest/stf) from blockchain test fixtures: of all files below the paths, in
// the order of their names, every EVERYth; of each, the blocks that extend its chain. Writes the cases to
// OUT and the native build's verdicts to stdout, one a line. Exit code: 0; 1 if a file cannot be used;
// 2 for wrong arguments.
#include <guest/stf/stf_case.hpp>
#include <meridian/spec/fixture.hpp>
#include <meridian/spec/network.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace {

using namespace meridian;

std::vector<std::string> fixtures(char** paths, int count, std::size_t every) {
    std::vector<std::string> all;
    for (int i = 0; i < count; ++i)
        for (const auto& entry : std::filesystem::recursive_directory_iterator(paths[i]))
            if (entry.path().extension() == ".json")
                all.push_back(entry.path().string());
    std::sort(all.begin(), all.end());
    std::vector<std::string> chosen;
    for (std::size_t i = 0; i < all.size(); i += every)
        chosen.push_back(all[i]);
    return chosen;
}

void write_case(std::FILE* out, const guest::StfCase& stf_case) {
    const Bytes encoded = guest::encode(stf_case);
    if (std::fwrite(encoded.data(), 1, encoded.size(), out) != encoded.size()) {
        std::perror("meridian-guest-cases");
        std::exit(1);
    }
}

// Follows the valid blocks; a block on another parent ends the test.
void write_test(std::FILE* out, const spec::Json& test) {
    const spec::Json* config = spec::find(test, "config");
    const auto network = spec::network_of(spec::text(spec::member(test, "network")), config);
    auto genesis = chain::decode_block(spec::bytes(spec::member(test, "genesisRLP")));
    if (!network || network->terminal_total_difficulty || !genesis)
        return;
    guest::StfCase stf_case;
    stf_case.config = network->config;
    stf_case.parent = genesis->header;
    stf_case.parent_state.apply(spec::read_alloc(spec::member(test, "pre")));
    for (const spec::Json& block : spec::array(spec::member(test, "blocks"))) {
        stf_case.block_hashes[stf_case.parent.number] = chain::header_hash(stf_case.parent);
        stf_case.block = spec::bytes(spec::member(block, "rlp"));
        write_case(out, stf_case);
        auto verdict = guest::execute(stf_case);
        std::puts(verdict.text.c_str());
        if (verdict.header) {
            stf_case.parent = std::move(*verdict.header);
            stf_case.parent_state = std::move(*verdict.post_state);
        }
    }
}

bool write_file(std::FILE* out, const std::string& path) {
    auto document = spec::Document::load(path);
    if (!document) {
        std::fprintf(stderr, "meridian-guest-cases: %s\n", document.error().text().c_str());
        return false;
    }
    try {
        for (const auto& member : spec::object(document->root()))
            if (spec::find(member.value(), "genesisRLP") != nullptr)
                write_test(out, member.value());
    } catch (const spec::FieldFailure& failure) {
        std::fprintf(stderr, "meridian-guest-cases: %s\n", document->error(failure).text().c_str());
        return false;
    }
    return true;
}

}  // namespace

int main(int argc, char** argv) {
    const unsigned long every = argc >= 4 ? std::strtoul(argv[1], nullptr, 10) : 0;
    if (every == 0) {
        std::fputs("Usage: meridian-guest-cases EVERY OUT PATH...\n", stderr);
        return 2;
    }
    std::FILE* out = std::fopen(argv[2], "wb");
    if (out == nullptr) {
        std::perror(argv[2]);
        return 1;
    }
    bool good = true;
    for (const auto& path : fixtures(argv + 3, argc - 3, every))
        good = write_file(out, path) && good;
    if (std::fclose(out) != 0) {
        std::perror(argv[2]);
        return 1;
    }
    return good ? 0 : 1;
}
