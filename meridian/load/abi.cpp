#include <meridian/load/abi.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/crypto/keccak.hpp>

namespace meridian::load {
namespace {

void append_word(Bytes& out, const u256& value) {
    append(out, to_hash(value));
}

Bytes selector(std::string_view signature) {
    const Hash digest = crypto::keccak256(as_bytes(signature));
    return {digest.begin(), digest.begin() + 4};
}

}  // namespace

u256 word(const Address& address) {
    return from_hash(left_padded<32>(address));
}

Bytes call_data(std::string_view signature, std::initializer_list<u256> words) {
    Bytes out = selector(signature);
    for (const u256& value : words)
        append_word(out, value);
    return out;
}

Bytes call_data(std::string_view signature, std::initializer_list<u256> words, std::size_t array_at,
                std::span<const Address> array) {
    MERIDIAN_ASSERT(array_at < words.size());
    Bytes out = selector(signature);
    std::size_t at = 0;
    for (const u256& value : words)
        append_word(out, at++ == array_at ? u256{words.size() * 32} : value);
    append_word(out, u256{array.size()});
    for (const Address& address : array)
        append_word(out, word(address));
    return out;
}

Bytes creation_data(BytesView code, std::initializer_list<u256> words) {
    Bytes out = to_bytes(code);
    for (const u256& value : words)
        append_word(out, value);
    return out;
}

}  // namespace meridian::load
