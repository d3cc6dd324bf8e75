#include <meridian/modules/exchange/exchange_module.hpp>

#include <meridian/modules/exchange/calls.hpp>

namespace meridian::modules::exchange {
namespace {

using module::Arena;
using module::CallOutcome;
using module::Context;
using module::Ptr;

constexpr module::Parameter kParameters[] = {
    {"operator", "Who adds assets and markets, and names the oracle's publishers: an address.", 0, 1,
     u256{~0ull, ~0ull, 0xffffffff, 0}},
};

Ptr<ModuleRoot> root_of(const Arena& arena) noexcept {
    return arena.root<ModuleRoot>();
}

}  // namespace

std::span<const module::Parameter> ExchangeModule::parameters() const noexcept {
    return kParameters;
}

Result<void, std::string> ExchangeModule::genesis(Arena& arena, const module::ParameterValues& values) const {
    const auto page = arena.allocate_pages(1);
    if (!page)
        return fail(std::string(describe(page.error())));
    const Ptr<ModuleRoot> root = Ptr<ModuleRoot>::to(module::offset_of_page(*page));
    arena.set_root(root);
    const auto made = Exchange::create(arena, arena.place(root, &ModuleRoot::exchange),
                                       to_address(values.find("operator")->second));
    if (!made)
        return fail(std::string(describe(made.error())));
    return {};
}

CallOutcome ExchangeModule::call(Context& context, BytesView input) const {
    Work work(context, root_of(context.arena()));
    return run_call(work, input);
}

CallOutcome ExchangeModule::command(Context& context, BytesView bytes) const {
    const auto command = decode_command(bytes);
    if (!command)
        return module::refuse("exchange: " + std::string(exchange::name(command.error())) + ": " +
                              std::string(describe(command.error())));
    Work work(context, root_of(context.arena()));
    const Run run = work.command(*command);
    if (!run)
        return module::refuse("exchange: " + run.error());
    work.write_logs();
    return Bytes{};
}

std::uint32_t ExchangeModule::command_kind(BytesView command) const noexcept {
    return static_cast<std::uint32_t>(group_of(command));
}

// What fails in a hook is undone step by step by the engine; there is nobody to tell.
void ExchangeModule::begin_block(Context& context) const {
    NoLogs nobody;
    Arena& arena = context.arena();
    Exchange exchange(arena, arena.place(root_of(arena), &ModuleRoot::exchange), nobody);
    static_cast<void>(exchange.begin_block(context.block().timestamp * 1000).has_value());
}

void ExchangeModule::end_block(Context& context) const {
    NoLogs nobody;
    Arena& arena = context.arena();
    Exchange exchange(arena, arena.place(root_of(arena), &ModuleRoot::exchange), nobody);
    static_cast<void>(exchange.end_block(kBlockLinesStop).has_value());
}

std::string ExchangeModule::check_invariants(const Arena& arena) const {
    NoLogs nobody;
    // Only reads.
    auto& unchanged = const_cast<Arena&>(arena);
    const Exchange exchange(unchanged, arena.place(root_of(arena), &ModuleRoot::exchange), nobody);
    return exchange.check_invariants();
}

}  // namespace meridian::modules::exchange
