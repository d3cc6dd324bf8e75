#include <meridian/spec/era1.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/crypto/accelerator.hpp>

#include <gtest/gtest.h>

namespace meridian::spec {
namespace {

using namespace literals;

void append_entry(Bytes& out, unsigned type, BytesView content) {
    const std::size_t size = content.size();
    for (const std::size_t byte :
         {std::size_t{type} & 0xff, std::size_t{type} >> 8, size & 0xff, size >> 8 & 0xff, size >> 16 & 0xff,
          size >> 24, std::size_t{0}, std::size_t{0}})
        out.push_back(static_cast<std::uint8_t>(byte));
    append(out, content);
}

void append_u64(Bytes& out, std::uint64_t value) {
    for (int i = 0; i < 8; ++i)
        out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// A file of blocks whose parts are single bytes: the reader does not look into them.
struct File {
    Bytes bytes;
    std::vector<std::size_t> positions;

    explicit File(unsigned blocks) {
        append_entry(bytes, 0x3265, {});
        for (unsigned i = 0; i < blocks; ++i) {
            positions.push_back(bytes.size());
            const auto part = [&](unsigned kind) {
                return snappy_frame(Bytes(3, static_cast<std::uint8_t>(16 * kind + i)));
            };
            append_entry(bytes, 3, part(3));
            append_entry(bytes, 4, part(4));
            append_entry(bytes, 5, part(5));
            Bytes difficulty(32);
            difficulty[0] = 1, difficulty[1] = static_cast<std::uint8_t>(i);
            append_entry(bytes, 6, difficulty);
        }
        append_entry(bytes, 7, Bytes(32, 0xaa));
        Bytes index;
        append_u64(index, 70);
        for (const std::size_t position : positions)
            append_u64(index, position - bytes.size());
        append_u64(index, blocks);
        append_entry(bytes, 0x3266, index);
    }
};

// Reads all; the reason of the failure, or empty.
std::string read_all(BytesView file, std::vector<Era1Block>* blocks = nullptr,
                     Era1Trailer* trailer = nullptr) {
    Era1Reader reader(file);
    Era1Block block;
    for (;;) {
        const auto more = reader.next(block);
        if (!more)
            return more.error().text();
        if (!*more)
            break;
        if (blocks != nullptr)
            blocks->push_back(block);
    }
    if (trailer != nullptr)
        *trailer = reader.trailer();
    return {};
}

TEST(Era1, ReadsBlocksAndTrailer) {
    std::vector<Era1Block> blocks;
    Era1Trailer trailer;
    EXPECT_EQ(read_all(File(3).bytes, &blocks, &trailer), "");
    ASSERT_EQ(blocks.size(), 3u);
    EXPECT_EQ(blocks[2].header, Bytes(3, 0x32));
    EXPECT_EQ(blocks[2].body, Bytes(3, 0x42));
    EXPECT_EQ(blocks[2].receipts, Bytes(3, 0x52));
    EXPECT_EQ(blocks[2].total_difficulty, u256{0x201});
    EXPECT_EQ(trailer.first_number, 70u);
    EXPECT_EQ(trailer.blocks, 3u);
    EXPECT_EQ(trailer.accumulator[5], 0xaa);
}

TEST(Era1, RefusesEveryCutAndSaysWhere) {
    const Bytes file = File(2).bytes;
    for (std::size_t size = 0; size < file.size(); ++size) {
        const std::string reason = read_all(BytesView(file).first(size));
        EXPECT_TRUE(reason.starts_with("byte ")) << size << " " << reason;
    }
    EXPECT_EQ(read_all(as_bytes("no era1 file at all")),
              "byte 0: no era1 file: it does not begin with a version");
}

// Every byte but those of total difficulties, the accumulator and the first number is covered by a check.
TEST(Era1, NoticesChangedBytes) {
    const File whole(2);
    std::size_t unnoticed = 0;
    for (std::size_t i = 0; i < whole.bytes.size(); ++i) {
        Bytes file = whole.bytes;
        file[i] ^= 0x01;
        unnoticed += read_all(file).empty() ? 1 : 0;
    }
    EXPECT_EQ(unnoticed, 2 * 32u + 32u + 8u);
}

TEST(Era1, SnappyFrames) {
    const Bytes content(200'000, 0x5a);
    EXPECT_EQ(snappy_unframe(snappy_frame(content), content.size()), content);
    EXPECT_EQ(snappy_unframe(snappy_frame(content), content.size() - 1).error(),
              "more than 199999 bytes, uncompressed");
    EXPECT_EQ(snappy_unframe({}, 10).error(), "no Snappy stream identifier");
    // A compressed chunk: "Wikipedia " nine times over, by the reference library's framing.
    const Bytes identifier = snappy_frame({});
    Bytes padded = identifier;
    append(padded, Bytes{0xfe, 2, 0, 0, 9, 9});
    EXPECT_EQ(snappy_unframe(padded, 10), Bytes{});
    Bytes unknown = identifier;
    append(unknown, Bytes{0x02, 0, 0, 0});
    EXPECT_EQ(snappy_unframe(unknown, 10).error(), "a Snappy chunk of unknown type 2");
}

// The root computed here over all 8192 leaves, without padding subtrees.
Hash naive_root(const std::vector<Hash>& leaves) {
    const auto pair = [](const Hash& a, const Hash& b) {
        Bytes both = to_bytes(a);
        append(both, b);
        return crypto::accelerator().sha256(both);
    };
    std::vector<Hash> level = leaves;
    level.resize(kEra1BlocksMax);
    while (level.size() > 1) {
        std::vector<Hash> above;
        for (std::size_t i = 0; i < level.size(); i += 2)
            above.push_back(pair(level[i], level[i + 1]));
        level = above;
    }
    Hash count{};
    count[0] = static_cast<std::uint8_t>(leaves.size());
    return pair(level[0], count);
}

TEST(Era1, AccumulatorIsTheRootOverAllLeaves) {
    for (const std::size_t count : {0u, 1u, 2u, 3u, 5u, 64u, 100u}) {
        Era1Accumulator accumulator;
        std::vector<Hash> leaves;
        for (std::size_t i = 0; i < count; ++i) {
            Hash block{};
            block[3] = static_cast<std::uint8_t>(i);
            accumulator.add(block, 7 + i);
            Bytes record = to_bytes(block);
            record.push_back(static_cast<std::uint8_t>(7 + i));
            record.resize(64);
            leaves.push_back(crypto::accelerator().sha256(record));
        }
        EXPECT_EQ(accumulator.root(), naive_root(leaves)) << count;
    }
}

}  // namespace
}  // namespace meridian::spec
