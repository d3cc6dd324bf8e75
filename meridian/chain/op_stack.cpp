#include <meridian/chain/op_stack.hpp>

#include <algorithm>

namespace meridian::chain::op {

namespace {

constexpr Address kL1Block = "0x4200000000000000000000000000000000000015"_address;
constexpr std::uint64_t kBaseFeeSlot = 1;
constexpr std::uint64_t kScalarsSlot = 3;  // Ecotone
constexpr std::uint64_t kOverheadSlot = 5;
constexpr std::uint64_t kScalarSlot = 6;
constexpr std::uint64_t kBlobBaseFeeSlot = 7;
constexpr std::uint64_t kOperatorFeeSlot = 8;  // Isthmus; from Jovian on the DA footprint's scalar too

constexpr std::uint64_t kSignatureBytes = 68;  // added before Regolith for a signature not there yet

// Fjord's regression, scaled by 10^6.
constexpr std::uint64_t kFjordSizeMin = 100000000;
constexpr std::uint64_t kFjordIntercept = 42585600;  // subtracted
constexpr std::uint64_t kFjordCoefficient = 836500;

u256 read(state::State& state, std::uint64_t slot) {
    return state.slot(state.load(kL1Block), slot).current;
}

std::uint64_t be32(BytesView bytes) noexcept {
    return load_be(bytes.first(4))[0];
}

std::uint64_t calldata_gas(BytesView data) noexcept {
    const auto zeros = static_cast<std::uint64_t>(std::count(data.begin(), data.end(), std::uint8_t{0}));
    return zeros * 4 + (data.size() - zeros) * 16;
}

// Each formula reads no more slots than it needs: a witness holds no others.
u256 bedrock_fee(const OpConfig& config, std::uint64_t timestamp, state::State& state, BytesView encoded) {
    std::uint64_t gas = calldata_gas(encoded);
    if (!active(config.regolith_time, timestamp))
        gas += kSignatureBytes * 16;
    return (read(state, kOverheadSlot) + gas) * read(state, kBaseFeeSlot) * read(state, kScalarSlot) /
           1000000;
}

// Fjord's estimate of the compressed size, in millionths of a byte.
std::uint64_t estimated_size(BytesView encoded) {
    const std::uint64_t scaled = fastlz_size(encoded) * kFjordCoefficient;
    const std::uint64_t size = scaled > kFjordIntercept ? scaled - kFjordIntercept : 0;
    return std::max(size, kFjordSizeMin);
}

// `size` is the estimate, from Fjord on.
u256 l1_fee(const OpConfig& config, std::uint64_t timestamp, state::State& state, BytesView encoded,
            std::uint64_t size) {
    if (!active(config.ecotone_time, timestamp))
        return bedrock_fee(config, timestamp, state, encoded);
    const Hash packed = to_hash(read(state, kScalarsSlot));
    const std::uint64_t base_fee_scalar = be32(BytesView(packed).subspan(16, 4));
    const std::uint64_t blob_base_fee_scalar = be32(BytesView(packed).subspan(20, 4));
    const u256 blob_base_fee = read(state, kBlobBaseFeeSlot);
    // In the first block of Ecotone the contract still has the old values only.
    if (!blob_base_fee && base_fee_scalar == 0 && blob_base_fee_scalar == 0)
        return bedrock_fee(config, timestamp, state, encoded);
    const u256 price =
        read(state, kBaseFeeSlot) * base_fee_scalar * 16 + blob_base_fee * blob_base_fee_scalar;
    if (!active(config.fjord_time, timestamp))
        return u256{calldata_gas(encoded)} * price / 16000000;
    return u256{size} * price / 1000000000000;
}

// Counts what FastLZ would write, without writing it.
class FastLz {
public:
    explicit FastLz(BytesView input) : m_input(input), m_last_seen(kHashes, 0) {}

    std::uint64_t run() {
        std::size_t anchor = 0;
        std::size_t position = 2;
        // Matches do not begin within the last bytes.
        const std::size_t limit = m_input.size() > kTail ? m_input.size() - kTail : 0;
        while (position < limit) {
            std::size_t match = 0;
            if (!find(position, limit, match))
                break;
            if (position > anchor)
                add_literals(position - anchor);
            const std::size_t length = match_length(match + 3, position + 3, limit + 9);
            add_match(length);
            position += length;
            remember(position++);
            remember(position++);
            anchor = position;
        }
        add_literals(m_input.size() - anchor);
        return m_size;
    }

private:
    static constexpr std::size_t kHashes = 8192;
    static constexpr std::size_t kTail = 13;
    static constexpr std::size_t kLiteralsMax = 32;
    static constexpr std::size_t kMatchMax = 262;
    static constexpr std::size_t kDistanceMax = 8191;

