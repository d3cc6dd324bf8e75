// Keccak-256: the sponge for one message, and the scheduler that keeps the lanes of a vector kernel busy.
#include <meridian/base/assert.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/crypto/keccak_backend.hpp>
#include <meridian/crypto/keccak_kernel.hpp>
#include <meridian/crypto/keccak_rounds.hpp>

#include <bit>

namespace meridian::crypto {

namespace {

using detail::KeccakBlock;
using detail::KeccakKernel;
using detail::KeccakMessage;
using detail::kKeccakLanesMax;
using detail::kKeccakRate;

static_assert(std::endian::native == std::endian::little, "the state's words are read as bytes");

struct ScalarOps {
    using Lane = std::uint64_t;
    using Difference = std::uint64_t;

    static Lane sum(Lane a, Lane b, Lane c, Lane d, Lane e) { return a ^ b ^ c ^ d ^ e; }
    template <int Bits>
    static Lane rotate(Lane x) {
        return std::rotl(x, Bits);
    }
    static Difference difference(Lane left, Lane right) { return left ^ std::rotl(right, 1); }
    static Lane apply(Lane a, Difference d) { return a ^ d; }
    static Lane chi(Lane a, Lane b, Lane c) { return a ^ (~b & c); }
    static Lane add_constant(Lane a, std::uint64_t constant) { return a ^ constant; }
};

// Not inlined: the compilers keep more of the state in registers where nothing else wants them.
[[gnu::noinline]] void permute(std::uint64_t* state) noexcept {
#if defined(__clang__)
    // clang keeps a local state in registers as far as they go; g++ does better on the caller's memory.
    std::uint64_t local[25];
    std::copy_n(state, 25, local);
    detail::KeccakRounds<ScalarOps>::permute(local);
    std::copy_n(local, 25, state);
#else
    detail::KeccakRounds<ScalarOps>::permute(state);
#endif
}

std::uint64_t load_word(const std::uint8_t* data) noexcept {
    std::uint64_t word;
    std::memcpy(&word, data, 8);
    return word;
}

// The first padding bit after `size` bytes of a block and the last one.
void pad(std::uint64_t* state, std::size_t size) noexcept {
    state[size / 8] ^= 1ull << (size % 8 * 8);
    state[kKeccakRate / 8 - 1] ^= 1ull << 63;
}

// Fewer than kKeccakRate bytes, word by word: a detour by way of a padded block would read what was
// written a moment ago in pieces of another width, for which the processor has to wait.
void absorb_last(std::uint64_t* state, const std::uint8_t* data, std::size_t size) noexcept {
    std::size_t i = 0;
    for (; i + 8 <= size; i += 8)
        state[i / 8] ^= load_word(data + i);
    std::uint64_t word = 0;
    for (unsigned shift = 0; i < size; ++i, shift += 8)
        word |= std::uint64_t{data[i]} << shift;
    state[size / 8] ^= word;
    pad(state, size);
}

Hash digest_of(const std::uint64_t* state) noexcept {
    Hash out;
    std::memcpy(out.data(), state, 32);
    return out;
}

// Absorbs what is left of a message into a state and gives its hash.
Hash finish(std::uint64_t* state, BytesView rest) noexcept {
    for (; rest.size() >= kKeccakRate; rest = rest.subspan(kKeccakRate)) {
        for (std::size_t i = 0; i < kKeccakRate / 8; ++i)
            state[i] ^= load_word(rest.data() + 8 * i);
        permute(state);
    }
    absorb_last(state, rest.data(), rest.size());
    permute(state);
    return digest_of(state);
}

constexpr std::uint8_t kNothing[1] = {};

std::size_t block_count(BytesView message) noexcept {
    return message.size() / kKeccakRate + 1;
}

// Messages on their way through the kernels. Short ones first gather by their number of blocks until there
// is one for every lane, and are hashed together. The rest share lanes: those in flight hold the lanes 0 to
// m_active - 1. A lane that is done takes the next message at once, so that messages of any mixture of
// lengths keep the lanes busy; when none are waiting the rest move to a kernel of fewer lanes. Results do
// not depend on any of this.
class Batch {
public:
    Batch(std::span<const BytesView> inputs, std::span<Hash> outputs) noexcept
        : m_inputs(inputs), m_outputs(outputs), m_waiting(inputs.size()) {}

