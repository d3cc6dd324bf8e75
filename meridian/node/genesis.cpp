#include <meridian/config/nearest.hpp>
#include <meridian/node/genesis.hpp>
#include <meridian/node/system_contracts.hpp>
#include <meridian/trie/trie.hpp>

#include <boost/json.hpp>

#include <algorithm>

namespace meridian::node {
namespace {

namespace json = boost::json;
using evm::Revision;

// sha256(""): the requests hash of a block without requests (EIP-7685).
constexpr Hash kEmptyRequestsHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"_hash;
constexpr std::uint64_t kDefaultBaseFee = 1'000'000'000;
// A header's bound, and that for chains whose first header names their signers.
constexpr std::size_t kExtraDataMax = 32;
constexpr std::size_t kSignersMax = 1 << 16;

struct ForkField {
    const char* name;
    std::optional<Revision> revision;  // empty: only a point of the fork identifier
    const char* stand_in = nullptr;    // the field that may be there in its place
};

constexpr ForkField kBlockForks[] = {
    {"homesteadBlock", Revision::Homestead},
    {"daoForkBlock", std::nullopt},
    {"eip150Block", Revision::TangerineWhistle},
    {"eip155Block", Revision::SpuriousDragon, "eip158Block"},
    {"eip158Block", Revision::SpuriousDragon, "eip155Block"},
    {"byzantiumBlock", Revision::Byzantium},
    {"constantinopleBlock", Revision::Constantinople, "petersburgBlock"},
    {"petersburgBlock", Revision::Petersburg, "constantinopleBlock"},
    {"istanbulBlock", Revision::Istanbul},
    {"muirGlacierBlock", std::nullopt},
    {"berlinBlock", Revision::Berlin},
    {"londonBlock", Revision::London},
    {"arrowGlacierBlock", std::nullopt},
    {"grayGlacierBlock", std::nullopt},
    {"mergeNetsplitBlock", std::nullopt},
};

struct TimeFork {
    const char* field;
    const char* schedule;  // its entry in blobSchedule
    std::optional<Revision> revision;
};

constexpr TimeFork kTimeForks[] = {
    {"shanghaiTime", nullptr, Revision::Shanghai},
    {"cancunTime", "cancun", Revision::Cancun},
    {"pragueTime", "prague", Revision::Prague},
    {"osakaTime", "osaka", Revision::Osaka},
    {"bpo1Time", "bpo1", std::nullopt},
    {"bpo2Time", "bpo2", std::nullopt},
    {"bpo3Time", "bpo3", std::nullopt},
    {"bpo4Time", "bpo4", std::nullopt},
    {"bpo5Time", "bpo5", std::nullopt},
};

// Words of the file as messages show them: they may be long, and are cut between characters only.
std::string shown(std::string_view text) {
    constexpr std::size_t kShownMax = 80;
    if (text.size() <= kShownMax)
        return std::string(text);
    std::size_t size = kShownMax;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
        --size;
    return std::string(text.substr(0, size)) + "...";
}

// Reads fields of JSON objects and keeps the first error.
class Reader {
public:
    bool ok() const { return !m_error; }
    const GenesisError& error() const { return *m_error; }

    void reject(std::string field, std::string reason) {
        if (!m_error)
            m_error = GenesisError{std::move(field), std::move(reason)};
    }

    static const json::value* find(const json::object& object, std::string_view key) {
        const json::value* value = object.if_contains(key);
        return value != nullptr && !value->is_null() ? value : nullptr;
    }

    // A quantity: hexadecimal or decimal text, or a JSON number.
    u256 number(const json::value& value, const std::string& field) {
        if (const auto* unsigned_value = value.if_uint64())
            return *unsigned_value;
        if (const auto* signed_value = value.if_int64(); signed_value != nullptr && *signed_value >= 0)
            return static_cast<std::uint64_t>(*signed_value);
        const auto* text = value.if_string();
        if (text == nullptr) {
            reject(field, "expected a number in a string (\"0x10\" or \"16\") or a whole JSON number");
            return {};
        }
        const auto parsed = parse_u256({text->data(), text->size()});
        if (parsed)
            return *parsed;
        switch (parsed.error()) {
            case NumberError::Empty:
                reject(field, "empty number");
                break;
            case NumberError::InvalidDigit:
                reject(field, "not a number: \"" + shown(*text) + "\"");
                break;
            case NumberError::Overflow:
                reject(field, "number does not fit 256 bits");
                break;
        }
        return {};
    }

