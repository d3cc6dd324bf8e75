#include <meridian/module/abi.hpp>

#include <meridian/crypto/keccak.hpp>

namespace meridian::module {
namespace {

constexpr std::size_t kWord = 32;
constexpr std::uint32_t kErrorSelector = 0x08c379a0;  // Error(string)

std::uint32_t first_four(BytesView bytes) noexcept {
    return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 |
           bytes[3];
}

}  // namespace

std::uint32_t selector(std::string_view signature) noexcept {
    return first_four(crypto::keccak256(as_bytes(signature)));
}

Hash event_topic(std::string_view signature) noexcept {
    return crypto::keccak256(as_bytes(signature));
}

AbiReader::AbiReader(BytesView input) noexcept : m_ok(input.size() >= 4) {
    if (!m_ok)
        return;
    m_selector = first_four(input);
    m_arguments = input.subspan(4);
}

u256 AbiReader::word() noexcept {
    m_ok = m_ok && m_arguments.size() - m_at >= kWord;
    if (!m_ok)
        return {};
    m_at += kWord;
    return load_be32(m_arguments.data() + m_at - kWord);
}

std::uint64_t AbiReader::number(std::uint64_t max) noexcept {
    const u256 value = word();
    m_ok = m_ok && fits_u64(value) && value[0] <= max;
    return m_ok ? value[0] : 0;
}

Address AbiReader::address() noexcept {
    const Hash value = to_hash(word());
    m_ok = m_ok && std::all_of(value.begin(), value.begin() + 12, [](std::uint8_t b) { return b == 0; });
    return m_ok ? first_bytes<20>(BytesView(value).subspan(12)) : Address{};
}

BytesView AbiReader::bytes() noexcept {
    const std::uint64_t at = number();
    m_ok = m_ok && m_arguments.size() >= kWord && at <= m_arguments.size() - kWord;
    if (!m_ok)
        return {};
    const u256 size = load_be32(m_arguments.data() + at);
    m_ok = fits_u64(size) && size[0] <= m_arguments.size() - kWord - at;
    return m_ok ? m_arguments.subspan(at + kWord, size[0]) : BytesView{};
}

void append_word(Bytes& out, const u256& value) {
    append(out, to_hash(value));
}

Bytes abi_word(const u256& value) {
    return to_bytes(to_hash(value));
}

Bytes revert_reason(std::string_view reason) {
    Bytes out;
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(kErrorSelector >> shift));
    append_word(out, u256{kWord});
    append_word(out, u256{reason.size()});
    append(out, as_bytes(reason));
    out.resize(out.size() + (kWord - reason.size() % kWord) % kWord);
    return out;
}

}  // namespace meridian::module
