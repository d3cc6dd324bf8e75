#include <meridian/crypto/oracle_accelerator.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/crypto/bn254.hpp>

namespace meridian::crypto {
namespace {

OracleTransport g_transport = nullptr;

void append_u32(Bytes& out, std::size_t value) {
    MERIDIAN_ASSERT(value <= 0xffffffff);
    for (unsigned shift = 0; shift < 32; shift += 8)
        out.push_back(static_cast<std::uint8_t>(value >> shift));
}

// One question. The answer is the host's, whose good form L1 checks; a malformed one means a broken
// host, and there is nothing to continue with.
class Question {
public:
    explicit Question(OracleKind kind) {
        m_request.push_back(static_cast<std::uint8_t>(kind));
        append_u32(m_request, 0);
    }

    Question& add(BytesView bytes) {
        append(m_request, bytes);
        return *this;
    }
    Question& add_length(std::size_t length) {
        append_u32(m_request, length);
        return *this;
    }

    // Fills `out` and returns true, or returns false where the function failed.
    bool ask(std::span<std::uint8_t> out) {
        MERIDIAN_ASSERT(g_transport != nullptr);
        const std::size_t length = m_request.size() - kOracleHeaderSize;
        MERIDIAN_ASSERT(length <= 0xffffffff);
        for (std::size_t i = 0; i < 4; ++i)
            m_request[1 + i] = static_cast<std::uint8_t>(length >> (8 * i));
        const BytesView answer = g_transport(m_request);
        MERIDIAN_ASSERT(!answer.empty() && answer[0] <= 1);
        if (answer[0] == 0)
            return false;
        MERIDIAN_ASSERT(answer.size() == 1 + out.size());
        std::copy(answer.begin() + 1, answer.end(), out.begin());
        return true;
    }

    // For functions that answer yes or no. False where the function failed.
    bool ask_predicate(bool& out) {
        std::uint8_t value = 0;
        if (!ask({&value, 1}))
            return false;
        MERIDIAN_ASSERT(value <= 1);
        out = value == 1;
        return true;
    }

private:
    Bytes m_request;
};

bool ask(OracleKind kind, BytesView input, std::span<std::uint8_t> out) {
    return Question(kind).add(input).ask(out);
}

class AskingAccelerator final : public Accelerator {
public:
    std::optional<Address> ecrecover(const Hash& digest, const Hash& r, const Hash& s,
                                     std::uint8_t recovery_id) const noexcept override {
        Address out;
        if (!Question(OracleKind::Ecrecover).add(digest).add(r).add(s).add({&recovery_id, 1}).ask(out.bytes))
            return std::nullopt;
        return out;
    }
    Hash sha256(BytesView input) const noexcept override {
        Hash out;
        MERIDIAN_ASSERT(ask(OracleKind::Sha256, input, out.bytes));
        return out;
    }
    FixedBytes<20> ripemd160(BytesView input) const noexcept override {
        FixedBytes<20> out;
        MERIDIAN_ASSERT(ask(OracleKind::Ripemd160, input, out.bytes));
        return out;
    }
    void modexp(BytesView base, BytesView exponent, BytesView modulus,
                std::span<std::uint8_t> out) const noexcept override {
        Question question(OracleKind::Modexp);
        question.add_length(base.size()).add_length(exponent.size()).add_length(modulus.size());
        MERIDIAN_ASSERT(question.add(base).add(exponent).add(modulus).ask(out));
    }
    // BN254 is our own code, which the guest runs itself.
    bool bn254_add(BytesView input, std::span<std::uint8_t, 64> out) const noexcept override {
        return bn254::add(input, out);
    }
    bool bn254_mul(BytesView input, std::span<std::uint8_t, 64> out) const noexcept override {
        return bn254::mul(input, out);
    }
    bool bn254_pairing(BytesView input, bool& out) const noexcept override {
        return bn254::pairing(input, out);
    }
    bool kzg_verify(const Hash& z, const Hash& y, const FixedBytes<48>& commitment,
                    const FixedBytes<48>& proof) const noexcept override {
        bool valid = false;
        return Question(OracleKind::KzgVerify)
                   .add(z)
                   .add(y)
                   .add(commitment)
                   .add(proof)
                   .ask_predicate(valid) &&
               valid;
    }
    bool bls12_g1_add(BytesView input, std::span<std::uint8_t, 128> out) const noexcept override {
        return ask(OracleKind::Bls12G1Add, input, out);
    }
    bool bls12_g1_msm(BytesView input, std::span<std::uint8_t, 128> out) const noexcept override {
        return ask(OracleKind::Bls12G1Msm, input, out);
    }
    bool bls12_g2_add(BytesView input, std::span<std::uint8_t, 256> out) const noexcept override {
        return ask(OracleKind::Bls12G2Add, input, out);
    }
    bool bls12_g2_msm(BytesView input, std::span<std::uint8_t, 256> out) const noexcept override {
        return ask(OracleKind::Bls12G2Msm, input, out);
    }
    bool bls12_pairing(BytesView input, bool& out) const noexcept override {
        return Question(OracleKind::Bls12Pairing).add(input).ask_predicate(out);
    }
    bool bls12_map_fp_to_g1(BytesView input, std::span<std::uint8_t, 128> out) const noexcept override {
        return ask(OracleKind::Bls12MapFpToG1, input, out);
    }
    bool bls12_map_fp2_to_g2(BytesView input, std::span<std::uint8_t, 256> out) const noexcept override {
        return ask(OracleKind::Bls12MapFp2ToG2, input, out);
    }
    bool p256_verify(BytesView input) const noexcept override {
        bool valid = false;
        return Question(OracleKind::P256Verify).add(input).ask_predicate(valid) && valid;
    }
};

}  // namespace

void set_oracle_transport(OracleTransport transport) noexcept {
    g_transport = transport;
}

const Accelerator& oracle_accelerator() noexcept {
    static const AskingAccelerator instance;
    return instance;
}

}  // namespace meridian::crypto