    std::uint64_t uint64(const json::value& value, const std::string& field) {
        const u256 wide = number(value, field);
        if (!fits_u64(wide))
            reject(field, "number does not fit 64 bits");
        return wide[0];
    }

    Bytes bytes(const json::value& value, const std::string& field) {
        const auto* text = value.if_string();
        if (text == nullptr) {
            reject(field, "expected hexadecimal text");
            return {};
        }
        auto decoded = from_hex({text->data(), text->size()});
        if (!decoded) {
            reject(field, hex_reason(decoded.error(), 0));
            return {};
        }
        return *std::move(decoded);
    }

    template <std::size_t N>
    FixedBytes<N> fixed(std::string_view text, const std::string& field) {
        const auto decoded = fixed_from_hex<N>(text);
        if (!decoded) {
            reject(field, hex_reason(decoded.error(), N));
            return {};
        }
        return *decoded;
    }

    template <std::size_t N>
    FixedBytes<N> fixed(const json::value& value, const std::string& field) {
        const auto* text = value.if_string();
        if (text == nullptr) {
            reject(field, "expected hexadecimal text");
            return {};
        }
        return fixed<N>(std::string_view{text->data(), text->size()}, field);
    }

    const json::object* object(const json::value& value, const std::string& field) {
        const auto* found = value.if_object();
        if (found == nullptr)
            reject(field, "expected an object");
        return found;
    }

private:
    static std::string hex_reason(HexError error, std::size_t size) {
        switch (error) {
            case HexError::OddLength:
                return "odd number of hexadecimal digits";
            case HexError::InvalidDigit:
                return "not hexadecimal";
            case HexError::WrongLength:
                break;
        }
        return "expected " + std::to_string(size) + " bytes";
    }

