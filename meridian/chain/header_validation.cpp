// Checks of a header against its parent (yellow paper 4.3.4 and the EIPs since).
#include <meridian/chain/dao_fork.hpp>
#include <meridian/chain/executor.hpp>
#include <meridian/chain/gas_limit.hpp>
#include <meridian/chain/op_stack.hpp>
#include <meridian/chain/txn_validation.hpp>

#include <limits>

namespace meridian::chain {

using evm::Revision;

namespace {

constexpr std::size_t kExtraDataMax = 32;
constexpr std::uint64_t kLondonElasticity = 2;

using Check = std::optional<BlockFailure>;

Check failure(BlockError error, std::string message) {
    return BlockFailure{error, std::nullopt, std::nullopt, std::move(message)};
}

std::string compare(const char* what, const u256& expected, const u256& actual) {
    return std::string(what) + ": expected " + to_decimal(expected) + ", got " + to_decimal(actual);
}

struct HeaderCheck {
    const ChainConfig& config;
    const Header& parent;
    const Header& header;
    Revision revision;
};

Check check_lineage(const HeaderCheck& c) {
    if (c.header.number != c.parent.number + 1)
        return failure(BlockError::InvalidBlockNumber,
                       compare("block number", c.parent.number + 1, c.header.number));
    if (c.header.parent_hash != header_hash(c.parent))
        return failure(BlockError::UnknownParent, "the parent hash is not that of the parent");
    if (c.header.timestamp <= c.parent.timestamp)
        return failure(BlockError::InvalidBlockTimestampOlderThanParent, "timestamp not after the parent's");
    return std::nullopt;
}

Check check_extra_data(const HeaderCheck& c) {
    if (c.header.extra_data.size() > kExtraDataMax)
        return failure(BlockError::ExtraDataTooBig, "more than 32 bytes of extra data");
    if (c.config.op && !op::valid_extra_data(*c.config.op, c.header.timestamp, c.header.extra_data))
        return failure(BlockError::IncorrectBlockFormat, "extra data without EIP-1559 parameters");
    const auto& fork = c.config.dao_fork_block;
    if (fork && c.header.number >= *fork && c.header.number - *fork < kDaoExtraDataBlocks &&
        !equal(c.header.extra_data, as_bytes(kDaoExtraData)))
        return failure(BlockError::InvalidDaoExtraData, "extra data is not that of the DAO fork");
    return std::nullopt;
}

// Whether the field is there exactly if the revision has it.
template <class T>
bool presence(const HeaderCheck& c, const std::optional<T>& field, Revision since) {
    return field.has_value() == (c.revision >= since);
}

Check check_fields(const HeaderCheck& c) {
    const Header& h = c.header;
    if (!presence(c, h.base_fee, Revision::London))
        return failure(BlockError::BaseFeeUnexpected, "base fee missing, or present before London");
    if (!presence(c, h.withdrawals_root, Revision::Shanghai))
        return failure(BlockError::IncorrectBlockFormat, "withdrawals root missing, or before Shanghai");
    if (!presence(c, h.blob_gas_used, Revision::Cancun) ||
        !presence(c, h.excess_blob_gas, Revision::Cancun) ||
        !presence(c, h.parent_beacon_block_root, Revision::Cancun))
        return failure(BlockError::IncorrectBlockFormat,
                       "blob gas or beacon root missing, or present before Cancun");
    if (!presence(c, h.requests_hash, Revision::Prague))
        return failure(BlockError::IncorrectBlockFormat, "requests hash missing, or present before Prague");
    return std::nullopt;
}

Check check_gas(const HeaderCheck& c) {
    const Header& h = c.header;
    if (h.gas_limit > std::numeric_limits<std::int64_t>::max())
        return failure(BlockError::GasLimitTooBig, "gas limit above 2^63 - 1");
    std::uint64_t parent_limit = c.parent.gas_limit;
    if (c.revision >= Revision::London && !c.parent.base_fee)
        parent_limit *= kLondonElasticity;
    const std::uint64_t difference =
        h.gas_limit > parent_limit ? h.gas_limit - parent_limit : parent_limit - h.gas_limit;
    // An OP chain's gas limit is set by its derivation.
    if (!c.config.op && (difference >= parent_limit / kGasLimitBound || h.gas_limit < kGasLimitMin))
        return failure(BlockError::InvalidGasLimit, compare("gas limit", parent_limit, h.gas_limit));
    if (h.gas_used > h.gas_limit)
        return failure(BlockError::InvalidGasUsedAboveLimit, "gas used above the gas limit");
    return std::nullopt;
}

Check check_base_fee(const HeaderCheck& c) {
    if (!c.header.base_fee)
        return std::nullopt;
    const u256 expected = next_base_fee(c.config, c.parent, c.header.timestamp);
    if (*c.header.base_fee != expected)
        return failure(BlockError::InvalidBaseFeePerGas, compare("base fee", expected, *c.header.base_fee));
    return std::nullopt;
}

Check check_consensus(const HeaderCheck& c) {
    const Header& h = c.header;
    if (c.revision < Revision::Paris) {
        const u256 expected = next_difficulty(c.config, c.parent, h.timestamp);
        if (h.difficulty != expected)
            return failure(BlockError::InvalidDifficulty, compare("difficulty", expected, h.difficulty));
        return std::nullopt;
    }
    if (h.difficulty)
        return failure(BlockError::ImportImpossibleDifficultyOverParis, "difficulty is not zero");
    if (h.ommers_hash != kEmptyOmmersHash)
        return failure(BlockError::ImportImpossibleUnclesOverParis, "ommers after the merge");
    if (!h.nonce.is_zero())
        return failure(BlockError::IncorrectBlockFormat, "nonce is not zero after the merge");
    return std::nullopt;
}

Check check_blob_gas(const HeaderCheck& c) {
    if (!c.header.excess_blob_gas)
        return std::nullopt;
    const std::uint64_t excess = next_excess_blob_gas(c.config, c.parent, c.header.timestamp);
    if (*c.header.excess_blob_gas != excess)
        return failure(BlockError::IncorrectExcessBlobGas,
                       compare("excess blob gas", excess, *c.header.excess_blob_gas));
    if (c.config.op && c.header.blob_gas_used.value_or(0) > c.header.gas_limit)
        return failure(BlockError::BlobGasUsedAboveLimit, "data availability footprint above the gas limit");
    return std::nullopt;
}

}  // namespace

Result<void, BlockFailure> validate_header(const ChainConfig& config, const Header& parent,
                                           const Header& header) {
    const HeaderCheck context{config, parent, header, config.revision(header.number, header.timestamp)};
    for (const auto check : {check_lineage, check_extra_data, check_consensus, check_gas, check_fields,
                             check_base_fee, check_blob_gas})
        if (auto error = check(context))
            return fail(std::move(*error));
    return {};
}

}  // namespace meridian::chain
