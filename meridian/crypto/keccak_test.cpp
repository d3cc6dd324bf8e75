#include <meridian/base/hex.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/crypto/keccak_backend.hpp>

#include <gtest/gtest.h>

#include <random>

namespace meridian::crypto {
namespace {

std::string hash_of(std::string_view text) {
    return to_hex(keccak256(as_bytes(text)));
}

// Short messages of the Keccak team's known-answer tests, and a function selector everybody knows.
TEST(keccak, published_vectors) {
    EXPECT_EQ(hash_of(""), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
    EXPECT_EQ(keccak256({}), kEmptyKeccak);
    EXPECT_EQ(to_hex(keccak256(*from_hex("cc"))),
              "eead6dbfc7340a56caedc044696a168870549a6a7f6f56961e84a54bd9970b8a");
    EXPECT_EQ(to_hex(keccak256(*from_hex("41fb"))),
              "a8eaceda4d47b3281a795ad9e1ea2122b407baf9aabcb9e18b5717b7873537d2");
    EXPECT_EQ(hash_of("abc"), "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45");
    EXPECT_EQ(hash_of("testing"), "5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02");
    EXPECT_EQ(hash_of("The quick brown fox jumps over the lazy dog"),
              "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15");
    EXPECT_EQ(hash_of("transfer(address,uint256)").substr(0, 8), "a9059cbb");
}

Bytes pattern(std::size_t size, std::uint64_t seed = 0) {
    std::mt19937_64 random(seed * 1000003 + size);
    Bytes out(size);
    for (auto& byte : out)
        byte = static_cast<std::uint8_t>(random());
    return out;
}

// Each hash covers the ones before it, so the last one stands for all lengths around the block boundaries.
TEST(keccak, chained_lengths_match_reference) {
    Bytes chain;
    for (std::size_t size = 0; size <= 600; ++size)
        append(chain, keccak256(Bytes(size, static_cast<std::uint8_t>(size))));
    EXPECT_EQ(to_hex(keccak256(chain)), "15b1048bc8bbb3186e51a3c3688d303550e6ccc6f6c7454e464aa8ebea2befb5");
}

// The batch's outputs are the single function's, in order, on every implementation this processor can run.
void check(const std::vector<Bytes>& messages) {
    const std::vector<BytesView> views(messages.begin(), messages.end());
    for (const auto backend : {KeccakBackend::Scalar, KeccakBackend::Avx2, KeccakBackend::Avx512}) {
        if (!is_available(backend))
            continue;
        std::vector<Hash> got(messages.size());
        keccak256_batch(backend, views, got);
        for (std::size_t i = 0; i < messages.size(); ++i)
            ASSERT_EQ(to_hex(got[i]), to_hex(keccak256(messages[i])))
                << "message " << i << " of " << messages.size() << ", " << messages[i].size()
                << " bytes, backend " << static_cast<int>(backend);
    }
}

TEST(keccak_batch, every_length_alone_and_in_equal_groups) {
    for (std::size_t size = 0; size <= 600; ++size)
        for (const std::size_t count : {1, 4, 8}) {
            std::vector<Bytes> messages;
            for (std::size_t i = 0; i < count; ++i)
                messages.push_back(pattern(size, i));
            check(messages);
        }
}

TEST(keccak_batch, every_length_in_one_batch) {
    std::vector<Bytes> messages;
    for (std::size_t size = 0; size <= 600; ++size)
        messages.push_back(pattern(size));
    check(messages);
    std::reverse(messages.begin(), messages.end());
    check(messages);
}

TEST(keccak_batch, every_count) {
    std::mt19937_64 random(1);
    for (std::size_t count = 0; count <= 40; ++count)
        for (int repeat = 0; repeat < 20; ++repeat) {
            std::vector<Bytes> messages;
            for (std::size_t i = 0; i < count; ++i)
                messages.push_back(pattern(random() % (repeat < 10 ? 136 : 1000), random()));
            check(messages);
        }
}

// One long message among short ones outlasts them all, wherever it stands.
TEST(keccak_batch, long_messages_among_short_ones) {
    for (std::size_t count = 1; count <= 20; ++count)
        for (std::size_t place = 0; place < count; ++place) {
            std::vector<Bytes> messages;
            for (std::size_t i = 0; i < count; ++i)
                messages.push_back(pattern(i == place ? 5000 : 32 + i, i));
            check(messages);
        }
}

// The vector kernels must not read beyond a message: its end is the end of its allocation, which the
// address sanitizer watches. Unaligned starts are the usual case.
TEST(keccak_batch, messages_at_any_alignment) {
    for (std::size_t shift = 0; shift < 64; ++shift) {
        std::vector<Bytes> buffers;
        std::vector<BytesView> views;
        for (std::size_t i = 0; i < 9; ++i) {
            buffers.push_back(pattern(shift + 128 + 2 * i, i));
            views.push_back(BytesView(buffers.back()).subspan(shift));
        }
        for (const auto backend : {KeccakBackend::Scalar, KeccakBackend::Avx2, KeccakBackend::Avx512}) {
            if (!is_available(backend))
                continue;
            std::vector<Hash> got(views.size());
            keccak256_batch(backend, views, got);
            for (std::size_t i = 0; i < views.size(); ++i)
                ASSERT_EQ(to_hex(got[i]), to_hex(keccak256(views[i])));
        }
    }
}

TEST(keccak, default_batch_matches_single) {
    EXPECT_TRUE(is_available(fastest_keccak_backend()));
    const Bytes a = pattern(10);
    const Bytes b = pattern(300);
    const BytesView inputs[] = {a, b};
    Hash outputs[2];
    keccak256_batch(inputs, outputs);
    EXPECT_EQ(outputs[0], keccak256(a));
    EXPECT_EQ(outputs[1], keccak256(b));
}

}  // namespace
}  // namespace meridian::crypto
