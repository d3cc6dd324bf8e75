// Which rules a chain follows, and from when.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/evm/revision.hpp>

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace meridian::module {
class ModuleSet;
}

namespace meridian::chain {

// EIP-4844, EIP-7691, EIP-7840, EIP-7892: counts of blobs a block.
struct BlobSchedule {
    std::uint64_t target = 3;
    std::uint64_t max = 6;
    std::uint64_t base_fee_update_fraction = 3338477;

    // Whoever reads a schedule from outside refuses one that is not valid: fees divide by its members.
    constexpr bool is_valid() const noexcept {
        return base_fee_update_fraction != 0 && max != 0 && max <= kBlobsMax && target <= max;
    }
    static constexpr std::uint64_t kBlobsMax = 1 << 20;
    friend bool operator==(const BlobSchedule&, const BlobSchedule&) = default;
};

// A blob parameter change (EIP-7892) or a fork's own parameters, in force from `timestamp` on.
struct BlobScheduleChange {
    std::uint64_t timestamp = 0;
    BlobSchedule schedule;
};

// OP Stack rules (deposits, fee vaults) that a rollup adds. Absent on an L1 chain.
struct OpConfig {
    std::uint64_t eip1559_denominator = 250;
    std::uint64_t eip1559_elasticity = 6;
    std::uint64_t eip1559_denominator_bedrock = 50;  // before Canyon
    std::optional<std::uint64_t> regolith_time;
    std::optional<std::uint64_t> canyon_time;
    std::optional<std::uint64_t> ecotone_time;
    std::optional<std::uint64_t> fjord_time;
    std::optional<std::uint64_t> granite_time;
    std::optional<std::uint64_t> holocene_time;
    std::optional<std::uint64_t> isthmus_time;
    std::optional<std::uint64_t> jovian_time;
};

struct ChainConfig {
    std::uint64_t chain_id = 1;
    // First block number (up to Paris) or timestamp (from Shanghai on) of each revision; empty: never.
    // Frontier is always 0.
    std::array<std::optional<std::uint64_t>, evm::kRevisionCount> activation{};
    // The DAO fork's irregular state change, EIP-779.
    std::optional<std::uint64_t> dao_fork_block;
    // Forks that only delay the difficulty bomb: EIP-2384, EIP-4345, EIP-5133. Without them the delay is
    // that of the revision.
    std::optional<std::uint64_t> muir_glacier_block;
    std::optional<std::uint64_t> arrow_glacier_block;
    std::optional<std::uint64_t> gray_glacier_block;
    std::vector<BlobScheduleChange> blob_schedule;  // ordered by timestamp
    // EIP-6110.
    Address deposit_contract;
    std::optional<OpConfig> op;
    // Seconds; the first block whose frames contracts can see (ADR 6). Needs Shanghai. Empty: never.
    std::optional<std::uint64_t> frames_time;
    // The native modules of the chain, from genesis on; null: none.
    std::shared_ptr<const module::ModuleSet> modules;
    // Development chains: zero means unlimited. Bytes.
    std::size_t max_code_size = 24576;
    std::size_t max_init_code_size = 49152;

    evm::Revision revision(std::uint64_t number, std::uint64_t timestamp) const noexcept;
    BlobSchedule blob_parameters(std::uint64_t timestamp) const noexcept;

    bool has_frames(std::uint64_t timestamp) const noexcept {
        return frames_time.has_value() && *frames_time <= timestamp;
    }

    // The first blocks are by number up to Paris and by time from Shanghai on.
    bool active(evm::Revision revision, std::uint64_t number, std::uint64_t timestamp) const noexcept;
    // Whether the revision begins with the block.
    bool activates(evm::Revision revision, std::uint64_t number, std::uint64_t parent_timestamp,
                   std::uint64_t timestamp) const noexcept;

    // Every revision up to and including `revision` from genesis on.
    static ChainConfig all_from_genesis(evm::Revision revision, std::uint64_t chain_id = 1);
    static ChainConfig mainnet();
};

}  // namespace meridian::chain
