#include <meridian/base/hex.hpp>
#include <meridian/rlp/decode.hpp>
#include <meridian/rlp/encode.hpp>

#include <gtest/gtest.h>

#include <random>

namespace meridian::rlp {
namespace {

Bytes hex(std::string_view text) {
    return *from_hex(text);
}

std::string string_of(std::string_view text) {
    return to_hex(wrap_bytes(as_bytes(text)));
}

std::string uint_of(std::uint64_t value) {
    Bytes out;
    encode_uint(out, value);
    EXPECT_EQ(out.size(), length_of_uint(value));
    Bytes wide;
    encode_u256(wide, value);
    EXPECT_EQ(out, wide);
    return to_hex(out);
}

// The examples of the yellow paper and of the encoding's public description.
TEST(rlp, encodes_published_examples) {
    EXPECT_EQ(string_of("dog"), "83646f67");
    EXPECT_EQ(string_of(""), "80");
    EXPECT_EQ(uint_of(0), "80");
    EXPECT_EQ(uint_of(15), "0f");
    EXPECT_EQ(uint_of(127), "7f");
    EXPECT_EQ(uint_of(128), "8180");
    EXPECT_EQ(uint_of(1024), "820400");
    EXPECT_EQ(uint_of(~0ull), "88ffffffffffffffff");
    EXPECT_EQ(string_of(std::string(1, '\0')), "00");
    EXPECT_EQ(
        string_of("Lorem ipsum dolor sit amet, consectetur adipisicing elit"),
        "b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164697069736963"
        "696e6720656c6974");
    EXPECT_EQ(to_hex(ListBuilder{}.bytes(as_bytes("cat")).bytes(as_bytes("dog")).build()),
              "c88363617483646f67");
    EXPECT_EQ(to_hex(ListBuilder{}.build()), "c0");
    // The set-theoretical representation of three.
    const ListBuilder zero;
    ListBuilder one;
    one.list(zero);
    ListBuilder three;
    three.list(zero).list(one).list(ListBuilder{}.list(zero).list(one));
    EXPECT_EQ(to_hex(three.build()), "c7c0c1c0c3c0c1c0");
}

TEST(rlp, encodes_wide_integers) {
    for (unsigned i = 0; i < 256; ++i) {
        const u256 value = (u256{1} << i) + (i == 255 ? 0 : i);
        Bytes out;
        encode_u256(out, value);
        EXPECT_EQ(out.size(), length_of_u256(value));
        BytesView cursor = out;
        EXPECT_EQ(read_u256(cursor), value);
        EXPECT_TRUE(cursor.empty());
    }
}

TEST(rlp, sizes_around_every_boundary_round_trip) {
    for (const std::size_t size : {0, 1, 2, 54, 55, 56, 57, 255, 256, 257, 65535, 65536, 65537}) {
        const Bytes content(size, 0xab);
        const Bytes string = wrap_bytes(content);
        EXPECT_EQ(string.size(), length_of_bytes(content));
        const auto item = decode_exact(string);
        ASSERT_TRUE(item.has_value());
        EXPECT_FALSE(item->is_list);
        EXPECT_TRUE(equal(item->payload, content));
        EXPECT_TRUE(equal(item->raw, string));

        const Bytes list = wrap_list(content);
        EXPECT_EQ(list.size(), length_of_list(size));
        const auto outer = decode_exact(list);
        ASSERT_TRUE(outer.has_value());
        EXPECT_TRUE(outer->is_list);
        EXPECT_TRUE(equal(outer->payload, content));
    }
}

// Every single byte is its own encoding or needs a header, and only one of the two is accepted.
TEST(rlp, single_bytes_have_one_form) {
    for (unsigned b = 0; b < 256; ++b) {
        const auto byte = static_cast<std::uint8_t>(b);
        const Bytes encoded = wrap_bytes({&byte, 1});
        EXPECT_EQ(encoded.size(), b < 0x80 ? 1u : 2u);
        const Bytes with_header = {0x81, byte};
        const auto item = decode_exact(with_header);
        if (b < 0x80)
            EXPECT_EQ(item.error(), DecodeError::NonCanonicalSize);
        else
            EXPECT_EQ(item->payload[0], byte);
    }
}

DecodeError error_of(std::string_view text) {
    const auto item = decode_exact(hex(text));
    EXPECT_FALSE(item.has_value()) << text;
    return item ? DecodeError::InvalidValue : item.error();
}

TEST(rlp, rejects_non_canonical_headers) {
    EXPECT_EQ(error_of(""), DecodeError::InputTooShort);
    EXPECT_EQ(error_of("81"), DecodeError::InputTooShort);
    EXPECT_EQ(error_of("8100"), DecodeError::NonCanonicalSize);
    EXPECT_EQ(error_of("83646f"), DecodeError::InputTooShort);
    EXPECT_EQ(error_of("0000"), DecodeError::TrailingBytes);
    EXPECT_EQ(error_of("8000"), DecodeError::TrailingBytes);
    EXPECT_EQ(error_of("c000"), DecodeError::TrailingBytes);
    EXPECT_EQ(error_of("c1"), DecodeError::InputTooShort);
    EXPECT_EQ(error_of("b8"), DecodeError::InputTooShort);
    EXPECT_EQ(error_of("b800"), DecodeError::LeadingZeroInSize);
    EXPECT_EQ(error_of("b80100"), DecodeError::NonCanonicalSize);
    EXPECT_EQ(error_of("b837" + std::string(110, '1')), DecodeError::NonCanonicalSize);
    EXPECT_EQ(error_of("b838" + std::string(110, '1')), DecodeError::InputTooShort);
    EXPECT_EQ(error_of("b90038" + std::string(112, '1')), DecodeError::LeadingZeroInSize);
    EXPECT_EQ(error_of("f800"), DecodeError::LeadingZeroInSize);
    EXPECT_EQ(error_of("f837" + std::string(110, '1')), DecodeError::NonCanonicalSize);
    EXPECT_EQ(error_of("f90038" + std::string(112, '1')), DecodeError::LeadingZeroInSize);
    // Sizes near 2^64, which must not wrap when the header is added.
    EXPECT_EQ(error_of("bfffffffffffffffff"), DecodeError::InputTooShort);
    EXPECT_EQ(error_of("bffffffffffffffff7aa"), DecodeError::InputTooShort);
    EXPECT_EQ(error_of("ffffffffffffffffff"), DecodeError::InputTooShort);
    EXPECT_EQ(error_of("ffffffffffffff"), DecodeError::InputTooShort);
}

template <class T>
DecodeError read_error(Result<T, DecodeError> (*read)(BytesView&) noexcept, std::string_view text) {
    const Bytes input = hex(text);
    BytesView cursor = input;
    const auto value = read(cursor);
    EXPECT_FALSE(value.has_value()) << text;
    EXPECT_EQ(cursor.data(), input.data()) << "a failed read moved the cursor";
    EXPECT_EQ(cursor.size(), input.size()) << "a failed read moved the cursor";
    return value ? DecodeError::TooDeep : value.error();
}

TEST(rlp, typed_readers_reject) {
    EXPECT_EQ(read_error(read_uint64, "00"), DecodeError::LeadingZero);
    EXPECT_EQ(read_error(read_uint64, "820001"), DecodeError::LeadingZero);
    EXPECT_EQ(read_error(read_uint64, "8901ffffffffffffffff"), DecodeError::Overflow);
    EXPECT_EQ(read_error(read_uint64, "89000000000000000001"), DecodeError::Overflow);
    EXPECT_EQ(read_error(read_u256, "a100" + std::string(64, '1')), DecodeError::LeadingZero);
    EXPECT_EQ(read_error(read_uint64, "c0"), DecodeError::UnexpectedList);
    EXPECT_EQ(read_error(read_uint64, ""), DecodeError::InputTooShort);
    EXPECT_EQ(read_error(read_u256, "00"), DecodeError::LeadingZero);
    EXPECT_EQ(read_error(read_u256, "a1" + std::string(66, '1')), DecodeError::Overflow);
    EXPECT_EQ(read_error(read_u256, "a0" + std::string(64, '0')), DecodeError::LeadingZero);
    EXPECT_EQ(read_error(read_u256, "c101"), DecodeError::UnexpectedList);
    EXPECT_EQ(read_error(read_bytes, "c101"), DecodeError::UnexpectedList);
    EXPECT_EQ(read_error(read_list, "83646f67"), DecodeError::UnexpectedString);
    EXPECT_EQ(read_error(read_list, "c201"), DecodeError::InputTooShort);
    EXPECT_EQ(read_error(read_fixed<20>, "80"), DecodeError::StringTooShort);
    EXPECT_EQ(read_error(read_fixed<20>, "95" + std::string(42, '1')), DecodeError::StringTooLong);
    EXPECT_EQ(read_error(read_fixed<1>, "c0"), DecodeError::UnexpectedList);
}

TEST(rlp, typed_readers_advance) {
    const Bytes input = hex("8204007f80c2010283646f6794" + std::string(40, '2'));
    BytesView cursor = input;
    EXPECT_EQ(read_uint64(cursor), 1024u);
    EXPECT_EQ(read_u256(cursor), 127);
    EXPECT_EQ(read_uint64(cursor), 0u);
    const auto list = read_list(cursor);
    ASSERT_TRUE(list.has_value());
    EXPECT_EQ(to_hex(*list), "0102");
    EXPECT_EQ(to_hex(*read_bytes(cursor)), "646f67");
    EXPECT_EQ(to_hex(*read_fixed<20>(cursor)), std::string(40, '2'));
    EXPECT_TRUE(cursor.empty());
}

TEST(rlp, check_canonical_looks_into_lists) {
    const auto check = [](std::string_view text, std::size_t depth_max = kDepthMax) {
        return check_canonical(hex(text), depth_max);
    };
    EXPECT_TRUE(check("c7c0c1c0c3c0c1c0").has_value());
    EXPECT_TRUE(check("80").has_value());
    EXPECT_EQ(check("c28100").error(), DecodeError::NonCanonicalSize);
    EXPECT_EQ(check("c3c28100").error(), DecodeError::NonCanonicalSize);
    EXPECT_EQ(check("c3c3c0").error(), DecodeError::InputTooShort);
    // The inner list would fit the input but not its parent.
    EXPECT_EQ(check("c2c20101").error(), DecodeError::TrailingBytes);
    EXPECT_EQ(check("c4c20101c1").error(), DecodeError::InputTooShort);
    EXPECT_EQ(check("c1c0", 1).error(), DecodeError::TooDeep);
    EXPECT_TRUE(check("c1c0", 2).has_value());
    EXPECT_TRUE(check("05", 0).has_value());
}

TEST(rlp, check_canonical_bounds_depth_without_recursion) {
    Bytes nested;
    for (int i = 0; i < 100000; ++i)
        nested = nested.size() > 60000 ? nested : wrap_list(nested);
    EXPECT_EQ(check_canonical(nested).error(), DecodeError::TooDeep);
    EXPECT_TRUE(check_canonical(nested, nested.size()).has_value());
}

constexpr std::size_t kNone = FieldError::kNone;

TEST(rlp, list_reader_reads_fields) {
    const Address to = "0x1122334455667788990011223344556677889900"_address;
    const Bytes encoded = ListBuilder{}
                              .uint(7)
                              .number(u256::max())
                              .bytes(to)
                              .bytes({})
                              .list(ListBuilder{}.uint(1))
                              .bytes(as_bytes("data"))
                              .build();
    BytesView cursor = encoded;
    ListReader reader = ListReader::open(cursor);
    EXPECT_EQ(reader.uint64(), 7u);
    EXPECT_EQ(reader.number(), u256::max());
    EXPECT_EQ(reader.optional_fixed<20>(), to);
    EXPECT_EQ(reader.optional_fixed<20>(), std::nullopt);
    EXPECT_EQ(to_hex(reader.list()), "01");
    EXPECT_FALSE(reader.at_end());
    EXPECT_EQ(to_hex(reader.bytes()), "64617461");
    EXPECT_TRUE(reader.at_end());
    EXPECT_EQ(reader.field(), 6u);
    EXPECT_TRUE(reader.finish().has_value());
    EXPECT_TRUE(cursor.empty());
}

TEST(rlp, list_reader_keeps_the_first_error) {
    const Bytes payload = hex("01820001058100");
    ListReader reader(payload);
    EXPECT_EQ(reader.uint64(), 1u);
    EXPECT_EQ(reader.uint64(), 0u);
    EXPECT_EQ(reader.uint64(), 0u);
    EXPECT_TRUE(reader.bytes().empty());
    EXPECT_TRUE(reader.at_end());
    EXPECT_EQ(reader.finish().error(), (FieldError{DecodeError::LeadingZero, 1}));
}

TEST(rlp, list_reader_names_missing_surplus_and_malformed_fields) {
    const Bytes payload = hex("0102");
    ListReader missing(payload);
    for (int i = 0; i < 3; ++i)
        missing.uint64();
    EXPECT_EQ(missing.finish().error(), (FieldError{DecodeError::TooFewItems, 2}));

    ListReader surplus(payload);
    surplus.uint64();
    EXPECT_EQ(surplus.finish().error(), (FieldError{DecodeError::TooManyItems, 1}));

    ListReader wrong(payload);
    wrong.uint64();
    EXPECT_EQ(wrong.optional_fixed<20>(), std::nullopt);
    EXPECT_EQ(wrong.finish().error(), (FieldError{DecodeError::StringTooShort, 1}));

    ListReader rejected(payload);
    rejected.uint64();
    rejected.uint64();
    rejected.reject(DecodeError::Overflow);
    EXPECT_EQ(rejected.finish().error(), (FieldError{DecodeError::Overflow, 1}));

    const Bytes string = hex("83646f67");
    BytesView cursor = string;
    ListReader not_a_list = ListReader::open(cursor);
    EXPECT_EQ(not_a_list.finish().error(), (FieldError{DecodeError::UnexpectedString, 0}));
    EXPECT_EQ(cursor.size(), string.size());
}

TEST(rlp, list_reader_adopts_errors_of_nested_lists) {
    const Bytes payload = hex("01c20001");
    ListReader outer(payload);
    outer.uint64();
    ListReader inner(outer.list());
    inner.uint64();
    EXPECT_FALSE(inner.ok());
    outer.adopt(inner);
    EXPECT_EQ(outer.finish().error(), (FieldError{DecodeError::LeadingZero, 1, {0, kNone, kNone}}));
}

// A field, an entry of its list, a field of the entry, an entry of that.
TEST(rlp, list_reader_tells_the_way_to_an_error) {
    const Bytes payload = hex("01c6c0c401c20200");
    ListReader outer(payload);
    outer.uint64();
    ListReader list(outer.list());
    ListReader(list.list());
    ListReader entry(list.list());
    entry.uint64();
    ListReader numbers(entry.list());
    numbers.uint64();
    numbers.uint64();
    entry.adopt(numbers);
    list.adopt(entry);
    outer.adopt(list);
    EXPECT_EQ(outer.finish().error(), (FieldError{DecodeError::LeadingZero, 1, {1, 1, 1}}));
}

TEST(rlp, list_reader_refuses_what_a_nested_list_has_left) {
    const Bytes payload = hex("c20102");
    ListReader outer(payload);
    ListReader nested(outer.list());
    nested.uint64();
    outer.adopt(nested);
    EXPECT_TRUE(outer.ok());
    outer.adopt_whole(nested);
    EXPECT_EQ(outer.finish().error(), (FieldError{DecodeError::TooManyItems, 0, {1, kNone, kNone}}));
}

// Writes the item again from what the decoder saw. The depth is bounded by check_canonical's.
void encode_again(Bytes& out, const Item& item) {
    if (!item.is_list)
        return encode_bytes(out, item.payload);
    Bytes payload;
    for (BytesView cursor = item.payload; !cursor.empty();)
        encode_again(payload, *next(cursor));
    encode_list_header(out, payload.size());
    append(out, payload);
}

Bytes random_item(std::mt19937_64& random, unsigned depth) {
    if (depth > 0 && random() % 2 == 0) {
        ListBuilder list;
        for (std::uint64_t i = random() % 6; i > 0; --i)
            list.encoded(random_item(random, depth - 1));
        return list.build();
    }
    Bytes content(random() % 4 == 0 ? random() % 300 : random() % 3);
    for (auto& byte : content)
        byte = static_cast<std::uint8_t>(random());
    return wrap_bytes(content);
}

TEST(rlp, random_trees_round_trip) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 3000; ++i) {
        const Bytes encoded = random_item(random, 5);
        ASSERT_TRUE(check_canonical(encoded, 5).has_value()) << to_hex(encoded);
        Bytes again;
        encode_again(again, *decode_exact(encoded));
        ASSERT_EQ(encoded, again);
    }
}

// Whatever is accepted encodes to the same bytes, also after damage.
TEST(rlp, damaged_trees_are_rejected_or_round_trip) {
    std::mt19937_64 random(2);
    int accepted = 0;
    for (int i = 0; i < 50000; ++i) {
        Bytes encoded = random_item(random, 3);
        encoded[random() % encoded.size()] = static_cast<std::uint8_t>(random());
        if (!check_canonical(encoded).has_value())
            continue;
        ++accepted;
        Bytes again;
        encode_again(again, *decode_exact(encoded));
        ASSERT_EQ(encoded, again);
    }
    EXPECT_GT(accepted, 1000);
    EXPECT_LT(accepted, 49000);
}

}  // namespace
}  // namespace meridian::rlp
