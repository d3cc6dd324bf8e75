#include <meridian/trie/node_codec.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/trie/nibbles.hpp>

#include <gtest/gtest.h>

#include <string>

namespace meridian::trie {
namespace {

std::optional<NodeView> decode(const Bytes& encoded, std::size_t depth = 0) {
    return decode_node(encoded, depth);
}

Bytes hex(std::string_view text) {
    return from_hex(text).value();
}

const std::string kHash(64, 'b');

TEST(NodeCodec, Leaf) {
    const Bytes even = hex("c482201276");  // path 0x2012 wrapped as a string of two bytes, value 'v'
    const auto node = decode(even);
    ASSERT_TRUE(node);
    EXPECT_EQ(node->kind, NodeKind::Leaf);
    EXPECT_EQ(Path(node->path).size(), 2u);
    EXPECT_EQ(Path(node->path)[0], 1u);
    EXPECT_EQ(Path(node->path)[1], 2u);
    EXPECT_EQ(to_bytes(node->value), Bytes{0x76});
    // A key has whole bytes: an odd path belongs at an odd depth.
    EXPECT_FALSE(decode(even, 1));
    EXPECT_FALSE(decode(hex("c23176"), 0));
    EXPECT_TRUE(decode(hex("c23176"), 1));
    EXPECT_TRUE(decode(hex("c22076"), 64));
}

TEST(NodeCodec, RejectsBadLeaves) {
    EXPECT_FALSE(decode(hex("")));
    EXPECT_FALSE(decode(hex("80")));
    EXPECT_FALSE(decode(hex("c0")));
    EXPECT_FALSE(decode(hex("c120")));
    EXPECT_FALSE(decode(hex("c3207677")));  // three items
    EXPECT_FALSE(decode(hex("c2207600")));  // rest
    EXPECT_FALSE(decode(hex("c22080")));    // empty value
    EXPECT_FALSE(decode(hex("c28076")));    // empty path
    EXPECT_FALSE(decode(hex("c22176")));    // a nibble where there is none
    EXPECT_FALSE(decode(hex("c24076")));    // unknown flag
    EXPECT_FALSE(decode(hex("c3812076")));  // path not canonical
    EXPECT_FALSE(decode(hex("c3208176")));  // value not canonical
    EXPECT_FALSE(decode(hex("f8022076")));  // size not canonical
    EXPECT_FALSE(decode(hex("c220c0")));    // a list as value
    EXPECT_FALSE(decode(hex("c2c076")));    // a list as path
    EXPECT_FALSE(decode(hex("c220")));      // cut off
}

TEST(NodeCodec, Extension) {
    const Bytes encoded = hex("e211a0" + kHash);
    const auto node = decode(encoded);
    ASSERT_TRUE(node);
    EXPECT_EQ(node->kind, NodeKind::Extension);
    EXPECT_EQ(to_hex(node->children[0]), kHash);
    EXPECT_EQ(node->inlined, 0);
    EXPECT_FALSE(decode(hex("e200a0" + kHash)));  // no nibbles
    EXPECT_FALSE(decode(hex("c21180")));          // no child
    EXPECT_FALSE(decode(hex("e1119f" + kHash.substr(2))));
    EXPECT_FALSE(decode(hex("e311a1" + kHash + "bb")));
    EXPECT_FALSE(decode(hex("c411c22076"), 1));  // over a leaf
}

TEST(NodeCodec, Branch) {
    const std::string empty15 = "808080808080808080808080808080";
    // One child and a value; a branch with a value lies at a whole number of bytes.
    const Bytes one_and_value = hex("d3c23176" + empty15 + "76");
    const auto node = decode(one_and_value);
    ASSERT_TRUE(node);
    EXPECT_EQ(node->kind, NodeKind::Branch);
    EXPECT_EQ(node->present, 1);
    EXPECT_EQ(node->inlined, 1);
    EXPECT_FALSE(decode(one_and_value, 1));
    EXPECT_FALSE(decode(hex("d3c23176" + empty15 + "80")));  // a single entry
    EXPECT_FALSE(decode(hex("d180" + empty15 + "80")));      // none
    EXPECT_FALSE(decode(hex("d3c22076" + empty15 + "76")));  // the child ends within a byte
    EXPECT_FALSE(decode(hex("d276" + empty15 + "7676")));    // eighteen items, and a short child
    EXPECT_FALSE(decode(hex("d3c23176" + empty15 + "c0")));  // a list as value
    EXPECT_TRUE(decode(hex("f1a0" + kHash + empty15 + "76")));
}

TEST(NodeCodec, InlinedNodesAreShorterThanAHash) {
    const std::string empty15 = "808080808080808080808080808080";
    // The encoding of a leaf in the first child: 31 bytes, then 32.
    const std::string leaf31 = "de319c" + std::string(56, '1');
    const std::string leaf32 = "df319d" + std::string(58, '1');
    EXPECT_TRUE(decode(hex("ef" + leaf31 + empty15 + "76")));
    EXPECT_FALSE(decode(hex("f0" + leaf32 + empty15 + "76")));
}

TEST(NodeCodec, HexPrefix) {
    std::uint8_t out[3];
    const Bytes key = hex("12345678");
    write_tail(out, kLeafFlag, key.data() + 4, 3);
    EXPECT_EQ(to_hex(BytesView(out).first(2)), "3678");
    write_tail(out, kLeafFlag, key.data() + 4, 4);
    EXPECT_EQ(to_hex(out), "205678");
    write_tail(out, 0, key.data() + 4, 0);
    EXPECT_EQ(out[0], 0);
    write_range(out, 0, key, 1, 4);
    EXPECT_EQ(to_hex(out), "002345");
    write_range(out, 0, key, 2, 3);
    EXPECT_EQ(to_hex(BytesView(out).first(2)), "1345");
    write_nibbles(out, kLeafFlag, Bytes{1, 2, 3});
    EXPECT_EQ(to_hex(BytesView(out).first(2)), "3123");
}

TEST(NodeCodec, CommonNibbles) {
    const Bytes key = hex("12345678");
    const auto common = [&](std::string_view encoded, std::size_t depth) {
        const Bytes path = hex(encoded);
        return common_nibbles(Path(path), key, depth);
    };
    EXPECT_EQ(common("2012345678", 0), 8u);
    EXPECT_EQ(common("2012345679", 0), 7u);
    EXPECT_EQ(common("2012345578", 0), 5u);
    EXPECT_EQ(common("3234567889", 1), 7u);
    EXPECT_EQ(common("33", 1), 0u);
    EXPECT_EQ(common("002346", 1), 3u);
    EXPECT_EQ(common("1345", 2), 3u);
    EXPECT_EQ(common("1355", 2), 1u);
    EXPECT_EQ(common("20", 8), 0u);
    EXPECT_EQ(common("2011", 8), 0u);
}

}  // namespace
}  // namespace meridian::trie
