// Ethash's difficulty, by revision, with the bomb and its delays.
#include <meridian/chain/executor.hpp>

#include <algorithm>

namespace meridian::chain {

using evm::Revision;

namespace {

constexpr std::uint64_t kMinimumDifficulty = 131072;
constexpr std::uint64_t kBombPeriod = 100000;

bool reached(const std::optional<std::uint64_t>& first, std::uint64_t number) noexcept {
    return first.has_value() && *first <= number;
}

// Blocks by which the bomb was put off: EIP-649, 1234, 2384, 3554, 4345, 5133.
std::uint64_t bomb_delay(const ChainConfig& config, Revision revision, std::uint64_t number) noexcept {
    if (reached(config.gray_glacier_block, number))
        return 11400000;
    if (reached(config.arrow_glacier_block, number))
        return 10700000;
    if (revision >= Revision::London)
        return 9700000;
    if (revision >= Revision::Berlin || reached(config.muir_glacier_block, number))
        return 9000000;
    if (revision >= Revision::Constantinople)
        return 5000000;
    return revision >= Revision::Byzantium ? 3000000 : 0;
}

u256 bomb(std::uint64_t number, std::uint64_t delay) noexcept {
    const std::uint64_t periods = number > delay ? (number - delay) / kBombPeriod : 0;
    return periods < 2 ? u256{} : u256{1} << (periods - 2);
}

// How many 2048ths of its difficulty the parent's is changed by: from `highest` down to -99.
std::int64_t adjustment(std::int64_t highest, std::uint64_t elapsed, std::uint64_t step) noexcept {
    const std::uint64_t steps = std::min<std::uint64_t>(elapsed / step, 1000);
    return std::max<std::int64_t>(highest - static_cast<std::int64_t>(steps), -99);
}

std::int64_t adjustment(Revision revision, const Header& parent, std::uint64_t elapsed) noexcept {
    if (revision >= Revision::Byzantium)
        return adjustment(parent.ommers_hash == kEmptyOmmersHash ? 1 : 2, elapsed, 9);
    if (revision >= Revision::Homestead)
        return adjustment(1, elapsed, 10);
    return elapsed < 13 ? 1 : -1;
}

}  // namespace

u256 next_difficulty(const ChainConfig& config, const Header& parent, std::uint64_t timestamp) {
    const std::uint64_t number = parent.number + 1;
    const Revision revision = config.revision(number, timestamp);
    const std::uint64_t elapsed = timestamp - parent.timestamp;
    const u256 unit = parent.difficulty / 2048;
    const std::int64_t factor = adjustment(revision, parent, elapsed);
    const u256 change = unit * static_cast<std::uint64_t>(factor < 0 ? -factor : factor);
    const u256 adjusted = factor < 0 ? parent.difficulty - change : parent.difficulty + change;
    return std::max(adjusted + bomb(number, bomb_delay(config, revision, number)), u256{kMinimumDifficulty});
}

}  // namespace meridian::chain
