#include <meridian/evm/frame.hpp>

namespace meridian::evm {

namespace {
// Kept per depth from one call to the next, in bytes.
constexpr std::size_t kMemoryKept = 1u << 20;
// Depths of which anything is kept between transactions.
constexpr std::size_t kDepthsKept = 64;
}  // namespace

void Memory::grow(std::size_t size) {
    if (size > m_capacity) {
        std::size_t capacity = std::max<std::size_t>(4096, m_capacity);
        while (capacity < size)
            capacity *= 2;
        auto data = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
        if (m_size != 0)
            std::memcpy(data.get(), m_data.get(), m_size);
        m_data = std::move(data);
        m_capacity = capacity;
    }
    std::memset(m_data.get() + m_size, 0, size - m_size);
    m_size = size;
}

void Memory::trim() noexcept {
    m_size = 0;
    if (m_capacity <= kMemoryKept)
        return;
    m_data.reset();
    m_capacity = 0;
}

FrameStorage& FramePool::at(std::int32_t depth) {
    const auto index = static_cast<std::size_t>(depth);
    while (m_frames.size() <= index) {
        auto storage = std::make_unique<FrameStorage>();
        storage->stack = std::make_unique_for_overwrite<u256[]>(kStackLimit + kScratchSlots);
        m_frames.push_back(std::move(storage));
    }
    return *m_frames[index];
}

void FramePool::trim() noexcept {
    if (m_frames.size() > kDepthsKept)
        m_frames.resize(kDepthsKept);
    for (const auto& frame : m_frames) {
        frame->memory.trim();
        if (frame->output.capacity() > kMemoryKept)
            frame->output = {};
    }
}

}  // namespace meridian::evm
