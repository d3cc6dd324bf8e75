// Keccak-256 against OpenSSL's SHA3-256, which differs in one padding bit: same rate, same permutation.
#include "arguments.hpp"
#include "interleaved.hpp"

#include <meridian/crypto/keccak.hpp>
#include <meridian/crypto/keccak_backend.hpp>

#include <openssl/evp.h>

#include <random>

namespace meridian::bench {
namespace {

using crypto::KeccakBackend;

class Sha3 {
public:
    Hash operator()(BytesView input) const {
        Hash out;
        EVP_DigestInit_ex(m_context, m_digest, nullptr);
        EVP_DigestUpdate(m_context, input.data(), input.size());
        EVP_DigestFinal_ex(m_context, out.data(), nullptr);
        return out;
    }

private:
    EVP_MD* m_digest = EVP_MD_fetch(nullptr, "SHA3-256", nullptr);
    EVP_MD_CTX* m_context = EVP_MD_CTX_new();
};

std::size_t permutations(BytesView input) {
    return input.size() / 136 + 1;
}

Bytes random_bytes(std::size_t size) {
    std::mt19937_64 random(size);
    Bytes out(size);
    for (auto& byte : out)
        byte = static_cast<std::uint8_t>(random());
    return out;
}

void bench_single(const Sha3& sha3) {
    for (const std::size_t size : {0, 32, 64, 135, 136, 532, 1024, 16384}) {
        const Bytes input = random_bytes(size);
        char name[64];
        std::snprintf(name, sizeof name, "keccak256/%zu", size);
        if (!wants(name))
            continue;
        const auto c = compare([&] { keep(crypto::keccak256(input)); }, [&] { keep(sha3(input)); });
        print(name, c, "openssl sha3-256");
        std::printf("%28s %10.2f ns a permutation %10.1f MB/s\n", "",
                    c.ours_ns / static_cast<double>(permutations(input)),
                    static_cast<double>(size) * 1e3 / c.ours_ns);
    }
}

void bench_batch(const Sha3& sha3, const char* what, const std::vector<Bytes>& messages) {
    static constexpr const char* kNames[] = {"scalar", "avx2", "avx512"};
    const std::vector<BytesView> views(messages.begin(), messages.end());
    std::vector<Hash> hashes(views.size());
    double total = 0;
    double bytes = 0;
    for (const BytesView view : views) {
        total += static_cast<double>(permutations(view));
        bytes += static_cast<double>(view.size());
    }
    const auto one_by_one = [&] {
        for (std::size_t i = 0; i < views.size(); ++i)
            hashes[i] = sha3(views[i]);
        keep(hashes);
    };
    for (const auto backend : {KeccakBackend::Scalar, KeccakBackend::Avx2, KeccakBackend::Avx512}) {
        if (!crypto::is_available(backend))
            continue;
        const auto batch = [&] {
            crypto::keccak256_batch(backend, views, hashes);
            keep(hashes);
        };
        char name[64];
        std::snprintf(name, sizeof name, "batch/%s/%s", kNames[static_cast<std::size_t>(backend)], what);
        if (!wants(name))
            continue;
        const auto c = compare(batch, one_by_one, total, total);
        print(name, c, "openssl sha3-256");
        std::printf("%28s per permutation  %18.1f MB/s\n", "", bytes * 1e3 / (c.ours_ns * total));
    }
}

void run() {
    const Sha3 sha3;
    bench_single(sha3);
    for (const std::size_t count : {2, 4, 8, 1000})
        bench_batch(sha3, ("135B*" + std::to_string(count)).c_str(),
                    std::vector<Bytes>(count, random_bytes(135)));
    // Sizes as in a state trie: leaves of about 110 bytes, branches up to 532.
    std::vector<Bytes> nodes;
    std::mt19937_64 random(1);
    for (int i = 0; i < 1000; ++i)
        nodes.push_back(random_bytes(random() % 3 == 0 ? 532 - random() % 400 : 70 + random() % 50));
    bench_batch(sha3, "trie nodes", nodes);
}

}  // namespace
}  // namespace meridian::bench

int main(int argc, char** argv) {
    meridian::bench::read_arguments(argc, argv);
    meridian::bench::run();
}
