// The main loop. One function executes all revisions, traced or not; what differs is in the blocks.
#pragma once

#include <meridian/evm/frame.hpp>
#include <meridian/evm/ir.hpp>

namespace meridian::evm {

// Runs the frame's code to its end. frame.gas is what is left, frame.output what it returned.
// A nested call takes another native frame of this function; Machine::execute bounds them.
Status interpret(Frame& frame);

// Gas for extending memory to hold [offset, offset + size), size > 0, and the extension itself.
// False if the frame cannot pay. Precondition: size is not zero.
bool expand_memory(Frame& frame, const u256& offset, std::uint64_t size) noexcept;

// Gas that memory of so many bytes has cost; Yellow Paper, C_mem.
constexpr std::int64_t memory_cost(std::uint64_t bytes) noexcept {
    const std::uint64_t words = bytes / 32;
    return static_cast<std::int64_t>(3 * words + words * words / 512);
}

// Memory that no gas limit in use can pay for: 2^32 bytes cost 3.5e13 gas.
inline constexpr std::uint64_t kMemorySizeMax = std::uint64_t{1} << 32;

// In step.cpp. Reports the instruction at pc to the tracer; charges its constant gas, or halts.
Flow step(Frame& frame, std::uint32_t pc, const u256* stack_end);

}  // namespace meridian::evm
