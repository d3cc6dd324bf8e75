// The first block of a chain and the rules that it follows: geth's genesis.json, or a development chain's.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/chain/config.hpp>
#include <meridian/node/mnemonic.hpp>

#include <map>
#include <string>
#include <string_view>

namespace meridian::node {

struct GenesisAccount {
    std::uint64_t nonce = 0;
    u256 balance;  // wei
    Bytes code;
    std::map<u256, u256> storage;
};

struct Genesis {
    chain::ChainConfig config;
    // Complete but for the state root, which follows from `alloc`.
    chain::Header header;
    std::map<Address, GenesisAccount> alloc;
    // The first block whose parent reaches it is the first of proof of stake. Empty: never.
    std::optional<u256> terminal_total_difficulty;
    // Where rules change, ascending, for the fork identifier (EIP-2124, EIP-6122). Those at genesis are
    // left out.
    std::vector<std::uint64_t> fork_blocks;
    std::vector<std::uint64_t> fork_times;
    // Members of the file's config that nothing here knows, as "config.isthmusTime".
    std::vector<std::string> ignored;
};

// What is wrong with a genesis file, and in which field ("config.pragueTime").
struct GenesisError {
    std::string field;
    std::string reason;

    std::string message() const { return field.empty() ? reason : field + ": " + reason; }
};

inline constexpr std::size_t kGenesisDepthMax = 32;

Result<Genesis, GenesisError> parse_genesis(std::string_view json);

struct DevGenesisOptions {
    std::uint64_t chain_id = 1234321;
    evm::Revision revision = evm::Revision::Osaka;
    std::uint64_t gas_limit = 60'000'000;
    std::uint64_t timestamp = 0;  // seconds
    u256 base_fee = 1'000'000'000;
    u256 balance;  // of each account, wei
    bool unlimited_code_size = false;
    bool frames = false;  // ChainConfig::frames_time, from the beginning
};

// Funds the accounts and places the system contracts of the revision (EIP-2935, 4788, 7002, 7251) and
// the CREATE2 factory that deployment tools expect.
Genesis dev_genesis(const DevGenesisOptions& options, const std::vector<DevAccount>& accounts);

}  // namespace meridian::node
