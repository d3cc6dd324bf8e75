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
    // Where there is an interrupt the main loop counts down only a part of what is left, so that its check
    // for gas is also what makes it poll, and costs nothing more. Without one the reserve is zero.
    std::int64_t gas = 0;
    std::int64_t gas_reserve = 0;
    bool interrupted = false;
    u256* stack_base = nullptr;
    Memory* memory = nullptr;
    Machine* machine = nullptr;
    const Message* message = nullptr;
    Code* code = nullptr;
    state::CachedAccount* self = nullptr;  // the account at message->recipient
    BytesView return_data;                 // of the last call; lives in the callee's storage
    BytesView output;                      // of this frame; lives in this frame's memory

    std::int64_t gas_left() const noexcept { return gas + gas_reserve; }
    // With `polls`, the main loop polls before it spends any.
    void set_gas_left(std::int64_t total, bool polls) noexcept {
        gas = polls ? 0 : total;
        gas_reserve = total - gas;
    }
    // `gas` is negative: pays for that from the reserve, and leaves none for the main loop, which will poll.
    // False if the frame cannot pay.
    [[nodiscard]] bool draw_on_reserve() noexcept {
        gas_reserve += gas;
        gas = 0;
        return gas_reserve >= 0;
    }
};

}  // namespace meridian::evm
