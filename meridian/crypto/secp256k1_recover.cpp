#include <meridian/crypto/secp256k1_recover.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/crypto/secp256k1_inverse.hpp>
#include <meridian/crypto/secp256k1_recover_backend.hpp>
#include <meridian/crypto/secp256k1_recover_kernel.hpp>
#include <meridian/crypto/secp256k1_scalar.hpp>

#include <algorithm>
#include <memory>
#include <vector>

namespace meridian::crypto::secp256k1 {

namespace {

using Key = FixedBytes<64>;
using detail::RecoverGroup;

constexpr std::size_t kLanes = 8;
static_assert(kRecoverBatch == kLanes * detail::kGroupsMax);

std::optional<Key> recover_one(const RecoverRequest& request) {
    if (request.parity > 1)
        return std::nullopt;
    return recover(request.digest, request.r, request.s, request.parity);
}

#if defined(__x86_64__)

bool is_scalar(const u256& x) {
    return x && x < kGroupOrder;
}

bool is_in_range(const RecoverRequest& request) {
    return request.parity <= 1 && is_scalar(from_hash(request.r)) && is_scalar(from_hash(request.s));
}

struct FreeAligned {
    void operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t{64}); }
};
using Workspace = std::unique_ptr<std::byte, FreeAligned>;

Workspace make_workspace(std::size_t groups) {
    return Workspace(
        static_cast<std::byte*>(::operator new(detail::workspace_size_ifma(groups), std::align_val_t{64})));
}

void put_words(std::uint64_t* words, const Key& key) {
    const u256 x = load_be32(key.data());
    const u256 y = load_be32(key.data() + 32);
    std::copy_n(x.words, 4, words);
    std::copy_n(y.words, 4, words + 4);
}

// Multiples of the generator, made from its powers-of-two multiples, which libsecp256k1 knows.
std::vector<detail::PointRow> make_fixed_table() {
    std::vector<detail::PointRow> powers(std::size_t{detail::kFixedDigits} * detail::kFixedBits);
    for (unsigned i = 0; i < powers.size(); ++i) {
        // 2^256 modulo the order is a short number, so that shifting it never exceeds the order.
        const u256 power = i < 256 ? u256{1} << i : (u256{} - kGroupOrder) << (i - 256);
        const auto key = public_key(to_hash(power));
        MERIDIAN_ASSERT(key.has_value());
        put_words(powers[i].words, *key);
    }
    std::vector<detail::PointRow> table(detail::kFixedRows);
    detail::make_fixed_table_ifma(table.data(), powers.data(), make_workspace(1).get());
    return table;
}

const detail::PointRow* fixed_table() {
    static const std::vector<detail::PointRow> instance = make_fixed_table();
    return instance.data();
}

// Up to kRecoverBatch requests on their way through the kernel.
class Chunk {
public:
    explicit Chunk(const detail::PointRow* table, std::size_t size_max)
        : m_table(table),
          m_workspace(make_workspace((std::min(size_max, kRecoverBatch) + kLanes - 1) / kLanes)) {}

    bool is_full() const { return m_size == kRecoverBatch; }
    // Precondition: the request is in range and outlives run().
    void add(const RecoverRequest& request, std::size_t index) {
        m_requests[m_size] = &request;
        m_indices[m_size] = index;
        ++m_size;
    }
    // Recovers what was added; the number that the fallback had to recover.
    std::size_t run(std::span<std::optional<Key>> keys) {
        if (m_size == 0)
            return 0;
        invert_r();
        const std::size_t groups = (m_size + kLanes - 1) / kLanes;
        // Lanes without a request repeat the last one.
        for (std::size_t lane = 0; lane < groups * kLanes; ++lane)
            prepare(lane, std::min(lane, m_size - 1));
        detail::recover_ifma(m_groups, groups, m_table, m_workspace.get());
        std::size_t exceptional = 0;
        for (std::size_t lane = 0; lane < m_size; ++lane)
            exceptional += finish(lane, keys[m_indices[lane]]);
        m_size = 0;
        return exceptional;
    }

private:
    // All inverses for one inversion and three multiplications each.
    void invert_r() {
        u256 product{1};
        for (std::size_t i = 0; i < m_size; ++i) {
            m_r_inverse[i] = product;  // of those before
            product = group_order().multiply(product, from_hash(m_requests[i]->r));
        }
        u256 inverse = inverse_modulo(product, kGroupOrder);
        for (std::size_t i = m_size; i-- > 0;) {
            m_r_inverse[i] = group_order().multiply(m_r_inverse[i], inverse);
            inverse = group_order().multiply(inverse, from_hash(m_requests[i]->r));
        }
    }

