#include <meridian/spec/network.hpp>

#include <algorithm>

namespace meridian::spec {
namespace {

using chain::BlobSchedule;
using chain::ChainConfig;
using evm::Revision;

struct ForkName {
    std::string_view name;
    Revision revision;
};

constexpr ForkName kForks[] = {
    {"Frontier", Revision::Frontier},
    {"Homestead", Revision::Homestead},
    {"Dao", Revision::Homestead},
    {"DAOFork", Revision::Homestead},
    {"EIP150", Revision::TangerineWhistle},
    {"TangerineWhistle", Revision::TangerineWhistle},
    {"EIP158", Revision::SpuriousDragon},
    {"SpuriousDragon", Revision::SpuriousDragon},
    {"Byzantium", Revision::Byzantium},
    {"Constantinople", Revision::Constantinople},
    {"ConstantinopleFix", Revision::Petersburg},
    {"Petersburg", Revision::Petersburg},
    {"St.Petersburg", Revision::Petersburg},
    {"Istanbul", Revision::Istanbul},
    {"MuirGlacier", Revision::Istanbul},
    {"Berlin", Revision::Berlin},
    {"London", Revision::London},
    {"ArrowGlacier", Revision::London},
    {"GrayGlacier", Revision::London},
    {"Merge", Revision::Paris},
    {"Paris", Revision::Paris},
    {"Shanghai", Revision::Shanghai},
    {"Cancun", Revision::Cancun},
    {"Prague", Revision::Prague},
    {"Osaka", Revision::Osaka},
    {"BPO1", Revision::Osaka},
    {"BPO2", Revision::Osaka},
    {"BPO3", Revision::Osaka},
    {"BPO4", Revision::Osaka},
    {"BPO5", Revision::Osaka},
};

BlobSchedule read_schedule(const Json& value) {
    const BlobSchedule out{number64(member(value, "target")), number64(member(value, "max")),
                           number64(member(value, "baseFeeUpdateFraction"))};
    if (!out.is_valid())
        throw FieldFailure{&value, "no valid blob schedule"};
    return out;
}

// The parameters of `fork`, or of the newest fork before it in the fixture's table.
std::optional<BlobSchedule> schedule_of(std::string_view fork, const Json* config) {
    const Json* table = config == nullptr ? nullptr : find(*config, "blobSchedule");
    if (table == nullptr)
        return std::nullopt;
    if (const Json* own = find(*table, fork))
        return read_schedule(*own);
    const auto end =
        std::find_if(std::begin(kForks), std::end(kForks), [&](const ForkName& f) { return f.name == fork; });
    std::optional<BlobSchedule> out;
    for (auto f = std::begin(kForks); f != end; ++f)
        if (const Json* older = find(*table, f->name))
            out = read_schedule(*older);
    return out;
}

void set_chain_id(ChainConfig& out, const Json* config) {
    if (config != nullptr)
        if (const Json* id = find(*config, "chainid"))
            out.chain_id = number64(*id);
}

// A fork that only delays the difficulty bomb has no revision of its own.
void set_glaciers(ChainConfig& out, std::string_view fork, Revision revision) {
    if (revision >= Revision::Berlin || fork == "MuirGlacier")
        out.muir_glacier_block = 0;
    if (revision >= Revision::Paris || fork == "ArrowGlacier" || fork == "GrayGlacier")
        out.arrow_glacier_block = 0;
    if (revision >= Revision::Paris || fork == "GrayGlacier")
        out.gray_glacier_block = 0;
}

Network constant_network(std::string_view fork, Revision revision, const Json* config) {
    Network out{ChainConfig::all_from_genesis(revision), {}};
    set_chain_id(out.config, config);
    set_glaciers(out.config, fork, revision);
    if (const auto schedule = schedule_of(fork, config); schedule && revision >= Revision::Cancun)
        out.config.blob_schedule = {{0, *schedule}};
    return out;
}

// "5", "15k" or "0xC00"; the suffix k stands for thousands.
std::optional<u256> parse_threshold(std::string_view digits, bool hex) {
    const bool thousands = !hex && digits.ends_with('k');
    if (thousands)
        digits.remove_suffix(1);
    const auto parsed =
        parse_u256(hex && !digits.starts_with("0x") ? "0x" + std::string(digits) : std::string(digits));
    if (!parsed)
        return std::nullopt;
    return thousands ? *parsed * 1000 : *parsed;
}

std::optional<Network> transition(std::string_view from, std::string_view to, std::string_view at,
                                  const Json* config) {
    const auto first = revision_of(from);
    const auto second = revision_of(to);
    if (!first || !second)
        return std::nullopt;
    Network out = constant_network(from, *first, config);
    const bool by_difficulty = at.starts_with("Diff");
    if (by_difficulty)
        at.remove_prefix(4);
    else if (at.starts_with("Time"))
        at.remove_prefix(4);
    const auto threshold = parse_threshold(at, by_difficulty);
    if (!threshold)
        return std::nullopt;
    if (by_difficulty) {
        out.terminal_total_difficulty = threshold;
        return out;
    }
    const auto point = static_cast<std::uint64_t>(*threshold);
    if (to == "Dao")
        out.config.dao_fork_block = point;
    for (auto i = static_cast<std::size_t>(*first) + 1; i <= static_cast<std::size_t>(*second); ++i)
        out.config.activation[i] = point;
    if (*second >= Revision::Cancun) {
        auto& schedule = out.config.blob_schedule;
        const ChainConfig defaults = ChainConfig::all_from_genesis(*second);
        if (*first < Revision::Cancun)
            schedule.clear();
        if (const auto own = schedule_of(to, config))
            schedule.push_back({point, *own});
        else
            schedule.push_back({point, defaults.blob_parameters(0)});
    }
    return out;
}

}  // namespace

std::optional<Revision> revision_of(std::string_view fork) noexcept {
    for (const ForkName& f : kForks)
        if (f.name == fork)
            return f.revision;
    return std::nullopt;
}

std::optional<Network> network_of(std::string_view name, const Json* config) {
    if (const auto revision = revision_of(name))
        return constant_network(name, *revision, config);
    // "HomesteadToDaoAt5": no fork's name has "At" in it, but one may hold "To".
    const std::size_t at = name.rfind("At");
    if (at == std::string_view::npos)
        return std::nullopt;
    const std::string_view forks = name.substr(0, at);
    for (std::size_t to = forks.find("To"); to != std::string_view::npos; to = forks.find("To", to + 1))
        if (auto out = transition(forks.substr(0, to), forks.substr(to + 2), name.substr(at + 2), config))
            return out;
    return std::nullopt;
}

}  // namespace meridian::spec
