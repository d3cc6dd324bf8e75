#include <meridian/module/page_tree.hpp>

#include <meridian/crypto/keccak.hpp>
#include <meridian/module/changes.hpp>

namespace meridian::module {

namespace {

// So many messages at a time: enough for every lane, few enough for their list to stay in the cache.
constexpr std::size_t kBatch = 256;

std::array<Hash, kTreeDepth + 1> hash_empty_subtrees() noexcept {
    std::array<Hash, kTreeDepth + 1> out;
    const Bytes zeros(kPageSize);
    out[0] = crypto::keccak256(zeros);
    for (std::size_t level = 1; level <= kTreeDepth; ++level) {
        const std::array<Hash, kTreeArity> children = {out[level - 1], out[level - 1], out[level - 1],
                                                       out[level - 1]};
        out[level] = crypto::keccak256({children[0].data(), sizeof children});
    }
    return out;
}

// Calls hash(message i) for i in [0, count) in batches; store(i, hash) takes the results.
template <class Message, class Store>
void hash_batched(std::size_t count, Message&& message, Store&& store) {
    BytesView messages[kBatch];
    Hash hashes[kBatch];
    for (std::size_t start = 0; start < count; start += kBatch) {
        const std::size_t size = std::min(kBatch, count - start);
        for (std::size_t i = 0; i < size; ++i)
            messages[i] = message(start + i);
        crypto::keccak256_batch(std::span(messages, size), std::span(hashes, size));
        for (std::size_t i = 0; i < size; ++i)
            store(start + i, hashes[i]);
    }
}

}  // namespace

const Hash& empty_subtree(std::uint32_t level) noexcept {
    static const std::array<Hash, kTreeDepth + 1> kEmpty = hash_empty_subtrees();
    return kEmpty[level];
}

const Hash& arena_format() noexcept {
    static const Hash kFormat = crypto::keccak256(as_bytes("Meridian arena 1"));
    return kFormat;
}

Hash commitment_of(std::uint32_t page_count, const Hash& root) noexcept {
    Hash words[3] = {arena_format(), {}, root};
    for (std::size_t i = 0; i < 4; ++i)
        words[1][31 - i] = static_cast<std::uint8_t>(page_count >> 8 * i);
    return crypto::keccak256({words[0].data(), sizeof words});
}

PageTree::PageTree() {
    for (std::uint32_t level = 0; level < kTreeDepth; ++level)
        m_levels[level].assign(kTreeArity, empty_subtree(level));
    m_levels[kTreeDepth].assign(1, empty_subtree(kTreeDepth));
}

PageTree::PageTree(const Arena& arena) : PageTree() {
    for (PageNumber page = 0; page < arena.page_count(); ++page)
        m_marked.push_back(page);
    update(arena);
}

void PageTree::mark(const Changes& changes) {
    for (const PageChange& change : changes.pages)
        m_marked.push_back(change.page);
}

Hash PageTree::update(const Arena& arena) {
    cover(arena.page_count());
    std::sort(m_marked.begin(), m_marked.end());
    m_marked.erase(std::unique(m_marked.begin(), m_marked.end()), m_marked.end());
    hash_pages(arena, m_marked);
    for (std::uint32_t level = 1; level <= kTreeDepth; ++level) {
        for (std::uint32_t& index : m_marked)
            index /= kTreeArity;
        m_marked.erase(std::unique(m_marked.begin(), m_marked.end()), m_marked.end());
        hash_level(level, m_marked);
    }
    m_marked.clear();
    return commitment_of(arena.page_count(), root());
}

// Makes room for the nodes above so many pages.
void PageTree::cover(std::uint32_t page_count) {
    std::size_t count = page_count;
    for (std::uint32_t level = 0; level < kTreeDepth; ++level) {
        const std::size_t size = (count + kTreeArity - 1) / kTreeArity * kTreeArity;
        if (m_levels[level].size() < size)
            m_levels[level].resize(size, empty_subtree(level));
        count = size / kTreeArity;
    }
}

void PageTree::hash_pages(const Arena& arena, std::span<const PageNumber> pages) {
    hash_batched(
        pages.size(), [&](std::size_t i) { return arena.page(pages[i]); },
        [&](std::size_t i, const Hash& hash) { m_levels[0][pages[i]] = hash; });
}

void PageTree::hash_level(std::uint32_t level, std::span<const std::uint32_t> nodes) {
    const std::vector<Hash>& children = m_levels[level - 1];
    hash_batched(
        nodes.size(),
        [&](std::size_t i) {
            return BytesView(children[nodes[i] * kTreeArity].data(), kTreeArity * Hash::kSize);
        },
        [&](std::size_t i, const Hash& hash) { m_levels[level][nodes[i]] = hash; });
}

const Hash& PageTree::node(std::uint32_t level, std::uint32_t index) const noexcept {
    return index < m_levels[level].size() ? m_levels[level][index] : empty_subtree(level);
}

std::vector<Hash> PageTree::prove(std::span<const PageNumber> pages) const {
    std::vector<Hash> siblings;
    std::vector<std::uint32_t> known(pages.begin(), pages.end());
    for (std::uint32_t level = 0; level < kTreeDepth; ++level) {
        std::size_t parents = 0;
        for (std::size_t i = 0; i < known.size();) {
            const std::uint32_t parent = known[i] / kTreeArity;
            for (std::uint32_t child = parent * kTreeArity; child < (parent + 1) * kTreeArity; ++child) {
                if (i < known.size() && known[i] == child)
                    ++i;
                else
                    siblings.push_back(node(level, child));
            }
            known[parents++] = parent;
        }
        known.resize(parents);
    }
    return siblings;
}

}  // namespace meridian::module
