// The verifier of one page against the paths of several, and no bit of an accepted proof can be changed.
//
// Input: commitment (32), page count (4), page (4), content (4096), siblings (32 each).
#include <meridian/base/assert.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/module/page_proof.hpp>

namespace {

using namespace meridian;
using namespace meridian::module;

constexpr std::size_t kFixed = 32 + 4 + 4 + kPageSize;

std::uint32_t number_at(BytesView input, std::size_t offset) {
    std::uint32_t number;
    std::memcpy(&number, input.data() + offset, sizeof number);
    return number;
}

bool accepts(BytesView input, Hash* commitment) {
    const std::uint32_t page_count = number_at(input, 32);
    const PageNumber page = number_at(input, 36);
    const BytesView content = input.subspan(40, kPageSize);
    std::vector<Hash> siblings;
    for (BytesView rest = input.subspan(kFixed); rest.size() >= 32; rest = rest.subspan(32))
        siblings.push_back(first_bytes<32>(rest));
    const bool accepted = verify_page(*commitment, page_count, page, content, siblings);

    const Hash leaf = crypto::keccak256(content);
    const auto paths = PagePaths::make(std::span(&page, 1), std::span(&leaf, 1), siblings);
    MERIDIAN_ASSERT(paths.has_value() == (page < kPagesMax && siblings.size() == kPageSiblings));
    const bool same = paths && page < page_count && page_count <= kPagesMax &&
                      commitment_of(page_count, paths->root()) == *commitment;
    MERIDIAN_ASSERT(accepted == same);
    if (paths)
        *commitment = commitment_of(page_count, paths->root());
    return accepted;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < kFixed)
        return 0;
    // Bytes behind the last whole sibling are no part of the proof.
    Bytes input(data, data + kFixed + (size - kFixed) / 32 * 32);
    Hash commitment = first_bytes<32>(input);
    (void)accepts(input, &commitment);
    // Now with the commitment that makes it true, if there is one, and then with a bit of the rest changed.
    const Hash fitting = commitment;
    const std::uint32_t page_count = number_at(input, 32);
    if (accepts(input, &commitment)) {
        const std::size_t place = 32 + crypto::keccak256(input)[0] * 977 % (input.size() - 32);
        input[place] ^= static_cast<std::uint8_t>(1u << size % 8);
        commitment = fitting;
        MERIDIAN_ASSERT(!accepts(input, &commitment));
    } else {
        MERIDIAN_ASSERT(number_at(input, 36) >= page_count || page_count > kPagesMax ||
                        input.size() != kFixed + 32 * kPageSiblings);
    }
    return 0;
}
