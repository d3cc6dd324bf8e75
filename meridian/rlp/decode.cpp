#include <meridian/rlp/decode.hpp>

namespace meridian::rlp {

namespace {

// First bytes: a string of one byte; a string; a string with its size's length; the same for lists.
constexpr std::uint8_t kShortString = 0x80;
constexpr std::uint8_t kLongString = 0xb8;
constexpr std::uint8_t kShortList = 0xc0;
constexpr std::uint8_t kLongList = 0xf8;
constexpr std::size_t kShortSizeMax = 55;

struct Header {
    bool is_list;
    std::size_t header_size;
    std::uint64_t payload_size;  // not yet compared with the input
};

// Out of line, to keep the common case short.
[[gnu::noinline]] Result<Header, DecodeError> read_long_header(BytesView input, bool is_list) {
    const std::size_t size = input[0] - (is_list ? kLongList : kLongString) + 1u;
    if (input.size() < 1 + size)
        return fail(DecodeError::InputTooShort);
    if (input[1] == 0)
        return fail(DecodeError::LeadingZeroInSize);
    std::uint64_t payload_size = 0;
    for (std::size_t i = 1; i <= size; ++i)
        payload_size = payload_size << 8 | input[i];
    if (payload_size <= kShortSizeMax)
        return fail(DecodeError::NonCanonicalSize);
    return Header{is_list, 1 + size, payload_size};
}

inline Result<Header, DecodeError> read_header(BytesView input) {
    if (input.empty())
        return fail(DecodeError::InputTooShort);
    const std::uint8_t first = input[0];
    if (first < kShortString)
        return Header{false, 0, 1};
    if (first >= kLongList || (first >= kLongString && first < kShortList))
        return read_long_header(input, first >= kLongList);
    const bool is_list = first >= kShortList;
    const std::uint64_t payload_size = first - (is_list ? kShortList : kShortString);
    if (!is_list && payload_size == 1 && input.size() > 1 && input[1] < kShortString)
        return fail(DecodeError::NonCanonicalSize);
    return Header{is_list, 1, payload_size};
}

[[gnu::always_inline]] inline Result<Item, DecodeError> take_item(BytesView& cursor) {
    const auto header = read_header(cursor);
    if (!header)
        return fail(header.error());
    if (header->payload_size > cursor.size() - header->header_size)
        return fail(DecodeError::InputTooShort);
    const auto payload_size = static_cast<std::size_t>(header->payload_size);
    const std::size_t size = header->header_size + payload_size;
    const Item item{header->is_list, cursor.subspan(header->header_size, payload_size), cursor.first(size)};
    cursor = cursor.subspan(size);
    return item;
}

[[gnu::always_inline]] inline Result<BytesView, DecodeError> take_string(BytesView& cursor) {
    BytesView rest = cursor;
    const auto item = take_item(rest);
    if (!item)
        return fail(item.error());
    if (item->is_list)
        return fail(DecodeError::UnexpectedList);
    cursor = rest;
    return item->payload;
}

// A string without leading zeros of at most size_max bytes. Of a string with both faults, a word's width
// is told and a wider number's leading zeros: the specification's names follow clients that read so.
[[gnu::always_inline]] inline Result<BytesView, DecodeError> read_integer(BytesView& cursor,
                                                                          std::size_t size_max) {
    BytesView rest = cursor;
    const auto bytes = take_string(rest);
    if (!bytes)
        return bytes;
    const bool is_word = size_max <= 8;
    if (is_word && bytes->size() > size_max)
        return fail(DecodeError::Overflow);
    if (!bytes->empty() && (*bytes)[0] == 0)
        return fail(DecodeError::LeadingZero);
    if (!is_word && bytes->size() > size_max)
        return fail(DecodeError::Overflow);
    cursor = rest;
    return bytes;
}

}  // namespace

std::string_view to_string(DecodeError error) noexcept {
    switch (error) {
        case DecodeError::InputTooShort:
            return "input too short";
        case DecodeError::TrailingBytes:
            return "trailing bytes";
        case DecodeError::NonCanonicalSize:
            return "size not in its shortest form";
        case DecodeError::LeadingZeroInSize:
            return "leading zero in size";
        case DecodeError::LeadingZero:
            return "leading zero in integer";
        case DecodeError::Overflow:
            return "integer too large";
        case DecodeError::UnexpectedList:
            return "list where a string belongs";
        case DecodeError::UnexpectedString:
            return "string where a list belongs";
        case DecodeError::StringTooShort:
            return "string too short";
        case DecodeError::StringTooLong:
            return "string too long";
        case DecodeError::InvalidValue:
            return "invalid value";
        case DecodeError::TooDeep:
            return "nested too deeply";
        case DecodeError::TooFewItems:
            return "too few items in list";
        case DecodeError::TooManyItems:
            return "too many items in list";
    }
    return "unknown error";
}

Result<Item, DecodeError> next(BytesView& cursor) noexcept {
    return take_item(cursor);
}

Result<Item, DecodeError> decode_exact(BytesView input) noexcept {
    const auto item = next(input);
    if (item && !input.empty())
        return fail(DecodeError::TrailingBytes);
    return item;
}

Result<BytesView, DecodeError> read_bytes(BytesView& cursor) noexcept {
    return take_string(cursor);
}

Result<std::uint64_t, DecodeError> read_uint64(BytesView& cursor) noexcept {
    const auto bytes = read_integer(cursor, 8);
    if (!bytes)
        return fail(bytes.error());
    std::uint64_t out = 0;
    for (const std::uint8_t byte : *bytes)
        out = out << 8 | byte;
    return out;
}

Result<u256, DecodeError> read_u256(BytesView& cursor) noexcept {
    const auto bytes = read_integer(cursor, 32);
    if (!bytes)
        return fail(bytes.error());
    Result<u256, DecodeError> out;
    detail::load_be_into(*out, *bytes);
    return out;
}

Result<BytesView, DecodeError> read_list(BytesView& cursor) noexcept {
    BytesView rest = cursor;
    const auto item = next(rest);
    if (!item)
        return fail(item.error());
    if (!item->is_list)
        return fail(DecodeError::UnexpectedString);
    cursor = rest;
    return item->payload;
}

Result<void, DecodeError> check_canonical(BytesView input, std::size_t depth_max) {
    const auto outer = decode_exact(input);
    if (!outer)
        return fail(outer.error());
    // The unread rest of every list that is open, outermost first. Its size is bounded by depth_max.
    std::vector<BytesView> open;
    Item item = *outer;
    while (true) {
        if (item.is_list) {
            if (open.size() == depth_max)
                return fail(DecodeError::TooDeep);
            open.push_back(item.payload);
        }
        while (!open.empty() && open.back().empty())
            open.pop_back();
        if (open.empty())
            return {};
        const auto inner = next(open.back());
        if (!inner)
            return fail(inner.error());
        item = *inner;
    }
}

ListReader ListReader::open(BytesView& cursor) noexcept {
    const auto payload = read_list(cursor);
    ListReader reader(payload ? *payload : BytesView{});
    if (!payload)
        reader.latch({payload.error(), 0});
    return reader;
}

Result<void, FieldError> ListReader::finish() noexcept {
    if (!m_error && !m_cursor.empty())
        latch({DecodeError::TooManyItems, m_field});
    if (m_error)
        return fail(*m_error);
    return {};
}

}  // namespace meridian::rlp
