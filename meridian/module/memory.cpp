#include <meridian/module/memory.hpp>

#include <cstdlib>

namespace meridian::module {

void ArenaMemory::Free::operator()(void* memory) const noexcept {
    std::free(memory);
}

// Large requests are answered with fresh pages, which nobody has to zero.
ArenaMemory::ArenaMemory(std::uint32_t page_capacity) noexcept
    : m_memory(std::calloc(Region::size_bytes(page_capacity) + kPageSize, 1)) {
    if (!m_memory)
        return;
    const auto start = reinterpret_cast<std::uintptr_t>(m_memory.get());
    const std::size_t gap = (kPageSize - start % kPageSize) % kPageSize;
    m_region = {static_cast<std::uint8_t*>(m_memory.get()) + gap, page_capacity};
}

}  // namespace meridian::module
