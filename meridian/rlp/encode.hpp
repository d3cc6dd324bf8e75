// Recursive Length Prefix encoding (Ethereum yellow paper, appendix B). Output is always canonical.
//
// A list is written in one of two ways: with its payload's length computed beforehand (length_of_* and
// encode_list_header), which copies nothing, or through ListBuilder, which is shorter to write.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/u256.hpp>

namespace meridian::rlp {

inline constexpr std::uint8_t kEmptyString = 0x80;
inline constexpr std::uint8_t kEmptyList = 0xc0;

// Bytes of an encoded item.
std::size_t length_of_bytes(BytesView bytes) noexcept;
std::size_t length_of_uint(std::uint64_t value) noexcept;
std::size_t length_of_u256(const u256& value) noexcept;
// Bytes of a list, header included, whose payload has payload_size bytes.
std::size_t length_of_list(std::size_t payload_size) noexcept;

// All append to `out`. Integers are written without leading zeros, zero as the empty string.
void encode_bytes(Bytes& out, BytesView bytes);
void encode_uint(Bytes& out, std::uint64_t value);
void encode_u256(Bytes& out, const u256& value);
void encode_list_header(Bytes& out, std::size_t payload_size);

// The list of already encoded items.
Bytes wrap_list(BytesView payload);
// `bytes` as a string item.
Bytes wrap_bytes(BytesView bytes);

// Collects the items of one list.
class ListBuilder {
public:
    ListBuilder& bytes(BytesView value) {
        reserve();
        encode_bytes(m_payload, value);
        return *this;
    }
    ListBuilder& uint(std::uint64_t value) {
        reserve();
        encode_uint(m_payload, value);
        return *this;
    }
    ListBuilder& number(const u256& value) {
        reserve();
        encode_u256(m_payload, value);
        return *this;
    }
    ListBuilder& list(const ListBuilder& nested) {
        nested.append_to(m_payload);
        return *this;
    }
    // Items that are already encoded.
    ListBuilder& encoded(BytesView items) {
        append(m_payload, items);
        return *this;
    }

    BytesView payload() const noexcept { return m_payload; }
    void append_to(Bytes& out) const;
    Bytes build() const { return wrap_list(m_payload); }

private:
    // Enough for a transaction or a header's small fields, in place of growing byte by byte.
    void reserve() {
        if (m_payload.capacity() == 0)
            m_payload.reserve(256);
    }

    Bytes m_payload;
};

}  // namespace meridian::rlp
