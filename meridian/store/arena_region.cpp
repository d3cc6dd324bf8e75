#include <meridian/store/arena_region.hpp>

#include <sys/mman.h>

#include <utility>

namespace meridian::store {

std::optional<ArenaRegion> ArenaRegion::reserve(std::uint32_t page_capacity) {
    const std::size_t size = module::Region::size_bytes(page_capacity);
    void* memory =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return std::nullopt;
    // Large pages, where the system gives them, spare a look-up of the address on every access; without is
    // fine.
    (void)madvise(memory, size, MADV_HUGEPAGE);
    return ArenaRegion({static_cast<std::uint8_t*>(memory), page_capacity});
}

ArenaRegion::ArenaRegion(ArenaRegion&& other) noexcept : m_region(std::exchange(other.m_region, {})) {}

ArenaRegion::~ArenaRegion() {
    if (m_region.base != nullptr)
        munmap(m_region.base, module::Region::size_bytes(m_region.page_capacity));
}

}  // namespace meridian::store
