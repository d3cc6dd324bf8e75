// The state-transition function: a whole block at once, with every check against its header.
#include <meridian/chain/executor.hpp>
#include <meridian/chain/op_stack.hpp>

#include <meridian/base/hex.hpp>

#include <algorithm>

namespace meridian::chain {

using evm::Revision;

namespace {

constexpr std::size_t kBlockSizeMaxOsaka = (std::size_t{10} << 20) - (std::size_t{2} << 20);  // EIP-7934
constexpr std::size_t kOmmersMax = 2;
constexpr std::uint64_t kOmmerGenerations = 6;

using Check = std::optional<BlockFailure>;

BlockFailure failure(BlockError error, std::string message) {
    return {error, std::nullopt, std::nullopt, std::move(message)};
}

BlockFailure failure(TxnError error, std::size_t index) {
    const bool interrupted = error == TxnError::Interrupted;
    return {interrupted ? BlockError::Interrupted : BlockError::InvalidTransaction, error, index,
            "transaction " + std::to_string(index) + ": " + std::string(name(error))};
}

template <std::size_t N>
std::string compare(const char* what, const FixedBytes<N>& expected, const FixedBytes<N>& actual) {
    return std::string(what) + ": header has " + to_hex0x(expected) + ", body gives " + to_hex0x(actual);
}

std::string compare(const char* what, std::uint64_t expected, std::uint64_t actual) {
    return std::string(what) + ": header has " + std::to_string(expected) + ", execution gives " +
           std::to_string(actual);
}

// --- ommers -------------------------------------------------------------------------------------------

// The ancestors within reach, by hash; the newest first.
struct Lineage {
    std::vector<Hash> hashes;
    std::vector<Hash> ommer_hashes;
    std::span<const Block> blocks;
};

bool contains(const std::vector<Hash>& hashes, const Hash& hash) {
    return std::find(hashes.begin(), hashes.end(), hash) != hashes.end();
}

Lineage lineage_of(std::span<const Block> ancestors) {
    Lineage out;
    out.blocks = ancestors.first(std::min<std::size_t>(ancestors.size(), kOmmerGenerations + 1));
    for (const Block& block : out.blocks) {
        out.hashes.push_back(header_hash(block.header));
        for (const Header& ommer : block.ommers)
            out.ommer_hashes.push_back(header_hash(ommer));
    }
    return out;
}

Check check_ommer(const ChainConfig& config, const Header& header, const Header& ommer,
                  const Lineage& lineage) {
    const Hash hash = header_hash(ommer);
    if (contains(lineage.ommer_hashes, hash))
        return failure(BlockError::UncleInChain, "ommer was included before");
    if (contains(lineage.hashes, hash))
        return failure(BlockError::UncleIsAncestor, "ommer is an ancestor");
    if (ommer.parent_hash == header.parent_hash)
        return failure(BlockError::UncleIsBrother, "ommer has the block's own parent");
    const auto parent = std::find(lineage.hashes.begin(), lineage.hashes.end(), ommer.parent_hash);
    if (parent == lineage.hashes.end())
        return failure(BlockError::UncleParentIncorrect, "ommer's parent is no recent ancestor");
    const Header& parent_header =
        lineage.blocks[static_cast<std::size_t>(parent - lineage.hashes.begin())].header;
    if (auto valid = validate_header(config, parent_header, ommer); !valid)
        return failure(valid.error().error, "ommer: " + valid.error().message);
    if (ommer.number >= header.number || header.number - ommer.number > kOmmerGenerations)
        return failure(BlockError::InvalidUncle, "ommer too old");
    return std::nullopt;
}

Check check_ommers(const ChainConfig& config, const Block& block, std::span<const Block> ancestors) {
    if (const Hash actual = ommers_hash(block.ommers); actual != block.header.ommers_hash)
        return failure(BlockError::InvalidUnclesHash,
                       compare("ommers hash", block.header.ommers_hash, actual));
    if (block.ommers.size() > kOmmersMax)
        return failure(BlockError::TooManyUncles, "more than two ommers");
    if (block.ommers.empty())
        return std::nullopt;
    Lineage lineage = lineage_of(ancestors);
    for (const Header& ommer : block.ommers) {
        if (auto error = check_ommer(config, block.header, ommer, lineage))
            return error;
        lineage.ommer_hashes.push_back(header_hash(ommer));
    }
    return std::nullopt;
}

// --- body ---------------------------------------------------------------------------------------------

Check check_body(const ChainConfig& config, const Block& block) {
    const Header& header = block.header;
    if (const Hash actual = transactions_root(block.transactions); actual != header.transactions_root)
        return failure(BlockError::InvalidTransactionsRoot,
                       compare("transactions root", header.transactions_root, actual));
    if (block.withdrawals.has_value() != header.withdrawals_root.has_value())
        return failure(BlockError::IncorrectBlockFormat, "withdrawals missing, or without a root");
    // There the field holds a storage root, which is the caller's to compare as the state root is.
    if (config.op && op::active(config.op->isthmus_time, header.timestamp))
        return block.withdrawals && !block.withdrawals->empty()
                   ? Check(failure(BlockError::IncorrectBlockFormat, "withdrawals on an OP chain"))
                   : std::nullopt;
    if (block.withdrawals)
        if (const Hash actual = withdrawals_root(*block.withdrawals); actual != *header.withdrawals_root)
            return failure(BlockError::InvalidWithdrawalsRoot,
                           compare("withdrawals root", *header.withdrawals_root, actual));
    return std::nullopt;
}

Check check_size(const ChainConfig& config, const Block& block) {
    if (config.revision(block.header.number, block.header.timestamp) >= Revision::Osaka &&
        encode(block).size() > kBlockSizeMaxOsaka)
        return failure(BlockError::RlpBlockLimitExceeded, "encoded block above 8 MiB");
    return std::nullopt;
}

// --- outcome ------------------------------------------------------------------------------------------

Check check_outcome(const Header& header, const BlockOutcome& outcome) {
    if (outcome.gas_used != header.gas_used)
        return failure(BlockError::InvalidGasUsed, compare("gas used", header.gas_used, outcome.gas_used));
    if (header.blob_gas_used && outcome.blob_gas_used != *header.blob_gas_used)
        return failure(BlockError::IncorrectBlobGasUsed,
                       compare("blob gas used", *header.blob_gas_used, outcome.blob_gas_used));
    if (outcome.bloom != header.bloom)
        return failure(BlockError::InvalidLogBloom, "log bloom differs");
    if (const Hash actual = receipts_root(outcome.receipts); actual != header.receipts_root)
        return failure(BlockError::InvalidReceiptsRoot,
                       compare("receipts root", header.receipts_root, actual));
    if (header.requests_hash && outcome.requests_hash && *outcome.requests_hash != *header.requests_hash)
        return failure(BlockError::InvalidRequests,
                       compare("requests hash", *header.requests_hash, *outcome.requests_hash));
    return std::nullopt;
}

// --- frames -------------------------------------------------------------------------------------------

// Whether the boundaries lie within the block and in order, and the first one at its beginning.
Check check_frames(const ChainConfig& config, const BlockInput& input) {
    const std::size_t count = input.block.transactions.size();
    if (!config.has_frames(input.block.header.timestamp))
        return input.frames.empty() ? std::nullopt
                                    : Check(failure(BlockError::InvalidFrames, "frames on a chain without"));
    if (count != 0 && (input.frames.empty() || input.frames.front().first_txn != 0))
        return failure(BlockError::InvalidFrames, "transaction 0 is in no frame");
    std::size_t at = 0;
    for (const FrameBoundary& boundary : input.frames) {
        if (boundary.first_txn < at || boundary.first_txn > count)
            return failure(BlockError::InvalidFrames,
                           "frame " + std::to_string(boundary.frame.number) + ": its first transaction " +
                               std::to_string(boundary.first_txn) + " is out of order or beyond the block");
        at = boundary.first_txn;
    }
    return std::nullopt;
}

// Begins those frames, taken from the front of `frames`, whose first transaction is `index`.
Result<void, BlockFailure> begin_frames(BlockExecutor& executor, std::span<const FrameBoundary>& frames,
                                        std::size_t index) {
    for (; !frames.empty() && frames.front().first_txn == index; frames = frames.subspan(1))
        if (auto begun = executor.begin_frame(frames.front().frame); !begun)
            return begun;
    return {};
}

Result<BlockOutcome, BlockFailure> execute_body(BlockExecutor& executor, const Block& block,
                                                std::span<const FrameBoundary> frames) {
    if (auto started = executor.start(); !started)
        return fail(std::move(started.error()));
    const bool low_s = executor.revision() >= Revision::Homestead;
    for (std::size_t i = 0; i < block.transactions.size(); ++i) {
        const Transaction& txn = block.transactions[i];
        if (auto begun = begin_frames(executor, frames, i); !begun)
            return fail(std::move(begun.error()));
        const auto sender = recover_sender(txn, low_s);
        if (!sender)
            return fail(failure(sender.error(), i));
        if (const auto done = executor.execute(txn, *sender); !done)
            return fail(failure(done.error(), i));
    }
    if (auto begun = begin_frames(executor, frames, block.transactions.size()); !begun)
        return fail(std::move(begun.error()));
    return executor.finish(block.ommers, block.withdrawals);
}

}  // namespace

Result<BlockOutcome, BlockFailure> execute_block(const ChainConfig& config, const Header& parent,
                                                 const Block& block, state::StateReader& parent_state,
                                                 const ExecutionEnvironment& environment,
                                                 std::span<const Block> ancestors) {
    return execute_block(config, {.parent = parent, .block = block, .ancestors = ancestors}, parent_state,
                         environment);
}

Result<BlockOutcome, BlockFailure> execute_block(const ChainConfig& config, const BlockInput& input,
                                                 state::StateReader& parent_state,
                                                 const ExecutionEnvironment& environment) {
    const Block& block = input.block;
    if (auto error = check_size(config, block))
        return fail(std::move(*error));
    if (auto valid = validate_header(config, input.parent, block.header); !valid)
        return fail(std::move(valid.error()));
    if (auto error = check_ommers(config, block, input.ancestors))
        return fail(std::move(*error));
    if (auto error = check_frames(config, input))
        return fail(std::move(*error));

    state::State state(parent_state);
    BlockExecutor executor(config, block.header, state, environment);
    auto outcome = execute_body(executor, block, input.frames);
    // Whatever was found wrong is not to be trusted if parts of the state were missing.
    if (state.error() != state::StateError::None)
        return fail(failure(BlockError::MissingState, "the parent state lacks what the block needs"));
    if (!outcome)
        return outcome;
    // After execution, so that an invalid transaction is reported as what it is.
    if (auto error = check_body(config, block))
        return fail(std::move(*error));
    if (auto error = check_outcome(block.header, *outcome))
        return fail(std::move(*error));
    return outcome;
}

}  // namespace meridian::chain
