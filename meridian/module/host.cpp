#include <meridian/module/host.hpp>

#include <meridian/module/changes.hpp>
#include <meridian/module/memory.hpp>
#include <meridian/module/stored_tree.hpp>

namespace meridian::module {
namespace {

constexpr std::uint64_t kNoGasLimit = ~std::uint64_t{0} >> 1;

// Of CALL: EIP-2929, and what a value costs beside the stipend, which a module's call does not give.
constexpr std::uint64_t kWarmAccount = 100;
constexpr std::uint64_t kColdAccount = 2'600;
constexpr std::uint64_t kValue = 9'000;

class StatePages final : public PageSource {
public:
    StatePages(state::StateReader& reader, const Address& module) : m_reader(reader), m_module(module) {}
    bool fetch(PageNumber page, std::span<std::uint8_t, kPageSize> out) noexcept override {
        return m_reader.arena_page(m_module, page, out.data());
    }

private:
    state::StateReader& m_reader;
    Address m_module;
};

}  // namespace

struct ModuleHost::Loaded {
    Loaded(const ModuleSet::Entry& e, std::size_t i, state::StateReader& reader)
        : entry(e),
          index(i),
          pages(reader, e.address),
          memory(e.module->page_limit()),
          tree(reader, e.address) {}

    const ModuleSet::Entry& entry;
    std::size_t index;
    StatePages pages;
    ArenaMemory memory;
    std::optional<Arena> arena;
    StoredTree tree;
    bool calls_out = false;  // a contract, and takes no calls meanwhile
};

// A call's, a command's or a hook's part of the undo log.
struct ModuleHost::Step {
    explicit Step(Arena& arena) : checkpoint(arena.checkpoint()) {}
    Arena::Checkpoint checkpoint;
    std::uint32_t lines(const Arena& arena) const noexcept {
        return arena.undo_lines() - checkpoint.log_size;
    }
};

ModuleHost::ModuleHost(const ModuleSet& modules, state::State& state)
    : m_modules(modules), m_state(state), m_loaded(modules.entries().size()) {
    m_state.set_extension(this);
}

ModuleHost::~ModuleHost() {
    m_state.set_extension(nullptr);
}

void ModuleHost::fail_with(const ModuleSet::Entry& entry, Error error) {
    if (m_failure.empty())
        m_failure =
            "module " + std::string(entry.module->name()) + ": its arena: " + std::string(describe(error));
}

ModuleHost::Loaded* ModuleHost::load(const ModuleSet::Entry& entry) {
    const auto index = static_cast<std::size_t>(&entry - m_modules.entries().data());
    auto& loaded = m_loaded[index];
    if (!loaded) {
        auto made = std::make_unique<Loaded>(entry, index, m_state.parent());
        if (made->memory.region().base == nullptr) {
            fail_with(entry, Error::RegionTooSmall);
            return nullptr;
        }
        auto arena = Arena::open(made->memory.region(), &made->pages);
        if (!arena) {
            fail_with(entry, arena.error());
            return nullptr;
        }
        made->arena.emplace(*std::move(arena));
        loaded = std::move(made);
    }
    return loaded.get();
}

// --- calls ----------------------------------------------------------------------------------------------

// From a module to contracts, while it answers a call or carries out a command.
class ModuleHost::Calls final : public Outward {
public:
    // `depth` is that of the messages.
    Calls(ModuleHost& host, Loaded& loaded, evm::NestedCalls& nested, evm::Tracer* tracer, std::int32_t depth,
          bool is_static)
        : m_host(host),
          m_loaded(loaded),
          m_nested(nested),
          m_tracer(tracer),
          m_depth(depth),
          m_is_static(is_static) {}