    std::uint32_t triple(std::size_t at) const noexcept {
        return static_cast<std::uint32_t>(m_input[at]) | static_cast<std::uint32_t>(m_input[at + 1]) << 8 |
               static_cast<std::uint32_t>(m_input[at + 2]) << 16;
    }
    static std::size_t hash(std::uint32_t triple) noexcept {
        return (triple * 2654435769u) >> 19 & (kHashes - 1);
    }
    void remember(std::size_t at) { m_last_seen[hash(triple(at))] = static_cast<std::uint32_t>(at); }

    // Moves `position` on to where an earlier triple repeats; false if that is not below the limit.
    bool find(std::size_t& position, std::size_t limit, std::size_t& match) {
        for (; position < limit; ++position) {
            const std::uint32_t here = triple(position);
            std::uint32_t& seen = m_last_seen[hash(here)];
            match = seen;
            seen = static_cast<std::uint32_t>(position);
            if (position - match <= kDistanceMax && here == triple(match))
                return position + 1 < limit;
        }
        return false;
    }

    std::size_t match_length(std::size_t earlier, std::size_t here, std::size_t end) const noexcept {
        std::size_t length = 0;
        // The byte that differs counts, as the reference counts it.
        while (here + length < end)
            if (m_input[earlier + length] != m_input[here + length])
                return length + 1;
            else
                ++length;
        return length;
    }

    void add_literals(std::size_t count) noexcept {
        m_size += (kLiteralsMax + 1) * (count / kLiteralsMax);
        if (count % kLiteralsMax != 0)
            m_size += count % kLiteralsMax + 1;
    }
    void add_match(std::size_t length) noexcept {
        --length;
        m_size += 3 * (length / kMatchMax) + (length % kMatchMax >= 6 ? 3 : 2);
    }

    BytesView m_input;
    std::vector<std::uint32_t> m_last_seen;
    std::uint64_t m_size = 0;
};

}  // namespace

evm::OpRevision evm_revision(const OpConfig& config, std::uint64_t timestamp) noexcept {
    if (active(config.jovian_time, timestamp))
        return evm::OpRevision::Jovian;
    if (active(config.isthmus_time, timestamp))
        return evm::OpRevision::Isthmus;
    if (active(config.granite_time, timestamp))
        return evm::OpRevision::Granite;
    return active(config.fjord_time, timestamp) ? evm::OpRevision::Fjord : evm::OpRevision::None;
}

Fees fees_of(const OpConfig& config, std::uint64_t timestamp, state::State& state, const Transaction& txn) {
    Fees out;
    const Bytes encoded = encode(txn);
    const std::uint64_t size = active(config.fjord_time, timestamp) ? estimated_size(encoded) : 0;
    out.l1 = l1_fee(config, timestamp, state, encoded, size);
    if (!active(config.isthmus_time, timestamp))
        return out;
    const bool jovian = active(config.jovian_time, timestamp);
    const Hash packed = to_hash(read(state, kOperatorFeeSlot));
    out.operator_fee = {.scalar = be32(BytesView(packed).subspan(20, 4)),
                        .constant = load_be(BytesView(packed).subspan(24, 8))[0],
                        .jovian = jovian};
    // In the block of Jovian's activation the contract has no scalar yet.
    if (jovian)
        out.da_footprint = size / 1000000 * load_be(BytesView(packed).subspan(18, 2))[0];
    return out;
}

std::uint64_t fastlz_size(BytesView input) {
    return FastLz(input).run();
}

namespace {
constexpr std::size_t kHoloceneExtraData = 9;
constexpr std::size_t kJovianExtraData = 17;
}  // namespace

FeeParameters fee_parameters(const OpConfig& config, const Header& parent, std::uint64_t timestamp) {
    const bool canyon = active(config.canyon_time, timestamp);
    FeeParameters out{.denominator = canyon ? config.eip1559_denominator : config.eip1559_denominator_bedrock,
                      .elasticity = config.eip1559_elasticity,
                      .parent_gas_metered = parent.gas_used};
    const BytesView extra_data = parent.extra_data;
    if (!active(config.holocene_time, parent.timestamp) ||
        !valid_extra_data(config, parent.timestamp, extra_data))
        return out;
    out.denominator = be32(extra_data.subspan(1));
    out.elasticity = be32(extra_data.subspan(5));
    if (active(config.jovian_time, parent.timestamp)) {
        out.base_fee_min = load_be(extra_data.subspan(kHoloceneExtraData, 8))[0];
        out.parent_gas_metered = std::max(parent.gas_used, parent.blob_gas_used.value_or(0));
    }
    return out;
}

bool valid_extra_data(const OpConfig& config, std::uint64_t timestamp, BytesView extra_data) noexcept {
    if (!active(config.holocene_time, timestamp))
        return true;
    const bool jovian = active(config.jovian_time, timestamp);
    return extra_data.size() == (jovian ? kJovianExtraData : kHoloceneExtraData) &&
           extra_data[0] == (jovian ? 1 : 0) && be32(extra_data.subspan(1)) != 0 &&
           be32(extra_data.subspan(5)) != 0;
}

}  // namespace meridian::chain::op
