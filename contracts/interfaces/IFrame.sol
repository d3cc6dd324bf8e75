// SPDX-License-Identifier: Apache-2.0
pragma solidity >=0.8.0;

/// The frame that the calling transaction is part of: what the sequencer promises every few milliseconds.
/// At 0x4d00000000000000000000000000000000000001 on chains with frames.
interface IFrame {
    /// Gapless, across blocks.
    function frameNumber() external view returns (uint64);

    /// Within the block, from 0.
    function frameIndex() external view returns (uint32);

    /// Microseconds since the epoch. Never decreases, and is never before block.timestamp.
    function frameTimestampMicros() external view returns (uint64);

    /// All three at the price of one.
    function frame() external view returns (uint64 number, uint32 index, uint64 timestampMicros);
}
