// What a sequencer's pipeline does, in numbers: frames and blocks as they become visible, transactions from
// their arrival to a durable frame, refusals by reason, and how full the queues are.
#pragma once

#include <meridian/metrics/metrics.hpp>
#include <meridian/sequencer/pipeline.hpp>

namespace meridian::operation {

inline constexpr metrics::Metric kFrames{"meridian_frames_total", metrics::Kind::Counter,
                                         "Frames made durable and shown."};
inline constexpr metrics::Metric kBlocks{"meridian_blocks_total", metrics::Kind::Counter, "Blocks sealed."};
inline constexpr metrics::Metric kTransactions{"meridian_transactions_total", metrics::Kind::Counter,
                                               "Transactions in durable frames."};
inline constexpr metrics::Metric kGasUsed{"meridian_gas_used_total", metrics::Kind::Counter,
                                          "Gas used by transactions in durable frames."};
inline constexpr metrics::Metric kAccepted{"meridian_accepted_transactions_total", metrics::Kind::Counter,
                                           "Transactions taken into the pool."};
inline constexpr metrics::Metric kRefused{"meridian_refused_transactions_total", metrics::Kind::Counter,
                                          "Transactions refused on arrival, by reason."};
inline constexpr metrics::Metric kDropped{"meridian_dropped_transactions_total", metrics::Kind::Counter,
                                          "Transactions of the pool that turned out impossible to execute."};
inline constexpr metrics::Metric kFrameInterval{"meridian_frame_interval_seconds", metrics::Kind::Histogram,
                                                "Time between the stamps of two frames."};
inline constexpr metrics::Metric kFrameTransactions{"meridian_frame_transactions", metrics::Kind::Histogram,
                                                    "Transactions of a frame."};
inline constexpr metrics::Metric kFrameBytes{"meridian_frame_bytes", metrics::Kind::Histogram,
                                             "Size of a frame's record in the log."};
inline constexpr metrics::Metric kSubmitToDurable{
    "meridian_submit_to_durable_seconds", metrics::Kind::Histogram,
    "Time from a transaction's decoding to its being in a durable, visible frame."};
inline constexpr metrics::Metric kFrameNumber{"meridian_frame_number", metrics::Kind::Gauge,
                                              "The last frame."};
inline constexpr metrics::Metric kBlockNumber{"meridian_block_number", metrics::Kind::Gauge,
                                              "The last block that is open, sealed, stored."};
inline constexpr metrics::Metric kPool{"meridian_pool_transactions", metrics::Kind::Gauge,
                                       "Transactions in the pool, all and executable ones."};
inline constexpr metrics::Metric kQueue{"meridian_queue_length", metrics::Kind::Gauge,
                                        "Items that wait before a stage of the pipeline."};
inline constexpr metrics::Metric kQueueMax{"meridian_queue_length_max", metrics::Kind::Gauge,
                                           "Items that may wait before a stage of the pipeline."};
inline constexpr metrics::Metric kRecentAccounts{
    "meridian_recent_accounts", metrics::Kind::Gauge,
    "Accounts in memory that were changed since the stored state."};
inline constexpr metrics::Metric kFault{"meridian_fault", metrics::Kind::Gauge,
                                        "1 if something keeps frames or blocks from being made, else 0."};
inline constexpr metrics::Metric kLogSize{"meridian_log_bytes", metrics::Kind::Gauge,
                                          "Size of the frame log."};
inline constexpr metrics::Metric kLogFrames{"meridian_log_frame_number", metrics::Kind::Gauge,
                                            "The first frame in the log, and the last durable one."};

// Stands before the pipeline's own listener and counts what goes by.
class MeteredListener final : public sequencer::PipelineListener {
public:
    // Both outlive this; `next` may be null.
    MeteredListener(sequencer::Clock& clock, sequencer::PipelineListener* next);

    void on_frame(const sequencer::PublishedFramePtr& frame) override;
    void on_block(const sequencer::ExecutedBlockPtr& block) override;
    void on_pending(const sequencer::PooledTxnPtr& txn) override;
    void on_rejected(const sequencer::PooledTxnPtr& txn, chain::TxnError error) override;

    void collect(metrics::Page& page) const;

private:
    sequencer::Clock& m_clock;
    sequencer::PipelineListener* m_next;
    std::uint64_t m_last_frame_us = 0;  // the publisher's
    metrics::Counter m_frames, m_blocks, m_txns, m_gas, m_accepted, m_dropped;
    metrics::Histogram m_interval_us, m_frame_txns, m_frame_bytes, m_submit_to_durable_us;
};

// Gauges of a pipeline, and its refusals.
void collect_pipeline(metrics::Page& page, const sequencer::PipelineStatus& status,
                      const sequencer::PipelineOptions& options);
void collect_log(metrics::Page& page, const frames::FrameLog& log);

}  // namespace meridian::operation
