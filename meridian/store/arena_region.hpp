// Memory for an arena on this machine: address space for all its pages at once, of which the system provides
// what is touched.
#pragma once

#include <meridian/module/region.hpp>

#include <optional>

namespace meridian::store {

class ArenaRegion {
public:
    // Nothing if the system has no such address space. Precondition: page_capacity <= module::kPagesMax.
    static std::optional<ArenaRegion> reserve(std::uint32_t page_capacity);
    ArenaRegion(ArenaRegion&& other) noexcept;
    ArenaRegion& operator=(ArenaRegion&&) = delete;
    ~ArenaRegion();

    // Zero until written to. Good as long as this object.
    module::Region region() const noexcept { return m_region; }

private:
    explicit ArenaRegion(module::Region region) noexcept : m_region(region) {}

    module::Region m_region;
};

}  // namespace meridian::store
