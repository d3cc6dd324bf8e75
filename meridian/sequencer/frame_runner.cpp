#include <meridian/sequencer/frame_runner.hpp>

#include <meridian/chain/requests.hpp>

namespace meridian::sequencer {

// --- executing --------------------------------------------------------------------------------------------

Result<SealedFramePtr, std::string> ExecutingRunner::run(FollowedFrame followed) {
    auto executed = m_executor.follow(std::move(followed.frame));
    if (!executed)
        return executed;
    if (auto same = compare(**executed, followed); !same)
        return fail(std::move(same.error()));
    return executed;
}

Result<void, std::string> ExecutingRunner::finish_block() {
    m_executor.finish_block();
    if (!m_executor.fault().empty())
        return fail(m_executor.fault());
    return {};
}

// --- applying ---------------------------------------------------------------------------------------------

Result<SealedFramePtr, std::string> ApplyingRunner::run(FollowedFrame followed) {
    auto frame = std::make_shared<SealedFrame>(std::move(followed.frame));
    const auto describe = [&](std::string_view why) {
        return fail("frame " + std::to_string(frame->number) + " cannot be applied: " + std::string(why));
    };
    if (frame->opening)
        if (auto opened = open(*frame); !opened)
            return fail(std::move(opened.error()));
    if (!m_block || frame->number != m_last_frame + 1 || frame->block_number != m_block->header.number)
        return describe("it is not the next one");
    std::vector<chain::Transaction> txns;
    std::vector<Address> senders;
    for (const PooledTxnPtr& txn : frame->txns) {
        txns.push_back(txn->txn);
        senders.push_back(txn->sender);
    }
    auto receipts = frames::rebuild_receipts(followed.receipts, txns, senders,
                                             m_block->header.base_fee.value_or(u256{}), m_block->gas_used);
    if (!receipts)
        return describe(frames::to_string(receipts.error()));
    frame->receipts = *std::move(receipts);
    frame->changes = std::move(followed.changes);
    for (const chain::Receipt& receipt : frame->receipts) {
        m_block->gas_used = receipt.cumulative_gas_used;
        m_block->blob_gas_used += receipt.blob_gas_used;
        for (std::size_t i = 0; i < chain::Bloom::kSize; ++i)
            m_block->bloom[i] |= receipt.bloom[i];
        if (chain::bloom_contains(receipt.bloom, m_parts.config.deposit_contract))
            m_block->deposit_receipts.push_back(receipt);
    }
    state::append(m_block->arenas, {.accounts = {}, .code = {}, .arenas = frame->changes.arenas});
    m_parts.recent.apply(frame->number, frame->changes);
    m_last_frame = frame->number;
    return frame;
}

Result<void, std::string> ApplyingRunner::open(const SealedFrame& frame) {
    const chain::Header& header = frame.opening->header;
    if (m_block)
        return fail("frame " + std::to_string(frame.number) + " opens block " +
                    std::to_string(header.number) + " before the one before is closed");
    if (const auto closing = std::exchange(m_closing, std::nullopt)) {
        if (const std::string differs = first_difference(*closing, frame.opening->parent_closing);
            !differs.empty())
            return fail("frame " + std::to_string(frame.number) +
                        " states another end of the block before than is computed here: " + differs);
        if (!closing->empty())
            m_parts.recent.apply(frame.number, *closing);
    }
    m_block.emplace(OpenBlock{});  // clang takes it for not default-constructible, as it is nested
    m_block->header = header;
    return {};
}

Result<void, std::string> ApplyingRunner::finish_block() {
    if (!m_block)
        return {};
    auto outcome = close();
    if (!outcome)
        return fail("block " + std::to_string(m_block->header.number) +
                    " cannot be closed: " + outcome.error());
    ClosedBlock closed{.header = m_block->header, .last_frame = m_last_frame, .closing = outcome->changes};
    closed.header.gas_used = m_block->gas_used;
    closed.header.bloom = m_block->bloom;
    closed.header.requests_hash = outcome->requests_hash;
    if (closed.header.blob_gas_used)
        closed.header.blob_gas_used = m_block->blob_gas_used;
    m_closing = std::move(outcome->changes);
    m_block.reset();
    m_parts.on_block_closed(std::move(closed));
    return {};
}

// Executes what comes after the last transaction. The executor has not seen the receipts, in which the
// deposits are: their request is put before the others.
Result<chain::BlockOutcome, std::string> ApplyingRunner::close() {
    const BaseStatePtr base = m_parts.newest_base();
    const auto stored = base->reader();
    RecentReader reader(m_parts.recent, *stored, m_last_frame);
    state::State state(reader);
    chain::BlockExecutor executor(m_parts.config, m_block->header, state,
                                  chain::ExecutionEnvironment{m_parts.code_cache, m_parts.block_hashes});
    executor.note_arena_changes(m_block->arenas.arenas);
    auto outcome = executor.finish({}, std::vector<chain::Withdrawal>{});
    if (!outcome)
        return fail(outcome.error().message);
    if (!outcome->requests_hash || m_parts.config.op)
        return *std::move(outcome);
    auto deposits = chain::deposit_requests(m_parts.config.deposit_contract, m_block->deposit_receipts);
    if (!deposits)
        return fail(std::string("malformed deposit event"));
    if (!deposits->empty())
        outcome->requests.insert(outcome->requests.begin(), {chain::kDepositRequest, *std::move(deposits)});
    outcome->requests_hash = chain::requests_hash(outcome->requests);
    return *std::move(outcome);
}

}  // namespace meridian::sequencer
