#include <meridian/module/stored_tree.hpp>

namespace meridian::module {
namespace {

constexpr std::uint32_t kTierLevels = 3;
constexpr std::uint32_t kTiers = kTreeDepth / kTierLevels;
constexpr std::uint32_t kTierLeaves = 64;  // 4 ^ kTierLevels
// Where each level of a page begins, in hashes.
constexpr std::uint32_t kLevelStart[kTierLevels] = {0, 64, 80};
static_assert((kLevelStart[2] + 4) * Hash::kSize <= kPageSize && kTiers * kTierLevels == kTreeDepth);
static_assert(2 * Hash::kSize == kLineSize);
// Pages whose hashes are computed at once.
constexpr std::size_t kBatch = 64;

}  // namespace

StoredTree::Page* StoredTree::page(std::uint32_t tier, std::uint32_t index) {
    const std::uint32_t number = kTreePages | tier << 24 | index;
    auto& slot = m_pages[number];
    if (slot)
        return slot.get();
    auto fetched = std::make_unique<Page>();
    if (!m_reader.arena_page(m_module, number, fetched->bytes.data()))
        return nullptr;
    slot = std::move(fetched);
    return slot.get();
}

void StoredTree::set(Page& page, std::uint32_t entry, const Hash& hash, std::uint32_t level) noexcept {
    const Hash stored = hash == empty_subtree(level) ? Hash{} : hash;
    std::uint8_t* at = page.bytes.data() + std::size_t{entry} * Hash::kSize;
    if (std::memcmp(at, stored.data(), Hash::kSize) == 0)
        return;
    std::memcpy(at, stored.data(), Hash::kSize);
    page.changed |= std::uint64_t{1} << entry / 2;
}

// Of four entries, which are of the level.
Hash StoredTree::parent(const Page& page, std::uint32_t first, std::uint32_t level) noexcept {
    std::array<std::uint8_t, kTreeArity * Hash::kSize> children;
    for (std::uint32_t i = 0; i < kTreeArity; ++i) {
        Hash child = first_bytes<32>(BytesView(page.bytes).subspan(std::size_t{first + i} * Hash::kSize));
        if (child.is_zero())
            child = empty_subtree(level);
        std::memcpy(children.data() + i * Hash::kSize, child.data(), Hash::kSize);
    }
    return crypto::keccak256(children);
}

// From new nodes of level 0, tier by tier.
std::optional<Hash> StoredTree::raise(std::map<std::uint32_t, Hash> nodes) {
    for (std::uint32_t tier = 0; tier < kTiers; ++tier) {
        std::map<std::uint32_t, Hash> above;
        for (auto at = nodes.begin(); at != nodes.end();) {
            const std::uint32_t index = at->first / kTierLeaves;
            Page* const page = this->page(tier, index);
            if (page == nullptr)
                return std::nullopt;
            std::uint32_t level = tier * kTierLevels;
            std::vector<std::uint32_t> changed;  // within the level of the page
            for (; at != nodes.end() && at->first / kTierLeaves == index; ++at) {
                changed.push_back(at->first % kTierLeaves);
                set(*page, changed.back(), at->second, level);
            }
            for (std::uint32_t i = 0; i + 1 < kTierLevels; ++i, ++level) {
                for (std::uint32_t& node : changed)
                    node /= kTreeArity;
                changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
                for (const std::uint32_t node : changed)
                    set(*page, kLevelStart[i + 1] + node,
                        parent(*page, kLevelStart[i] + node * kTreeArity, level), level + 1);
            }
            above[index] = parent(*page, kLevelStart[kTierLevels - 1], level);
        }
        nodes = std::move(above);
    }
    return nodes.begin()->second;
}

std::optional<Hash> StoredTree::update(const Arena& arena, std::span<const PageNumber> pages) {
    std::map<std::uint32_t, Hash> leaves;
    for (std::size_t first = 0; first < pages.size(); first += kBatch) {
        const std::span<const PageNumber> part = pages.subspan(first, std::min(kBatch, pages.size() - first));
        std::array<BytesView, kBatch> contents;
        std::array<Hash, kBatch> hashes;
        for (std::size_t i = 0; i < part.size(); ++i)
            contents[i] = arena.page(part[i]);
        crypto::keccak256_batch(std::span(contents).first(part.size()), std::span(hashes).first(part.size()));
        for (std::size_t i = 0; i < part.size(); ++i)
            leaves.emplace_hint(leaves.end(), part[i], hashes[i]);
    }
    if (leaves.empty())
        return std::nullopt;
    const auto root = raise(std::move(leaves));
    if (!root)
        return std::nullopt;
    return commitment_of(arena.page_count(), *root);
}

void StoredTree::collect(state::ArenaPatch& out) const {
    for (const auto& [number, page] : m_pages)
        if (page && page->changed != 0)
            out[number] = state::patch_of(page->bytes.data(), page->changed);
}

void StoredTree::forget() noexcept {
    for (const auto& [number, page] : m_pages)
        if (page)
            page->changed = 0;
}

}  // namespace meridian::module
