#include <meridian/base/hex.hpp>
#include <meridian/rpc/call_args.hpp>
#include <meridian/rpc/fork_config.hpp>

#include <algorithm>
#include <array>

namespace meridian::rpc {
namespace {

using evm::Revision;

// CRC-32 as EIP-2124 uses it (IEEE 802.3, reflected).
std::uint32_t crc32(std::uint32_t crc, BytesView bytes) {
    crc = ~crc;
    for (const std::uint8_t byte : bytes) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit)
            crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1)));
    }
    return ~crc;
}

std::uint32_t add_point(std::uint32_t crc, std::uint64_t point) {
    const Hash word = to_hash(point);
    return crc32(crc, BytesView{word.data() + 24, 8});
}

struct NamedAddress {
    const char* name;
    std::uint64_t address;
    Revision since;
};

constexpr NamedAddress kPrecompiles[] = {
    {"BLAKE2F", 0x9, Revision::Istanbul},
    {"BLS12_G1ADD", 0xb, Revision::Prague},
    {"BLS12_G1MSM", 0xc, Revision::Prague},
    {"BLS12_G2ADD", 0xd, Revision::Prague},
    {"BLS12_G2MSM", 0xe, Revision::Prague},
    {"BLS12_MAP_FP2_TO_G2", 0x11, Revision::Prague},
    {"BLS12_MAP_FP_TO_G1", 0x10, Revision::Prague},
    {"BLS12_PAIRING_CHECK", 0xf, Revision::Prague},
    {"BN254_ADD", 0x6, Revision::Byzantium},
    {"BN254_MUL", 0x7, Revision::Byzantium},
    {"BN254_PAIRING", 0x8, Revision::Byzantium},
    {"ECREC", 0x1, Revision::Frontier},
    {"ID", 0x4, Revision::Frontier},
    {"KZG_POINT_EVALUATION", 0xa, Revision::Cancun},
    {"MODEXP", 0x5, Revision::Byzantium},
    {"P256VERIFY", 0x100, Revision::Osaka},
    {"RIPEMD160", 0x3, Revision::Frontier},
    {"SHA256", 0x2, Revision::Frontier},
};

json::object precompiles(Revision revision) {
    json::object out;
    for (const auto& entry : kPrecompiles)
        if (revision >= entry.since)
            out[entry.name] = hex_data(to_address(entry.address));
    return out;
}

json::object system_contracts(const chain::ChainConfig& config, Revision revision) {
    json::object out;
    if (revision >= Revision::Cancun)
        out["BEACON_ROOTS_ADDRESS"] = hex_data("000f3df6d732807ef1319fb7b8bb8522d0beac02"_address);
    if (revision >= Revision::Prague) {
        out["CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS"] =
            hex_data("0000bbddc7ce488642fb579f8b00f3a590007251"_address);
        out["DEPOSIT_CONTRACT_ADDRESS"] = hex_data(config.deposit_contract);
        out["HISTORY_STORAGE_ADDRESS"] = hex_data("0000f90827f1c53a10cb7a02335b175320002935"_address);
        out["WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS"] =
            hex_data("00000961ef480eb55e80d19ad83579a64c007002"_address);
    }
    return out;
}

json::object describe_fork(node::Chain& chain, std::uint64_t activation) {
    const chain::ChainConfig& config = chain.config();
    const std::uint64_t number = chain.head()->number();
    const Revision revision = config.revision(number, activation);
    json::object out{{"activationTime", activation}, {"chainId", quantity(config.chain_id)}};
    out["forkId"] = hex_data(fork_hash(chain, number, activation));
    if (revision >= Revision::Cancun) {
        const auto blobs = config.blob_parameters(activation);
        out["blobSchedule"] = json::object{{"target", blobs.target},
                                           {"max", blobs.max},
                                           {"baseFeeUpdateFraction", blobs.base_fee_update_fraction}};
    } else {
        out["blobSchedule"] = nullptr;
    }
    out["precompiles"] = precompiles(revision);
    out["systemContracts"] = system_contracts(config, revision);
    return out;
}

}  // namespace

FixedBytes<4> fork_hash(node::Chain& chain, std::uint64_t number, std::uint64_t timestamp) {
    std::uint32_t crc = crc32(0, chain.genesis_hash());
    for (const std::uint64_t point : chain.genesis().fork_blocks)
        if (point <= number)
            crc = add_point(crc, point);
    for (const std::uint64_t point : chain.genesis().fork_times)
        if (point <= timestamp)
            crc = add_point(crc, point);
    FixedBytes<4> out;
    for (int i = 0; i < 4; ++i)
        out[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
    return out;
}

json::value fork_configuration(node::Chain& chain) {
    const std::uint64_t now = chain.head()->header().timestamp;
    const auto& times = chain.genesis().fork_times;
    const auto next = std::upper_bound(times.begin(), times.end(), now);
    const std::uint64_t current = next == times.begin() ? 0 : *(next - 1);
    json::object out{{"current", describe_fork(chain, current)}};
    out["next"] = next != times.end() ? json::value(describe_fork(chain, *next)) : json::value(nullptr);
    // Only where a next fork is known is the last one of interest.
    out["last"] =
        next != times.end() ? json::value(describe_fork(chain, times.back())) : json::value(nullptr);
    return out;
}

}  // namespace meridian::rpc
