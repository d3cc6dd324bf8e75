#include <meridian/frames/evidence.hpp>
#include <meridian/frames/frame_fixture.hpp>

#include <gtest/gtest.h>

namespace meridian::frames {
namespace {

using namespace testing;

SignedHeader head_of(std::uint8_t content, std::uint8_t key = 1) {
    FrameHeader header;
    header.chain_id = kChainId;
    header.number = 42;
    header.index = 3;
    header.timestamp_us = 1'700'000'000'000'000;
    header.changes_hash[0] = content;
    return *sign_header(header, signer(key));
}

TEST(evidence, two_frames_of_one_number_are) {
    const auto evidence = check_evidence(head_of(1), head_of(2));
    ASSERT_TRUE(evidence);
    EXPECT_EQ(evidence->signer, signer().address());
    EXPECT_EQ(evidence->number(), 42u);
    EXPECT_EQ(evidence->chain_id(), kChainId);
}

// The hash that a file states is not trusted.
TEST(evidence, hashes_are_computed) {
    SignedHeader lying = head_of(1);
    lying.hash[0] ^= 1;
    EXPECT_EQ(check_evidence(head_of(1), lying).error(), EvidenceError::SameFrame);
}

TEST(evidence, everything_else_is_not) {
    EXPECT_EQ(check_evidence(head_of(1), head_of(1)).error(), EvidenceError::SameFrame);
    EXPECT_EQ(check_evidence(head_of(1), head_of(2, 2)).error(), EvidenceError::DifferentSigners);
    SignedHeader other = head_of(2);
    other.header.number = 43;
    EXPECT_EQ(check_evidence(head_of(1), other).error(), EvidenceError::DifferentNumbers);
    other.header.chain_id = 1;
    EXPECT_EQ(check_evidence(head_of(1), other).error(), EvidenceError::DifferentChains);
    other = head_of(2);
    other.signature = {};
    EXPECT_EQ(check_evidence(head_of(1), other).error(), EvidenceError::InvalidSignature);
    // A header changed after it was signed recovers to another key, or to none.
    other = head_of(2);
    other.header.changes_hash[1] = 1;
    EXPECT_FALSE(check_evidence(head_of(1), other));
}

TEST(evidence, calldata_holds_both_headers_in_words) {
    const Evidence evidence = *check_evidence(head_of(1), head_of(2));
    const Bytes calldata = evidence_calldata(evidence);
    ASSERT_EQ(calldata.size(), 4 + 64 + kEvidenceSize);
    const auto word = [&](std::size_t i) { return first_bytes<32>(BytesView(calldata).subspan(4 + 32 * i)); };
    EXPECT_EQ(word(0), to_hash(32));
    EXPECT_EQ(word(1), to_hash(kEvidenceSize));
    for (std::size_t i = 0; i < 2; ++i) {
        const SignedHeader& head = i == 0 ? evidence.first : evidence.second;
        const std::size_t at = 2 + 14 * i;
        EXPECT_EQ(word(at), to_hash(kChainId));
        EXPECT_EQ(word(at + 2), to_hash(42));
        EXPECT_EQ(word(at + 10), head.header.changes_hash);
        EXPECT_EQ(word(at + 11), first_bytes<32>(head.signature));
        EXPECT_EQ(word(at + 13), to_hash(27 + head.signature[64]));
    }
}

TEST(evidence, json_comes_back) {
    const SignedHeader head = head_of(1);
    const auto parsed = parse_signed_header(signed_header_json(head));
    ASSERT_TRUE(parsed) << parsed.error();
    EXPECT_EQ(*parsed, head);
    const Evidence evidence = *check_evidence(head_of(1), head_of(2));
    const auto both = parse_evidence(evidence_json(evidence));
    ASSERT_TRUE(both) << both.error();
    EXPECT_EQ(both->first, evidence.first);
    EXPECT_EQ(both->second, evidence.second);
}

// What a subscriber has kept of a frame: the fields of its header among others, alone or as it came.
TEST(evidence, published_frames_are_read) {
    const SignedHeader head = head_of(1);
    const std::string text = signed_header_json(head);
    const std::size_t from = text.find("{\"chainId\"");
    const std::size_t to = text.find('}');
    const std::string fields = text.substr(from + 1, to - from - 1);
    const std::string frame = "{" + fields + ",\"hash\":\"" + to_hex0x(head.hash) + "\",\"signature\":\"" +
                              to_hex0x(head.signature) + "\",\"gasUsed\":\"0x0\",\"transactions\":[]}";
    for (const std::string& kept : {frame, "{\"subscription\":\"0x1\",\"result\":" + frame + "}",
                                    "{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{"
                                    "\"subscription\":\"0x1\",\"result\":" +
                                        frame + "}}"}) {
        const auto parsed = parse_signed_header(kept);
        ASSERT_TRUE(parsed) << parsed.error();
        EXPECT_EQ(*parsed, head);
    }
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    return text.replace(at, from.size(), to);
}

TEST(evidence, json_errors_name_the_member) {
    const std::string good = signed_header_json(head_of(1));
    const auto error_of = [](const std::string& text) {
        const auto parsed = parse_signed_header(text);
        return parsed ? "" : parsed.error();
    };
    EXPECT_EQ(error_of("[]"), "a signed header has to be an object");
    EXPECT_TRUE(error_of("{").starts_with("not JSON: "));
    EXPECT_EQ(error_of("{}"), "header: missing");
    EXPECT_EQ(error_of(replaced(good, "\"term\"", "\"trem\"")), "trem: unknown member");
    EXPECT_EQ(error_of(replaced(good, "\"0x2a\"", "\"2a\"")),
              "header.number: has to be a quantity of at most 64 bits, as 0x1f");
    EXPECT_EQ(error_of(replaced(good, "\"0x3\"", "\"0x100000000\"")), "header.index: is too large");
    EXPECT_EQ(error_of(replaced(good, "\"0x3\"", "3")),
              "header.index: has to be a string of hexadecimal digits");
    EXPECT_EQ(error_of(replaced(good, "\"hash\":\"0x", "\"hash\":\"0y")),
              "hash: has to be 0x and 64 hexadecimal digits");
    const SignedHeader other = head_of(2);
    EXPECT_TRUE(error_of(replaced(good, to_hex(head_of(1).hash), to_hex(other.hash)))
                    .starts_with("hash: is not that of the header"));
}

}  // namespace
}  // namespace meridian::frames
