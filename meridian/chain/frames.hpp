// What contracts see of the frames that a block is made of (ADR 6): a system contract with the last frame's
// number, index and time.
#pragma once

#include <meridian/base/hex.hpp>
#include <meridian/state/state.hpp>

#include <cstdint>
#include <span>

namespace meridian::chain {

struct FrameContext {
    std::uint64_t number = 0;        // gapless, across blocks
    std::uint32_t index = 0;         // within the block, from 0
    std::uint64_t timestamp_us = 0;  // microseconds since the epoch, never decreasing
    friend bool operator==(const FrameContext&, const FrameContext&) = default;
};

// A frame of a block to be verified: which transaction it begins before. Frames may be empty.
struct FrameBoundary {
    std::size_t first_txn = 0;
    FrameContext frame;
};

// contracts/interfaces/IFrame.sol. Its storage is slot 0 alone:
//   bits 0..63 number, 64..95 index, 128..191 timestamp in microseconds; zero before the first frame
inline constexpr Address kFrameContract = "0x4d00000000000000000000000000000000000001"_address;
inline constexpr std::uint64_t kFrameSlot = 0;

// The contract's code, for a genesis that has it from the beginning; elsewhere the first frame brings it.
BytesView frame_contract_code() noexcept;

u256 pack(const FrameContext& frame) noexcept;
FrameContext unpack_frame(const u256& word) noexcept;

// The frame that the contract shows; all zero if there was none yet.
FrameContext last_frame(state::State& state);
// Between transactions: makes it the contract's, and brings the contract where it is missing.
void write_frame(state::State& state, const FrameContext& frame);

}  // namespace meridian::chain
