// EC_KEY is used although OpenSSL 3 prefers EVP_PKEY: it needs no provider and can be reused, which
// leaves the group's precomputed tables as the only cost of set-up, paid once a thread.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <meridian/crypto/p256.hpp>

#include <meridian/base/assert.hpp>

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>

namespace meridian::crypto::p256 {
namespace {

constexpr std::uint8_t kPrime[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
                                     0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff,
                                     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

// OpenSSL's objects for one verification at a time.
class Verifier {
public:
    Verifier() noexcept {
        EC_GROUP* group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
        m_key = EC_KEY_new();
        m_signature = ECDSA_SIG_new();
        m_x = BN_new();
        m_y = BN_new();
        m_context = BN_CTX_new();
        MERIDIAN_ASSERT(group && m_key && m_signature && m_x && m_y && m_context);
        MERIDIAN_ASSERT(EC_KEY_set_group(m_key, group) == 1);
        EC_GROUP_free(group);
        m_point = EC_POINT_new(EC_KEY_get0_group(m_key));
        MERIDIAN_ASSERT(m_point);
        BIGNUM* r = BN_new();
        BIGNUM* s = BN_new();
        MERIDIAN_ASSERT(r && s && ECDSA_SIG_set0(m_signature, r, s) == 1);
        m_r = r;
        m_s = s;
    }
    ~Verifier() {
        EC_POINT_free(m_point);
        EC_KEY_free(m_key);
        ECDSA_SIG_free(m_signature);
        BN_free(m_x);
        BN_free(m_y);
        BN_CTX_free(m_context);
    }
    Verifier(const Verifier&) = delete;
    Verifier& operator=(const Verifier&) = delete;

    bool verify(const std::uint8_t* input) noexcept {
        MERIDIAN_ASSERT(BN_bin2bn(input + 32, 32, m_r) && BN_bin2bn(input + 64, 32, m_s));
        MERIDIAN_ASSERT(BN_bin2bn(input + 96, 32, m_x) && BN_bin2bn(input + 128, 32, m_y));
        // Fails for coordinates that are not on the curve, (0, 0) among them.
        if (EC_POINT_set_affine_coordinates(EC_KEY_get0_group(m_key), m_point, m_x, m_y, m_context) != 1)
            return false;
        MERIDIAN_ASSERT(EC_KEY_set_public_key(m_key, m_point) == 1);
        return ECDSA_do_verify(input, 32, m_signature, m_key) == 1;
    }

private:
    EC_KEY* m_key{};
    EC_POINT* m_point{};
    ECDSA_SIG* m_signature{};
    BIGNUM* m_r{};  // owned by m_signature
    BIGNUM* m_s{};  // owned by m_signature
    BIGNUM* m_x{};
    BIGNUM* m_y{};
    BN_CTX* m_context{};
};

}  // namespace

bool verify(BytesView input) noexcept {
    if (input.size() != 160)
        return false;
    if (std::memcmp(input.data() + 96, kPrime, 32) >= 0 || std::memcmp(input.data() + 128, kPrime, 32) >= 0)
        return false;
    static thread_local Verifier verifier;
    // A failure is a result here; it must not surface as an error of the thread's next TLS call.
    ERR_set_mark();
    const bool valid = verifier.verify(input.data());
    ERR_pop_to_mark();
    return valid;
}

}  // namespace meridian::crypto::p256
