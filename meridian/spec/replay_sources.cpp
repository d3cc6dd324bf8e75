// What of a file or a folder can be replayed, and why the rest cannot.

#include <meridian/spec/replay_formats.hpp>

#include <algorithm>
#include <filesystem>
#include <span>

namespace meridian::spec {
namespace {

namespace fs = std::filesystem;

bool has(const Json& json, std::string_view name) {
    return json.is_object() && json.as_object().contains({name.data(), name.size()});
}

// A file's format is known by its members.
struct Format {
    std::span<const std::string_view> members;
    CasePtr (*read)(const Json& json, const std::string& path);  // null: it cannot be replayed
    std::string_view reason;                                     // why not
};

constexpr std::string_view kZeth[] = {"full_blocks", "proofs"};
constexpr std::string_view kKona[] = {"fixture", "preimages"};
constexpr std::string_view kRaiko[] = {"parent_state_trie", "parent_storage", "block"};
constexpr std::string_view kNimbus[] = {"blockNumber", "state"};
constexpr std::string_view kScroll[] = {"prev_state_root", "states", "codes"};
constexpr std::string_view kOpTest[] = {"env", "alloc", "outAlloc"};
constexpr std::string_view kDerivation[] = {"l2Payloads", "rollupConfig"};
constexpr std::string_view kPayload[] = {"jsonrpc", "method", "params"};
constexpr std::string_view kRpcBlock[] = {"parentHash", "stateRoot", "transactions"};
constexpr std::string_view kRpcHeader[] = {"parentHash", "stateRoot", "receiptsRoot"};
constexpr std::string_view kBareBlock[] = {"header", "transactions"};
constexpr std::string_view kNoPreState = "a block without its pre-state";

// The first that fits is taken.
constexpr Format kFormats[] = {
    {kZeth, read_zeth, {}},
    {kKona, [](const Json& json, const std::string&) { return read_kona(json); }, {}},
    {kRaiko, [](const Json& json, const std::string&) { return read_raiko(json); }, {}},
    {kNimbus, [](const Json& json, const std::string&) { return read_nimbus(json); }, {}},
    {kScroll, nullptr, "a block of Scroll, whose fees and opcodes are another chain's rules"},
    {kOpTest, nullptr, "a block made up for a test, of no real chain and without a header"},
    {kDerivation, nullptr, "payloads of an OP chain without a pre-state"},
    {kPayload, nullptr, "a request of the Engine API: a block without its pre-state"},
    {kRpcBlock, nullptr, kNoPreState},
    {kRpcHeader, nullptr, "a header alone"},
    {kBareBlock, nullptr, kNoPreState},
};

const Format* format_of(const Json& json) {
    for (const Format& format : kFormats)
        if (std::ranges::all_of(format.members, [&](std::string_view name) { return has(json, name); }))
            return &format;
    return nullptr;
}

// Folders hold files of many kinds, some of them no JSON: what a file may be is told from its text first.
const Format* possible_format(std::string_view text, bool readable) {
    const auto names = [&](std::string_view member) {
        return text.find('"' + std::string(member) + '"') != std::string_view::npos;
    };
    for (const Format& format : kFormats)
        if ((format.read != nullptr) == readable && std::ranges::all_of(format.members, names))
            return &format;
    return nullptr;
}

Loaded read_format(const Json& json, const std::string& path) {
    const Format* format = format_of(json);
    if (format == nullptr)
        return {};
    if (format->read == nullptr)
        return {nullptr, std::string(format->reason)};
    if (format->read == read_zeth && array(*find(json, "proofs")).empty())
        return {nullptr, "a cache of RPC answers without proofs of the pre-state"};
    return {format->read(json, path), {}};
}

constexpr const char* kUnknown =
    "holds no recorded block that replay knows: a folder with block.json and pre_state.json, or with "
    "block.json, prestatetrace.json and difftrace.json; a JSON file of zeth, kona, raiko or nimbus-eth1; a "
    "chain (.rlp) with its genesis beside it; an .era1 file";

// `named`: by the caller, not found in a folder.
Result<Loaded, InputError> load_file(const std::string& path, bool named) {
    const auto content = read_file(path);
    if (!content)
        return fail(content.error());
    if (!named && possible_format(*content, true) == nullptr) {
        const Format* other = possible_format(*content, false);
        return Loaded{nullptr, other != nullptr ? std::string(other->reason) : std::string()};
    }
    auto loaded = read_text(*content, path, [&](const Json& json) { return read_format(json, path); });
    if (loaded && named && loaded->block == nullptr)
        return fail(
            InputError{InputError::Kind::Field,
                       path,
                       {},
                       loaded->skipped.empty() ? kUnknown : "cannot be replayed: " + loaded->skipped});
    return loaded;
}

Result<Loaded, InputError> loaded(Result<CasePtr, InputError> block) {
    if (!block)
        return fail(block.error());
    return Loaded{std::move(*block), {}};
}

class Finder {
public:
    explicit Finder(const ReplayOptions& options) : m_options(options) {}