    CallOutcome call(Context& context, const Address& to, BytesView input, const u256& value,
                     std::uint64_t gas_max) override {
        if (m_is_static && value)
            return refuse("a static call must not change anything");
        state::State& state = m_host.m_state;
        const bool cold = state.warm_account(state.load(to));
        if (!context.charge((cold ? kColdAccount : kWarmAccount) + (value ? kValue : 0)))
            return refuse("out of gas");
        const std::uint64_t gas = std::min(gas_max, context.gas_left() - context.gas_left() / 64);
        // Logs come in the order of what happened. A static call has none, which is seen at its end.
        if (!m_is_static)
            m_host.tell_logs(m_loaded.entry.address, context, m_tracer);
        evm::Message message;
        message.kind = m_is_static ? evm::CallKind::StaticCall : evm::CallKind::Call;
        message.is_static = m_is_static;
        message.depth = m_depth;
        message.gas = static_cast<std::int64_t>(gas);
        message.recipient = to;
        message.code_address = to;
        message.sender = m_loaded.entry.address;
        message.value = value;
        message.input = input;
        m_loaded.calls_out = true;
        evm::CallResult result = m_nested.call(message);
        m_loaded.calls_out = false;
        static_cast<void>(context.charge(gas - static_cast<std::uint64_t>(result.gas_left)));
        if (result.status == evm::Status::Success)
            return std::move(result.output);
        if (result.status == evm::Status::Interrupted)
            context.interrupt();
        if (result.output.empty())
            result.output = revert_reason(evm::describe(result.status));
        return std::unexpected(Refused{std::move(result.output)});
    }

private:
    ModuleHost& m_host;
    Loaded& m_loaded;
    evm::NestedCalls& m_nested;
    evm::Tracer* m_tracer;
    std::int32_t m_depth;
    bool m_is_static;
};

// Settles a step: false, and everything undone, unless the outcome stands. Then the journal can undo it.
bool ModuleHost::end_step(Loaded& loaded, Step& step, Context& context, CallOutcome& outcome,
                          bool is_static) {
    Arena& arena = *loaded.arena;
    const std::uint32_t lines = step.lines(arena);
    const std::string name(loaded.entry.module->name());
    if (const auto failure = arena.failure()) {
        if (*failure == Error::UndoFull)
            outcome = refuse(name + ": the call changes more than a transaction may");
        else
            fail_with(loaded.entry, *failure);
    } else if (is_static && (lines != 0 || context.has_logs())) {
        outcome = refuse(name + ": a static call must not change anything");
    }
    const bool paid = context.charge(loaded.entry.module->gas().line * lines);
    if (!paid || !outcome || !m_failure.empty() || context.interrupted()) {
        arena.revert(step.checkpoint);
        return false;
    }
    if (lines == 0) {
        static_cast<void>(arena.commit(step.checkpoint).has_value());
        return true;
    }
    m_state.note_extension({loaded.index, step.checkpoint.log_size, step.checkpoint.depth, 0});
    return true;
}

void ModuleHost::tell_logs(const Address& module, Context& context, evm::Tracer* tracer) {
    for (state::Log& log : context.take_logs()) {
        log.address = module;
        if (tracer != nullptr)
            tracer->on_log(log);
        m_state.add_log(std::move(log));
    }
}

evm::NativeOutcome ModuleHost::call(const evm::Message& message, const evm::BlockContext& block,
                                    const evm::TxnContext& txn, evm::Tracer* tracer, evm::NestedCalls& nested,
                                    Bytes& output) {
    const ModuleSet::Entry& entry = *m_modules.find(message.code_address);
    const Module& module = *entry.module;
    const std::string name(module.name());
    const auto refused = [&](const std::string& why) {
        output = revert_reason(name + ": " + why);
        return evm::NativeOutcome{evm::Status::Revert, message.gas};
    };
    output.clear();
    if (message.kind == evm::CallKind::DelegateCall || message.kind == evm::CallKind::CallCode)
        return refused("a module cannot be called by DELEGATECALL or CALLCODE");
    if (message.value && !module.takes_value())
        return refused("takes no ether");
    Loaded* const loaded = load(entry);
    if (loaded == nullptr)
        return refused(m_failure);
    if (loaded->calls_out)
        return refused("is calling a contract, and takes no calls meanwhile");
    const Caller caller{message.sender, txn.origin, message.value, message.is_static};
    const GasSchedule schedule = module.gas();
    Calls calls(*this, *loaded, nested, tracer, message.depth + 1, message.is_static);
    Context context(*loaded->arena, block, caller, static_cast<std::uint64_t>(message.gas), schedule, &calls);
    Step step(*loaded->arena);
    CallOutcome outcome = context.charge(schedule.call + schedule.byte * message.input.size())
                              ? module.call(context, message.input)
                              : refuse("out of gas");
    const bool stands = end_step(*loaded, step, context, outcome, message.is_static);
    if (context.interrupted())
        return {evm::Status::Interrupted, 0};
    if (context.out_of_gas())
        return {evm::Status::OutOfGas, 0};
    if (!m_failure.empty())
        return refused(m_failure);
    output = stands ? *std::move(outcome) : std::move(outcome.error().data);
    if (stands)
        tell_logs(entry.address, context, tracer);
    return {stands ? evm::Status::Success : evm::Status::Revert,
            static_cast<std::int64_t>(context.gas_left())};
}

// --- transactions of the modules' own ---------------------------------------------------------------------

// Marks the nonce as used, and takes what the commands cost a session key. The journal can undo it.
Result<void, TransactError> ModuleHost::admit(Loaded& loaded, const CommandList& list, std::uint64_t now_ms) {
    if (list.expiry_ms != 0 && list.expiry_ms <= now_ms)
        return fail(TransactError::Expired);
    Arena& arena = *loaded.arena;
    const Step step(arena);
    m_state.note_extension({loaded.index, step.checkpoint.log_size, step.checkpoint.depth, 0});
    if (auto used = use_nonce(arena, list.signer, list.nonce, now_ms); !used)
        return used;
    if (list.signer != list.account) {
        std::uint64_t kinds = 0;
        for (const BytesView command : list.commands) {
            if (command.empty() || command[0] == kFrameworkCommand)
                return fail(TransactError::SessionScope);
            kinds |= std::uint64_t{1} << (list.module->module->command_kind(command) & 63);
        }
        const std::size_t count = list.commands.size();
        if (auto used = use_session(arena, list.account, list.signer, kinds, count, now_ms); !used)
            return used;
    }
    if (arena.failure() && *arena.failure() != Error::UndoFull)
        fail_with(loaded.entry, *arena.failure());
    return {};
}

Result<void, TransactError> ModuleHost::check(const CommandList& list, std::uint64_t timestamp) {
    Loaded* const loaded = load(*list.module);
    if (loaded == nullptr)
        return {};
    m_state.begin_transaction();
    auto admitted = admit(*loaded, list, timestamp * 1000);
    m_state.cancel_transaction();
    return admitted;
}

Result<CommandsOutcome, TransactError> ModuleHost::transact(const CommandList& list,
                                                            const evm::BlockContext& block,
                                                            evm::Tracer* tracer, evm::NestedCalls& nested) {
    const ModuleSet::Entry& entry = *list.module;
    const Module& module = *entry.module;
    const std::uint64_t now_ms = block.timestamp * 1000;
    CommandsOutcome out;
    Loaded* const loaded = load(entry);
    if (loaded == nullptr)
        return out;  // m_failure says why
    Arena& arena = *loaded->arena;
    const Caller caller{list.account, list.signer, {}, false};
    const GasSchedule schedule = module.gas();

    if (auto admitted = admit(*loaded, list, now_ms); !admitted)
        return fail(admitted.error());

    std::uint64_t gas_left = module.transaction_gas_max();
    Calls calls(*this, *loaded, nested, tracer, 0, false);
    for (const BytesView command : list.commands) {
        Context context(arena, block, caller, gas_left, schedule, &calls);
        // Of what contracts did for it; the arena's part is the step's.
        const auto before = m_state.checkpoint();
        Step step(arena);
        CallOutcome outcome = refuse("out of gas");
        std::string_view why;
        if (context.charge(schedule.call + schedule.byte * command.size())) {
            if (!command.empty() && command[0] != kFrameworkCommand)
                outcome = module.command(context, command);
            else if (run_framework_command(arena, list.account, command, why))
                outcome = Bytes{};
            else
                outcome = refuse(why);
        }
        const bool stands = end_step(*loaded, step, context, outcome, false);
        gas_left = context.gas_left();
        if (stands)
            tell_logs(entry.address, context, tracer);
        else
            m_state.revert(before);
        out.done += stands ? 1 : 0;
        out.interrupted = context.interrupted();
        if (!stands && out.output.empty())
            out.output = context.out_of_gas() ? revert_reason(std::string(module.name()) + ": out of gas")
                                              : std::move(outcome.error().data);
        if (!m_failure.empty() || context.out_of_gas() || context.interrupted())
            break;
    }
    out.gas_used = module.transaction_gas_max() - gas_left;
    out.success = out.done == list.commands.size();
    return out;
}

// --- blocks ---------------------------------------------------------------------------------------------

void ModuleHost::run_hook(const ModuleSet::Entry& entry, const evm::BlockContext& block, bool begins) {
    Loaded* const loaded = load(entry);
    if (loaded == nullptr)
        return;
    Arena& arena = *loaded->arena;
    const Module& module = *entry.module;
    const auto step_of = [&](auto&& work, std::uint32_t lines_max) {
        Step step(arena);
        work();
        if (arena.failure() && *arena.failure() != Error::UndoFull)
            fail_with(entry, *arena.failure());
        if (arena.failure() || step.lines(arena) > lines_max)
            arena.revert(step.checkpoint);
        else
            static_cast<void>(arena.commit(step.checkpoint).has_value());
    };
    if (begins)
        step_of([&] { forget_nonces(arena, block.timestamp * 1000); }, kUndoLinesMax);
    const Caller nobody;
    GasSchedule free;
    Context context(arena, block, nobody, kNoGasLimit, free);
    step_of([&] { begins ? module.begin_block(context) : module.end_block(context); },
            module.hook_lines_max());
}

void ModuleHost::begin_block(const evm::BlockContext& block) {
    for (const ModuleSet::Entry& entry : m_modules.entries())
        run_hook(entry, block, true);
}

void ModuleHost::end_block(const evm::BlockContext& block) {
    for (const ModuleSet::Entry& entry : m_modules.entries())
        run_hook(entry, block, false);
}

void ModuleHost::note_changed(const std::map<Address, state::ArenaPatch>& arenas) {
    for (const auto& [module, pages] : arenas)
        for (const auto& [page, patch] : pages)
            if (!is_tree_page(page))
                m_changed[module].insert(page);
}

void ModuleHost::commit() {
    for (const auto& loaded : m_loaded)
        if (loaded)
            for (const PageChange& change : loaded->arena->changes().pages)
                m_changed[loaded->entry.address].insert(change.page);
    m_state.begin_transaction();
    for (const auto& [address, changed] : m_changed) {
        const ModuleSet::Entry* const entry = m_modules.find(address);
        Loaded* const loaded = entry != nullptr && !changed.empty() ? load(*entry) : nullptr;
        if (loaded == nullptr)
            continue;
        const std::vector<PageNumber> pages(changed.begin(), changed.end());
        const auto commitment = loaded->tree.update(*loaded->arena, pages);
        if (!commitment || loaded->arena->failure()) {
            fail_with(*entry, Error::MissingPage);
            continue;
        }
        state::CachedAccount& account = m_state.load(address);
        m_state.set_storage(account, u256{}, m_state.slot(account, u256{}), from_hash(*commitment));
    }
    m_state.finish_transaction({.delete_touched_empty = true});
    m_changed.clear();
}

std::string ModuleHost::check_invariants() {
    for (const ModuleSet::Entry& entry : m_modules.entries()) {
        Loaded* const loaded = load(entry);
        if (loaded == nullptr)
            return m_failure;
        if (std::string wrong = entry.module->check_invariants(*loaded->arena); !wrong.empty())
            return "module " + std::string(entry.module->name()) + ": " + wrong;
    }
    return {};
}

// --- as a part of the state -------------------------------------------------------------------------------

void ModuleHost::undo(const u256& mark) noexcept {
    m_loaded[mark[0]]->arena->revert(
        {static_cast<std::uint32_t>(mark[1]), static_cast<std::uint32_t>(mark[2])});
}

void ModuleHost::finish_transaction() noexcept {
    for (const auto& loaded : m_loaded) {
        if (!loaded || loaded->arena->open_checkpoints() == 0)
            continue;
        // One that has failed for good refuses: its block does not come to be.
        if (!loaded->arena->commit({0, 0}))
            loaded->arena->revert({0, 0});
    }
}

void ModuleHost::collect(state::StateChanges& out) const {
    for (const auto& loaded : m_loaded) {
        if (!loaded)
            continue;
        state::ArenaPatch patch;
        const Changes changes = loaded->arena->changes();
        const Line* line = changes.lines.data();
        for (const PageChange& change : changes.pages) {
            const Line* const end = line + std::popcount(change.lines);
            patch[change.page] = {change.lines, {line, end}};
            line = end;
        }
        loaded->tree.collect(patch);
        if (!patch.empty())
            out.arenas[loaded->entry.address] = std::move(patch);
    }
}

void ModuleHost::forget() {
    for (const auto& loaded : m_loaded) {
        if (!loaded)
            continue;
        for (const PageChange& change : loaded->arena->take_changes().pages)
            m_changed[loaded->entry.address].insert(change.page);
        loaded->tree.forget();
    }
}

}  // namespace meridian::module
