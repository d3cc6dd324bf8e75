// See secp256k1_recover_kernel.hpp for what must not be included.
#include <meridian/crypto/secp256k1_field_ifma.hpp>
#include <meridian/crypto/secp256k1_field_probe.hpp>

namespace meridian::crypto::secp256k1::detail {

namespace {

Fe load(const std::uint64_t (&limbs)[5][8]) {
    Fe out;
    for (int i = 0; i < 5; ++i)
        out.limb[i] = _mm512_loadu_si512(limbs[i]);
    return out;
}

Fe apply(FieldOperation operation, const Fe& a, const Fe& b) {
    const Limbs largest = negative<6>(zero_limbs());
    switch (operation) {
        case FieldOperation::Product:
            return carried(product(a, b));
        case FieldOperation::TripledSquare:
            return carried(square<3>(a));
        case FieldOperation::ProductPlus:
            return carried(product_plus(a, b, largest));
        case FieldOperation::SquarePlus:
            return carried(square_plus(a, largest));
        case FieldOperation::NegativeOfProduct:
            return carried(product_plus(small(0), small(0), negative<6>(times<3>(product(a, b)))));
        case FieldOperation::Negative:
            return tightened(negative<0>(a));
        case FieldOperation::Tightened:
            return tightened(a);
    }
    return a;
}

}  // namespace

void probe_field_ifma(FieldOperation operation, const std::uint64_t (&a)[5][8],
                      const std::uint64_t (&b)[5][8], std::uint64_t (&out)[4][8]) noexcept {
    // Through an operand with its upper bits in disorder, which no multiplication may see.
    Fe left = load(a);
    if (operation != FieldOperation::Negative && operation != FieldOperation::Tightened) {
        for (auto& limb : left.limb)
            limb = _mm512_or_si512(limb, broadcast(0xfff0000000000000));
    }
    Vector word[4];
    pack(canonical(apply(operation, left, load(b))), word);
    for (int i = 0; i < 4; ++i)
        _mm512_storeu_si512(out[i], word[i]);
}

}  // namespace meridian::crypto::secp256k1::detail
