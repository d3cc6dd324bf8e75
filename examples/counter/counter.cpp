#include <examples/counter/counter.hpp>

#include <meridian/module/vector.hpp>

namespace meridian::examples {
namespace {

using module::Arena;
using module::CallOutcome;
using module::Context;
using module::Ptr;
using module::refuse;

struct Entry {
    Address account;
    std::uint32_t time_s;
    std::uint64_t amount;
};

struct Root {
    std::uint64_t value;
    std::uint64_t limit;
    std::uint64_t busy_blocks;
    std::uint64_t last_count;  // of the log, at the end of the last block
    module::VectorState log;
};

constexpr module::Parameter kParameters[] = {
    {"start", "What the counter begins with.", 0, 0, ~std::uint64_t{0}},
    {"limit", "What it may stand at, at most.", 1'000'000, 1, ~std::uint64_t{0}},
};

Ptr<Root> root_of(const Arena& arena) noexcept {
    return arena.root<Root>();
}
module::Vector<Entry> log_of(Arena& arena) noexcept {
    return {arena, arena.place(root_of(arena), &Root::log)};
}

CallOutcome add(Context& context, std::uint64_t amount) {
    static const Hash kAdded = module::event_topic("Added(address,uint256,uint256)");
    Arena& arena = context.arena();
    const Root& now = arena.at(root_of(arena));
    // What is refused should be found out before the first write.
    if (amount > now.limit - now.value)
        return refuse("counter: above its limit");
    const std::uint64_t value = now.value + amount;
    const Address& account = context.caller().sender;
    if (!log_of(arena).push_back({account, static_cast<std::uint32_t>(context.block().timestamp), amount}))
        return refuse("counter: its log is full");
    arena.edit(root_of(arena), &Root::value) = value;
    Bytes data = module::abi_word(amount);
    module::append_word(data, value);
    context.emit({kAdded, module::topic(account)}, std::move(data));
    return module::abi_word(value);
}

CallOutcome entry(Context& context, std::uint64_t index) {
    const module::Vector<Entry> log = log_of(context.arena());
    if (index >= log.size())
        return refuse("counter: no such entry");
    const Entry& found = log.at(static_cast<std::uint32_t>(index));
    Bytes out = to_bytes(module::topic(found.account));
    module::append_word(out, found.amount);
    module::append_word(out, found.time_s);
    return out;
}

}  // namespace

std::span<const module::Parameter> Counter::parameters() const noexcept {
    return kParameters;
}

Result<void, std::string> Counter::genesis(Arena& arena, const module::ParameterValues& values) const {
    const auto start = static_cast<std::uint64_t>(values.find("start")->second);
    const auto limit = static_cast<std::uint64_t>(values.find("limit")->second);
    if (start > limit)
        return fail(std::string("start is above limit"));
    const auto page = arena.allocate_pages(1);
    if (!page)
        return fail(std::string(describe(page.error())));
    const Ptr<Root> root = Ptr<Root>::to(module::offset_of_page(*page));
    arena.set_root(root);
    arena.edit(root, &Root::value) = start;
    arena.edit(root, &Root::limit) = limit;
    return {};
}

CallOutcome Counter::call(Context& context, BytesView input) const {
    static const std::uint32_t kAddCall = module::selector("add(uint256)");
    static const std::uint32_t kValue = module::selector("value()");
    static const std::uint32_t kCount = module::selector("count()");
    static const std::uint32_t kEntry = module::selector("entry(uint256)");
    module::AbiReader reader(input);
    const std::uint32_t function = reader.selector();
    const std::uint64_t argument = function == kAddCall || function == kEntry ? reader.number() : 0;
    if (!reader.ok())
        return refuse("counter: the arguments are not those of a function");
    Arena& arena = context.arena();
    if (function == kAddCall)
        return add(context, argument);
    if (function == kEntry)
        return entry(context, argument);
    if (function == kValue)
        return module::abi_word(arena.at(root_of(arena)).value);
    if (function == kCount)
        return module::abi_word(log_of(arena).size());
    return refuse("counter: no such function");
}

CallOutcome Counter::command(Context& context, BytesView command) const {
    if (command.size() == 9 && command[0] == kAdd)
        return add(context, detail::load_be64(command.data() + 1));
    if (command.size() == 1 && command[0] == kNothing)
        return Bytes{};
    return refuse("counter: no such command");
}

void Counter::end_block(Context& context) const {
    Arena& arena = context.arena();
    const Ptr<Root> root = root_of(arena);
    const std::uint64_t count = log_of(arena).size();
    if (count == arena.at(root).last_count)
        return;
    arena.edit(root, &Root::last_count) = count;
    ++arena.edit(root, &Root::busy_blocks);
}

std::string Counter::check_invariants(const Arena& arena) const {
    const Root& root = arena.at(root_of(arena));
    if (root.value > root.limit)
        return "it stands at " + std::to_string(root.value) + ", above its limit";
    if (root.busy_blocks > root.last_count)
        return "more busy blocks than entries";
    return {};
}

}  // namespace meridian::examples
