// The curves behind the precompiles, each beside libsecp256k1's public key recovery measured in turns
// with it: the yardstick that carries a figure from one machine to another. For what evmone computes
// with its own code, its figure on the yardstick (its faster compiler, recovery at 44.4 us) and ours
// against it: below one is faster than evmone.
#include "arguments.hpp"
#include "interleaved.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/crypto/accelerator.hpp>
#include <meridian/crypto/secp256k1.hpp>

namespace {

using namespace meridian;
using namespace meridian::literals;

struct Recovery {
    Hash digest = "0x18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c"_hash;
    crypto::secp256k1::Signature signature = *crypto::secp256k1::sign(digest, "0x2a"_hash);

    void operator()() const {
        bench::keep(crypto::secp256k1::recover(digest, signature.r, signature.s, signature.recovery_id));
    }
};

// evmone_ns: the peer's time on the reference machine, or 0 where it uses the same library.
template <class Function>
void report(const char* name, Function&& function, double evmone_ns = 0) {
    if (!bench::wants(name))
        return;
    constexpr double kReferenceRecoveryNs = 44400;
    const Recovery recovery;
    const auto c = bench::compare(function, recovery);
    std::printf("%-26s %12.0f ns   x ecrecover %8.3f", name, c.ours_ns, c.ratio());
    if (evmone_ns != 0) {
        const double evmone = evmone_ns / kReferenceRecoveryNs;
        std::printf("   evmone %8.3f   ratio %.2f", evmone, c.ratio() / evmone);
    }
    std::printf("\n");
}

Bytes bytes(std::string_view text) {
    return from_hex(text).value();
}

// (1, 2) and its negative.
constexpr std::string_view kG1 =
    "0000000000000000000000000000000000000000000000000000000000000001"
    "0000000000000000000000000000000000000000000000000000000000000002";
constexpr std::string_view kMinusG1 =
    "0000000000000000000000000000000000000000000000000000000000000001"
    "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45";
constexpr std::string_view kG2 =
    "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2"
    "1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed"
    "090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b"
    "12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";

void bn254() {
    const auto& accelerator = crypto::accelerator();
    FixedBytes<64> out;
    Bytes mul_input = bytes(kG1);
    append(mul_input, "0x2f1f5e2a7c0f5a41b3c8e8f6a4d2c1b09f8e7d6c5b4a39281706f5e4d3c2b1a0"_hash);
    accelerator.bn254_mul(mul_input, out.bytes);
    // Two points without structure: the peer's inversion takes a third of its time for the generator.
    Bytes add_input = to_bytes(out);
    Bytes again = to_bytes(out);
    append(again, BytesView(mul_input).last(32));
    accelerator.bn254_mul(again, out.bytes);
    append(add_input, out);
    report("bn254 add", [&] { bench::keep(accelerator.bn254_add(add_input, out.bytes)); }, 4600);
    report("bn254 mul", [&] { bench::keep(accelerator.bn254_mul(mul_input, out.bytes)); }, 73000);
    Bytes pairs;
    bool result = false;
    for (int n = 1; n <= 4; ++n) {
        append(pairs, bytes(n % 2 == 1 ? kG1 : kMinusG1));
        append(pairs, bytes(kG2));
        char name[32];
        std::snprintf(name, sizeof name, "bn254 pairing, %d pairs", n);
        report(name, [&] { bench::keep(accelerator.bn254_pairing(pairs, result)); }, n == 2 ? 1700000 : 0);
    }
}

void bls12() {
    const auto& accelerator = crypto::accelerator();
    FixedBytes<128> g1;
    FixedBytes<256> g2;
    const Bytes field(64, 0);
    const Bytes field2(128, 0);
    report("bls12 map fp to g1", [&] { bench::keep(accelerator.bls12_map_fp_to_g1(field, g1.bytes)); });
    report("bls12 map fp2 to g2", [&] { bench::keep(accelerator.bls12_map_fp2_to_g2(field2, g2.bytes)); });
    const Hash scalar = "0x2f1f5e2a7c0f5a41b3c8e8f6a4d2c1b09f8e7d6c5b4a39281706f5e4d3c2b1a0"_hash;
    Bytes terms;
    append(terms, g1);
    append(terms, scalar);
    FixedBytes<128> sum;
    report("bls12 g1 msm, 1 term", [&] { bench::keep(accelerator.bls12_g1_msm(terms, sum.bytes)); });
    const Bytes term = terms;
    for (int i = 1; i < 128; ++i)
        append(terms, term);
    report("bls12 g1 msm, 128 terms", [&] { bench::keep(accelerator.bls12_g1_msm(terms, sum.bytes)); });
    Bytes pair;
    append(pair, g1);
    append(pair, g2);
    bool result = false;
    report("bls12 pairing, 1 pair", [&] { bench::keep(accelerator.bls12_pairing(pair, result)); });
}

void others() {
    const auto& accelerator = crypto::accelerator();
    const Hash y = "0x1824b159acc5056f998c4fefecbc4ff55884b7fa0003480200000001fffffffe"_hash;
    const auto commitment = fixed_from_hex<48>(
        "a572cbea904d67468808c8eb50a9450c9721db309128012543902d0ac358a62ae28f75bb8f1c7c42c39a8c5529bf0f4e");
    report(
        "kzg point evaluation",
        [&] { bench::keep(accelerator.kzg_verify(y, y, commitment.value(), commitment.value())); }, 1060000);
    const Bytes p256 = bytes(
        "bb5a52f42f9c9261ed4361f59422a1e30036e7c32b270c8807a419feca605023"
        "2ba3a8be6b94d5ec80a6d9d1190a436effe50d85a1eee859b8cc6af9bd5c2e18"
        "4cd60b855d442f5b3c7b11eb6c4e0ae7525fe710fab9aa7c77a67f79e6fadd76"
        "2927b10512bae3eddcfe467828128bad2903269919f7086069c8c4df6c732838"
        "c7787964eaac00e5921fb1498a60f4606766b3d9685001558d1a974e7341513e");
    report("p256 verify", [&] { bench::keep(accelerator.p256_verify(p256)); });
}

// Gas (EIP-7883) and the time for it decide; the worst rate of these bounds a block's time.
void modexp() {
    const auto& accelerator = crypto::accelerator();
    for (const std::size_t size : {32u, 64u, 256u, 1024u}) {
        for (const unsigned low_byte : {0xffu, 0xf0u}) {
            const Bytes base(size, 0xee);
            const Bytes exponent(size, 0xff);
            Bytes modulus(size, 0xcd);
            // Half of an even modulus' bits are a power of two: the costliest split.
            if (low_byte == 0xf0)
                std::fill(modulus.begin() + static_cast<std::ptrdiff_t>(size / 2), modulus.end(),
                          std::uint8_t{0});
            Bytes out(size);
            char name[40];
            std::snprintf(name, sizeof name, "modexp %zu bytes, %s", size, low_byte == 0xff ? "odd" : "even");
            report(name, [&] { accelerator.modexp(base, exponent, modulus, out); });
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    meridian::bench::read_arguments(argc, argv);
    bn254();
    bls12();
    others();
    modexp();
    return 0;
}