    Result<void, InputError> add(const fs::path& path) {
        std::error_code code;
        if (!fs::exists(path, code))
            return fail(InputError{InputError::Kind::Io, path.string(), {}, "no such file or folder"});
        if (fs::is_directory(path, code))
            return add_folder(path);
        // The main file of a folder's block stands for the folder.
        const fs::path folder = fs::absolute(path).parent_path();
        if (path.filename() == "block.json" && holds_block(folder))
            return add_folder(folder);
        add_file(path, true);
        return {};
    }

    std::vector<ReplaySource> take() { return std::move(m_sources); }

private:
    static bool holds(const fs::path& folder, const char* name) {
        std::error_code code;
        return fs::exists(folder / name, code);
    }
    static bool holds_block(const fs::path& folder) {
        return holds(folder, "block.json") && (holds(folder, "pre_state.json") || holds_traces(folder));
    }
    static bool holds_traces(const fs::path& folder) {
        return holds(folder, "prestatetrace.json") && holds(folder, "difftrace.json");
    }

    Result<void, InputError> add_folder(const fs::path& path) {
        if (holds_block(path))
            return holds(path, "pre_state.json") ? add_pevm(path) : add_traces(path);
        std::error_code code;
        std::vector<fs::path> entries;
        for (const auto& entry : fs::directory_iterator(path, code))
            if (entry.is_directory() || is_candidate(entry.path()))
                entries.push_back(entry.path());
        if (code)
            return fail(
                InputError{InputError::Kind::Io, path.string(), {}, "cannot be searched: " + code.message()});
        std::sort(entries.begin(), entries.end());
        for (const fs::path& entry : entries) {
            if (!fs::is_directory(entry, code))
                add_file(entry, false);
            else if (auto r = add_folder(entry); !r)
                return r;
        }
        return {};
    }

    static bool is_candidate(const fs::path& path) {
        const fs::path extension = path.extension();
        return extension == ".json" || extension == ".rlp" || extension == ".era1";
    }

    Result<void, InputError> add_pevm(const fs::path& folder) {
        const fs::path parent = fs::absolute(folder).lexically_normal().parent_path();
        auto& shared = m_shared[parent.string()];
        if (shared == nullptr) {
            auto read = load_pevm_shared(parent.string());
            if (!read)
                return fail(read.error());
            shared = std::move(*read);
        }
        m_sources.push_back({.name = folder.string(), .load = [name = folder.string(), keep = shared] {
                                 return loaded(load_pevm(name, *keep));
                             }});
        return {};
    }

    Result<void, InputError> add_traces(const fs::path& folder) {
        m_sources.push_back({.name = folder.string(),
                             .load = [name = folder.string()] { return loaded(load_block_traces(name)); }});
        return {};
    }

    void add_file(const fs::path& path, bool named) {
        ReplaySource source{.name = path.string()};
        if (path.extension() == ".era1")
            source.check = [name = source.name] { return ReplayCheck{check_era1(name), {}}; };
        else if (path.extension() == ".rlp")
            source.check = [name = source.name, replay = m_options.chain] {
                return replay ? replay(name) : ReplayCheck{{}, "a chain, which needs a node to be replayed"};
            };
        else
            source.load = [name = source.name, named] { return load_file(name, named); };
        m_sources.push_back(std::move(source));
    }

    const ReplayOptions& m_options;
    std::vector<ReplaySource> m_sources;
    std::map<std::string, std::shared_ptr<PevmShared>> m_shared;
};

}  // namespace

Result<std::vector<ReplaySource>, InputError> find_replay_sources(const std::string& path,
                                                                  const ReplayOptions& options) {
    Finder finder(options);
    if (auto added = finder.add(path); !added)
        return fail(added.error());
    return finder.take();
}

}  // namespace meridian::spec
