#include <meridian/evm/frame.hpp>

namespace meridian::evm {

namespace {
// Memory kept from one transaction to the next, in bytes, by all depths together.
constexpr std::size_t kMemoryKept = std::size_t{64} << 20;
// Output kept per depth, in bytes.
constexpr std::size_t kOutputKept = 1u << 20;
// Depths of which anything is kept between transactions.
constexpr std::size_t kDepthsKept = 64;
}  // namespace

void Memory::reallocate(std::size_t size) {
    std::size_t capacity = std::max<std::size_t>(4096, m_capacity);
    while (capacity < size)
        capacity *= 2;
    auto data = std::make_unique<std::uint8_t[]>(capacity);
    if (m_size != 0)
        std::memcpy(data.get(), m_data.get(), m_size);
    m_data = std::move(data);
    m_capacity = capacity;
}

void Memory::release() noexcept {
    m_data.reset();
    m_size = m_capacity = 0;
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
    std::size_t kept = 0;
    for (const auto& frame : m_frames) {
        kept += frame->memory.capacity();
        if (kept > kMemoryKept) {
            kept -= frame->memory.capacity();
            frame->memory.release();
        }
        if (frame->output.capacity() > kOutputKept)
            frame->output = {};
    }
}

}  // namespace meridian::evm
