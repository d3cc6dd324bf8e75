#include <meridian/base/bytes.hpp>
#include <meridian/node/mnemonic_check.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <vector>

namespace meridian::node {
namespace {

constexpr std::string_view kWords[] = {
#include <bip39_english.inc>
};
constexpr std::size_t kWordBits = 11;
static_assert(std::size(kWords) == 1 << kWordBits);
static_assert(std::is_sorted(std::begin(kWords), std::end(kWords)));

constexpr std::size_t kWordCountMin = 12;
constexpr std::size_t kWordCountMax = 24;
constexpr std::size_t kExcerptSize = 40;  // of a caller's word

std::vector<std::string_view> split(std::string_view phrase) {
    constexpr std::string_view kSpace = " \t\r\n";
    std::vector<std::string_view> out;
    while (true) {
        const auto begin = phrase.find_first_not_of(kSpace);
        if (begin == std::string_view::npos)
            return out;
        const auto end = std::min(phrase.find_first_of(kSpace, begin), phrase.size());
        out.push_back(phrase.substr(begin, end - begin));
        phrase.remove_prefix(end);
    }
}

bool is_word_count(std::size_t count) {
    return count >= kWordCountMin && count <= kWordCountMax && count % 3 == 0;
}

// Eleven bits a word: of 33 bits 32 are entropy and the last ones of all are the checksum.
bool checksum_fits(const std::vector<std::size_t>& indices) {
    const std::size_t checksum_bits = indices.size() / 3;
    Bytes bits((indices.size() * kWordBits + 7) / 8);
    for (std::size_t i = 0; i < indices.size() * kWordBits; ++i)
        if ((indices[i / kWordBits] >> (kWordBits - 1 - i % kWordBits) & 1) != 0)
            bits[i / 8] |= static_cast<std::uint8_t>(0x80 >> i % 8);
    const std::size_t entropy_bytes = checksum_bits * 4;
    std::uint8_t digest[32];
    EVP_Digest(bits.data(), entropy_bytes, digest, nullptr, EVP_sha256(), nullptr);
    const int unused = 8 - static_cast<int>(checksum_bits);
    return bits[entropy_bytes] >> unused == digest[0] >> unused;
}

}  // namespace

Result<void, MnemonicRefusal> check_mnemonic(std::string_view phrase) {
    std::vector<std::size_t> indices;
    for (const std::string_view word : split(phrase)) {
        const auto* found = std::lower_bound(std::begin(kWords), std::end(kWords), word);
        if (found == std::end(kWords) || *found != word)
            return fail(
                MnemonicRefusal{MnemonicFault::UnknownWord, "\"" + std::string(word.substr(0, kExcerptSize)) +
                                                                "\" is not one of BIP-39's English words"});
        indices.push_back(static_cast<std::size_t>(found - std::begin(kWords)));
    }
    if (!is_word_count(indices.size()))
        return fail(MnemonicRefusal{
            MnemonicFault::WordCount,
            "a mnemonic has 12, 15, 18, 21 or 24 words, not " + std::to_string(indices.size())});
    if (!checksum_fits(indices))
        return fail(MnemonicRefusal{MnemonicFault::Checksum,
                                    "the checksum, which is in the last word, does not fit the other words"});
    return {};
}

}  // namespace meridian::node
