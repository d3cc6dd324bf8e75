#include <meridian/modules/exchange/calls.hpp>

#include <meridian/modules/exchange/exchange_module.hpp>

#include <array>

namespace meridian::modules::exchange {
namespace {

using module::AbiReader;

constexpr std::uint32_t kMax32 = ~std::uint32_t{0};

// The words of a function's result.
using Words = Result<std::vector<u256>, std::string>;

u256 signed_word(Money value) noexcept {
    const auto low = static_cast<std::uint64_t>(value);
    const auto high = static_cast<std::uint64_t>(value >> 64);
    const std::uint64_t sign = value < 0 ? ~std::uint64_t{0} : 0;
    return {low, high, sign, sign};
}

std::unexpected<std::string> bad_arguments() {
    return fail(std::string("BadArguments: the arguments are not those of the function"));
}

// The first `count` numbers that a command gives.
Words words(const Run& run, std::size_t count) {
    if (!run)
        return fail(run.error());
    std::vector<u256> out{run->first, run->second, run->third};
    out.resize(count);
    return out;
}

std::uint32_t number32(AbiReader& reader) noexcept {
    return static_cast<std::uint32_t>(reader.number(kMax32));
}

// --- what changes something ------------------------------------------------------------------------------

Words deposit(Work& work, AbiReader& reader) {
    const std::uint32_t sub = number32(reader);
    const Address token = reader.address();
    const u256 amount = reader.word();
    return reader.ok() ? words(work.deposit(sub, token, amount), 1) : bad_arguments();
}

Words withdraw(Work& work, AbiReader& reader) {
    const std::uint32_t sub = number32(reader);
    const Address token = reader.address();
    const u256 amount = reader.word();
    return reader.ok() ? words(work.withdraw(sub, token, amount), 0) : bad_arguments();
}

Words place_order(Work& work, AbiReader& reader) {
    Command command;
    command.sub = number32(reader);
    PlaceOrder order;
    order.market = number32(reader);
    const std::uint64_t flags = reader.number();
    order.price = number32(reader);
    order.size = reader.number();
    const Hash client_id = to_hash(reader.word());
    order.client_id = first_bytes<16>(client_id);
    const bool whole = std::all_of(client_id.begin() + 16, client_id.end(), [](auto b) { return b == 0; });
    if (!reader.ok() || !whole || (flags & (kFlagClientId | kFlagBuilder)) != 0 ||
        !read_order_flags(flags, order))
        return bad_arguments();
    command.body = order;
    return words(work.command(command), 3);
}

Words amend_order(Work& work, AbiReader& reader) {
    Command command;
    command.sub = number32(reader);
    AmendOrder amendment;
    amendment.market = number32(reader);
    amendment.order = reader.number();
    amendment.price = number32(reader);
    amendment.size = reader.number();
    command.body = amendment;
    return reader.ok() ? words(work.command(command), 3) : bad_arguments();
}

Words cancel_order(Work& work, AbiReader& reader) {
    Command command;
    command.sub = number32(reader);
    CancelOrder order;
    order.market = number32(reader);
    order.order = reader.number();
    command.body = order;
    return reader.ok() ? words(work.command(command), 0) : bad_arguments();
}

Words cancel_all(Work& work, AbiReader& reader) {
    const Command command{number32(reader), CancelAll{}};
    return reader.ok() ? words(work.command(command), 1) : bad_arguments();
}

Words execute(Work& work, AbiReader& reader) {
    const BytesView bytes = reader.bytes();
    if (!reader.ok())
        return bad_arguments();
    const auto command = decode_command(bytes);
    if (!command)
        return fail(std::string(name(command.error())) + ": " + std::string(describe(command.error())));
    return words(work.command(*command), 3);
}

// --- what only looks -------------------------------------------------------------------------------------

Words account_of(Work& work, AbiReader& reader) {
    const Address owner = reader.address();
    const std::uint32_t sub = number32(reader);
    if (!reader.ok())
        return bad_arguments();
    return std::vector<u256>{work.exchange().ledger().find_account(owner, sub)};
}

Words balance_of(Work& work, AbiReader& reader) {
    const AccountId account = number32(reader);
    const AssetId asset = number32(reader);
    if (!reader.ok())
        return bad_arguments();
    const Ledger& ledger = work.exchange().ledger();
    if (!ledger.has_account(account))
        return fail(reason_of(Error::UnknownAccount));
    if (asset >= ledger.asset_count())
        return fail(reason_of(Error::UnknownAsset));
    const Balance balance = ledger.balance(account, asset);
    return std::vector<u256>{balance.total, balance.held};
}

Words margin_of(Work& work, AbiReader& reader) {
    const AccountId account = number32(reader);
    if (!reader.ok())
        return bad_arguments();
    const Ledger& ledger = work.exchange().ledger();
    if (!ledger.has_account(account))
        return fail(reason_of(Error::UnknownAccount));
    const Margin margin(ledger);
    const Health health = margin.cross(account);
    return std::vector<u256>{signed_word(ledger.account(account).balance), signed_word(health.equity),
                             signed_word(health.initial), signed_word(health.maintenance),
                             signed_word(margin.withdrawable(account))};
}

Words position(Work& work, AbiReader& reader) {
    const AccountId account = number32(reader);
    const MarketId market = number32(reader);
    if (!reader.ok())
        return bad_arguments();
    const Ledger& ledger = work.exchange().ledger();
    if (!ledger.has_account(account))
        return fail(reason_of(Error::UnknownAccount));
    if (market >= ledger.market_count())
        return fail(reason_of(Error::UnknownMarket));
    const Ledger::PositionPtr at = ledger.find_position(account, market);
    const Position found = at ? ledger.position(at) : Position{};
    return std::vector<u256>{
        signed_word(found.size),    signed_word(found.cost),     signed_word(found.margin),   found.leverage,
        found.isolated() ? 1u : 0u, signed_word(found.open_buy), signed_word(found.open_sell)};
}

Words market(Work& work, AbiReader& reader) {
    const MarketId id = number32(reader);
    if (!reader.ok())
        return bad_arguments();
    const Ledger& ledger = work.exchange().ledger();
    if (id >= ledger.market_count())
        return fail(reason_of(Error::UnknownMarket));
    const Market& found = ledger.market(id);
    return std::vector<u256>{found.oracle,
                             found.mark,
                             found.last,
                             found.open_interest,
                             signed_word(found.funding_rate),
                             found.fresh() ? 1u : 0u,
                             found.halted() ? 1u : 0u};
}

Words best(Work& work, AbiReader& reader) {
    const MarketId id = number32(reader);
    if (!reader.ok())
        return bad_arguments();
    const Ledger& ledger = work.exchange().ledger();
    if (id >= ledger.market_count())
        return fail(reason_of(Error::UnknownMarket));
    const Book book = ledger.book(id);
    std::vector<u256> out;
    for (const Side side : {Side::Buy, Side::Sell}) {
        const Level* const level = book.best(side);
        out.emplace_back(level != nullptr ? level->price : 0);
        out.emplace_back(level != nullptr ? level->total : 0);
    }
    return out;
}

Words order(Work& work, AbiReader& reader) {
    const MarketId id = number32(reader);
    const OrderId order_id = reader.number();
    if (!reader.ok())
        return bad_arguments();
    const Ledger& ledger = work.exchange().ledger();
    if (id >= ledger.market_count())
        return fail(reason_of(Error::UnknownMarket));
    const Order* const found = ledger.book(id).find(order_id);
    if (found == nullptr)
        return fail(reason_of(Error::UnknownOrder));
    return std::vector<u256>{found->owner, found->side() == Side::Sell ? 1u : 0u, found->price,
                             found->remaining};
}

Words asset_of(Work& work, AbiReader& reader) {
    const Address token = reader.address();
    if (!reader.ok())
        return bad_arguments();
    const auto asset = work.tokens().find(token);
    if (!asset)
        return fail(asset.error());
    return std::vector<u256>{*asset, work.tokens().token(*asset).wei_per_unit};
}

struct Function {
    std::string_view signature;
    Words (*run)(Work& work, AbiReader& reader);
};
constexpr Function kFunctions[] = {
    {"deposit(uint32,address,uint256)", deposit},
    {"withdraw(uint32,address,uint256)", withdraw},
    {"placeOrder(uint32,uint32,uint32,uint32,uint64,bytes16)", place_order},
    {"amendOrder(uint32,uint32,uint64,uint32,uint64)", amend_order},
    {"cancelOrder(uint32,uint32,uint64)", cancel_order},
    {"cancelAll(uint32)", cancel_all},
    {"execute(bytes)", execute},
    {"accountOf(address,uint32)", account_of},
    {"balanceOf(uint32,uint32)", balance_of},
    {"marginOf(uint32)", margin_of},
    {"position(uint32,uint32)", position},
    {"market(uint32)", market},
    {"best(uint32)", best},
    {"order(uint32,uint64)", order},
    {"assetOf(address)", asset_of},
};

const Function* find_function(std::uint32_t selector) noexcept {
    static const auto kSelectors = [] {
        std::array<std::uint32_t, std::size(kFunctions)> out{};
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = module::selector(kFunctions[i].signature);
        return out;
    }();
    for (std::size_t i = 0; i < kSelectors.size(); ++i)
        if (kSelectors[i] == selector)
            return &kFunctions[i];
    return nullptr;
}

}  // namespace

std::vector<std::string_view> exchange_functions() {
    std::vector<std::string_view> out;
    for (const Function& function : kFunctions)
        out.push_back(function.signature);
    return out;
}

module::CallOutcome run_call(Work& work, BytesView input) {
    AbiReader reader(input);
    const Function* const function = reader.ok() ? find_function(reader.selector()) : nullptr;
    if (function == nullptr)
        return module::refuse("exchange: UnknownFunction: there is no such function");
    const Words given = function->run(work, reader);
    if (!given)
        return module::refuse("exchange: " + given.error());
    work.write_logs();
    Bytes out;
    for (const u256& word : *given)
        module::append_word(out, word);
    return out;
}

}  // namespace meridian::modules::exchange
