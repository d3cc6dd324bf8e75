// What the executor hands on: frames, and the blocks that they end.
#pragma once

#include <meridian/chain/executor.hpp>
#include <meridian/chain/next_header.hpp>
#include <meridian/sequencer/pool.hpp>

namespace meridian::sequencer {

// What was known of a block before its first transaction, and how the block before it ended.
struct Opening {
    chain::Header header;
    state::StateChanges parent_closing;
};

// A frame as executed: everything but hashes and signature.
struct SealedFrame {
    std::uint64_t number = 0;  // without gaps, from 1, across blocks
    std::uint64_t block_number = 0;
    std::uint32_t index = 0;         // within the block
    std::uint64_t timestamp_us = 0;  // since the epoch
    std::optional<Opening> opening;  // of the block's first frame
    std::vector<PooledTxnPtr> txns;
    std::vector<chain::Receipt> receipts;
    state::StateChanges changes;
};
using SealedFramePtr = std::shared_ptr<const SealedFrame>;

// A block that takes no more frames: complete but for the roots of state, transactions and receipts.
struct ClosedBlock {
    chain::Header header;
    std::uint64_t last_frame = 0;
    state::StateChanges closing;  // what the end of the block changed after its last frame
};

}  // namespace meridian::sequencer
