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

// A frame's byte memory. Whatever lies beyond its size is zero already, so that growth within the capacity
// only moves the size.
class Memory {
public:
    std::uint8_t* data() noexcept { return m_data.get(); }
    const std::uint8_t* data() const noexcept { return m_data.get(); }
    std::size_t size() const noexcept { return m_size; }
    BytesView view() const noexcept { return {m_data.get(), m_size}; }

    // Precondition: size >= this->size(), a multiple of 32.
    void grow(std::size_t size) {
        if (size > m_capacity) [[unlikely]]
            reallocate(size);
        m_size = size;
    }
    void clear() noexcept {
        if (m_size != 0)
            std::memset(m_data.get(), 0, m_size);
        m_size = 0;
    }
    std::size_t capacity() const noexcept { return m_capacity; }
    void release() noexcept;

private:
    void reallocate(std::size_t size);

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
