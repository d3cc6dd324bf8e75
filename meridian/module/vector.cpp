#include <meridian/module/vector.hpp>

namespace meridian::module {

namespace {

Place<PageNumber> entry_of(PageNumber directory, std::uint32_t leaf, std::uint32_t level) noexcept {
    const std::uint32_t entry = leaf >> level * kDirectoryBits & ((1u << kDirectoryBits) - 1);
    return Place<PageNumber>(offset_of_page(directory) + entry * sizeof(PageNumber));
}

}  // namespace

// What is made before an error stays, empty, and serves the next attempt.
Result<PageNumber, Error> add_leaf(Arena& arena, Place<VectorState> state, std::uint32_t leaf) {
    const VectorState vector = arena.at(state);
    if (vector.root == 0 ||
        (vector.height < kVectorHeightMax && leaf >> vector.height * kDirectoryBits != 0)) {
        const Result<PageNumber, Error> root = arena.allocate_pages(1);
        if (!root)
            return root;
        arena.edit(state).root = *root;
        if (vector.root == 0)
            return root;
        arena.edit(entry_of(*root, 0, 0)) = vector.root;
        arena.edit(state).height = vector.height + 1;
    }
    PageNumber page = arena.at(state).root;
    for (std::uint32_t level = std::min(arena.at(state).height, kVectorHeightMax); level-- > 0;) {
        const Place<PageNumber> entry = entry_of(page, leaf, level);
        page = arena.at(entry);
        if (page != 0)
            continue;
        const Result<PageNumber, Error> added = arena.allocate_pages(1);
        if (!added)
            return added;
        page = *added;
        arena.edit(entry) = page;
    }
    return page;
}

void drop_leaf(Arena& arena, Place<VectorState> state, std::uint32_t leaf) {
    const VectorState vector = arena.at(state);
    const PageNumber page = find_leaf(arena, vector, leaf);
    if (vector.height == 0) {
        arena.edit(state).root = 0;
    } else {
        PageNumber directory = vector.root;
        for (std::uint32_t level = std::min(vector.height, kVectorHeightMax) - 1; level > 0; --level)
            directory = arena.at(entry_of(directory, leaf, level));
        arena.edit(entry_of(directory, leaf, 0)) = 0;
    }
    arena.free_pages(page, 1);
}

}  // namespace meridian::module
