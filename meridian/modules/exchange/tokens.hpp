// The tokens behind the exchange's assets, and how they come and go. The exchange counts in units of so many
// wei, as the operator has said, so that amounts fit 62 bits whatever decimals a token has.
//
// A token may return a boolean or nothing. It has to bring exactly what was asked for: one that keeps a fee
// on transfers is refused. While a token is called the exchange takes no calls.
#pragma once

#include <meridian/module/module.hpp>
#include <meridian/modules/exchange/module_state.hpp>

#include <string>

namespace meridian::modules::exchange {

// Gas that one call to a token may use.
inline constexpr std::uint64_t kTokenGasMax = 500'000;

// Errors are NAME: sentence.
class Tokens {
public:
    Tokens(module::Context& context, module::Place<module::VectorState> state) noexcept
        : m_context(context), m_state(state) {}

    std::uint32_t size() const noexcept { return table().size(); }
    // Precondition for these: asset < size().
    const Token& token(AssetId asset) const noexcept { return table().at(asset); }
    u256 to_wei(AssetId asset, std::uint64_t units) const noexcept {
        return u256{units} * u256{token(asset).wei_per_unit};
    }
    // Errors: Remainder (no whole number of units), SupplyBounds.
    Result<std::uint64_t, std::string> to_units(AssetId asset, const u256& wei) const;

    // Error: UnknownToken. Work: as many as there are, kAssetsMax at most.
    Result<AssetId, std::string> find(const Address& address) const;
    // For the next asset. Errors: BadToken, TokenUsed, ArenaFailed.
    Result<void, std::string> add(const Address& address, std::uint64_t wei_per_unit);

    // From an account that has allowed it; to an account. Errors: TokenFailed.
    Result<void, std::string> pull(AssetId asset, const Address& from, std::uint64_t units);
    Result<void, std::string> push(AssetId asset, const Address& to, std::uint64_t units);

private:
    module::Vector<Token> table() const noexcept { return {m_context.arena(), m_state}; }
    Result<u256, std::string> balance(const Address& token) const;

    module::Context& m_context;
    module::Place<module::VectorState> m_state;
};

// What the module's account is.
Address exchange_address() noexcept;

}  // namespace meridian::modules::exchange
