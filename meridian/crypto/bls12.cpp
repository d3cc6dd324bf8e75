#include <meridian/crypto/bls12.hpp>

#include <blst.h>

#include <vector>

namespace meridian::crypto::bls12 {
namespace {

constexpr std::size_t kFieldSize = 64;
constexpr std::size_t kPadding = 16;
constexpr std::size_t kG1Size = 128;
constexpr std::size_t kG2Size = 256;
constexpr std::size_t kScalarSize = 32;

constexpr std::uint8_t kPrime[48] = {0x1a, 0x01, 0x11, 0xea, 0x39, 0x7f, 0xe6, 0x9a, 0x4b, 0x1b, 0xa7, 0xb6,
                                     0x43, 0x4b, 0xac, 0xd7, 0x64, 0x77, 0x4b, 0x84, 0xf3, 0x85, 0x12, 0xbf,
                                     0x67, 0x30, 0xd2, 0xa0, 0xf6, 0xb0, 0xf6, 0x24, 0x1e, 0xab, 0xff, 0xfe,
                                     0xb1, 0x53, 0xff, 0xff, 0xb9, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xaa, 0xab};

bool read(blst_fp& out, const std::uint8_t* in) noexcept {
    constexpr std::uint8_t kZeros[kPadding] = {};
    if (std::memcmp(in, kZeros, kPadding) != 0 || std::memcmp(in + kPadding, kPrime, sizeof kPrime) >= 0)
        return false;
    blst_fp_from_bendian(&out, in + kPadding);
    return true;
}

bool read(blst_fp2& out, const std::uint8_t* in) noexcept {
    return read(out.fp[0], in) && read(out.fp[1], in + kFieldSize);
}

void write(std::uint8_t* out, const blst_fp& in) noexcept {
    std::memset(out, 0, kPadding);
    blst_bendian_from_fp(out + kPadding, &in);
}

void write(std::uint8_t* out, const blst_fp2& in) noexcept {
    write(out, in.fp[0]);
    write(out + kFieldSize, in.fp[1]);
}

// What blst names p1 and p2, under one set of names for the templates below. An affine point of zeros
// is infinity for blst, too.
struct G1 {
    using Point = blst_p1;
    using Affine = blst_p1_affine;
    static constexpr std::size_t kSize = kG1Size;
    static constexpr auto on_curve = blst_p1_affine_on_curve;
    static constexpr auto in_subgroup = blst_p1_affine_in_g1;
    static constexpr auto is_infinity = blst_p1_affine_is_inf;
    static constexpr auto from_affine = blst_p1_from_affine;
    static constexpr auto to_affine = blst_p1_to_affine;
    static constexpr auto add_affine = blst_p1_add_or_double_affine;
    static constexpr auto multiply = blst_p1_mult;
    static constexpr auto msm_scratch_size = blst_p1s_mult_pippenger_scratch_sizeof;
    static constexpr auto msm = blst_p1s_mult_pippenger;
};

struct G2 {
    using Point = blst_p2;
    using Affine = blst_p2_affine;
    static constexpr std::size_t kSize = kG2Size;
    static constexpr auto on_curve = blst_p2_affine_on_curve;
    static constexpr auto in_subgroup = blst_p2_affine_in_g2;
    static constexpr auto is_infinity = blst_p2_affine_is_inf;
    static constexpr auto from_affine = blst_p2_from_affine;
    static constexpr auto to_affine = blst_p2_to_affine;
    static constexpr auto add_affine = blst_p2_add_or_double_affine;
    static constexpr auto multiply = blst_p2_mult;
    static constexpr auto msm_scratch_size = blst_p2s_mult_pippenger_scratch_sizeof;
    static constexpr auto msm = blst_p2s_mult_pippenger;
};

template <class G>
bool read_on_curve(typename G::Affine& out, const std::uint8_t* in) noexcept {
    return read(out.x, in) && read(out.y, in + G::kSize / 2) && (G::is_infinity(&out) || G::on_curve(&out));
}

template <class G>
bool read_in_subgroup(typename G::Affine& out, const std::uint8_t* in) noexcept {
    return read_on_curve<G>(out, in) && (G::is_infinity(&out) || G::in_subgroup(&out));
}

template <class G>
void write_point(std::uint8_t* out, const typename G::Point& in) noexcept {
    typename G::Affine affine;
    G::to_affine(&affine, &in);
    write(out, affine.x);
    write(out + G::kSize / 2, affine.y);
}

template <class G>
bool add(BytesView input, std::uint8_t* out) noexcept {
    typename G::Affine a;
    typename G::Affine b;
    if (input.size() != 2 * G::kSize || !read_on_curve<G>(a, input.data()) ||
        !read_on_curve<G>(b, input.data() + G::kSize))
        return false;
    typename G::Point sum;
    G::from_affine(&sum, &a);
    G::add_affine(&sum, &sum, &b);
    write_point<G>(out, sum);
    return true;
}

// The terms of a multi-scalar multiplication that are not zero; blst's algorithm knows no infinity.
template <class G>
struct Terms {
    std::vector<typename G::Affine> points;
    std::vector<blst_scalar> scalars;
};

template <class G>
bool read_terms(Terms<G>& terms, BytesView input) noexcept {
    constexpr std::size_t kTermSize = G::kSize + kScalarSize;
    if (input.empty() || input.size() % kTermSize != 0)
        return false;
    terms.points.reserve(input.size() / kTermSize);
    terms.scalars.reserve(input.size() / kTermSize);
    for (std::size_t at = 0; at < input.size(); at += kTermSize) {
        typename G::Affine point;
        if (!read_in_subgroup<G>(point, input.data() + at))
            return false;
        // Reduces modulo the group order; false means zero.
        blst_scalar scalar;
        const bool nonzero = blst_scalar_from_be_bytes(&scalar, input.data() + at + G::kSize, kScalarSize);
        if (nonzero && !G::is_infinity(&point)) {
            terms.points.push_back(point);
            terms.scalars.push_back(scalar);
        }
    }
    return true;
}

template <class G>
bool msm(BytesView input, std::uint8_t* out) noexcept {
    constexpr std::size_t kScalarBits = 255;
    Terms<G> terms;
    if (!read_terms<G>(terms, input))
        return false;
    typename G::Point sum{};
    if (terms.points.size() == 1) {
        typename G::Point point;
        G::from_affine(&point, terms.points.data());
        G::multiply(&sum, &point, terms.scalars[0].b, kScalarBits);
    } else if (!terms.points.empty()) {
        // A null second pointer tells blst that the rest follows the first contiguously.
        const typename G::Affine* const points[2] = {terms.points.data(), nullptr};
        const byte* const scalars[2] = {terms.scalars[0].b, nullptr};
        std::vector<limb_t> scratch(G::msm_scratch_size(terms.points.size()) / sizeof(limb_t));
        G::msm(&sum, points, terms.points.size(), scalars, kScalarBits, scratch.data());
    }
    write_point<G>(out, sum);
    return true;
}

}  // namespace

bool g1_add(BytesView input, std::span<std::uint8_t, 128> out) noexcept {
    return add<G1>(input, out.data());
}

bool g1_msm(BytesView input, std::span<std::uint8_t, 128> out) noexcept {
    return msm<G1>(input, out.data());
}

bool g2_add(BytesView input, std::span<std::uint8_t, 256> out) noexcept {
    return add<G2>(input, out.data());
}

bool g2_msm(BytesView input, std::span<std::uint8_t, 256> out) noexcept {
    return msm<G2>(input, out.data());
}

bool pairing(BytesView input, bool& out) noexcept {
    constexpr std::size_t kPairSize = kG1Size + kG2Size;
    if (input.empty() || input.size() % kPairSize != 0)
        return false;
    std::vector<blst_p1_affine> ps;
    std::vector<blst_p2_affine> qs;
    ps.reserve(input.size() / kPairSize);
    qs.reserve(input.size() / kPairSize);
    for (std::size_t at = 0; at < input.size(); at += kPairSize) {
        blst_p1_affine p;
        blst_p2_affine q;
        if (!read_in_subgroup<G1>(p, input.data() + at) ||
            !read_in_subgroup<G2>(q, input.data() + at + kG1Size))
            return false;
        // A pair with infinity contributes a factor of one.
        if (!blst_p1_affine_is_inf(&p) && !blst_p2_affine_is_inf(&q)) {
            ps.push_back(p);
            qs.push_back(q);
        }
    }
    out = true;
    if (!ps.empty()) {
        const blst_p1_affine* const p[2] = {ps.data(), nullptr};
        const blst_p2_affine* const q[2] = {qs.data(), nullptr};
        blst_fp12 product;
        blst_miller_loop_n(&product, q, p, ps.size());
        blst_final_exp(&product, &product);
        out = blst_fp12_is_one(&product);
    }
    return true;
}

bool map_fp_to_g1(BytesView input, std::span<std::uint8_t, 128> out) noexcept {
    blst_fp element;
    if (input.size() != kFieldSize || !read(element, input.data()))
        return false;
    blst_p1 point;
    blst_map_to_g1(&point, &element, nullptr);
    write_point<G1>(out.data(), point);
    return true;
}

bool map_fp2_to_g2(BytesView input, std::span<std::uint8_t, 256> out) noexcept {
    blst_fp2 element;
    if (input.size() != 2 * kFieldSize || !read(element, input.data()))
        return false;
    blst_p2 point;
    blst_map_to_g2(&point, &element, nullptr);
    write_point<G2>(out.data(), point);
    return true;
}

}  // namespace meridian::crypto::bls12
