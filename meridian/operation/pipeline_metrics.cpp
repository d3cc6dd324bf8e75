#include <meridian/operation/pipeline_metrics.hpp>

namespace meridian::operation {

using sequencer::SubmitError;

namespace {

// As a label: these words are part of dashboards.
std::string_view label_of(SubmitError error) {
    switch (error) {
        case SubmitError::AlreadyKnown:
            return "already_known";
        case SubmitError::ReplacementUnderpriced:
            return "replacement_underpriced";
        case SubmitError::PoolFull:
            return "pool_full";
        case SubmitError::SenderFull:
            return "sender_full";
        case SubmitError::NonceTooLow:
            return "nonce_too_low";
        case SubmitError::NonceTooHigh:
            return "nonce_too_high";
        case SubmitError::InsufficientFunds:
            return "insufficient_funds";
        case SubmitError::IntrinsicGas:
        case SubmitError::FloorGas:
            return "too_little_gas";
        case SubmitError::ExceedsBlockGasLimit:
        case SubmitError::GasLimitMaximum:
            return "too_much_gas";
        case SubmitError::TipAboveFeeCap:
        case SubmitError::Underpriced:
            return "price";
        case SubmitError::InitCodeTooLarge:
        case SubmitError::TypeNotSupported:
        case SubmitError::Malformed:
            return "malformed";
        case SubmitError::WrongChainId:
            return "wrong_chain_id";
        case SubmitError::InvalidSignature:
            return "invalid_signature";
        case SubmitError::Busy:
            break;
    }
    return "busy";
}

double number(std::uint64_t value) {
    return static_cast<double>(value);
}

}  // namespace

MeteredListener::MeteredListener(sequencer::Clock& clock, sequencer::PipelineListener* next)
    : m_clock(clock),
      m_next(next),
      m_interval_us(metrics::duration_bounds_us(), 1e-6),
      m_frame_txns(metrics::size_bounds(), 1),
      m_frame_bytes(metrics::size_bounds(), 1),
      m_submit_to_durable_us(metrics::duration_bounds_us(), 1e-6) {}

void MeteredListener::on_frame(const sequencer::PublishedFramePtr& frame) {
    // First those who wait for it.
    if (m_next != nullptr)
        m_next->on_frame(frame);
    const sequencer::SealedFrame& content = *frame->content;
    m_frames.add();
    m_txns.add(content.txns.size());
    m_frame_txns.observe(content.txns.size());
    m_frame_bytes.observe(frame->record->size());
    if (m_last_frame_us != 0 && content.timestamp_us >= m_last_frame_us)
        m_interval_us.observe(content.timestamp_us - m_last_frame_us);
    m_last_frame_us = content.timestamp_us;
    const std::uint64_t now_us = m_clock.wall_us();
    std::uint64_t gas = 0;
    for (const auto& txn : content.txns)
        m_submit_to_durable_us.observe(now_us > txn->arrived_us ? now_us - txn->arrived_us : 0);
    for (const auto& receipt : content.receipts)
        gas += receipt.gas_used;
    m_gas.add(gas);
}

void MeteredListener::on_block(const sequencer::ExecutedBlockPtr& block) {
    if (m_next != nullptr)
        m_next->on_block(block);
    m_blocks.add();
}

void MeteredListener::on_pending(const sequencer::PooledTxnPtr& txn) {
    if (m_next != nullptr)
        m_next->on_pending(txn);
    m_accepted.add();
}

void MeteredListener::on_rejected(const sequencer::PooledTxnPtr& txn, chain::TxnError error) {
    if (m_next != nullptr)
        m_next->on_rejected(txn, error);
    m_dropped.add();
}

void MeteredListener::collect(metrics::Page& page) const {
    page.add(kFrames, m_frames);
    page.add(kBlocks, m_blocks);
    page.add(kTransactions, m_txns);
    page.add(kGasUsed, m_gas);
    page.add(kAccepted, m_accepted);
    page.add(kDropped, m_dropped);
    page.add(kFrameInterval, m_interval_us);
    page.add(kFrameTransactions, m_frame_txns);
    page.add(kFrameBytes, m_frame_bytes);
    page.add(kSubmitToDurable, m_submit_to_durable_us);
}

void collect_pipeline(metrics::Page& page, const sequencer::PipelineStatus& status,
                      const sequencer::PipelineOptions& options) {
    page.add(kFrameNumber, number(status.frame));
    page.add(kBlockNumber, number(status.block), {{"stage", "open"}});
    page.add(kBlockNumber, number(status.sealed_block), {{"stage", "sealed"}});
    page.add(kBlockNumber, number(status.stored_block), {{"stage", "stored"}});
    page.add(kPool, number(status.pool_txns), {{"state", "all"}});
    page.add(kPool, number(status.pool_executable), {{"state", "executable"}});
    const auto queue = [&](const char* name, std::size_t length, std::size_t length_max) {
        page.add(kQueue, number(length), {{"queue", name}});
        page.add(kQueueMax, number(length_max), {{"queue", name}});
    };
    queue("pool", status.pool_txns, options.pool.total);
    queue("ingress", status.ingress_waiting, options.ingress.queue_max);
    queue("publisher", status.publisher_waiting, options.publisher_frames_max);
    queue("committer", status.committer_waiting, options.committer_frames_max);
    page.add(kRecentAccounts, number(status.recent_accounts));
    page.add(kFault, status.fault.empty() ? 0 : 1);
    std::map<std::string_view, std::uint64_t> refused;
    for (std::size_t i = 0; i < status.refused_txns.size(); ++i)
        refused[label_of(static_cast<SubmitError>(i))] += status.refused_txns[i];
    for (const auto& [reason, count] : refused)
        page.add(kRefused, number(count), {{"reason", std::string(reason)}});
}

void collect_log(metrics::Page& page, const frames::FrameLog& log) {
    page.add(kLogSize, number(log.size()));
    page.add(kLogFrames, number(log.first()), {{"place", "first"}});
    page.add(kLogFrames, number(log.last_durable()), {{"place", "durable"}});
}

}  // namespace meridian::operation