    // Kernels in descending order of lanes.
    void run(std::span<const KeccakKernel* const> kernels) noexcept {
        if (!kernels.empty() && kernels[0]->hash != nullptr && m_inputs.size() >= kernels[0]->lanes)
            hash_alike(*kernels[0]);
        for (const KeccakKernel* kernel : kernels) {
            repack(kernel->lanes);
            while (m_active + m_waiting >= kernel->messages_min)
                step(*kernel);
        }
        while (m_active > 0)
            finish_alone();
        while (m_waiting > 0) {
            const std::size_t index = take();
            m_outputs[index] = keccak256(m_inputs[index]);
        }
    }

private:
    struct Message {
        BytesView rest;
        std::size_t index;
    };

    // Messages that gather are of so many blocks at most: enough for a trie's full branch.
    static constexpr std::size_t kAlikeBlocksMax = 4;

    // Hashes messages of equal block counts, as many at a time as the kernel has lanes. The short ones that
    // are left over wait in m_left, the long ones where they are.
    void hash_alike(const KeccakKernel& kernel) noexcept {
        m_alike_blocks_max = kAlikeBlocksMax;
        std::size_t gathered[kAlikeBlocksMax][kKeccakLanesMax];
        unsigned counts[kAlikeBlocksMax] = {};
        for (std::size_t i = 0; i < m_inputs.size(); ++i) {
            const std::size_t blocks = block_count(m_inputs[i]);
            if (blocks > kAlikeBlocksMax)
                continue;
            unsigned& count = counts[blocks - 1];
            gathered[blocks - 1][count++] = i;
            if (count == kernel.lanes) {
                hash_group(kernel, gathered[blocks - 1]);
                count = 0;
            }
        }
        for (std::size_t k = 0; k < kAlikeBlocksMax; ++k)
            for (unsigned j = 0; j < counts[k]; ++j)
                m_left[m_left_count++] = gathered[k][j];
    }

    void hash_group(const KeccakKernel& kernel, const std::size_t* indices) noexcept {
        KeccakMessage messages[kKeccakLanesMax];
        for (unsigned j = 0; j < kernel.lanes; ++j) {
            const BytesView input = m_inputs[indices[j]];
            messages[j] = {input.empty() ? kNothing : input.data(), input.size(),
                           m_outputs[indices[j]].data()};
        }
        kernel.hash(messages);
        m_waiting -= kernel.lanes;
    }

    // The next message that waits. Precondition: one does.
    std::size_t take() noexcept {
        --m_waiting;
        if (m_left_count > 0)
            return m_left[--m_left_count];
        while (block_count(m_inputs[m_next]) <= m_alike_blocks_max)
            ++m_next;
        return m_next++;
    }

    // Starts the next message in a lane.
    void start(unsigned lane) noexcept {
        const std::size_t index = take();
        m_messages[lane] = {m_inputs[index], index};
        m_fresh |= 1u << lane;
    }

    // Absorbs one block of every message in flight.
    void step(const KeccakKernel& kernel) noexcept {
        while (m_active < kernel.lanes && m_waiting > 0)
            start(m_active++);
        KeccakBlock blocks[kKeccakLanesMax];
        for (unsigned j = 0; j < kernel.lanes; ++j) {
            // An idle lane repeats the first one's block; nobody looks at what becomes of it.
            const BytesView rest = m_messages[j < m_active ? j : 0].rest;
            blocks[j] = {rest.empty() ? kNothing : rest.data(), std::min(rest.size(), kKeccakRate)};
        }
        kernel.absorb(m_state, blocks, m_fresh);
        m_fresh = 0;
        // Downwards, so that a lane that fills a gap has been dealt with itself.
        for (unsigned j = m_active; j-- > 0;) {
            if (blocks[j].size == kKeccakRate)
                m_messages[j].rest = m_messages[j].rest.subspan(kKeccakRate);
            else
                retire(j);
        }
    }

