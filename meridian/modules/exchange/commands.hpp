// The exchange's commands as bytes: what its transactions and contracts bring. docs/exchange.md has the
// table.
//
// A command is a byte for its kind, with kSubAccountBit set and a varint behind it for a sub-account other
// than 0, then its fields one after the other. Numbers are varints (LEB128: seven bits a byte, the lowest
// first), client ids 16 bytes, addresses 20. There is one encoding of each command: whatever else could be
// read as one is refused, so encode(decode(x)) is x.
#pragma once

#include <meridian/modules/exchange/exchange.hpp>

namespace meridian::modules::exchange {

enum class CommandKind : std::uint8_t {
    Place = 0x01,
    Amend = 0x02,
    Cancel = 0x03,
    CancelByClientId = 0x04,
    CancelMarket = 0x05,
    CancelAll = 0x06,
    Trigger = 0x07,
    TriggerPair = 0x08,
    OrderWithTrigger = 0x09,
    Twap = 0x0a,
    CancelConditional = 0x0b,
    ScheduleCancel = 0x0c,
    Leverage = 0x10,
    MoveMargin = 0x11,
    AddCollateral = 0x12,
    RemoveCollateral = 0x13,
    ApproveBuilder = 0x14,
    Transfer = 0x15,
    Withdraw = 0x16,
    FundInsurance = 0x17,
    Publish = 0x20,
    AddAsset = 0x30,
    AddMarket = 0x31,
    SetPublishers = 0x32,
    SetBackstop = 0x33,
    Halt = 0x34,
    CollectFees = 0x35,
};
inline constexpr std::uint8_t kSubAccountBit = 0x80;

// Groups of kinds: the bits of a session key's scope.
enum class CommandGroup : std::uint8_t {
    Trade,
    Cancel,
    Margin,
    Transfer,
    Withdraw,
    Approve,
    Oracle,
    Operator,
};

// The engine's structs serve where it has them; accounts in them are not encoded: they are the caller's.
struct CancelMarket {
    MarketId market = 0;
};
struct CancelAll {};
struct TriggerPair {
    PlaceTrigger first;
    PlaceTrigger second;  // of the same market
};
struct OrderWithTrigger {
    PlaceOrder order;
    PlaceTrigger trigger;  // of the same market
};
struct CancelConditional {
    std::uint64_t id = 0;
};
struct ScheduleCancel {
    std::uint64_t time_ms = 0;  // 0: not any more
};
struct SetLeverage {
    MarketId market = 0;
    std::uint32_t leverage = 0;
    bool isolated = false;
};
struct MoveMargin {
    MarketId market = 0;
    std::int64_t amount = 0;
};
struct AddCollateral {
    std::uint64_t amount = 0;
};
struct RemoveCollateral {
    std::uint64_t amount = 0;
};
struct ApproveBuilder {
    AccountId builder = kNoAccount;
    std::uint32_t rate_ppm_max = 0;
};
struct TransferTo {
    AccountId to = kNoAccount;
    AssetId asset = 0;
    std::uint64_t amount = 0;
};
struct WithdrawAsset {
    AssetId asset = 0;
    std::uint64_t amount = 0;
};
struct FundInsurance {
    std::uint64_t amount = 0;
};
struct MarketPrice {
    MarketId market = 0;
    Price price = 0;
};
struct PublishPrices {
    std::uint64_t time_ms = 0;
    std::vector<MarketPrice> prices;  // 1 to kMarketsMax
};
struct AddAsset {
    Address token;
    std::uint64_t wei_per_unit = 0;
};
struct AddMarket {
    MarketTerms terms{};
    Address guardian;
};
struct SetPublishers {
    std::vector<Address> keys;  // at most kPublishersMax
};
struct SetBackstop {
    AccountId account = kNoAccount;
};
struct SetHalted {
    MarketId market = 0;
    bool halted = false;
};
struct CollectFees {
    AccountId to = kNoAccount;
    AssetId asset = 0;
    std::uint64_t amount = 0;
};

// In the order of kKinds in commands.cpp.
using CommandBody = std::variant<PlaceOrder, AmendOrder, CancelOrder, CancelClientId, CancelMarket, CancelAll,
                                 PlaceTrigger, TriggerPair, OrderWithTrigger, PlaceTwap, CancelConditional,
                                 ScheduleCancel, SetLeverage, MoveMargin, AddCollateral, RemoveCollateral,
                                 ApproveBuilder, TransferTo, WithdrawAsset, FundInsurance, PublishPrices,
                                 AddAsset, AddMarket, SetPublishers, SetBackstop, SetHalted, CollectFees>;
struct Command {
    std::uint32_t sub = 0;
    CommandBody body;
};

enum class [[nodiscard]] CommandError : std::uint8_t {
    UnknownKind,    // or no bytes at all
    Truncated,      // it ends within a field, or lacks a list's only entry
    TrailingBytes,  // there are more than its fields take
    NotCanonical,   // a number with zeros at its end, or sub-account 0 written down
    OutOfRange,     // a number that its field cannot hold
};
std::string_view name(CommandError error) noexcept;
// A sentence without its full stop.
std::string_view describe(CommandError error) noexcept;

Result<Command, CommandError> decode_command(BytesView bytes);
// Precondition: numbers are in range, as those of decode_command are.
Bytes encode_command(const Command& command);

// What an unknown kind belongs to is Operator.
CommandGroup group_of(BytesView command) noexcept;

// Of an order in place's and the ABI's form: bit 0 sells, bits 1 and 2 are the TimeInForce, 3 a market order,
// 4 reduce-only, 5 a client id follows, 6 a builder follows, 7 to 9 the SelfTrade: 0 cancels the resting
// order, 1 the incoming one, 2 both, 3 decrements, 4 allows. Only these are read here. False: unknown bits.
bool read_order_flags(std::uint64_t flags, PlaceOrder& order) noexcept;
inline constexpr std::uint64_t kFlagClientId = 1u << 5;
inline constexpr std::uint64_t kFlagBuilder = 1u << 6;

}  // namespace meridian::modules::exchange
