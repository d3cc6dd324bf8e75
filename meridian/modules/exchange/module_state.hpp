// What lies in the module's arena besides the engine's state: which token each asset is.
#pragma once

#include <meridian/modules/exchange/state.hpp>

namespace meridian::modules::exchange {

// By the asset's number.
struct Token {
    Address address;
    std::uint32_t reserved;
    std::uint64_t wei_per_unit;  // of the token's smallest unit in one of the exchange's
};
static_assert(module::Storable<Token> && sizeof(Token) == 32);

struct ModuleRoot {
    ExchangeState exchange;
    module::VectorState tokens;
    std::uint32_t reserved[32 - sizeof(module::VectorState) / 4];
};
static_assert(module::Storable<ModuleRoot> && sizeof(ModuleRoot) <= module::kPageSize);

}  // namespace meridian::modules::exchange
