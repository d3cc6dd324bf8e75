#include <meridian/evm/precompiles.hpp>

#include <meridian/base/u256.hpp>
#include <meridian/crypto/accelerator.hpp>
#include <meridian/evm/blake2f.hpp>

#include <array>
#include <limits>

namespace meridian::evm {
namespace {

using RunResult = Result<void, PrecompileError>;

constexpr std::uint64_t kMaxGas = std::numeric_limits<std::uint64_t>::max();

// Copies of the first out.size() bytes from `offset` on, with zeros beyond the input's end.
void read_padded(BytesView input, std::size_t offset, std::span<std::uint8_t> out) noexcept {
    const std::size_t available = offset < input.size() ? std::min(input.size() - offset, out.size()) : 0;
    if (available != 0)
        std::memcpy(out.data(), input.data() + offset, available);
    std::fill(out.begin() + static_cast<std::ptrdiff_t>(available), out.end(), std::uint8_t{0});
}

template <std::size_t N>
FixedBytes<N> padded(BytesView input, std::size_t offset = 0) noexcept {
    FixedBytes<N> out;
    read_padded(input, offset, out.bytes);
    return out;
}

// 1 or 0 as a word.
void write_bool(Bytes& output, bool value) {
    output.assign(32, 0);
    output[31] = value ? 1 : 0;
}

// --- prices ----------------------------------------------------------------------------------------

template <std::uint64_t kGas>
std::uint64_t fixed_gas(BytesView) noexcept {
    return kGas;
}

template <std::uint64_t kBase, std::uint64_t kPerWord>
std::uint64_t word_gas(BytesView input) noexcept {
    return kBase + kPerWord * ((input.size() + 31) / 32);
}

template <std::uint64_t kBase, std::uint64_t kPerPair, std::size_t kPairSize>
std::uint64_t pair_gas(BytesView input) noexcept {
    return kBase + kPerPair * (input.size() / kPairSize);
}

std::uint64_t blake2f_gas(BytesView input) noexcept {
    // An input of another size fails whatever it costs.
    if (input.size() != 213)
        return 0;
    return std::uint64_t{input[0]} << 24 | std::uint64_t{input[1]} << 16 | std::uint64_t{input[2]} << 8 |
           input[3];
}

// EIP-2537: the discount in thousandths for multiplications of k = 1, 2, ... points.
using Discounts = std::array<std::uint16_t, 128>;
constexpr Discounts kG1Discounts = {
    1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677, 673, 669, 665,
    661,  658, 654, 651, 648, 645, 642, 640, 637, 635, 632, 630, 627, 625, 623, 621, 619, 617, 615,
    613,  611, 609, 608, 606, 604, 603, 601, 599, 598, 596, 595, 593, 592, 591, 589, 588, 586, 585,
    584,  582, 581, 580, 579, 577, 576, 575, 574, 573, 572, 570, 569, 568, 567, 566, 565, 564, 563,
    562,  561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 551, 550, 549, 548, 547, 547, 546, 545,
    544,  543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532, 532, 531, 530, 529,
    528,  528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520, 520, 519};
constexpr Discounts kG2Discounts = {
    1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717, 711, 704, 699,
    693,  688,  683, 679, 674, 670, 666, 663, 659, 655, 652, 649, 646, 643, 640, 637, 634, 632, 629,
    627,  624,  622, 620, 618, 615, 613, 611, 609, 607, 606, 604, 602, 600, 598, 597, 595, 593, 592,
    590,  589,  587, 586, 584, 583, 582, 580, 579, 578, 576, 575, 574, 573, 571, 570, 569, 568, 567,
    566,  565,  563, 562, 561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 552, 551, 550, 549, 548,
    547,  546,  545, 545, 544, 543, 542, 541, 541, 540, 539, 538, 537, 537, 536, 535, 535, 534, 533,
    532,  532,  531, 530, 530, 529, 528, 528, 527, 526, 526, 525, 524, 524};

template <std::uint64_t kGas, std::size_t kTermSize, const Discounts& kDiscounts>
std::uint64_t msm_gas(BytesView input) noexcept {
    const std::size_t terms = input.size() / kTermSize;
    if (terms == 0)
        return 0;
    return terms * kGas * kDiscounts[std::min(terms, kDiscounts.size()) - 1] / 1000;
}

// --- MODEXP ----------------------------------------------------------------------------------------

constexpr std::size_t kModexpHeader = 96;
// EIP-7823.
constexpr std::uint64_t kModexpMaxLength = 1024;
// Before that rule lengths had no bound but their price. Beyond this one, in bytes, an operand costs at least
// 107 million gas before Berlin and 715 million since (a long exponent of one-byte operands; a long base or
// modulus 1e14), for which there would have to be as much memory: such a call is out of gas whatever it has.
constexpr std::uint64_t kModexpPayableLength = std::uint64_t{1} << 28;

// The three lengths. Clamped to 2^100, beyond all prices, so that no product below overflows.
struct ModexpLengths {
    u256 base;
    u256 exponent;
    u256 modulus;
    u256 longest;  // of base and modulus, clamped to 2^70
};

ModexpLengths modexp_lengths(BytesView input) noexcept {
    constexpr u256 kClamp(0, std::uint64_t{1} << 36, 0, 0);
    constexpr u256 kLongestClamp(0, 64, 0, 0);
    const auto length = [&](std::size_t offset) {
        const u256 value = load_be(padded<32>(input, offset));
        return value < kClamp ? value : kClamp;
    };
    ModexpLengths lengths{length(0), length(32), length(64), {}};
    lengths.longest = lengths.base < lengths.modulus ? lengths.modulus : lengths.base;
    if (kLongestClamp < lengths.longest)
        lengths.longest = kLongestClamp;
    return lengths;
}

// Bit length less one of the exponent's first 32 bytes plus `per_byte` for each byte behind those.
u256 iteration_count(BytesView input, const ModexpLengths& lengths, std::uint64_t per_byte) noexcept {
    const bool is_long = u256(32) < lengths.exponent;
    const std::size_t head_size = is_long ? 32 : static_cast<std::size_t>(std::uint64_t(lengths.exponent));
    std::array<std::uint8_t, 32> head{};
    if (lengths.base < u256(input.size()))
        read_padded(input, kModexpHeader + static_cast<std::size_t>(std::uint64_t(lengths.base)),
                    std::span(head).first(head_size));
    const unsigned bits = static_cast<unsigned>(bit_length(load_be(BytesView(head).first(head_size))));
    const u256 adjusted(bits == 0 ? 0 : bits - 1);
    return is_long ? adjusted + (lengths.exponent - u256(32)) * u256(per_byte) : adjusted;
}

u256 at_least_one(const u256& x) noexcept {
    return x ? x : u256(1);
}

std::uint64_t saturated(const u256& gas) noexcept {
    return fits_u64(gas) ? std::uint64_t(gas) : kMaxGas;
}

// Whether there is something to compute, and too much of it.
bool is_modexp_unpayable(const ModexpLengths& lengths) noexcept {
    constexpr u256 kMax(kModexpPayableLength);
    return lengths.modulus && (kMax < lengths.longest || kMax < lengths.exponent);
}

u256 words_squared(const u256& length) noexcept {
    const u256 words = (length + u256(7)) >> 3;
    return words * words;
}

// EIP-198
std::uint64_t modexp_gas_byzantium(BytesView input) noexcept {
    const ModexpLengths lengths = modexp_lengths(input);
    if (is_modexp_unpayable(lengths))
        return kMaxGas;
    const u256& x = lengths.longest;
    u256 complexity = x * x;
    if (u256(1024) < x)
        complexity = (complexity >> 4) + u256(480) * x - u256(199680);
    else if (u256(64) < x)
        complexity = (complexity >> 2) + u256(96) * x - u256(3072);
    return saturated(complexity * at_least_one(iteration_count(input, lengths, 8)) / u256(20));
}

// EIP-2565
std::uint64_t modexp_gas_berlin(BytesView input) noexcept {
    const ModexpLengths lengths = modexp_lengths(input);
    if (is_modexp_unpayable(lengths))
        return kMaxGas;
    const u256 work = words_squared(lengths.longest) * at_least_one(iteration_count(input, lengths, 8));
    return std::max<std::uint64_t>(200, saturated(work / u256(3)));
}

// EIP-7883
std::uint64_t modexp_gas_osaka(BytesView input) noexcept {
    const ModexpLengths lengths = modexp_lengths(input);
    const u256 complexity = u256(32) < lengths.longest ? words_squared(lengths.longest) << 1 : u256(16);
    return std::max<std::uint64_t>(500,
                                   saturated(complexity * at_least_one(iteration_count(input, lengths, 16))));
}

// `length` bytes from `offset` on: a view of the input where it covers them, else a padded copy.
BytesView operand(BytesView input, std::size_t offset, std::size_t length, Bytes& storage) {
    if (offset <= input.size() && length <= input.size() - offset)
        return input.subspan(offset, length);
    storage.resize(length);
    read_padded(input, offset, storage);
    return storage;
}

template <std::uint64_t kMaxLength>
RunResult run_modexp(BytesView input, Bytes& output) {
    const ModexpLengths lengths = modexp_lengths(input);
    output.clear();
    // With lengths of zero even an absurd exponent is free of charge (and, but for EIP-7823, allowed).
    if (kMaxLength != kModexpMaxLength && !lengths.modulus)
        return {};
    if (u256(kMaxLength) < lengths.longest || u256(kMaxLength) < lengths.exponent)
        return fail(PrecompileError::InvalidLength);
    const auto base_size = static_cast<std::size_t>(std::uint64_t(lengths.base));
    const auto exponent_size = static_cast<std::size_t>(std::uint64_t(lengths.exponent));
    const auto modulus_size = static_cast<std::size_t>(std::uint64_t(lengths.modulus));
    if (modulus_size == 0)
        return {};
    Bytes storage[3];
    const BytesView base = operand(input, kModexpHeader, base_size, storage[0]);
    const BytesView exponent = operand(input, kModexpHeader + base_size, exponent_size, storage[1]);
    const BytesView modulus =
        operand(input, kModexpHeader + base_size + exponent_size, modulus_size, storage[2]);
    output.resize(modulus_size);
    crypto::accelerator().modexp(base, exponent, modulus, output);
    return {};
}

// --- the others ------------------------------------------------------------------------------------

RunResult run_ecrecover(BytesView input, Bytes& output) {
    output.clear();
    // v is a whole word: 27 or 28.
    const Hash v = padded<32>(input, 32);
    const bool high_zero = std::all_of(v.begin(), v.end() - 1, [](std::uint8_t b) { return b == 0; });
    if (!high_zero || (v[31] != 27 && v[31] != 28))
        return {};
    const auto signer =
        crypto::accelerator().ecrecover(padded<32>(input), padded<32>(input, 64), padded<32>(input, 96),
                                        static_cast<std::uint8_t>(v[31] - 27));
    if (signer) {
        output.assign(12, 0);
        append(output, *signer);
    }
    return {};
}

RunResult run_sha256(BytesView input, Bytes& output) {
    const Hash hash = crypto::accelerator().sha256(input);
    output.assign(hash.begin(), hash.end());
    return {};
}

RunResult run_ripemd160(BytesView input, Bytes& output) {
    output.assign(12, 0);
    append(output, crypto::accelerator().ripemd160(input));
    return {};
}

RunResult run_identity(BytesView input, Bytes& output) {
    output.assign(input.begin(), input.end());
    return {};
}

RunResult run_bn254_add(BytesView input, Bytes& output) {
    output.resize(64);
    if (!crypto::accelerator().bn254_add(padded<128>(input), std::span<std::uint8_t, 64>(output)))
        return fail(PrecompileError::InvalidInput);
    return {};
}

RunResult run_bn254_mul(BytesView input, Bytes& output) {
    output.resize(64);
    if (!crypto::accelerator().bn254_mul(padded<96>(input), std::span<std::uint8_t, 64>(output)))
        return fail(PrecompileError::InvalidInput);
    return {};
}

RunResult run_bn254_pairing(BytesView input, Bytes& output) {
    if (input.size() % 192 != 0)
        return fail(PrecompileError::InvalidLength);
    bool is_one = false;
    if (!crypto::accelerator().bn254_pairing(input, is_one))
        return fail(PrecompileError::InvalidInput);
    write_bool(output, is_one);
    return {};
}

std::uint64_t load_le(const std::uint8_t* in) noexcept {
    std::uint64_t word = 0;
    for (unsigned i = 0; i < 8; ++i)
        word |= std::uint64_t{in[i]} << (8 * i);
    return word;
}

RunResult run_blake2f(BytesView input, Bytes& output) {
    if (input.size() != 213)
        return fail(PrecompileError::InvalidLength);
    if (input[212] > 1)
        return fail(PrecompileError::InvalidInput);
    std::array<std::uint64_t, 8> h;
    std::array<std::uint64_t, 16> m;
    for (std::size_t i = 0; i < h.size(); ++i)
        h[i] = load_le(input.data() + 4 + 8 * i);
    for (std::size_t i = 0; i < m.size(); ++i)
        m[i] = load_le(input.data() + 68 + 8 * i);
    const std::array<std::uint64_t, 2> t = {load_le(input.data() + 196), load_le(input.data() + 204)};
    blake2f(static_cast<std::uint32_t>(blake2f_gas(input)), h, m, t, input[212] == 1);
    output.resize(64);
    for (std::size_t i = 0; i < 64; ++i)
        output[i] = static_cast<std::uint8_t>(h[i / 8] >> (8 * (i % 8)));
    return {};
}

// EIP-4844: the number of field elements in a blob and the order of the BLS12-381 group.
constexpr std::uint8_t kPointEvaluationOutput[64] = {
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10, 0x00,
    0x73, 0xed, 0xa7, 0x53, 0x29, 0x9d, 0x7d, 0x48, 0x33, 0x39, 0xd8, 0x08, 0x09, 0xa1, 0xd8, 0x05,
    0x53, 0xbd, 0xa4, 0x02, 0xff, 0xfe, 0x5b, 0xfe, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01};

RunResult run_point_evaluation(BytesView input, Bytes& output) {
    if (input.size() != 192)
        return fail(PrecompileError::InvalidLength);
    const auto commitment = first_bytes<48>(input.subspan(96));
    Hash versioned = crypto::accelerator().sha256(commitment);
    versioned[0] = 1;
    if (!equal(versioned, input.first(32)))
        return fail(PrecompileError::InvalidInput);
    if (!crypto::accelerator().kzg_verify(first_bytes<32>(input.subspan(32)),
                                          first_bytes<32>(input.subspan(64)), commitment,
                                          first_bytes<48>(input.subspan(144))))
        return fail(PrecompileError::InvalidInput);
    output.assign(std::begin(kPointEvaluationOutput), std::end(kPointEvaluationOutput));
    return {};
}

// The functions of EIP-2537 check sizes and encodings themselves.
template <std::size_t kSize,
          bool (crypto::Accelerator::*kFunction)(BytesView, std::span<std::uint8_t, kSize>) const noexcept>
RunResult run_bls12(BytesView input, Bytes& output) {
    output.resize(kSize);
    if (!(crypto::accelerator().*kFunction)(input, std::span<std::uint8_t, kSize>(output)))
        return fail(PrecompileError::InvalidInput);
    return {};
}

RunResult run_bls12_pairing(BytesView input, Bytes& output) {
    bool is_one = false;
    if (!crypto::accelerator().bls12_pairing(input, is_one))
        return fail(PrecompileError::InvalidInput);
    write_bool(output, is_one);
    return {};
}

RunResult run_p256_verify(BytesView input, Bytes& output) {
    output.clear();
    if (input.size() == 160 && crypto::accelerator().p256_verify(input))
        write_bool(output, true);
    return {};
}

// --- the table -------------------------------------------------------------------------------------

struct Row {
    std::uint16_t address;
    Revision since;
    Precompile precompile;
};

using crypto::Accelerator;

// By address, then by revision: the last row whose revision has come is in force.
constexpr Row kRows[] = {
    {0x01, Revision::Frontier, {"ECRECOVER", fixed_gas<3000>, run_ecrecover}},
    {0x02, Revision::Frontier, {"SHA256", word_gas<60, 12>, run_sha256}},
    {0x03, Revision::Frontier, {"RIPEMD160", word_gas<600, 120>, run_ripemd160}},
    {0x04, Revision::Frontier, {"IDENTITY", word_gas<15, 3>, run_identity}},
    {0x05, Revision::Byzantium, {"MODEXP", modexp_gas_byzantium, run_modexp<kModexpPayableLength>}},
    {0x05, Revision::Berlin, {"MODEXP", modexp_gas_berlin, run_modexp<kModexpPayableLength>}},
    {0x05, Revision::Osaka, {"MODEXP", modexp_gas_osaka, run_modexp<kModexpMaxLength>}},
    {0x06, Revision::Byzantium, {"BN254_ADD", fixed_gas<500>, run_bn254_add}},
    {0x06, Revision::Istanbul, {"BN254_ADD", fixed_gas<150>, run_bn254_add}},
    {0x07, Revision::Byzantium, {"BN254_MUL", fixed_gas<40000>, run_bn254_mul}},
    {0x07, Revision::Istanbul, {"BN254_MUL", fixed_gas<6000>, run_bn254_mul}},
    {0x08, Revision::Byzantium, {"BN254_PAIRING", pair_gas<100000, 80000, 192>, run_bn254_pairing}},
    {0x08, Revision::Istanbul, {"BN254_PAIRING", pair_gas<45000, 34000, 192>, run_bn254_pairing}},
    {0x09, Revision::Istanbul, {"BLAKE2F", blake2f_gas, run_blake2f}},
    {0x0a, Revision::Cancun, {"KZG_POINT_EVALUATION", fixed_gas<50000>, run_point_evaluation}},
    {0x0b, Revision::Prague, {"BLS12_G1ADD", fixed_gas<375>, run_bls12<128, &Accelerator::bls12_g1_add>}},
    {0x0c,
     Revision::Prague,
     {"BLS12_G1MSM", msm_gas<12000, 160, kG1Discounts>, run_bls12<128, &Accelerator::bls12_g1_msm>}},
    {0x0d, Revision::Prague, {"BLS12_G2ADD", fixed_gas<600>, run_bls12<256, &Accelerator::bls12_g2_add>}},
    {0x0e,
     Revision::Prague,
     {"BLS12_G2MSM", msm_gas<22500, 288, kG2Discounts>, run_bls12<256, &Accelerator::bls12_g2_msm>}},
    {0x0f, Revision::Prague, {"BLS12_PAIRING_CHECK", pair_gas<37700, 32600, 384>, run_bls12_pairing}},
    {0x10,
     Revision::Prague,
     {"BLS12_MAP_FP_TO_G1", fixed_gas<5500>, run_bls12<128, &Accelerator::bls12_map_fp_to_g1>}},
    {0x11,
     Revision::Prague,
     {"BLS12_MAP_FP2_TO_G2", fixed_gas<23800>, run_bls12<256, &Accelerator::bls12_map_fp2_to_g2>}},
    {0x100, Revision::Osaka, {"P256VERIFY", fixed_gas<6900>, run_p256_verify}},
};

// The OP Stack's bound of an input, in bytes, whose proof of a fault the settlement chain can afford.
template <std::size_t kSizeMax, Result<void, PrecompileError> (*kRun)(BytesView, Bytes&)>
RunResult run_bounded(BytesView input, Bytes& output) {
    if (input.size() > kSizeMax)
        return fail(PrecompileError::InvalidLength);
    return kRun(input, output);
}

constexpr auto run_g1_msm = run_bls12<128, &Accelerator::bls12_g1_msm>;
constexpr auto run_g2_msm = run_bls12<256, &Accelerator::bls12_g2_msm>;

// What an upgrade of the OP Stack puts in place of a revision's precompile, or where it had none.
struct OpRow {
    std::uint16_t address;
    OpRevision since;
    Revision first;  // the revisions for which it holds, from here ...
    Revision last;   // ... to here
    Precompile precompile;
};

// By address, then by upgrade, as above. Specifications: Fjord (RIP-7212), Granite, Isthmus and Jovian
// execution engine.
constexpr OpRow kOpRows[] = {
    {0x08,
     OpRevision::Granite,
     Revision::Istanbul,
     Revision::Osaka,
     {"BN254_PAIRING", pair_gas<45000, 34000, 192>, run_bounded<112687, run_bn254_pairing>}},
    {0x08,
     OpRevision::Jovian,
     Revision::Istanbul,
     Revision::Osaka,
     {"BN254_PAIRING", pair_gas<45000, 34000, 192>, run_bounded<81984, run_bn254_pairing>}},
    {0x0c,
     OpRevision::Isthmus,
     Revision::Prague,
     Revision::Osaka,
     {"BLS12_G1MSM", msm_gas<12000, 160, kG1Discounts>, run_bounded<513760, run_g1_msm>}},
    {0x0c,
     OpRevision::Jovian,
     Revision::Prague,
     Revision::Osaka,
     {"BLS12_G1MSM", msm_gas<12000, 160, kG1Discounts>, run_bounded<288960, run_g1_msm>}},
    {0x0e,
     OpRevision::Isthmus,
     Revision::Prague,
     Revision::Osaka,
     {"BLS12_G2MSM", msm_gas<22500, 288, kG2Discounts>, run_bounded<488448, run_g2_msm>}},
    {0x0e,
     OpRevision::Jovian,
     Revision::Prague,
     Revision::Osaka,
     {"BLS12_G2MSM", msm_gas<22500, 288, kG2Discounts>, run_bounded<278784, run_g2_msm>}},
    {0x0f,
     OpRevision::Isthmus,
     Revision::Prague,
     Revision::Osaka,
     {"BLS12_PAIRING_CHECK", pair_gas<37700, 32600, 384>, run_bounded<235008, run_bls12_pairing>}},
    {0x0f,
     OpRevision::Jovian,
     Revision::Prague,
     Revision::Osaka,
     {"BLS12_PAIRING_CHECK", pair_gas<37700, 32600, 384>, run_bounded<156672, run_bls12_pairing>}},
    {0x100,
     OpRevision::Fjord,
     Revision::Frontier,
     Revision::Prague,
     {"P256VERIFY", fixed_gas<3450>, run_p256_verify}},
};

// Slots of the index: addresses up to 0x11, then 0x100.
constexpr std::size_t kSlots = 0x13;
constexpr std::size_t kNoSlot = kSlots;

constexpr std::size_t slot_of(std::uint16_t address) noexcept {
    if (address == 0x100)
        return kSlots - 1;
    return address < kSlots - 1 ? address : kNoSlot;
}

constexpr Address address_of(std::uint16_t number) noexcept {
    Address address;
    address[18] = static_cast<std::uint8_t>(number >> 8);
    address[19] = static_cast<std::uint8_t>(number);
    return address;
}

struct Index {
    std::array<std::array<const Precompile*, kSlots>, kRevisionCount> by_slot{};
    std::array<std::array<Address, kSlots>, kRevisionCount> addresses{};
    std::array<std::size_t, kRevisionCount> counts{};
};

constexpr Index make_index(OpRevision op_revision) noexcept {
    Index index;
    for (std::size_t revision = 0; revision < kRevisionCount; ++revision) {
        for (const Row& row : kRows) {
            if (static_cast<std::size_t>(row.since) > revision)
                continue;
            auto& entry = index.by_slot[revision][slot_of(row.address)];
            if (entry == nullptr)
                index.addresses[revision][index.counts[revision]++] = address_of(row.address);
            entry = &row.precompile;
        }
        // An address of theirs that is new comes behind all others.
        for (const OpRow& row : kOpRows) {
            if (row.since > op_revision || static_cast<std::size_t>(row.first) > revision ||
                static_cast<std::size_t>(row.last) < revision)
                continue;
            auto& entry = index.by_slot[revision][slot_of(row.address)];
            if (entry == nullptr)
                index.addresses[revision][index.counts[revision]++] = address_of(row.address);
            entry = &row.precompile;
        }
    }
    return index;
}

static_assert(kOpRevisionCount == 5);
constexpr std::array<Index, kOpRevisionCount> kIndices = {
    make_index(OpRevision::None), make_index(OpRevision::Fjord), make_index(OpRevision::Granite),
    make_index(OpRevision::Isthmus), make_index(OpRevision::Jovian)};

constexpr const Index& index_of(OpRevision op_revision) noexcept {
    return kIndices[static_cast<std::size_t>(op_revision)];
}

}  // namespace

const Precompile* find_precompile(Revision revision, const Address& address,
                                  OpRevision op_revision) noexcept {
    // Nearly every address ends here, on its first bytes.
    if (std::any_of(address.begin(), address.begin() + 18, [](std::uint8_t b) { return b != 0; }))
        return nullptr;
    const std::size_t slot = slot_of(static_cast<std::uint16_t>(address[18] << 8 | address[19]));
    return slot == kNoSlot ? nullptr
                           : index_of(op_revision).by_slot[static_cast<std::size_t>(revision)][slot];
}

std::span<const Address> precompile_addresses(Revision revision, OpRevision op_revision) noexcept {
    const auto i = static_cast<std::size_t>(revision);
    const Index& index = index_of(op_revision);
    return std::span(index.addresses[i]).first(index.counts[i]);
}

}  // namespace meridian::evm
