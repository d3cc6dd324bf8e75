#include <meridian/rlp/encode.hpp>

namespace meridian::rlp {

namespace {

// Up to this size the length is part of the first byte.
constexpr std::size_t kShortSizeMax = 55;

constexpr unsigned byte_length_of(std::uint64_t value) {
    return static_cast<unsigned>(64 - std::countl_zero(value) + 7) / 8;
}

std::size_t header_length(std::size_t payload_size) {
    return payload_size <= kShortSizeMax ? 1 : 1 + byte_length_of(payload_size);
}

void append_big_endian(Bytes& out, std::uint64_t value, unsigned size) {
    std::uint8_t buffer[8];
    detail::store_be64(value, buffer);
    append(out, {buffer + 8 - size, size});
}

// `base` is the first byte of the empty item: kEmptyString or kEmptyList.
void append_header(Bytes& out, std::uint8_t base, std::size_t payload_size) {
    if (payload_size <= kShortSizeMax) {
        out.push_back(static_cast<std::uint8_t>(base + payload_size));
        return;
    }
    const unsigned size = byte_length_of(payload_size);
    out.push_back(static_cast<std::uint8_t>(base + kShortSizeMax + size));
    append_big_endian(out, payload_size, size);
}

}  // namespace

std::size_t length_of_bytes(BytesView bytes) noexcept {
    if (bytes.size() == 1 && bytes[0] < kEmptyString)
        return 1;
    return header_length(bytes.size()) + bytes.size();
}

std::size_t length_of_uint(std::uint64_t value) noexcept {
    return value < kEmptyString ? 1 : 1 + byte_length_of(value);
}

std::size_t length_of_u256(const u256& value) noexcept {
    return value < kEmptyString ? 1 : 1 + byte_length(value);
}

std::size_t length_of_list(std::size_t payload_size) noexcept {
    return header_length(payload_size) + payload_size;
}

void encode_bytes(Bytes& out, BytesView bytes) {
    if (bytes.size() != 1 || bytes[0] >= kEmptyString)
        append_header(out, kEmptyString, bytes.size());
    append(out, bytes);
}

void encode_uint(Bytes& out, std::uint64_t value) {
    if (value == 0) {
        out.push_back(kEmptyString);
    } else if (value < kEmptyString) {
        out.push_back(static_cast<std::uint8_t>(value));
    } else {
        const unsigned size = byte_length_of(value);
        out.push_back(static_cast<std::uint8_t>(kEmptyString + size));
        append_big_endian(out, value, size);
    }
}

void encode_u256(Bytes& out, const u256& value) {
    if (fits_u64(value))
        return encode_uint(out, value[0]);
    const Hash bytes = to_hash(value);
    const unsigned size = byte_length(value);
    encode_bytes(out, {bytes.data() + 32 - size, size});
}

void encode_list_header(Bytes& out, std::size_t payload_size) {
    append_header(out, kEmptyList, payload_size);
}

Bytes wrap_list(BytesView payload) {
    Bytes out;
    out.reserve(length_of_list(payload.size()));
    encode_list_header(out, payload.size());
    append(out, payload);
    return out;
}

Bytes wrap_bytes(BytesView bytes) {
    Bytes out;
    out.reserve(length_of_bytes(bytes));
    encode_bytes(out, bytes);
    return out;
}

void ListBuilder::append_to(Bytes& out) const {
    encode_list_header(out, m_payload.size());
    append(out, m_payload);
}

}  // namespace meridian::rlp
