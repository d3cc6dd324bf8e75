#include <meridian/crypto/kzg.hpp>

#include <meridian/base/assert.hpp>

#include <blst.h>

namespace meridian::crypto::kzg {

const FixedBytes<96> kSetupG2Tau = {
    {0xb5, 0xbf, 0xd7, 0xdd, 0x8c, 0xde, 0xb1, 0x28, 0x84, 0x3b, 0xc2, 0x87, 0x23, 0x0a, 0xf3, 0x89,
     0x26, 0x18, 0x70, 0x75, 0xcb, 0xfb, 0xef, 0xa8, 0x10, 0x09, 0xa2, 0xce, 0x61, 0x5a, 0xc5, 0x3d,
     0x29, 0x14, 0xe5, 0x87, 0x0c, 0xb4, 0x52, 0xd2, 0xaf, 0xaa, 0xab, 0x24, 0xf3, 0x49, 0x9f, 0x72,
     0x18, 0x5c, 0xbf, 0xee, 0x53, 0x49, 0x27, 0x14, 0x73, 0x44, 0x29, 0xb7, 0xb3, 0x86, 0x08, 0xe2,
     0x39, 0x26, 0xc9, 0x11, 0xcc, 0xec, 0xea, 0xc9, 0xa3, 0x68, 0x51, 0x47, 0x7b, 0xa4, 0xc6, 0x0b,
     0x08, 0x70, 0x41, 0xde, 0x62, 0x10, 0x00, 0xed, 0xc9, 0x8e, 0xda, 0xda, 0x20, 0xc1, 0xde, 0xf2}};

namespace {

constexpr std::size_t kScalarBits = 255;

bool read_scalar(blst_scalar& out, const Hash& in) noexcept {
    blst_scalar_from_bendian(&out, in.data());
    return blst_scalar_fr_check(&out);
}

bool read_point(blst_p1_affine& out, const FixedBytes<48>& in) noexcept {
    return blst_p1_uncompress(&out, in.data()) == BLST_SUCCESS &&
           (blst_p1_affine_is_inf(&out) || blst_p1_affine_in_g1(&out));
}

blst_p1 multiply(const blst_p1& point, const blst_scalar& scalar) noexcept {
    blst_p1 product;
    blst_p1_mult(&product, &point, scalar.b, kScalarBits);
    return product;
}

// The second arguments of both pairings never change; their line functions are computed once.
struct Lines {
    blst_fp6 generator[68];
    blst_fp6 tau[68];

    Lines() noexcept {
        blst_p2_affine point;
        MERIDIAN_ASSERT(blst_p2_uncompress(&point, kSetupG2Tau.data()) == BLST_SUCCESS);
        blst_precompute_lines(tau, &point);
        blst_precompute_lines(generator, blst_p2_affine_generator());
    }
};

// e(a, generator of G2) == e(b, [tau]G2)
bool pairings_equal(const blst_p1& a, const blst_p1_affine& b) noexcept {
    static const Lines lines;
    if (blst_p1_is_inf(&a) || blst_p1_affine_is_inf(&b))
        return blst_p1_is_inf(&a) && blst_p1_affine_is_inf(&b);
    blst_p1_affine a_affine;
    blst_p1_to_affine(&a_affine, &a);
    blst_fp12 left;
    blst_fp12 right;
    blst_miller_loop_lines(&left, lines.generator, &a_affine);
    blst_miller_loop_lines(&right, lines.tau, &b);
    return blst_fp12_finalverify(&left, &right);
}

}  // namespace

bool verify(const Hash& z, const Hash& y, const FixedBytes<48>& commitment,
            const FixedBytes<48>& proof) noexcept {
    blst_scalar z_scalar;
    blst_scalar y_scalar;
    blst_p1_affine c;
    blst_p1_affine pi;
    if (!read_scalar(z_scalar, z) || !read_scalar(y_scalar, y) || !read_point(c, commitment) ||
        !read_point(pi, proof))
        return false;
    // e(C - [y]G1, G2) == e(pi, [tau - z]G2), with z moved to the left so that only G1 is multiplied.
    blst_p1 left;
    blst_p1_from_affine(&left, &pi);
    left = multiply(left, z_scalar);
    blst_p1 value = multiply(*blst_p1_generator(), y_scalar);
    blst_p1_cneg(&value, true);
    blst_p1_add_or_double(&left, &left, &value);
    blst_p1_add_or_double_affine(&left, &left, &c);
    return pairings_equal(left, pi);
}

}  // namespace meridian::crypto::kzg
