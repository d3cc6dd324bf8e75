// Recursive Length Prefix decoding (Ethereum yellow paper, appendix B).
//
// Only canonical encodings are accepted, so that bytes and value determine each other. Nothing is copied:
// results are views into the input. A reading function consumes its item from the front of the cursor if it
// succeeds and leaves the cursor alone if it fails.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>
#include <meridian/base/u256.hpp>

#include <array>
#include <optional>

namespace meridian::rlp {

enum class [[nodiscard]] DecodeError : std::uint8_t {
    InputTooShort,      // the item's length exceeds the input, or there is no item
    TrailingBytes,      // bytes after the only item
    NonCanonicalSize,   // a form longer than needed: 0x8105 for 0x05, or a size below 56 in long form
    LeadingZeroInSize,  // a long form whose size starts with a zero byte
    LeadingZero,        // an integer that starts with a zero byte
    Overflow,           // an integer wider than the type asked for
    UnexpectedList,     // a list where a string belongs
    UnexpectedString,   // a string where a list belongs
    StringTooShort,     // a string shorter than the size asked for
    StringTooLong,      // a string longer than it
    InvalidValue,       // a well-formed item that its reader has no use for
    TooDeep,            // nested beyond the caller's bound
    TooFewItems,        // a list that ends before its last field
    TooManyItems,       // a list that goes on after its last field
};

// For messages, as "leading zero in integer".
std::string_view to_string(DecodeError error) noexcept;

struct Item {
    bool is_list = false;
    BytesView payload;  // without the header
    BytesView raw;      // with it
};

// The first item of the cursor. Does not look into a list.
Result<Item, DecodeError> next(BytesView& cursor) noexcept;
// The one item that the input consists of.
Result<Item, DecodeError> decode_exact(BytesView input) noexcept;

Result<BytesView, DecodeError> read_bytes(BytesView& cursor) noexcept;
Result<std::uint64_t, DecodeError> read_uint64(BytesView& cursor) noexcept;
Result<u256, DecodeError> read_u256(BytesView& cursor) noexcept;
// The payload of a list.
Result<BytesView, DecodeError> read_list(BytesView& cursor) noexcept;

template <std::size_t N>
Result<FixedBytes<N>, DecodeError> read_fixed(BytesView& cursor) noexcept {
    BytesView rest = cursor;
    const auto bytes = read_bytes(rest);
    if (!bytes)
        return fail(bytes.error());
    if (bytes->size() != N)
        return fail(bytes->size() < N ? DecodeError::StringTooShort : DecodeError::StringTooLong);
    cursor = rest;
    return first_bytes<N>(*bytes);
}

inline constexpr std::size_t kDepthMax = 1024;
// Whether the input is one canonical item through and through. A string has depth zero.
Result<void, DecodeError> check_canonical(BytesView input, std::size_t depth_max = kDepthMax);

// What is wrong with a list, and in which of its fields, counted from zero.
struct FieldError {
    static constexpr std::size_t kNone = ~std::size_t{0};

    DecodeError error;
    std::size_t field;
    // The way on from there into nested lists, one number a list, as far as their errors were adopted.
    std::array<std::size_t, 3> inner = {kNone, kNone, kNone};

    friend bool operator==(const FieldError&, const FieldError&) = default;
};

// Reads a list of known fields, one call a field. The first error is kept together with the field's number;
// every later call returns an empty value and changes nothing, so that one check at the end is enough:
//
//     rlp::ListReader reader(*payload);
//     txn.nonce = reader.uint64();
//     txn.to = reader.optional_fixed<20>();
//     if (const auto done = reader.finish(); !done)
//         return fail(...done.error().field...);
class ListReader {
public:
    // Takes a list's payload.
    explicit ListReader(BytesView payload) noexcept : m_cursor(payload) {}
    // Takes the next item of the cursor, which has to be a list; else the reader starts with an error.
    static ListReader open(BytesView& cursor) noexcept;

    BytesView bytes() noexcept { return take(read_bytes); }
    std::uint64_t uint64() noexcept { return take(read_uint64); }
    u256 number() noexcept { return take(read_u256); }
    template <std::size_t N>
    FixedBytes<N> fixed() noexcept {
        return take(read_fixed<N>);
    }
    // N bytes, or none for the empty string (a transaction's recipient).
    template <std::size_t N>
    std::optional<FixedBytes<N>> optional_fixed() noexcept {
        const BytesView view = bytes();
        if (view.size() == N)
            return first_bytes<N>(view);
        if (!view.empty())
            latch({view.size() < N ? DecodeError::StringTooShort : DecodeError::StringTooLong, m_field - 1});
        return std::nullopt;
    }
    // The payload of a nested list.
    BytesView list() noexcept { return take(read_list); }
    // Any item.
    Item item() noexcept { return take(next); }

    // Whether no field is left; true after an error, so that loops end.
    bool at_end() const noexcept { return m_cursor.empty() || m_error; }
    // The fields not yet read.
    BytesView rest() const noexcept { return m_cursor; }
    // How many fields have been read.
    std::size_t field() const noexcept { return m_field; }

    bool ok() const noexcept { return !m_error; }
    const std::optional<FieldError>& error() const noexcept { return m_error; }
    // Reports a wrong value in the field read last. The first error wins.
    void reject(DecodeError error) noexcept { latch({error, m_field == 0 ? 0 : m_field - 1}); }
    // Takes over the error, if any, of the reader of the nested list read last.
    void adopt(const ListReader& nested) noexcept {
        if (!nested.m_error)
            return;
        const auto& [error, field, inner] = *nested.m_error;
        latch({error, m_field == 0 ? 0 : m_field - 1, {field, inner[0], inner[1]}});
    }
    // As adopt, and refuses a nested list that has fields left.
    void adopt_whole(ListReader& nested) noexcept {
        if (!nested.finish())
            adopt(nested);
    }
    // The error kept, or TooManyItems if fields are left.
    Result<void, FieldError> finish() noexcept;

private:
    template <class T>
    T take(Result<T, DecodeError> (*read)(BytesView&) noexcept) noexcept {
        if (m_error)
            return {};
        if (m_cursor.empty()) {
            latch({DecodeError::TooFewItems, m_field});
            return {};
        }
        const auto value = read(m_cursor);
        if (!value) {
            latch({value.error(), m_field});
            return {};
        }
        ++m_field;
        return *value;
    }
    void latch(FieldError error) noexcept {
        if (!m_error)
            m_error = error;
    }

    BytesView m_cursor;
    std::size_t m_field = 0;
    std::optional<FieldError> m_error;
};

}  // namespace meridian::rlp
