// Putting changes one behind the other, and lines into pages.
#include <meridian/state/changes.hpp>

#include <bit>

namespace meridian::state {

void append(AccountChange& change, const AccountChange& later) {
    change.account = later.account;
    if (later.storage_cleared || !later.account) {
        change.storage_cleared = true;
        change.storage.clear();
    }
    for (const auto& [key, value] : later.storage)
        change.storage[key] = value;
}

void append(StateChanges& changes, const StateChanges& later) {
    for (const auto& [address, from] : later.accounts)
        append(changes.accounts[address], from);
    for (const auto& [hash, code] : later.code)
        changes.code.emplace(hash, code);
    for (const auto& [module, pages] : later.arenas)
        for (const auto& [page, patch] : pages)
            append(changes.arenas[module][page], patch);
}

void PagePatch::write_to(std::uint8_t* page) const noexcept {
    const FixedBytes<kArenaLineSize>* content = contents.data();
    for (std::uint64_t rest = lines; rest != 0; rest &= rest - 1, ++content)
        std::memcpy(page + static_cast<std::size_t>(std::countr_zero(rest)) * kArenaLineSize, content->data(),
                    kArenaLineSize);
}

PagePatch patch_of(const std::uint8_t* page, std::uint64_t lines) {
    PagePatch out{.lines = lines, .contents = {}};
    out.contents.reserve(static_cast<std::size_t>(std::popcount(lines)));
    for (std::uint64_t rest = lines; rest != 0; rest &= rest - 1)
        std::memcpy(out.contents.emplace_back().data(),
                    page + static_cast<std::size_t>(std::countr_zero(rest)) * kArenaLineSize, kArenaLineSize);
    return out;
}

void append(PagePatch& patch, const PagePatch& later) {
    if ((patch.lines & ~later.lines) == 0) {
        patch = later;
        return;
    }
    std::array<std::uint8_t, kArenaPageSize> page;
    patch.write_to(page.data());
    later.write_to(page.data());
    patch = patch_of(page.data(), patch.lines | later.lines);
}

}  // namespace meridian::state
