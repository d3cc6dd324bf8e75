// Witnesses that decode encode to the same bytes, and an arena on whatever pages they hold stays in its
// memory.
#include <meridian/crypto/keccak.hpp>
#include <meridian/module/arena_fixture.hpp>
#include <meridian/module/witness.hpp>

namespace {

using namespace meridian;
using namespace meridian::module;

constexpr std::uint32_t kPages = 64;

// The commitment that the witness itself leads to: whoever chooses the state chooses its commitment.
Hash commitment_to(const Witness& witness) {
    std::vector<Hash> leaves;
    for (const BytesView content : witness.contents)
        leaves.push_back(crypto::keccak256(content));
    leaves.resize(witness.pages.size(), empty_subtree(0));
    const auto paths = PagePaths::make(witness.pages, leaves, witness.siblings);
    return paths ? commitment_of(witness.page_count, paths->root()) : Hash{};
}

void use(Arena& arena, WitnessSource& source) {
    for (std::uint32_t count = 1; count <= 16; count *= 2) {
        const auto pages = arena.allocate_pages(count);
        if (pages && *pages > 1 && *pages < kPages)
            arena.free_pages(*pages, count);
    }
    for (PageNumber page = 0; page < kPages; page += 3) {
        const Place<std::uint64_t> place(offset_of_page(page) + 512);
        arena.edit(place) = arena.at(place) + 1;
    }
    const auto commitment = source.commitment_of(arena);
    MERIDIAN_ASSERT(!arena.failure() || commitment == meridian::fail(*arena.failure()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const BytesView input(data, size);
    const auto witness = decode_witness(input);
    if (!witness)
        return 0;
    MERIDIAN_ASSERT(equal(encode(*witness), input));
    auto source = WitnessSource::make(*witness, commitment_to(*witness));
    if (!source) {
        MERIDIAN_ASSERT(source.error() == Error::BadProof);
        return 0;
    }
    const module::testing::HeapRegion memory(kPages);
    auto arena = Arena::open(memory.region(), &*source, 1000);
    if (arena)
        use(*arena, *source);
    return 0;
}
