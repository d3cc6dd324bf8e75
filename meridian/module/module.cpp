#include <meridian/module/module.hpp>

#include <meridian/module/memory.hpp>
#include <meridian/module/sessions.hpp>
#include <meridian/module/stored_tree.hpp>

#include <algorithm>

namespace meridian::module {
namespace {

constexpr std::size_t kTopicsMax = 4;

bool is_name(std::string_view name) noexcept {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

// Nothing is there yet.
class EmptyReader final : public state::StateReader {
public:
    std::optional<state::Account> account(const Address&) override { return std::nullopt; }
    u256 storage(const Address&, const u256&) override { return {}; }
    bool has_storage(const Address&) override { return false; }
    BytesView code(const Hash&) override { return {}; }
    bool arena_page(const Address&, std::uint32_t, std::uint8_t* out) override {
        std::memset(out, 0, kPageSize);
        return true;
    }
};

// Lines that are not zero, as nothing was there before.
state::ArenaPatch content_of(const Arena& arena) {
    constexpr std::array<std::uint8_t, kLineSize> kZeroLine{};
    state::ArenaPatch out;
    for (PageNumber page = 0; page < arena.page_count(); ++page) {
        const BytesView content = arena.page(page);
        std::uint64_t lines = 0;
        for (std::uint32_t line = 0; line < kLinesPerPage; ++line)
            if (!equal(content.subspan(std::size_t{line} * kLineSize, kLineSize), kZeroLine))
                lines |= std::uint64_t{1} << line;
        if (lines != 0)
            out[page] = state::patch_of(content.data(), lines);
    }
    return out;
}

Result<void, std::string> add_genesis(const ModuleSet::Entry& entry, state::StateChanges& out) {
    const Module& module = *entry.module;
    const std::string name = "module " + std::string(module.name()) + ": ";
    const ArenaMemory memory(module.page_limit());
    if (memory.region().base == nullptr)
        return fail(name + "no memory for its arena");
    auto arena = Arena::create(memory.region(), module.page_limit());
    if (!arena)
        return fail(name + std::string(describe(arena.error())));
    if (const auto made = make_framework(*arena); !made)
        return fail(name + std::string(describe(made.error())));
    if (auto made = module.genesis(*arena, entry.values); !made)
        return fail(name + made.error());
    if (const auto failure = arena->failure())
        return fail(name + std::string(describe(*failure)));
    std::vector<PageNumber> pages(arena->page_count());
    for (PageNumber page = 0; page < pages.size(); ++page)
        pages[page] = page;
    EmptyReader nothing;
    StoredTree tree(nothing, entry.address);
    const auto commitment = tree.update(*arena, pages);
    state::ArenaPatch& arena_out = out.arenas[entry.address];
    arena_out = content_of(*arena);
    tree.collect(arena_out);

    const Bytes code = module_code(module);
    state::AccountChange& account = out.accounts[entry.address];
    account.account = state::Account{1, u256{}, crypto::keccak256(code)};
    account.storage[u256{}] = from_hash(*commitment);
    out.code[account.account->code_hash] = code;
    return {};
}

}  // namespace

void Context::emit(std::vector<Hash> topics, Bytes data) {
    MERIDIAN_ASSERT(topics.size() <= kTopicsMax);
    if (charge(m_schedule.log + m_schedule.log_topic * topics.size() + m_schedule.log_byte * data.size()))
        m_logs.push_back({{}, std::move(topics), std::move(data)});
}

CallOutcome Context::call_contract(const Address& to, BytesView input, std::uint64_t gas_max,
                                   const u256& value) {
    if (m_outward == nullptr)
        return refuse("a hook cannot call contracts");
    return m_outward->call(*this, to, input, value, gas_max);
}

CallOutcome Module::command(Context&, BytesView) const {
    return refuse(std::string(name()) + ": takes no transactions of its own");
}

Address module_address(std::uint32_t id) noexcept {
    Address out;
    out[0] = 0x4d;
    out[1] = 0x01;
    for (std::size_t i = 0; i < 4; ++i)
        out[16 + i] = static_cast<std::uint8_t>(id >> (24 - 8 * i));
    return out;
}

Bytes module_code(const Module& module) {
    constexpr std::uint8_t kInvalid = 0xfe;
    Bytes out{kInvalid};
    append(out, as_bytes("Meridian module "));
    append(out, as_bytes(module.name()));
    return out;
}

Result<void, std::string> ModuleSet::add(std::shared_ptr<const Module> module, ParameterValues values) {
    const std::string name(module->name());
    if (!is_name(name) || module->id() == 0)
        return fail("module \"" + name +
                    "\": wants a name of a to z, 0 to 9 and _, and an id that is not zero");
    if (find_id(module->id()) != nullptr)
        return fail("module " + name + ": its id " + std::to_string(module->id()) + " is module " +
                    std::string(find_id(module->id())->module->name()) + "'s too");
    const std::span<const Parameter> parameters = module->parameters();
    for (const auto& [key, value] : values)
        if (std::ranges::find(parameters, key, &Parameter::name) == parameters.end())
            return fail("module " + name + ": it has no parameter " + key);
    for (const Parameter& parameter : parameters) {
        const auto [at, unset] = values.try_emplace(std::string(parameter.name), parameter.value);
        if (at->second < parameter.min || at->second > parameter.max)
            return fail("module " + name + ": " + std::string(parameter.name) + " is " +
                        to_decimal(at->second) + "; it may be " + to_decimal(parameter.min) + " to " +
                        to_decimal(parameter.max));
    }
    const std::uint32_t id = module->id();
    m_entries.push_back({std::move(module), std::move(values), module_address(id)});
    std::ranges::sort(m_entries, {}, [](const Entry& e) { return e.module->id(); });
    return {};
}

const ModuleSet::Entry* ModuleSet::find(const Address& address) const noexcept {
    for (const Entry& entry : m_entries)
        if (entry.address == address)
            return &entry;
    return nullptr;
}

const ModuleSet::Entry* ModuleSet::find_id(std::uint32_t id) const noexcept {
    for (const Entry& entry : m_entries)
        if (entry.module->id() == id)
            return &entry;
    return nullptr;
}

Result<state::StateChanges, std::string> genesis_of(const ModuleSet& modules) {
    state::StateChanges out;
    for (const ModuleSet::Entry& entry : modules.entries())
        if (auto added = add_genesis(entry, out); !added)
            return fail(std::move(added.error()));
    return out;
}

}  // namespace meridian::module
