#include <meridian/chain/config.hpp>

#include <meridian/base/hex.hpp>

namespace meridian::chain {

using evm::Revision;

namespace {

constexpr Address kMainnetDepositContract = "0x00000000219ab540356cbb839cbe05303d7705fa"_address;

constexpr BlobSchedule kCancunBlobs{3, 6, 3338477};
constexpr BlobSchedule kPragueBlobs{6, 9, 5007716};

constexpr std::size_t index_of(Revision revision) noexcept {
    return static_cast<std::size_t>(revision);
}

}  // namespace

bool ChainConfig::active(Revision revision, std::uint64_t number, std::uint64_t timestamp) const noexcept {
    const auto& first = activation[index_of(revision)];
    if (revision == Revision::Frontier)
        return true;
    return first.has_value() && *first <= (revision >= Revision::Shanghai ? timestamp : number);
}

bool ChainConfig::activates(Revision revision, std::uint64_t number, std::uint64_t parent_timestamp,
                            std::uint64_t timestamp) const noexcept {
    return active(revision, number, timestamp) &&
           (number == 0 || !active(revision, number - 1, parent_timestamp));
}

Revision ChainConfig::revision(std::uint64_t number, std::uint64_t timestamp) const noexcept {
    for (std::size_t i = evm::kRevisionCount; i-- > 1;)
        if (const auto candidate = static_cast<Revision>(i); active(candidate, number, timestamp))
            return candidate;
    return Revision::Frontier;
}

BlobSchedule ChainConfig::blob_parameters(std::uint64_t timestamp) const noexcept {
    BlobSchedule out = kCancunBlobs;
    for (const BlobScheduleChange& change : blob_schedule)
        if (change.timestamp <= timestamp)
            out = change.schedule;
    return out;
}

ChainConfig ChainConfig::all_from_genesis(Revision revision, std::uint64_t chain_id) {
    ChainConfig out;
    out.chain_id = chain_id;
    for (std::size_t i = 0; i <= index_of(revision); ++i)
        out.activation[i] = 0;
    if (revision >= Revision::Berlin)
        out.muir_glacier_block = 0;
    if (revision >= Revision::Cancun)
        out.blob_schedule.push_back({0, kCancunBlobs});
    if (revision >= Revision::Prague)
        out.blob_schedule.push_back({0, kPragueBlobs});
    out.deposit_contract = kMainnetDepositContract;
    return out;
}

ChainConfig ChainConfig::mainnet() {
    ChainConfig out;
    out.chain_id = 1;
    const auto set = [&](Revision revision, std::uint64_t first) {
        out.activation[index_of(revision)] = first;
    };
    set(Revision::Frontier, 0);
    set(Revision::Homestead, 1150000);
    out.dao_fork_block = 1920000;
    set(Revision::TangerineWhistle, 2463000);
    set(Revision::SpuriousDragon, 2675000);
    set(Revision::Byzantium, 4370000);
    set(Revision::Constantinople, 7280000);
    set(Revision::Petersburg, 7280000);
    set(Revision::Istanbul, 9069000);
    out.muir_glacier_block = 9200000;
    set(Revision::Berlin, 12244000);
    set(Revision::London, 12965000);
    out.arrow_glacier_block = 13773000;
    out.gray_glacier_block = 15050000;
    set(Revision::Paris, 15537394);
    set(Revision::Shanghai, 1681338455);
    set(Revision::Cancun, 1710338135);
    set(Revision::Prague, 1746612311);
    set(Revision::Osaka, 1764798551);
    out.blob_schedule = {{1710338135, kCancunBlobs},
                         {1746612311, kPragueBlobs},
                         {1764798551, kPragueBlobs},
                         {1765290071, {10, 15, 8346193}},
                         {1767747671, {14, 21, 11684671}}};
    out.deposit_contract = kMainnetDepositContract;
    return out;
}

}  // namespace meridian::chain
