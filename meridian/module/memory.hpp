// Memory for an arena where no host gives better: as large as the page limit, of which only what is touched
// is paid for.
#pragma once

#include <meridian/module/region.hpp>

#include <memory>

namespace meridian::module {

class ArenaMemory {
public:
    // Region() has no base if there is no memory.
    explicit ArenaMemory(std::uint32_t page_capacity) noexcept;
    Region region() const noexcept { return m_region; }

private:
    struct Free {
        void operator()(void* memory) const noexcept;
    };
    std::unique_ptr<void, Free> m_memory;
    Region m_region;
};

}  // namespace meridian::module
