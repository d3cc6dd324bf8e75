// Byte strings: owned, viewed and of fixed size. The vocabulary types of every layer.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace meridian {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

// Exactly N bytes, compared lexicographically. A contiguous range, so that it converts to BytesView.
template <std::size_t N>
struct FixedBytes {
    std::array<std::uint8_t, N> bytes{};

    static constexpr std::size_t kSize = N;

    constexpr std::uint8_t* data() noexcept { return bytes.data(); }
    constexpr const std::uint8_t* data() const noexcept { return bytes.data(); }
    static constexpr std::size_t size() noexcept { return N; }
    constexpr auto begin() noexcept { return bytes.begin(); }
    constexpr auto end() noexcept { return bytes.end(); }
    constexpr auto begin() const noexcept { return bytes.begin(); }
    constexpr auto end() const noexcept { return bytes.end(); }
    constexpr std::uint8_t& operator[](std::size_t i) noexcept { return bytes[i]; }
    constexpr const std::uint8_t& operator[](std::size_t i) const noexcept { return bytes[i]; }

    constexpr bool is_zero() const noexcept {
        return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
    }

    friend constexpr bool operator==(const FixedBytes& a, const FixedBytes& b) noexcept = default;
    friend constexpr auto operator<=>(const FixedBytes& a, const FixedBytes& b) noexcept = default;
};

// An Ethereum address.
using Address = FixedBytes<20>;
// A 32-byte word that is not a number: a hash or a raw storage key.
using Hash = FixedBytes<32>;

static_assert(sizeof(Address) == 20 && sizeof(Hash) == 32);

// The left-padded form, as an address is stored in a 32-byte word. Precondition: view.size() <= N.
template <std::size_t N>
constexpr FixedBytes<N> left_padded(BytesView view) noexcept {
    FixedBytes<N> out;
    std::copy(view.begin(), view.end(), out.bytes.end() - static_cast<std::ptrdiff_t>(view.size()));
    return out;
}

// Copies the first N bytes. Precondition: view.size() >= N.
template <std::size_t N>
constexpr FixedBytes<N> first_bytes(BytesView view) noexcept {
    FixedBytes<N> out;
    std::copy_n(view.begin(), N, out.bytes.begin());
    return out;
}

inline Bytes to_bytes(BytesView view) {
    return {view.begin(), view.end()};
}

inline BytesView as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline void append(Bytes& out, BytesView view) {
    out.insert(out.end(), view.begin(), view.end());
}

inline bool equal(BytesView a, BytesView b) noexcept {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

}  // namespace meridian

// For lookup only. The pure tier never iterates over an unordered container.
template <std::size_t N>
struct std::hash<meridian::FixedBytes<N>> {
    std::size_t operator()(const meridian::FixedBytes<N>& v) const noexcept {
        static_assert(N >= 8);
        // Addresses and slots can be chosen by users, so mix all words rather than truncate.
        std::uint64_t h = 0x9e3779b97f4a7c15u;
        std::size_t i = 0;
        for (; i + 8 <= N; i += 8) {
            std::uint64_t w;
            std::memcpy(&w, v.data() + i, 8);
            h = (h ^ w) * 0xff51afd7ed558ccdu;
            h ^= h >> 32;
        }
        if constexpr (N % 8 != 0) {
            std::uint64_t w = 0;
            std::memcpy(&w, v.data() + i, N % 8);
            h = (h ^ w) * 0xff51afd7ed558ccdu;
            h ^= h >> 32;
        }
        return static_cast<std::size_t>(h);
    }
};
