// Options that dev and import share, and what is made of them.
#pragma once

#include <meridian/node/dev_chain.hpp>
#include <meridian/node/import.hpp>

#include <string>

namespace meridian::app {

// What to say, and the process's exit code.
struct Refusal {
    std::string message;
    int exit_code = 1;
};

// The error is a sentence with the path; the arguments are at fault. Warns of members that are ignored.
Result<node::Genesis, std::string> load_genesis(const std::string& path);
// Reports progress to stderr about once a second.
Result<node::ImportProgress, Refusal> import_file(node::DevChain& chain, const std::string& path);

// "osaka", "prague" ...; empty if there is no such revision.
std::optional<evm::Revision> parse_revision(std::string text);
// "10000", "0.5": ether to wei. Empty if it is no such number.
std::optional<u256> parse_ether(const std::string& text);
std::uint64_t seconds_since_epoch();

}  // namespace meridian::app
