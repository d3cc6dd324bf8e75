#include <meridian/load/receipt_json.hpp>

#include <meridian/base/hex.hpp>

namespace meridian::load {
namespace {

namespace json = boost::json;

std::optional<u256> quantity(const json::object& object, std::string_view name) {
    const json::value* value = object.if_contains(name);
    if (value == nullptr || !value->is_string())
        return std::nullopt;
    const auto number = parse_u256(std::string_view(value->get_string()));
    return number ? std::optional(*number) : std::nullopt;
}

}  // namespace

std::optional<Inclusion> read_inclusion(const json::object& receipt) {
    const auto status = quantity(receipt, "status");
    const auto gas = quantity(receipt, "gasUsed");
    if (!status || !gas)
        return std::nullopt;
    return Inclusion{.succeeded = *status == u256{1},
                     .gas_used = static_cast<std::uint64_t>(*gas),
                     .gas_price = quantity(receipt, "effectiveGasPrice").value_or(u256{})};
}

std::optional<Hash> read_transaction_hash(const json::object& receipt) {
    const json::value* value = receipt.if_contains("transactionHash");
    if (value == nullptr || !value->is_string())
        return std::nullopt;
    const auto hash = fixed_from_hex<32>(std::string_view(value->get_string()));
    return hash ? std::optional(*hash) : std::nullopt;
}

}  // namespace meridian::load
