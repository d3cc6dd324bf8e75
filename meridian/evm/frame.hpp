// One executing call: its memory, stack and results, and the pool that lends them.
#pragma once

#include <meridian/evm/ir.hpp>
#include <meridian/evm/message.hpp>
#include <meridian/state/state.hpp>

#include <memory>
#include <vector>

namespace meridian::evm {

class Machine;
class Code;

// A frame's byte memory. Bytes in [0, size) are defined, and zero until written.
class Memory {
public:
    std::uint8_t* data() noexcept { return m_data.get(); }
    const std::uint8_t* data() const noexcept { return m_data.get(); }
    std::size_t size() const noexcept { return m_size; }
    BytesView view() const noexcept { return {m_data.get(), m_size}; }

    // Precondition: size >= this->size(), a multiple of 32.
    void grow(std::size_t size);
    void clear() noexcept { m_size = 0; }
    // Gives back what an unusually large frame took.
    void trim() noexcept;

private:
    std::unique_ptr<std::uint8_t[]> m_data;
    std::size_t m_size = 0;
    std::size_t m_capacity = 0;
};

// What a depth keeps from call to call, so that a call allocates nothing.
struct FrameStorage {
    std::unique_ptr<u256[]> stack;
    Memory memory;
    Bytes output;  // of a precompile that ran at this depth
};

class FramePool {
public:
    FrameStorage& at(std::int32_t depth);
    // Between transactions: bounds what is kept.
    void trim() noexcept;

private:
    std::vector<std::unique_ptr<FrameStorage>> m_frames;
};

struct Frame {
    std::int64_t gas = 0;
    u256* stack_base = nullptr;
    Memory* memory = nullptr;
    Machine* machine = nullptr;
    const Message* message = nullptr;
    Code* code = nullptr;
    state::CachedAccount* self = nullptr;  // the account at message->recipient
    BytesView return_data;                 // of the last call; lives in the callee's storage
    BytesView output;                      // of this frame; lives in this frame's memory
};

}  // namespace meridian::evm