    // Gives out the hash of a lane's message and frees the lane.
    void retire(unsigned lane) noexcept {
        std::uint8_t* out = m_outputs[m_messages[lane].index].data();
        for (std::size_t i = 0; i < 4; ++i)
            std::memcpy(out + 8 * i, &m_state[i * m_stride + lane], 8);
        if (m_waiting > 0)
            return start(lane);
        const unsigned last = --m_active;
        if (lane == last)
            return;
        m_messages[lane] = m_messages[last];
        m_fresh = (m_fresh & ~(1u << lane)) | (m_fresh >> last & 1) << lane;
        for (std::size_t i = 0; i < 25; ++i)
            m_state[i * m_stride + lane] = m_state[i * m_stride + last];
    }

    // Changes the number of lanes. Precondition: not above the present one; messages in flight fit.
    void repack(unsigned stride) noexcept {
        for (std::size_t i = 0; i < 25 && m_active > 0; ++i)
            for (unsigned j = 0; j < m_active; ++j)
                m_state[i * stride + j] = m_state[i * m_stride + j];
        m_stride = stride;
    }

    // Hashes the rest of the last lane's message without a kernel.
    void finish_alone() noexcept {
        const unsigned lane = --m_active;
        std::uint64_t state[25];
        for (std::size_t i = 0; i < 25; ++i)
            state[i] = (m_fresh >> lane & 1) != 0 ? 0 : m_state[i * m_stride + lane];
        m_outputs[m_messages[lane].index] = finish(state, m_messages[lane].rest);
    }

    alignas(64) std::uint64_t m_state[25 * kKeccakLanesMax];
    Message m_messages[kKeccakLanesMax];
    std::span<const BytesView> m_inputs;
    std::span<Hash> m_outputs;
    std::size_t m_waiting;
    std::size_t m_next = 0;
    std::size_t m_alike_blocks_max = 0;
    std::size_t m_left[kAlikeBlocksMax * kKeccakLanesMax];
    std::size_t m_left_count = 0;
    unsigned m_active = 0;
    unsigned m_stride = kKeccakLanesMax;
    // Lanes whose message has not absorbed a block yet.
    unsigned m_fresh = (1u << kKeccakLanesMax) - 1;
};

}  // namespace

Hash keccak256(BytesView input) noexcept {
    std::uint64_t state[25] = {};
    if (input.size() >= kKeccakRate)
        return finish(state, input);
    // Most messages are one block, which the state can start from as it is.
    if (!input.empty())
        std::memcpy(state, input.data(), input.size());
    pad(state, input.size());
    permute(state);
    return digest_of(state);
}

bool is_available(KeccakBackend backend) noexcept {
    switch (backend) {
        case KeccakBackend::Scalar:
            return true;
#if defined(__x86_64__)
        case KeccakBackend::Avx2:
            return __builtin_cpu_supports("avx2") != 0;
        case KeccakBackend::Avx512:
            return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                   __builtin_cpu_supports("avx512vl") != 0;
#endif
        default:
            return false;
    }
}

KeccakBackend fastest_keccak_backend() noexcept {
    static const KeccakBackend kFastest = is_available(KeccakBackend::Avx512) ? KeccakBackend::Avx512
                                          : is_available(KeccakBackend::Avx2) ? KeccakBackend::Avx2
                                                                              : KeccakBackend::Scalar;
    return kFastest;
}

void keccak256_batch([[maybe_unused]] KeccakBackend backend, std::span<const BytesView> inputs,
                     std::span<Hash> outputs) noexcept {
    MERIDIAN_ASSERT(inputs.size() == outputs.size());
    Batch batch(inputs, outputs);
#if defined(__x86_64__)
    static constexpr const KeccakKernel* kAvx2[] = {&detail::kKeccakAvx2x4};
    static constexpr const KeccakKernel* kAvx512[] = {&detail::kKeccakAvx512x8, &detail::kKeccakAvx512x4};
    if (backend == KeccakBackend::Avx512)
        return batch.run(kAvx512);
    if (backend == KeccakBackend::Avx2)
        return batch.run(kAvx2);
#endif
    batch.run({});
}

void keccak256_batch(std::span<const BytesView> inputs, std::span<Hash> outputs) noexcept {
    keccak256_batch(fastest_keccak_backend(), inputs, outputs);
}

}  // namespace meridian::crypto
