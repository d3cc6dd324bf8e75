#include <meridian/crypto/oracle_server.hpp>

namespace meridian::crypto {
namespace {

std::size_t read_u32(const std::uint8_t* in) noexcept {
    return static_cast<std::size_t>(in[0]) | static_cast<std::size_t>(in[1]) << 8 |
           static_cast<std::size_t>(in[2]) << 16 | static_cast<std::size_t>(in[3]) << 24;
}

void succeed(Bytes& answer, BytesView output) {
    answer.assign(1, 1);
    append(answer, output);
}

void fail_call(Bytes& answer) {
    answer.assign(1, 0);
}

void answer_predicate(Bytes& answer, bool value) {
    const std::uint8_t byte = value ? 1 : 0;
    succeed(answer, {&byte, 1});
}

using PointFunction = bool (Accelerator::*)(BytesView, std::span<std::uint8_t, 128>) const;
using TwistPointFunction = bool (Accelerator::*)(BytesView, std::span<std::uint8_t, 256>) const;

void answer_point(Bytes& answer, BytesView payload, PointFunction function) {
    FixedBytes<128> out;
    if ((accelerator().*function)(payload, out.bytes))
        succeed(answer, out);
    else
        fail_call(answer);
}

void answer_twist_point(Bytes& answer, BytesView payload, TwistPointFunction function) {
    FixedBytes<256> out;
    if ((accelerator().*function)(payload, out.bytes))
        succeed(answer, out);
    else
        fail_call(answer);
}

Result<void, OracleError> answer_ecrecover(Bytes& answer, BytesView payload) {
    if (payload.size() != 97)
        return fail(OracleError::WrongLength);
    const auto address =
        accelerator().ecrecover(first_bytes<32>(payload), first_bytes<32>(payload.subspan(32)),
                                first_bytes<32>(payload.subspan(64)), payload[96]);
    if (address)
        succeed(answer, *address);
    else
        fail_call(answer);
    return {};
}

Result<void, OracleError> answer_modexp(Bytes& answer, BytesView payload) {
    constexpr std::size_t kLengths = 12;
    if (payload.size() < kLengths)
        return fail(OracleError::WrongLength);
    const std::size_t base_size = read_u32(payload.data());
    const std::size_t exponent_size = read_u32(payload.data() + 4);
    const std::size_t modulus_size = read_u32(payload.data() + 8);
    // Three 32-bit numbers cannot overflow a 64-bit sum.
    static_assert(sizeof(std::size_t) == 8);
    if (payload.size() != kLengths + base_size + exponent_size + modulus_size)
        return fail(OracleError::WrongLength);
    answer.assign(1 + modulus_size, 0);
    answer[0] = 1;
    payload = payload.subspan(kLengths);
    accelerator().modexp(payload.first(base_size), payload.subspan(base_size, exponent_size),
                         payload.last(modulus_size), std::span(answer).subspan(1));
    return {};
}

Result<void, OracleError> answer_kzg(Bytes& answer, BytesView payload) {
    if (payload.size() != 160)
        return fail(OracleError::WrongLength);
    answer_predicate(answer,
                     accelerator().kzg_verify(first_bytes<32>(payload), first_bytes<32>(payload.subspan(32)),
                                              first_bytes<48>(payload.subspan(64)),
                                              first_bytes<48>(payload.subspan(112))));
    return {};
}

void answer_pairing(Bytes& answer, BytesView payload) {
    bool value = false;
    if (accelerator().bls12_pairing(payload, value))
        answer_predicate(answer, value);
    else
        fail_call(answer);
}

Result<void, OracleError> dispatch(OracleKind kind, BytesView payload, Bytes& answer) {
    switch (kind) {
        case OracleKind::Ecrecover:
            return answer_ecrecover(answer, payload);
        case OracleKind::Sha256:
            succeed(answer, accelerator().sha256(payload));
            return {};
        case OracleKind::Ripemd160:
            succeed(answer, accelerator().ripemd160(payload));
            return {};
        case OracleKind::Modexp:
            return answer_modexp(answer, payload);
        case OracleKind::KzgVerify:
            return answer_kzg(answer, payload);
        case OracleKind::Bls12G1Add:
            answer_point(answer, payload, &Accelerator::bls12_g1_add);
            return {};
        case OracleKind::Bls12G1Msm:
            answer_point(answer, payload, &Accelerator::bls12_g1_msm);
            return {};
        case OracleKind::Bls12G2Add:
            answer_twist_point(answer, payload, &Accelerator::bls12_g2_add);
            return {};
        case OracleKind::Bls12G2Msm:
            answer_twist_point(answer, payload, &Accelerator::bls12_g2_msm);
            return {};
        case OracleKind::Bls12Pairing:
            answer_pairing(answer, payload);
            return {};
        case OracleKind::Bls12MapFpToG1:
            answer_point(answer, payload, &Accelerator::bls12_map_fp_to_g1);
            return {};
        case OracleKind::Bls12MapFp2ToG2:
            answer_twist_point(answer, payload, &Accelerator::bls12_map_fp2_to_g2);
            return {};
        case OracleKind::P256Verify:
            answer_predicate(answer, accelerator().p256_verify(payload));
            return {};
    }
    return fail(OracleError::UnknownKind);
}

}  // namespace

Result<void, OracleError> serve_oracle(BytesView request, Bytes& answer) {
    if (request.size() < kOracleHeaderSize)
        return fail(OracleError::WrongLength);
    const BytesView payload = request.subspan(kOracleHeaderSize);
    if (payload.size() > kOracleMaxPayload)
        return fail(OracleError::TooLong);
    if (payload.size() != read_u32(request.data() + 1))
        return fail(OracleError::WrongLength);
    return dispatch(static_cast<OracleKind>(request[0]), payload, answer);
}

}  // namespace meridian::crypto
