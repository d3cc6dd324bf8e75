// Small things that several operation files share.
#pragma once

#include <meridian/evm/analysis.hpp>
#include <meridian/evm/interpreter.hpp>
#include <meridian/evm/machine.hpp>
#include <meridian/evm/operations.hpp>

namespace meridian::evm {

inline constexpr Flow kOutOfGas = halt(Status::OutOfGas);

// False if the frame cannot pay.
[[nodiscard]] inline bool charge(Frame& frame, std::int64_t amount) noexcept {
    return (frame.gas -= amount) >= 0 || frame.draw_on_reserve();
}

constexpr std::int64_t word_count(std::uint64_t bytes) noexcept {
    return static_cast<std::int64_t>((bytes + 31) / 32);
}

// Pays for and makes room for [offset, offset + size); an empty range is free wherever it lies.
[[nodiscard]] inline bool reach(Frame& frame, const u256& offset, const u256& size) noexcept {
    if (!fits_u64(size))
        return false;
    return size[0] == 0 || expand_memory(frame, offset, size[0]);
}

// A range that reach() has accepted.
inline BytesView memory_view(const Frame& frame, const u256& offset, const u256& size) noexcept {
    return size[0] == 0 ? BytesView{} : frame.memory->view().subspan(offset[0], size[0]);
}

// Copies source[offset, offset + size) to memory at `to`, zeros beyond the source's end. `to` and `size`
// have been accepted by reach().
inline void copy_padded(Frame& frame, const u256& to, BytesView source, const u256& offset,
                        const u256& size) noexcept {
    if (size[0] == 0)
        return;
    std::uint8_t* const out = frame.memory->data() + to[0];
    std::size_t copied = 0;
    if (fits_u64(offset) && offset[0] < source.size()) {
        copied = std::min<std::size_t>(size[0], source.size() - offset[0]);
        std::memcpy(out, source.data() + offset[0], copied);
    }
    std::memset(out + copied, 0, size[0] - copied);
}

inline state::CachedAccount& account_at(Frame& frame, const u256& word) {
    return frame.machine->state().load(to_address(word));
}

// EIP-2929: what a first access costs beyond the warm price in the constant gas.
template <Revision R>
[[nodiscard]] bool charge_access(Frame& frame, state::CachedAccount& account) {
    if constexpr (Traits<R>::kAccessLists)
        if (frame.machine->state().warm_account(account))
            return charge(frame, kColdAccountCost - kWarmAccessCost);
    return true;
}

struct SstoreEffect {
    std::int64_t cost = 0;
    std::int64_t refund = 0;
};

// EIP-1283, 2200, 2929, 3529 and what was before; `cold` is whether the slot is accessed first.
template <Revision R>
SstoreEffect sstore_effect(const u256& original, const u256& current, const u256& value, bool cold) {
    using T = Traits<R>;
    constexpr std::int64_t kSet = 20000;
    constexpr std::int64_t kReset = T::kSstoreResetCost;
    constexpr std::int64_t kClear = T::kSstoreClearRefund;
    if constexpr (T::kSstore == SstoreRule::Simple) {
        return {!current && value ? kSet : kReset, current && !value ? kClear : 0};
    } else {
        SstoreEffect out;
        if (T::kAccessLists && cold)
            out.cost = kColdSlotCost;
        if (current == value) {
            out.cost += T::kSloadCost;
            return out;
        }
        if (original == current) {
            out.cost += original ? kReset : kSet;
            out.refund = original && !value ? kClear : 0;
            return out;
        }
        out.cost += T::kSloadCost;
        if (original)
            out.refund += !current ? -kClear : (!value ? kClear : 0);
        if (original == value)
            out.refund += (original ? kReset : kSet) - T::kSloadCost;
        return out;
    }
}

}  // namespace meridian::evm
