// The low-level functions are used although OpenSSL 3 prefers its EVP interface: they need no provider,
// hence no configuration file, and nothing is looked up or allocated per message.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <meridian/crypto/digest.hpp>

#include <openssl/ripemd.h>
#include <openssl/sha.h>

namespace meridian::crypto::digest {

Hash sha256(BytesView input) noexcept {
    Hash out;
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, input.data(), input.size());
    SHA256_Final(out.data(), &context);
    return out;
}

FixedBytes<20> ripemd160(BytesView input) noexcept {
    FixedBytes<20> out;
    RIPEMD160_CTX context;
    RIPEMD160_Init(&context);
    RIPEMD160_Update(&context, input.data(), input.size());
    RIPEMD160_Final(out.data(), &context);
    return out;
}

}  // namespace meridian::crypto::digest