    void prepare(std::size_t lane, std::size_t i) {
        RecoverGroup& group = m_groups[lane / kLanes];
        const std::size_t j = lane % kLanes;
        const auto put = [&](std::uint64_t(*words)[8], std::size_t count, const u256& x) {
            for (std::size_t k = 0; k < count; ++k)
                words[k][j] = x[k];
        };
        const RecoverRequest& request = *m_requests[i];
        u256 digest = from_hash(request.digest);
        if (digest >= kGroupOrder)
            digest -= kGroupOrder;
        // The key is (s * R - digest * G) / r.
        const u256 of_generator =
            digest ? group_order().multiply(kGroupOrder - digest, m_r_inverse[i]) : digest;
        const SplitBits split = split_bits(group_order().multiply(from_hash(request.s), m_r_inverse[i]));
        put(group.x, 4, from_hash(request.r));
        put(group.fixed, 4, fixed_bits(of_generator));
        put(group.split[0], 3, split.first);
        put(group.split[1], 3, split.second);
        const auto bit = static_cast<std::uint8_t>(1u << j);
        group.odd = static_cast<std::uint8_t>((group.odd & ~bit) | (request.parity != 0 ? bit : 0));
    }

    bool finish(std::size_t lane, std::optional<Key>& key) const {
        const RecoverGroup& group = m_groups[lane / kLanes];
        const std::size_t j = lane % kLanes;
        if ((group.off_curve >> j & 1) != 0) {
            key = std::nullopt;
            return false;
        }
        if ((group.exceptional >> j & 1) != 0) {
            key = recover_one(*m_requests[lane]);
            return true;
        }
        key.emplace();
        for (std::size_t k = 0; k < 4; ++k) {
            meridian::detail::store_be64(group.key[3 - k][j], key->data() + 8 * k);
            meridian::detail::store_be64(group.key[7 - k][j], key->data() + 32 + 8 * k);
        }
        return false;
    }

    const detail::PointRow* m_table;
    Workspace m_workspace;
    std::size_t m_size = 0;
    const RecoverRequest* m_requests[kRecoverBatch];
    std::size_t m_indices[kRecoverBatch];
    u256 m_r_inverse[kRecoverBatch];
    RecoverGroup m_groups[detail::kGroupsMax];
};

std::size_t recover_in_lanes(std::span<const RecoverRequest> requests, std::span<std::optional<Key>> keys) {
    Chunk chunk(fixed_table(), requests.size());
    std::size_t exceptional = 0;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        if (is_in_range(requests[i]))
            chunk.add(requests[i], i);
        else
            keys[i] = std::nullopt;
        if (chunk.is_full())
            exceptional += chunk.run(keys);
    }
    return exceptional + chunk.run(keys);
}

#endif

}  // namespace

bool is_available(RecoverBackend backend) noexcept {
    switch (backend) {
        case RecoverBackend::Libsecp256k1:
            return true;
#if defined(__x86_64__)
        case RecoverBackend::Ifma:
            return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
                   __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512ifma") != 0;
#endif
        default:
            return false;
    }
}

RecoverBackend fastest_recover_backend() noexcept {
    static const RecoverBackend kFastest =
        is_available(RecoverBackend::Ifma) ? RecoverBackend::Ifma : RecoverBackend::Libsecp256k1;
    return kFastest;
}

std::size_t recover_batch([[maybe_unused]] RecoverBackend backend, std::span<const RecoverRequest> requests,
                          std::span<std::optional<Key>> keys) noexcept {
    MERIDIAN_ASSERT(requests.size() == keys.size());
#if defined(__x86_64__)
    if (backend == RecoverBackend::Ifma)
        return recover_in_lanes(requests, keys);
#endif
    std::transform(requests.begin(), requests.end(), keys.begin(), recover_one);
    return requests.size();
}

void recover_batch(std::span<const RecoverRequest> requests, std::span<std::optional<Key>> keys) noexcept {
    // The lanes take as long for one signature as for eight.
    constexpr std::size_t kLanesPay = 2;
    recover_batch(requests.size() < kLanesPay ? RecoverBackend::Libsecp256k1 : fastest_recover_backend(),
                  requests, keys);
}

void recover_batch(std::span<const RecoverRequest> requests,
                   std::span<std::optional<Address>> signers) noexcept {
    MERIDIAN_ASSERT(requests.size() == signers.size());
    for (std::size_t first = 0; first < requests.size(); first += kRecoverBatch) {
        const std::size_t count = std::min(kRecoverBatch, requests.size() - first);
        std::optional<Key> keys[kRecoverBatch];
        recover_batch(requests.subspan(first, count), std::span(keys).first(count));
        BytesView inputs[kRecoverBatch];
        for (std::size_t i = 0; i < count; ++i)
            inputs[i] = keys[i] ? BytesView(*keys[i]) : BytesView();
        Hash hashes[kRecoverBatch];
        keccak256_batch(std::span(inputs).first(count), std::span(hashes).first(count));
        for (std::size_t i = 0; i < count; ++i) {
            signers[first + i].reset();
            if (keys[i])
                signers[first + i] = first_bytes<20>(BytesView{hashes[i].data() + 12, 20});
        }
    }
}

}  // namespace meridian::crypto::secp256k1