    std::optional<GenesisError> m_error;
};

// A storage word: up to 32 bytes of hexadecimal text, as old files abbreviate.
u256 read_word(Reader& reader, std::string_view text, const std::string& field) {
    std::string digits(text.starts_with("0x") ? text.substr(2) : text);
    if (digits.size() % 2 != 0)
        digits.insert(digits.begin(), '0');
    const auto decoded = from_hex(digits);
    if (!decoded || decoded->size() > 32) {
        reader.reject(field, "expected up to 32 bytes of hexadecimal text");
        return {};
    }
    return load_be(*decoded);
}

void read_block_forks(Reader& reader, const json::object& config, Genesis& out) {
    for (const auto& fork : kBlockForks) {
        const auto* value = Reader::find(config, fork.name);
        if (value == nullptr)
            continue;
        const std::uint64_t number = reader.uint64(*value, std::string("config.") + fork.name);
        if (fork.revision)
            out.config.activation[static_cast<std::size_t>(*fork.revision)] = number;
        if (number > 0)
            out.fork_blocks.push_back(number);
    }
    // Chains without the Constantinople blunder name only one of the two.
    auto& petersburg = out.config.activation[static_cast<std::size_t>(Revision::Petersburg)];
    if (!petersburg)
        petersburg = out.config.activation[static_cast<std::size_t>(Revision::Constantinople)];
    const auto* dao = Reader::find(config, "daoForkBlock");
    const auto* support = Reader::find(config, "daoForkSupport");
    if (dao != nullptr && support != nullptr && support->is_bool() && support->get_bool())
        out.config.dao_fork_block = reader.uint64(*dao, "config.daoForkBlock");
}

chain::BlobSchedule read_blob_schedule(Reader& reader, const json::value& value, const std::string& field) {
    chain::BlobSchedule out;
    const auto* object = reader.object(value, field);
    if (object == nullptr)
        return out;
    const auto member = [&](const char* name, std::uint64_t& target) {
        if (const auto* found = Reader::find(*object, name))
            target = reader.uint64(*found, field + "." + name);
        else
            reader.reject(field + "." + name, "missing");
    };
    member("target", out.target);
    member("max", out.max);
    member("baseFeeUpdateFraction", out.base_fee_update_fraction);
    if (out.base_fee_update_fraction == 0)
        reader.reject(field + ".baseFeeUpdateFraction", "must not be zero");
    else if (!out.is_valid())
        reader.reject(field + ".max", "must be from 1 to 1048576, and at least the target");
    return out;
}

// Keeps the schedule ordered by time; of changes at one time the later fork's comes last.
void insert(std::vector<chain::BlobScheduleChange>& schedule, const chain::BlobScheduleChange& change) {
    const auto later = std::find_if(schedule.begin(), schedule.end(),
                                    [&](const auto& other) { return other.timestamp > change.timestamp; });
    schedule.insert(later, change);
}

void read_time_forks(Reader& reader, const json::object& config, Genesis& out) {
    const auto* schedules = Reader::find(config, "blobSchedule");
    const auto* schedule_object =
        schedules != nullptr ? reader.object(*schedules, "config.blobSchedule") : nullptr;
    for (const auto& fork : kTimeForks) {
        const auto* value = Reader::find(config, fork.field);
        if (value == nullptr)
            continue;
        const std::uint64_t time = reader.uint64(*value, std::string("config.") + fork.field);
        if (fork.revision)
            out.config.activation[static_cast<std::size_t>(*fork.revision)] = time;
        out.fork_times.push_back(time);
        const auto* schedule = schedule_object != nullptr && fork.schedule != nullptr
                                   ? Reader::find(*schedule_object, fork.schedule)
                                   : nullptr;
        if (schedule != nullptr)
            insert(out.config.blob_schedule,
                   {time, read_blob_schedule(reader, *schedule,
                                             std::string("config.blobSchedule.") + fork.schedule)});
        else if (!fork.revision)
            reader.reject(std::string("config.blobSchedule.") + fork.schedule,
                          "missing, though the fork has a time");
    }
}

// Blob parameters of mainnet's forks, for files without a blobSchedule.
void default_blob_schedule(Genesis& out) {
    if (!out.config.blob_schedule.empty())
        return;
    const auto at = [&](Revision r) { return out.config.activation[static_cast<std::size_t>(r)]; };
    if (at(Revision::Cancun))
        out.config.blob_schedule.push_back({*at(Revision::Cancun), {3, 6, 3338477}});
    if (at(Revision::Prague))
        out.config.blob_schedule.push_back({*at(Revision::Prague), {6, 9, 5007716}});
}

void read_merge(Reader& reader, const json::object& config, Genesis& out) {
    auto& paris = out.config.activation[static_cast<std::size_t>(Revision::Paris)];
    if (const auto* ttd = Reader::find(config, "terminalTotalDifficulty")) {
        out.terminal_total_difficulty = reader.number(*ttd, "config.terminalTotalDifficulty");
        if (*out.terminal_total_difficulty == u256{})
            paris = 0;
    }
}

// A fork as the file has it.
struct ForkPoint {
    const char* name;
    std::optional<std::uint64_t> at;
    bool by_time;
    bool required;  // by the forks after it
};

std::vector<ForkPoint> fork_points(Reader& reader, const json::object& config) {
    std::vector<ForkPoint> out;
    const auto add = [&](const char* name, bool by_time, bool required) {
        const auto* value = Reader::find(config, name);
        const auto at = value != nullptr ? std::optional(reader.uint64(*value, std::string("config.") + name))
                                         : std::nullopt;
        out.push_back({name, at, by_time, required});
    };
    for (const ForkField& fork : kBlockForks) {
        const bool replaced = fork.stand_in != nullptr && Reader::find(config, fork.stand_in) != nullptr;
        add(fork.name, false, fork.revision && !replaced);
    }
    for (const TimeFork& fork : kTimeForks)
        add(fork.field, true, fork.revision.has_value());
    return out;
}

// Each fork builds on those before it: none is left out, and none begins before an earlier one.
void check_fork_order(Reader& reader, const json::object& config) {
    const std::vector<ForkPoint> points = fork_points(reader, config);
    const ForkPoint* missing = nullptr;
    const ForkPoint* last = nullptr;
    for (const ForkPoint& point : points) {
        if (!point.at) {
            if (point.required && missing == nullptr)
                missing = &point;
            continue;
        }
        if (missing != nullptr)
            return reader.reject(std::string("config.") + missing->name,
                                 std::string("missing, though config.") + point.name +
                                     " is set: each fork builds on the one before it, so give it a " +
                                     (missing->by_time ? "time" : "number") + " too");
        if (last != nullptr && last->by_time == point.by_time && *point.at < *last->at)
            return reader.reject(std::string("config.") + point.name,
                                 std::to_string(*point.at) + " is before config." + last->name + ", " +
                                     std::to_string(*last->at) + ", which it has to follow");
        last = &point;
    }
    const auto* protection = Reader::find(config, "eip155Block");
    const auto* clearing = Reader::find(config, "eip158Block");
    if (protection != nullptr && clearing != nullptr &&
        reader.uint64(*protection, "config.eip155Block") != reader.uint64(*clearing, "config.eip158Block"))
        reader.reject("config.eip155Block", "must be config.eip158Block: both came with Spurious Dragon");
}

// Proof of stake follows London, and the forks by time follow proof of stake.
void check_merge(Reader& reader, const json::object& config, const Genesis& genesis) {
    const auto* london = Reader::find(config, "londonBlock");
    const auto& ttd = genesis.terminal_total_difficulty;
    if (ttd && london == nullptr)
        reader.reject("config.londonBlock", "missing, though config.terminalTotalDifficulty is set");
    else if (ttd && *ttd == u256{} && reader.uint64(*london, "config.londonBlock") != 0)
        reader.reject("config.londonBlock", "must be 0, as config.terminalTotalDifficulty is 0");
    else if (!ttd && Reader::find(config, "shanghaiTime") != nullptr)
        reader.reject("config.terminalTotalDifficulty",
                      "missing, though config.shanghaiTime is set: 0 for proof of stake from the beginning");
}

// What contracts see of frames needs Shanghai (ADR 6).
void read_frames_time(Reader& reader, const json::object& config, Genesis& out) {
    const auto* value = Reader::find(config, "framesTime");
    if (value == nullptr)
        return;
    out.config.frames_time = reader.uint64(*value, "config.framesTime");
    const auto& shanghai = out.config.activation[static_cast<std::size_t>(Revision::Shanghai)];
    if (!shanghai || *shanghai > *out.config.frames_time)
        reader.reject("config.framesTime", "must not be before config.shanghaiTime");
    out.fork_times.push_back(*out.config.frames_time);
}

// What config has besides forks. The second line's say nothing of the rules that are followed here.
constexpr const char* kOtherConfig[] = {"chainId",
                                        "daoForkSupport",
                                        "terminalTotalDifficulty",
                                        "blobSchedule",
                                        "depositContractAddress",
                                        "framesTime",
                                        "eip150Hash",
                                        "eip160Block",
                                        "terminalTotalDifficultyPassed",
                                        "ethash",
                                        "clique",
                                        "ibft2",
                                        "qbft"};

std::vector<std::string> fork_names() {
    std::vector<std::string> out{"framesTime"};
    for (const ForkField& fork : kBlockForks)
        out.emplace_back(fork.name);
    for (const TimeFork& fork : kTimeForks)
        out.emplace_back(fork.field);
    return out;
}

// Names that differ in their numbers are of different forks.
std::string letters(std::string_view name) {
    std::string out(name);
    std::erase_if(out, [](char c) { return c >= '0' && c <= '9'; });
    return out;
}

// A fork's name with a letter or two wrong, which other clients would overlook as they do any unknown member:
// the chain would follow other rules than its file means.
std::optional<std::string> misspelt_fork(std::string_view key, const std::vector<std::string>& forks) {
    constexpr std::size_t kWrongLettersMax = 2;
    constexpr const char* kEnds[] = {"Time", "time", "Block", "block"};
    const auto ends_with = [&](const char* end) { return key.ends_with(end); };
    if (std::none_of(std::begin(kEnds), std::end(kEnds), ends_with))
        return std::nullopt;
    const auto meant = config::nearest_name(key, forks);
    if (!meant || config::edit_distance(key, *meant) > kWrongLettersMax || letters(key) == letters(*meant))
        return std::nullopt;
    return meant;
}

void check_config_keys(Reader& reader, const json::object& config, Genesis& out) {
    const std::vector<std::string> forks = fork_names();
    for (const auto& [key, value] : config) {
        const std::string_view name = key;
        if (std::find(forks.begin(), forks.end(), name) != forks.end() ||
            std::find(std::begin(kOtherConfig), std::end(kOtherConfig), name) != std::end(kOtherConfig))
            continue;
        if (const auto meant = misspelt_fork(name, forks))
            return reader.reject("config." + shown(name), "unknown; did you mean config." + *meant + "?");
        out.ignored.push_back("config." + shown(name));
    }
}

void sort_forks(std::vector<std::uint64_t>& points, std::uint64_t genesis) {
    std::sort(points.begin(), points.end());
    points.erase(std::unique(points.begin(), points.end()), points.end());
    std::erase_if(points, [&](std::uint64_t point) { return point <= genesis; });
}

void read_config(Reader& reader, const json::object& root, Genesis& out) {
    const auto* value = Reader::find(root, "config");
    if (value == nullptr)
        return reader.reject("config", "missing");
    const auto* config = reader.object(*value, "config");
    if (config == nullptr)
        return;
    const auto* chain_id = Reader::find(*config, "chainId");
    if (chain_id == nullptr)
        return reader.reject("config.chainId", "missing");
    out.config.chain_id = reader.uint64(*chain_id, "config.chainId");
    check_config_keys(reader, *config, out);
    out.config.activation[0] = 0;
    read_block_forks(reader, *config, out);
    read_time_forks(reader, *config, out);
    default_blob_schedule(out);
    read_frames_time(reader, *config, out);
    read_merge(reader, *config, out);
    check_fork_order(reader, *config);
    check_merge(reader, *config, out);
    if (const auto* deposit = Reader::find(*config, "depositContractAddress"))
        out.config.deposit_contract = reader.fixed<20>(*deposit, "config.depositContractAddress");
}

// Networks under proof of authority list their first signers here.
void check_extra_data(Reader& reader, const json::object& root, std::size_t size) {
    const auto* config = root.contains("config") ? root.at("config").if_object() : nullptr;
    const bool signers = config != nullptr && (Reader::find(*config, "clique") != nullptr ||
                                               Reader::find(*config, "ibft2") != nullptr ||
                                               Reader::find(*config, "qbft") != nullptr);
    if (size <= (signers ? kSignersMax : kExtraDataMax))
        return;
    reader.reject("extraData", signers
                                   ? "longer than 65536 bytes"
                                   : "longer than 32 bytes, which only the list of signers of a chain with "
                                     "config.clique, config.ibft2 or config.qbft may be");
}

void read_header(Reader& reader, const json::object& root, Genesis& out) {
    chain::Header& header = out.header;
    const auto with = [&](const char* name, auto&& read) {
        if (const auto* value = Reader::find(root, name))
            read(*value, std::string(name));
    };
    using Value = const json::value&;
    using Name = const std::string&;
    with("nonce", [&](Value v, Name n) {
        const std::uint64_t nonce = reader.uint64(v, n);
        for (std::size_t i = 0; i < 8; ++i)
            header.nonce[i] = static_cast<std::uint8_t>(nonce >> (56 - 8 * i));
    });
    with("timestamp", [&](Value v, Name n) { header.timestamp = reader.uint64(v, n); });
    with("extraData", [&](Value v, Name n) { header.extra_data = reader.bytes(v, n); });
    with("difficulty", [&](Value v, Name n) { header.difficulty = reader.number(v, n); });
    with("mixHash", [&](Value v, Name n) { header.mix_hash = reader.fixed<32>(v, n); });
    with("mixhash", [&](Value v, Name n) { header.mix_hash = reader.fixed<32>(v, n); });
    with("coinbase", [&](Value v, Name n) { header.coinbase = reader.fixed<20>(v, n); });
    with("parentHash", [&](Value v, Name n) { header.parent_hash = reader.fixed<32>(v, n); });
    with("gasUsed", [&](Value v, Name n) { header.gas_used = reader.uint64(v, n); });
    with("number", [&](Value v, Name n) {
        if (reader.uint64(v, n) != 0)
            reader.reject(n, "a chain begins with block 0");
    });
    if (const auto* limit = Reader::find(root, "gasLimit"))
        header.gas_limit = reader.uint64(*limit, "gasLimit");
    else
        reader.reject("gasLimit", "missing");
    with("baseFeePerGas", [&](Value v, Name n) { header.base_fee = reader.number(v, n); });
    with("blobGasUsed", [&](Value v, Name n) { header.blob_gas_used = reader.uint64(v, n); });
    with("excessBlobGas", [&](Value v, Name n) { header.excess_blob_gas = reader.uint64(v, n); });
    check_extra_data(reader, root, header.extra_data.size());
}

// Other clients' files carry notes and keys beside what an account is.
constexpr std::string_view kAccountFields[] = {"balance", "nonce",     "code",      "storage",
                                               "comment", "secretKey", "privateKey"};

void check_account_fields(Reader& reader, const json::object& object, const std::string& field) {
    for (const auto& item : object)
        if (std::find(std::begin(kAccountFields), std::end(kAccountFields), std::string_view(item.key())) ==
            std::end(kAccountFields))
            reader.reject(field + "." + shown(item.key()),
                          "unknown; an account has balance, nonce, code and storage");
}

GenesisAccount read_account(Reader& reader, const json::object& object, const std::string& field) {
    GenesisAccount out;
    check_account_fields(reader, object, field);
    if (const auto* balance = Reader::find(object, "balance"))
        out.balance = reader.number(*balance, field + ".balance");
    else
        reader.reject(field + ".balance", "missing");
    if (const auto* nonce = Reader::find(object, "nonce"))
        out.nonce = reader.uint64(*nonce, field + ".nonce");
    if (const auto* code = Reader::find(object, "code"))
        out.code = reader.bytes(*code, field + ".code");
    const auto* storage = Reader::find(object, "storage");
    const auto* slots = storage != nullptr ? reader.object(*storage, field + ".storage") : nullptr;
    if (slots == nullptr)
        return out;
    for (const auto& [key, value] : *slots) {
        const std::string slot_field = field + ".storage." + shown(key);
        const auto* text = value.if_string();
        if (text == nullptr) {
            reader.reject(slot_field, "expected hexadecimal text");
            continue;
        }
        const u256 slot = read_word(reader, key, slot_field);
        const u256 word = read_word(reader, {text->data(), text->size()}, slot_field);
        if (!out.storage.emplace(slot, word).second)
            reader.reject(slot_field, "the same slot twice");
    }
    std::erase_if(out.storage, [](const auto& entry) { return entry.second == u256{}; });
    return out;
}

void read_alloc(Reader& reader, const json::object& root, Genesis& out) {
    const auto* value = Reader::find(root, "alloc");
    if (value == nullptr)
        return reader.reject("alloc", "missing");
    const auto* alloc = reader.object(*value, "alloc");
    if (alloc == nullptr)
        return;
    for (const auto& [key, entry] : *alloc) {
        const std::string field = "alloc." + shown(key);
        const Address address = reader.fixed<20>(std::string_view{key.data(), key.size()}, field);
        const auto* object = reader.object(entry, field);
        if (object == nullptr || !reader.ok())
            return;
        if (!out.alloc.emplace(address, read_account(reader, *object, field)).second)
            return reader.reject(field, "the same account twice");
    }
}

// Whole numbers above 64 bits, which files by geth have bare, put into quotes: the parser would round them.
std::string quote_large_numbers(std::string_view text) {
    constexpr std::size_t kDigitsMin = 19;
    std::string out;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (in_string && text[i] == '\\' && i + 1 < text.size()) {
            out += text[i++];
        } else if (text[i] == '"') {
            in_string = !in_string;
        } else if (!in_string && text[i] >= '1' && text[i] <= '9') {
            const std::size_t end = std::min(text.find_first_not_of("0123456789", i), text.size());
            const bool whole =
                end == text.size() || std::string_view(".eE").find(text[end]) == std::string_view::npos;
            const bool sign = i > 0 && std::string_view("-+.eE").find(text[i - 1]) != std::string_view::npos;
            const bool quoted = whole && !sign && end - i >= kDigitsMin;
            const std::string_view digits = text.substr(i, end - i);
            out += quoted ? '"' + std::string(digits) + '"' : std::string(digits);
            i = end - 1;
            continue;
        }
        out += text[i];
    }
    return out;
}

// Gives the header the fields that the rules in force at genesis demand.
void complete_header(Genesis& genesis) {
    chain::Header& header = genesis.header;
    const Revision revision = genesis.config.revision(0, header.timestamp);
    header.transactions_root = trie::kEmptyRoot;
    header.receipts_root = trie::kEmptyRoot;
    if (revision >= Revision::London && !header.base_fee)
        header.base_fee = kDefaultBaseFee;
    if (revision < Revision::London)
        header.base_fee.reset();
    if (revision >= Revision::Shanghai)
        header.withdrawals_root = trie::kEmptyRoot;
    if (revision >= Revision::Cancun) {
        header.blob_gas_used = header.blob_gas_used.value_or(0);
        header.excess_blob_gas = header.excess_blob_gas.value_or(0);
        header.parent_beacon_block_root = Hash{};
    } else {
        header.blob_gas_used.reset();
        header.excess_blob_gas.reset();
    }
    if (revision >= Revision::Prague)
        header.requests_hash = kEmptyRequestsHash;
}

}  // namespace

