#include <meridian/crypto/secp256k1.hpp>
#include <meridian/node/mnemonic.hpp>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <secp256k1.h>

#include <string>

namespace meridian::node {
namespace {

constexpr std::uint32_t kHardened = 0x80000000;
constexpr int kSeedRounds = 2048;  // BIP-39

// A private key with its chain code.
struct ExtendedKey {
    Hash key;
    Hash chain_code;
};

std::string normalised(std::string_view phrase) {
    std::string out;
    for (const char c : phrase) {
        const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
        if (!space)
            out.push_back(c);
        else if (!out.empty() && out.back() != ' ')
            out.push_back(' ');
    }
    if (!out.empty() && out.back() == ' ')
        out.pop_back();
    return out;
}

FixedBytes<64> hmac_sha512(BytesView key, BytesView data) {
    FixedBytes<64> out;
    unsigned length = 64;
    HMAC(EVP_sha512(), key.data(), static_cast<int>(key.size()), data.data(), data.size(), out.data(),
         &length);
    return out;
}

ExtendedKey split(const FixedBytes<64>& digest) {
    return {first_bytes<32>({digest.data(), 32}), first_bytes<32>({digest.data() + 32, 32})};
}

const secp256k1_context* context() {
    static const secp256k1_context* instance = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
    return instance;
}

// serP(point(key)): the compressed public key. Empty for an invalid key.
Bytes compressed_public_key(const Hash& key) {
    const auto point = crypto::secp256k1::public_key(key);
    if (!point)
        return {};
    Bytes out{static_cast<std::uint8_t>(2 + ((*point)[63] & 1))};
    append(out, BytesView{point->data(), 32});
    return out;
}

Result<ExtendedKey, MnemonicError> child(const ExtendedKey& parent, std::uint32_t index) {
    Bytes data;
    if ((index & kHardened) != 0) {
        data.push_back(0);
        append(data, parent.key);
    } else {
        data = compressed_public_key(parent.key);
        if (data.empty())
            return fail(MnemonicError::DerivationFailed);
    }
    for (int shift = 24; shift >= 0; shift -= 8)
        data.push_back(static_cast<std::uint8_t>(index >> shift));
    ExtendedKey out = split(hmac_sha512(parent.chain_code, data));
    Hash key = parent.key;
    if (secp256k1_ec_seckey_tweak_add(context(), key.data(), out.key.data()) != 1)
        return fail(MnemonicError::DerivationFailed);
    out.key = key;
    return out;
}

}  // namespace

FixedBytes<64> mnemonic_seed(std::string_view phrase) {
    const std::string text = normalised(phrase);
    static constexpr std::string_view kSalt = "mnemonic";
    FixedBytes<64> seed;
    PKCS5_PBKDF2_HMAC(text.data(), static_cast<int>(text.size()), as_bytes(kSalt).data(),
                      static_cast<int>(kSalt.size()), kSeedRounds, EVP_sha512(), 64, seed.data());
    return seed;
}

Result<Hash, MnemonicError> derive_key(const FixedBytes<64>& seed, std::span<const std::uint32_t> path) {
    ExtendedKey node = split(hmac_sha512(as_bytes("Bitcoin seed"), seed));
    for (const std::uint32_t index : path) {
        auto next = child(node, index);
        if (!next)
            return fail(next.error());
        node = *next;
    }
    return node.key;
}

Result<std::vector<DevAccount>, MnemonicError> dev_accounts(std::string_view phrase, std::size_t count) {
    if (normalised(phrase).empty())
        return fail(MnemonicError::Empty);
    if (count > kMaxDevAccounts)
        return fail(MnemonicError::TooManyAccounts);
    const FixedBytes<64> seed = mnemonic_seed(phrase);
    std::vector<DevAccount> accounts;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t path[] = {44 | kHardened, 60 | kHardened, 0 | kHardened, 0, i};
        const auto key = derive_key(seed, path);
        if (!key)
            return fail(key.error());
        const auto address = crypto::secp256k1::address_of(*key);
        if (!address)
            return fail(MnemonicError::DerivationFailed);
        accounts.push_back({*address, *key});
    }
    return accounts;
}

}  // namespace meridian::node
