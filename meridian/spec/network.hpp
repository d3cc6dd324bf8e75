// The test suites' names of forks and of networks that change from one fork to the next.
#pragma once

#include <meridian/chain/config.hpp>
#include <meridian/spec/json.hpp>

#include <optional>

namespace meridian::spec {

// "Frontier" ... "Osaka", the historic names ("EIP150", "ConstantinopleFix", "Merge") and the names of
// forks that change no execution rule ("MuirGlacier", "BPO1"). Empty for a fork that Meridian lacks.
std::optional<evm::Revision> revision_of(std::string_view fork) noexcept;

// A network as blockchain tests name it.
struct Network {
    chain::ChainConfig config;
    // "...AtDiff...": the fork follows the total difficulty of the parent, which the caller keeps.
    std::optional<u256> terminal_total_difficulty;
};

// `config` is the fixture's "config" object with "chainid" and "blobSchedule"; it may be null. Empty for an
// unknown name. Throws FieldFailure.
std::optional<Network> network_of(std::string_view name, const Json* config);

}  // namespace meridian::spec
