#include <meridian/modules/exchange/tokens.hpp>

#include <meridian/modules/exchange/exchange_module.hpp>

namespace meridian::modules::exchange {
namespace {

Bytes call_data(std::string_view signature, std::initializer_list<u256> arguments) {
    const std::uint32_t selector = module::selector(signature);
    Bytes out;
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(selector >> shift));
    for (const u256& argument : arguments)
        module::append_word(out, argument);
    return out;
}

u256 word_of(const Address& address) noexcept {
    return from_hash(module::topic(address));
}

// A token says true, or nothing.
bool agrees(const Bytes& output) noexcept {
    return output.empty() || (output.size() >= 32 && load_be32(output.data()) == u256{1});
}

std::unexpected<std::string> token_failed(std::string_view what) {
    return fail("TokenFailed: " + std::string(what));
}

}  // namespace

Address exchange_address() noexcept {
    return module::module_address(ExchangeModule::kId);
}

Result<std::uint64_t, std::string> Tokens::to_units(AssetId asset, const u256& wei) const {
    const u256 unit{token(asset).wei_per_unit};
    const u256 units = wei / unit;
    if (units * unit != wei)
        return fail("Remainder: the amount is no multiple of " + to_decimal(unit) +
                    ", which is the smallest that is kept account of");
    if (units >= u256{kSupplyMax})
        return fail(std::string("SupplyBounds: more of an asset than can be kept account of"));
    return static_cast<std::uint64_t>(units);
}

Result<AssetId, std::string> Tokens::find(const Address& address) const {
    const std::uint32_t count = size();
    for (AssetId asset = 0; asset < count; ++asset)
        if (token(asset).address == address)
            return asset;
    return fail(std::string("UnknownToken: no asset of the exchange is this token"));
}

Result<void, std::string> Tokens::add(const Address& address, std::uint64_t wei_per_unit) {
    if (wei_per_unit == 0)
        return fail(std::string("BadToken: a unit is at least one wei of the token"));
    if (find(address))
        return fail(std::string("TokenUsed: another asset is this token"));
    if (const auto answers = balance(address); !answers)
        return fail(answers.error());
    if (!table().push_back({address, 0, wei_per_unit}))
        return fail(std::string("ArenaFailed: the module's memory is full or damaged"));
    return {};
}

Result<u256, std::string> Tokens::balance(const Address& token) const {
    const auto answer = m_context.call_contract(
        token, call_data("balanceOf(address)", {word_of(exchange_address())}), kTokenGasMax);
    if (!answer || answer->size() < 32)
        return token_failed("it does not say what the exchange has");
    return load_be32(answer->data());
}

Result<void, std::string> Tokens::pull(AssetId asset, const Address& from, std::uint64_t units) {
    const Address address = token(asset).address;
    const u256 wei = to_wei(asset, units);
    const auto before = balance(address);
    if (!before)
        return fail(before.error());
    const auto moved = m_context.call_contract(
        address,
        call_data("transferFrom(address,address,uint256)", {word_of(from), word_of(exchange_address()), wei}),
        kTokenGasMax);
    if (!moved || !agrees(*moved))
        return token_failed("it does not transfer the amount; the exchange needs an allowance for it");
    const auto after = balance(address);
    if (!after)
        return fail(after.error());
    if (*after < *before || *after - *before != wei)
        return token_failed("another amount came than was asked for");
    return {};
}

Result<void, std::string> Tokens::push(AssetId asset, const Address& to, std::uint64_t units) {
    const auto moved = m_context.call_contract(
        token(asset).address, call_data("transfer(address,uint256)", {word_of(to), to_wei(asset, units)}),
        kTokenGasMax);
    if (!moved || !agrees(*moved))
        return token_failed("it does not transfer the amount");
    return {};
}

}  // namespace meridian::modules::exchange
