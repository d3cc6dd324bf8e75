// Keccak-f[1600] (FIPS 202, section 3) written once for every kind of register.
//
// Ops names the register type (Lane) and its operations, so that the same rounds permute one state held in
// 64-bit words or several side by side in vector registers. Two arrays take turns, because then no round
// has to move lanes about. Included only by the keccak_*.cpp files, each compiled for its own processor.
#pragma once

#include <cstdint>

namespace meridian::crypto::detail {

inline constexpr std::uint64_t kKeccakRoundConstants[24] = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

template <class Ops>
struct KeccakRounds {
    using Lane = typename Ops::Lane;

    // Step chi on one row.
    [[gnu::always_inline]] static void row(Lane* out, Lane b0, Lane b1, Lane b2, Lane b3, Lane b4) {
        out[0] = Ops::chi(b0, b1, b2);
        out[1] = Ops::chi(b1, b2, b3);
        out[2] = Ops::chi(b2, b3, b4);
        out[3] = Ops::chi(b3, b4, b0);
        out[4] = Ops::chi(b4, b0, b1);
    }

    // Steps theta (d is the column's difference) and rho.
    template <int Bits>
    [[gnu::always_inline]] static Lane turned(Lane a, typename Ops::Difference d) {
        return Ops::template rotate<Bits>(Ops::apply(a, d));
    }

    // Step theta's part of a round: what each column is to be added.
    struct Differences {
        typename Ops::Difference d0, d1, d2, d3, d4;
    };
    [[gnu::always_inline]] static Differences differences(const Lane* in) {
        const Lane c0 = Ops::sum(in[0], in[5], in[10], in[15], in[20]);
        const Lane c1 = Ops::sum(in[1], in[6], in[11], in[16], in[21]);
        const Lane c2 = Ops::sum(in[2], in[7], in[12], in[17], in[22]);
        const Lane c3 = Ops::sum(in[3], in[8], in[13], in[18], in[23]);
        const Lane c4 = Ops::sum(in[4], in[9], in[14], in[19], in[24]);
        return {Ops::difference(c4, c1), Ops::difference(c0, c2), Ops::difference(c1, c3),
                Ops::difference(c2, c4), Ops::difference(c3, c0)};
    }

    // A round's first row of lanes.
    [[gnu::always_inline]] static void first_row(const Lane* in, Lane* out, const Differences& d,
                                                 std::uint64_t constant) {
        row(out, Ops::apply(in[0], d.d0), turned<44>(in[6], d.d1), turned<43>(in[12], d.d2),
            turned<21>(in[18], d.d3), turned<14>(in[24], d.d4));
        out[0] = Ops::add_constant(out[0], constant);
    }

    // One round. The order in which `in` is read is step pi.
    [[gnu::always_inline]] static void round(const Lane* in, Lane* out, std::uint64_t constant) {
        const Differences d = differences(in);
        first_row(in, out, d, constant);
        row(out + 5, turned<28>(in[3], d.d3), turned<20>(in[9], d.d4), turned<3>(in[10], d.d0),
            turned<45>(in[16], d.d1), turned<61>(in[22], d.d2));
        row(out + 10, turned<1>(in[1], d.d1), turned<6>(in[7], d.d2), turned<25>(in[13], d.d3),
            turned<8>(in[19], d.d4), turned<18>(in[20], d.d0));
        row(out + 15, turned<27>(in[4], d.d4), turned<36>(in[5], d.d0), turned<10>(in[11], d.d1),
            turned<15>(in[17], d.d2), turned<56>(in[23], d.d3));
        row(out + 20, turned<62>(in[2], d.d2), turned<55>(in[8], d.d3), turned<39>(in[14], d.d4),
            turned<41>(in[15], d.d0), turned<2>(in[21], d.d1));
    }

    [[gnu::always_inline]] static void permute(Lane* state) {
        Lane other[25];
        for (int i = 0; i < 24; i += 2) {
            round(state, other, kKeccakRoundConstants[i]);
            round(other, state, kKeccakRoundConstants[i + 1]);
        }
    }

    // As permute(), but only the first five lanes are of use afterwards: those that a digest is made of.
    [[gnu::always_inline]] static void permute_to_digest(Lane* state) {
        Lane other[25];
        for (int i = 0; i < 22; i += 2) {
            round(state, other, kKeccakRoundConstants[i]);
            round(other, state, kKeccakRoundConstants[i + 1]);
        }
        round(state, other, kKeccakRoundConstants[22]);
        first_row(other, state, differences(other), kKeccakRoundConstants[23]);
    }
};

}  // namespace meridian::crypto::detail