Result<Genesis, GenesisError> parse_genesis(std::string_view text) {
    json::parse_options options;
    options.max_depth = kGenesisDepthMax;
    boost::system::error_code ec;
    const json::value document = json::parse(quote_large_numbers(text), ec, {}, options);
    if (ec)
        return fail(GenesisError{"", "not JSON: " + ec.message()});
    const auto* root = document.if_object();
    if (root == nullptr)
        return fail(GenesisError{"", "expected a JSON object"});
    Genesis out;
    Reader reader;
    read_config(reader, *root, out);
    read_header(reader, *root, out);
    read_alloc(reader, *root, out);
    if (!reader.ok())
        return fail(reader.error());
    sort_forks(out.fork_blocks, 0);
    sort_forks(out.fork_times, out.header.timestamp);
    complete_header(out);
    return out;
}

Genesis dev_genesis(const DevGenesisOptions& options, const std::vector<DevAccount>& accounts) {
    Genesis out;
    out.config = chain::ChainConfig::all_from_genesis(options.revision, options.chain_id);
    if (options.unlimited_code_size) {
        out.config.max_code_size = 0;
        out.config.max_init_code_size = 0;
    }
    if (options.frames)
        out.config.frames_time = 0;
    out.header.timestamp = options.timestamp;
    out.header.gas_limit = options.gas_limit;
    out.header.base_fee = options.base_fee;
    out.terminal_total_difficulty = u256{};
    for (const DevAccount& account : accounts)
        out.alloc[account.address].balance = options.balance;
    for (const SystemContract& contract : kSystemContracts) {
        if (options.revision < contract.since)
            continue;
        GenesisAccount& account = out.alloc[contract.address];
        account.nonce = 1;
        account.code = *from_hex(contract.code);
    }
    complete_header(out);
    return out;
}

}  // namespace meridian::node
