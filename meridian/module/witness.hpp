// What a run of a module touches of its arena, so that it can be repeated without the rest: some pages, and
// the hashes that prove them. The guest runs the same code on an arena whose pages come from a witness.
//
// Encoded, little-endian: page count of the arena (4 bytes), number of pages (4), their numbers (4 each,
// ascending), number of siblings (4), siblings (32 each), and 4096 bytes for each page below the page count.
// Pages from the page count on are those that the run adds; they are zero.
#pragma once

#include <meridian/module/page_proof.hpp>

namespace meridian::module {

// The most pages of one witness: 1 GiB of them.
inline constexpr std::uint32_t kWitnessPagesMax = 1u << 18;

struct Witness {
    std::uint32_t page_count = 0;
    std::vector<PageNumber> pages;
    std::vector<Hash> siblings;
    // Of those pages that are below page_count; not owned.
    std::vector<BytesView> contents;
};

// Of an arena as it is before the run. The contents are the arena's own pages: encode before it changes.
// Pages may repeat and be in any order. Precondition: at most kWitnessPagesMax different pages.
Witness make_witness(const Arena& arena, const PageTree& tree, std::vector<PageNumber> pages);
Bytes encode(const Witness& witness);
// The contents refer to the input. Error: BadWitness.
Result<Witness, Error> decode_witness(BytesView encoded);

// Serves a copy's pages and notes which were asked for: the run that a witness is made from.
class RecordingSource final : public PageSource {
public:
    explicit RecordingSource(const Arena& full) : m_full(full) {}
    bool fetch(PageNumber page, std::span<std::uint8_t, kPageSize> out) noexcept override;
    const std::vector<PageNumber>& fetched() const noexcept { return m_fetched; }

private:
    const Arena& m_full;
    std::vector<PageNumber> m_fetched;
};

class WitnessSource final : public PageSource {
public:
    // Verifies all pages against the commitment. What the contents refer to has to outlive the source.
    // Errors: BadProof, WrongRoot, BadWitness.
    static Result<WitnessSource, Error> make(Witness witness, const Hash& commitment);

    bool fetch(PageNumber page, std::span<std::uint8_t, kPageSize> out) noexcept override;
    // The commitment to an arena that began with this source. Takes its changes. Errors: MissingPage if it
    // changed a page that the witness does not lead to; what the arena has failed with.
    Result<Hash, Error> commitment_of(Arena& arena);

private:
    WitnessSource(Witness witness, PagePaths paths)
        : m_witness(std::move(witness)), m_paths(std::move(paths)) {}

    Witness m_witness;
    PagePaths m_paths;
};

}  // namespace meridian::module
