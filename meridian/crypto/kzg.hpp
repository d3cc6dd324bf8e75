// Verification of KZG opening proofs (EIP-4844's verify_kzg_proof) with blst. Host only.
//
// Of the trusted setup of the 2023 ceremony an opening proof needs one point, [tau]G2, which is built
// in; so there is nothing to load.
#pragma once

#include <meridian/base/bytes.hpp>

namespace meridian::crypto::kzg {

// Whether `proof` shows that the polynomial behind `commitment` has value y at z. False also for z or y
// not below the group order and for points that are not valid compressed points of the subgroup.
bool verify(const Hash& z, const Hash& y, const FixedBytes<48>& commitment,
            const FixedBytes<48>& proof) noexcept;

// [tau]G2, compressed: the second of the setup's G2 points in monomial form.
extern const FixedBytes<96> kSetupG2Tau;

}  // namespace meridian::crypto::kzg
