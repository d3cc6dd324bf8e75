#include <meridian/module/witness.hpp>

#include <meridian/crypto/keccak.hpp>
#include <meridian/module/changes.hpp>

namespace meridian::module {

namespace {

void put(Bytes& out, std::uint32_t number) {
    append(out, {reinterpret_cast<const std::uint8_t*>(&number), sizeof number});
}

// Takes numbers, hashes and pages off the front; remembers that something was missing.
struct Reader {
    BytesView rest;
    bool ok = true;

    BytesView bytes(std::size_t size) {
        ok = ok && rest.size() >= size;
        if (!ok)
            return {};
        const BytesView out = rest.first(size);
        rest = rest.subspan(size);
        return out;
    }
    std::uint32_t number() {
        std::uint32_t out = 0;
        const BytesView from = bytes(sizeof out);
        if (ok)
            std::memcpy(&out, from.data(), sizeof out);
        return out;
    }
};

std::vector<Hash> leaves_of(const Witness& witness) {
    std::vector<Hash> leaves(witness.pages.size(), empty_subtree(0));
    crypto::keccak256_batch(witness.contents, std::span(leaves).first(witness.contents.size()));
    return leaves;
}

}  // namespace

Witness make_witness(const Arena& arena, const PageTree& tree, std::vector<PageNumber> pages) {
    std::sort(pages.begin(), pages.end());
    pages.erase(std::unique(pages.begin(), pages.end()), pages.end());
    MERIDIAN_ASSERT(pages.size() <= kWitnessPagesMax);
    Witness witness;
    witness.page_count = arena.page_count();
    witness.siblings = tree.prove(pages);
    for (const PageNumber page : pages) {
        if (page < arena.page_count())
            witness.contents.push_back(arena.page(page));
    }
    witness.pages = std::move(pages);
    return witness;
}

Bytes encode(const Witness& witness) {
    Bytes out;
    put(out, witness.page_count);
    put(out, static_cast<std::uint32_t>(witness.pages.size()));
    for (const PageNumber page : witness.pages)
        put(out, page);
    put(out, static_cast<std::uint32_t>(witness.siblings.size()));
    for (const Hash& hash : witness.siblings)
        append(out, hash);
    for (const BytesView content : witness.contents)
        append(out, content);
    return out;
}

Result<Witness, Error> decode_witness(BytesView encoded) {
    Reader reader{encoded};
    Witness witness;
    witness.page_count = reader.number();
    const std::uint32_t pages = reader.number();
    if (!reader.ok || witness.page_count > kPagesMax || pages > kWitnessPagesMax)
        return fail(Error::BadWitness);
    for (std::uint32_t i = 0; i < pages && reader.ok; ++i)
        witness.pages.push_back(reader.number());
    const std::uint32_t siblings = reader.number();
    if (!reader.ok || siblings > reader.rest.size() / Hash::kSize)
        return fail(Error::BadWitness);
    for (std::uint32_t i = 0; i < siblings; ++i)
        witness.siblings.push_back(first_bytes<Hash::kSize>(reader.bytes(Hash::kSize)));
    for (std::size_t i = 0; i < witness.pages.size(); ++i) {
        const PageNumber page = witness.pages[i];
        if (page >= kPagesMax || (i > 0 && page <= witness.pages[i - 1]))
            return fail(Error::BadWitness);
        if (page < witness.page_count)
            witness.contents.push_back(reader.bytes(kPageSize));
    }
    if (!reader.ok || !reader.rest.empty())
        return fail(Error::BadWitness);
    return witness;
}

bool RecordingSource::fetch(PageNumber page, std::span<std::uint8_t, kPageSize> out) noexcept {
    if (page >= m_full.page_count())
        return false;
    std::memcpy(out.data(), m_full.page(page).data(), kPageSize);
    m_fetched.push_back(page);
    return true;
}

Result<WitnessSource, Error> WitnessSource::make(Witness witness, const Hash& commitment) {
    const auto below =
        std::ranges::count_if(witness.pages, [&](PageNumber p) { return p < witness.page_count; });
    if (static_cast<std::size_t>(below) != witness.contents.size() ||
        !std::ranges::all_of(witness.contents, [](BytesView content) { return content.size() == kPageSize; }))
        return fail(Error::BadWitness);
    Result<PagePaths, Error> paths = PagePaths::make(witness.pages, leaves_of(witness), witness.siblings);
    if (!paths)
        return fail(paths.error());
    if (module::commitment_of(witness.page_count, paths->root()) != commitment)
        return fail(Error::WrongRoot);
    return WitnessSource(std::move(witness), std::move(*paths));
}

bool WitnessSource::fetch(PageNumber page, std::span<std::uint8_t, kPageSize> out) noexcept {
    const auto found = std::ranges::lower_bound(m_witness.pages, page);
    if (found == m_witness.pages.end() || *found != page || page >= m_witness.page_count)
        return false;
    // Pages ascend, so those with content come first.
    const auto index = static_cast<std::size_t>(found - m_witness.pages.begin());
    std::memcpy(out.data(), m_witness.contents[index].data(), kPageSize);
    return true;
}

Result<Hash, Error> WitnessSource::commitment_of(Arena& arena) {
    if (const auto failure = arena.failure())
        return fail(*failure);
    std::vector<PageNumber> pages;
    std::vector<BytesView> contents;
    for (const PageChange& change : arena.take_changes().pages) {
        pages.push_back(change.page);
        contents.push_back(arena.page(change.page));
    }
    std::vector<Hash> leaves(pages.size());
    crypto::keccak256_batch(contents, leaves);
    if (const auto updated = m_paths.update(pages, leaves); !updated)
        return fail(updated.error());
    return module::commitment_of(arena.page_count(), m_paths.root());
}

}  // namespace meridian::module
