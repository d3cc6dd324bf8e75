#include <meridian/module/page_proof.hpp>

#include <meridian/crypto/keccak.hpp>

namespace meridian::module {

namespace {

bool ascends(std::span<const PageNumber> pages) noexcept {
    return std::adjacent_find(pages.begin(), pages.end(), std::greater_equal<>()) == pages.end();
}

}  // namespace

bool verify_page(const Hash& commitment, std::uint32_t page_count, PageNumber page, BytesView content,
                 std::span<const Hash> siblings) noexcept {
    if (page >= page_count || page_count > kPagesMax || content.size() != kPageSize ||
        siblings.size() != kPageSiblings)
        return false;
    Hash hash = crypto::keccak256(content);
    std::uint32_t index = page;
    for (std::uint32_t level = 0; level < kTreeDepth; ++level) {
        std::array<Hash, kTreeArity> children;
        const Hash* sibling = &siblings[level * (kTreeArity - 1)];
        for (std::uint32_t i = 0; i < kTreeArity; ++i)
            children[i] = i == index % kTreeArity ? hash : *sibling++;
        hash = crypto::keccak256({children[0].data(), sizeof children});
        index /= kTreeArity;
    }
    return commitment_of(page_count, hash) == commitment;
}

Result<PagePaths, Error> PagePaths::make(std::span<const PageNumber> pages, std::span<const Hash> leaves,
                                         std::span<const Hash> siblings) {
    if (pages.empty() || leaves.size() != pages.size() || !ascends(pages) || pages.back() >= kPagesMax)
        return fail(Error::BadProof);
    PagePaths paths;
    std::vector<std::uint32_t> known(pages.begin(), pages.end());
    std::vector<Hash> hashes(leaves.begin(), leaves.end());
    std::vector<BytesView> messages;
    for (std::vector<Node>& nodes : paths.m_levels) {
        for (std::size_t i = 0; i < known.size();) {
            Node& node = nodes.emplace_back(Node{known[i] / kTreeArity, {}});
            for (std::uint32_t child = 0; child < kTreeArity; ++child) {
                if (i < known.size() && known[i] == node.index * kTreeArity + child) {
                    node.children[child] = hashes[i++];
                    continue;
                }
                if (siblings.empty())
                    return fail(Error::BadProof);
                node.children[child] = siblings.front();
                siblings = siblings.subspan(1);
            }
        }
        messages.clear();
        known.clear();
        for (const Node& node : nodes) {
            messages.emplace_back(node.children[0].data(), sizeof node.children);
            known.push_back(node.index);
        }
        hashes.resize(nodes.size());
        crypto::keccak256_batch(messages, hashes);
    }
    if (!siblings.empty())
        return fail(Error::BadProof);
    paths.m_root = hashes[0];
    return paths;
}

Result<void, Error> PagePaths::update(std::span<const PageNumber> pages, std::span<const Hash> leaves) {
    MERIDIAN_ASSERT(pages.size() == leaves.size() && ascends(pages));
    if (pages.empty())
        return {};
    std::vector<std::uint32_t> changed(pages.begin(), pages.end());
    std::vector<Hash> hashes(leaves.begin(), leaves.end());
    std::vector<BytesView> messages;
    // A path is known whole, hence only a leaf can be missing, and then nothing has been changed.
    for (const PageNumber page : pages) {
        const auto node = std::ranges::lower_bound(m_levels[0], page / kTreeArity, {}, &Node::index);
        if (node == m_levels[0].end() || node->index != page / kTreeArity)
            return fail(Error::MissingPage);
    }
    for (std::vector<Node>& nodes : m_levels) {
        messages.clear();
        std::size_t parents = 0;
        auto node = nodes.begin();
        for (std::size_t i = 0; i < changed.size();) {
            const std::uint32_t index = changed[i] / kTreeArity;
            node = std::ranges::lower_bound(node, nodes.end(), index, {}, &Node::index);
            for (; i < changed.size() && changed[i] / kTreeArity == index; ++i)
                node->children[changed[i] % kTreeArity] = hashes[i];
            messages.emplace_back(node->children[0].data(), sizeof node->children);
            changed[parents++] = index;
        }
        changed.resize(parents);
        hashes.resize(parents);
        crypto::keccak256_batch(messages, hashes);
    }
    m_root = hashes[0];
    return {};
}

}  // namespace meridian::module
