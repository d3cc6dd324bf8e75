#include <meridian/modules/exchange/commands.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>

namespace meridian::modules::exchange {
namespace {

using Kind = CommandKind;
// In the order of CommandBody.
constexpr std::array kKinds{Kind::Place,
                            Kind::Amend,
                            Kind::Cancel,
                            Kind::CancelByClientId,
                            Kind::CancelMarket,
                            Kind::CancelAll,
                            Kind::Trigger,
                            Kind::TriggerPair,
                            Kind::OrderWithTrigger,
                            Kind::Twap,
                            Kind::CancelConditional,
                            Kind::ScheduleCancel,
                            Kind::Leverage,
                            Kind::MoveMargin,
                            Kind::AddCollateral,
                            Kind::RemoveCollateral,
                            Kind::ApproveBuilder,
                            Kind::Transfer,
                            Kind::Withdraw,
                            Kind::FundInsurance,
                            Kind::Publish,
                            Kind::AddAsset,
                            Kind::AddMarket,
                            Kind::SetPublishers,
                            Kind::SetBackstop,
                            Kind::Halt,
                            Kind::CollectFees};
static_assert(kKinds.size() == std::variant_size_v<CommandBody>);

constexpr SelfTrade kSelfTrades[] = {SelfTrade::CancelResting, SelfTrade::CancelIncoming,
                                     SelfTrade::CancelBoth, SelfTrade::Decrement, SelfTrade::Allow};

constexpr std::uint64_t kFlagSell = 1;
constexpr std::uint64_t kFlagTimeShift = 1;
constexpr std::uint64_t kFlagMarket = 1u << 3;
constexpr std::uint64_t kFlagReduceOnly = 1u << 4;
constexpr std::uint64_t kFlagAbove = 1u << 5;  // of triggers
constexpr std::uint64_t kFlagSelfTradeShift = 7;

std::uint64_t basic_flags(const PlaceOrder& order) noexcept {
    return (order.side == Side::Sell ? kFlagSell : 0) |
           static_cast<std::uint64_t>(order.time_in_force) << kFlagTimeShift |
           (order.type == OrderType::Market ? kFlagMarket : 0) | (order.reduce_only ? kFlagReduceOnly : 0);
}
void read_basic_flags(std::uint64_t flags, PlaceOrder& order) noexcept {
    order.side = (flags & kFlagSell) != 0 ? Side::Sell : Side::Buy;
    order.time_in_force = static_cast<TimeInForce>(flags >> kFlagTimeShift & 3);
    order.type = (flags & kFlagMarket) != 0 ? OrderType::Market : OrderType::Limit;
    order.reduce_only = (flags & kFlagReduceOnly) != 0;
}
std::uint64_t order_flags(const PlaceOrder& order) noexcept {
    const auto* mode = std::ranges::find(kSelfTrades, order.self_trade);
    return basic_flags(order) | (order.client_id.is_zero() ? 0 : kFlagClientId) |
           (order.builder == kNoAccount ? 0 : kFlagBuilder) |
           static_cast<std::uint64_t>(mode - std::begin(kSelfTrades)) << kFlagSelfTradeShift;
}

// Both have the same functions, so that one description of a command's fields serves to read and to write.
class Reader {
public:
    static constexpr bool kReads = true;
    explicit Reader(BytesView bytes) noexcept : m_bytes(bytes) {}

    // Once it is not ok everything reads as zero.
    bool ok() const noexcept { return !m_error; }
    std::optional<CommandError> error() const noexcept { return m_error; }
    bool more() const noexcept { return ok() && m_at < m_bytes.size(); }
    void fail_with(CommandError error) noexcept {
        if (!m_error)
            m_error = error;
    }

    std::uint64_t varint(std::uint64_t max) noexcept {
        std::uint64_t out = 0;
        for (unsigned shift = 0;; shift += 7) {
            if (!more())
                return truncated();
            const std::uint8_t byte = m_bytes[m_at++];
            if (shift == 63 && byte > 1)
                return refuse(CommandError::OutOfRange);
            out |= std::uint64_t{byte & 0x7fu} << shift;
            if ((byte & 0x80) != 0)
                continue;
            if (byte == 0 && shift != 0)
                return refuse(CommandError::NotCanonical);
            return out <= max ? out : refuse(CommandError::OutOfRange);
        }
    }
    template <class T>
        requires std::is_unsigned_v<T>
    void number(T& value) noexcept {
        value = static_cast<T>(varint(std::numeric_limits<T>::max()));
    }
    void boolean(bool& value) noexcept { value = varint(1) != 0; }
    template <std::size_t N>
    void fixed(FixedBytes<N>& value) noexcept {
        if (!ok() || m_bytes.size() - m_at < N) {
            truncated();
            return;
        }
        value = first_bytes<N>(m_bytes.subspan(m_at));
        m_at += N;
    }

private:
    std::uint64_t refuse(CommandError error) noexcept {
        fail_with(error);
        return 0;
    }
    std::uint64_t truncated() noexcept { return refuse(CommandError::Truncated); }

    BytesView m_bytes;
    std::size_t m_at = 0;
    std::optional<CommandError> m_error;
};

class Writer {
public:
    static constexpr bool kReads = false;
    explicit Writer(Bytes& out) noexcept : m_out(out) {}

    void varint(std::uint64_t value) {
        for (; value >= 0x80; value >>= 7)
            m_out.push_back(static_cast<std::uint8_t>(value | 0x80));
        m_out.push_back(static_cast<std::uint8_t>(value));
    }
    template <class T>
        requires std::is_unsigned_v<T>
    void number(const T& value) {
        varint(value);
    }
    void boolean(bool value) { varint(value ? 1 : 0); }
    template <std::size_t N>
    void fixed(const FixedBytes<N>& value) {
        append(m_out, value);
    }

private:
    Bytes& m_out;
};

// Zigzag: small numbers of either sign are short.
template <class Codec, class T>
void signed_number(Codec& codec, T& value) {
    using Unsigned = std::make_unsigned_t<std::remove_const_t<T>>;
    constexpr unsigned kTop = sizeof(T) * 8 - 1;
    const auto bits = static_cast<Unsigned>(value);
    Unsigned folded = static_cast<Unsigned>(bits << 1) ^ (value < 0 ? ~Unsigned{0} : Unsigned{0});
    codec.number(folded);
    if constexpr (Codec::kReads)
        value = static_cast<std::remove_const_t<T>>((folded >> 1) ^ (Unsigned{0} - (folded & 1)));
    static_assert(kTop == 31 || kTop == 63);
}

template <class Codec, class Order>
void order_rest(Codec& codec, Order& order) {
    std::uint64_t flags = 0;
    if constexpr (Codec::kReads) {
        codec.number(flags);
        if (!read_order_flags(flags, order))
            codec.fail_with(CommandError::OutOfRange);
    } else {
        flags = order_flags(order);
        codec.number(flags);
    }
    codec.number(order.price);
    codec.number(order.size);
    if ((flags & kFlagClientId) != 0)
        codec.fixed(order.client_id);
    if ((flags & kFlagBuilder) != 0) {
        codec.number(order.builder);
        codec.number(order.builder_ppm);
    }
    // What has no meaning has no second form.
    if constexpr (Codec::kReads) {
        if (((flags & kFlagClientId) != 0 && order.client_id.is_zero()) ||
            ((flags & kFlagBuilder) != 0 && order.builder == kNoAccount))
            codec.fail_with(CommandError::NotCanonical);
    }
}

// Without the market.
template <class Codec, class TriggerType>
void trigger_rest(Codec& codec, TriggerType& trigger) {
    if constexpr (Codec::kReads) {
        const std::uint64_t flags = codec.varint(2 * kFlagAbove - 1);
        read_basic_flags(flags, trigger.order);
        trigger.above = (flags & kFlagAbove) != 0;
    } else {
        codec.varint(basic_flags(trigger.order) | (trigger.above ? kFlagAbove : 0));
    }
    codec.number(trigger.at);
    codec.number(trigger.order.price);
    codec.number(trigger.order.size);
}

template <class Codec, class Terms>
void terms_fields(Codec& codec, Terms& terms) {
    bool spot = terms.kind == MarketKind::Spot;
    codec.boolean(spot);
    if constexpr (Codec::kReads)
        terms.kind = spot ? MarketKind::Spot : MarketKind::Perpetual;
    codec.number(terms.base_asset);
    codec.number(terms.quote_asset);
    codec.number(terms.unit);
    codec.number(terms.lot_units);
    codec.number(terms.open_interest_max);
    codec.number(terms.scale_lower);
    codec.number(terms.scale_upper);
    codec.number(terms.impact_value);
    codec.number(terms.partial_value);
    codec.number(terms.rules.tick);
    codec.number(terms.rules.lot);
    codec.number(terms.rules.size_min);
    codec.number(terms.rules.size_max);
    codec.number(terms.rules.price_max);
    codec.number(terms.rules.fills_max);
    codec.number(terms.staleness_ms);
    codec.number(terms.quorum);
    codec.number(terms.fee_tier_count);
    codec.number(terms.margin_tier_count);
    if constexpr (Codec::kReads) {
        if (terms.fee_tier_count > kFeeTiersMax || terms.margin_tier_count > kMarginTiersMax) {
            codec.fail_with(CommandError::OutOfRange);
            return;
        }
    }
    for (std::uint32_t i = 0; i < terms.fee_tier_count; ++i) {
        codec.number(terms.fees[i].volume_min);
        signed_number(codec, terms.fees[i].taker_ppm);
        signed_number(codec, terms.fees[i].maker_ppm);
    }
    for (std::uint32_t i = 0; i < terms.margin_tier_count; ++i) {
        codec.number(terms.margins[i].lower_bound);
        codec.number(terms.margins[i].leverage_max);
    }
}

// A list without its count, to the command's end.
template <class Codec, class List, class Entry>
void list_fields(Codec& codec, List& list, std::size_t min, std::size_t max, Entry entry) {
    if constexpr (Codec::kReads) {
        while (codec.more() && list.size() < max)
            entry(list.emplace_back());
        if (list.size() < min)
            codec.fail_with(CommandError::Truncated);
    } else {
        for (auto& each : list)
            entry(each);
    }
}

// Of kinds that are not about orders, in their order.
template <class Codec, class T>
void other_fields(Codec& codec, T& body) {
    using Body = std::remove_const_t<T>;
    if constexpr (std::is_same_v<Body, SetLeverage>) {
        codec.number(body.market);
        codec.number(body.leverage);
        codec.boolean(body.isolated);
    } else if constexpr (std::is_same_v<Body, MoveMargin>) {
        codec.number(body.market);
        signed_number(codec, body.amount);
    } else if constexpr (std::is_same_v<Body, AddCollateral> || std::is_same_v<Body, RemoveCollateral> ||
                         std::is_same_v<Body, FundInsurance>) {
        codec.number(body.amount);
    } else if constexpr (std::is_same_v<Body, ApproveBuilder>) {
        codec.number(body.builder);
        codec.number(body.rate_ppm_max);
    } else if constexpr (std::is_same_v<Body, TransferTo> || std::is_same_v<Body, CollectFees>) {
        codec.number(body.to);
        codec.number(body.asset);
        codec.number(body.amount);
    } else if constexpr (std::is_same_v<Body, WithdrawAsset>) {
        codec.number(body.asset);
        codec.number(body.amount);
    } else if constexpr (std::is_same_v<Body, PublishPrices>) {
        codec.number(body.time_ms);
        list_fields(codec, body.prices, 1, kMarketsMax, [&](auto& each) {
            codec.number(each.market);
            codec.number(each.price);
        });
    } else if constexpr (std::is_same_v<Body, AddAsset>) {
        codec.fixed(body.token);
        codec.number(body.wei_per_unit);
    } else if constexpr (std::is_same_v<Body, AddMarket>) {
        terms_fields(codec, body.terms);
        codec.fixed(body.guardian);
    } else if constexpr (std::is_same_v<Body, SetPublishers>) {
        list_fields(codec, body.keys, 0, kPublishersMax, [&](auto& key) { codec.fixed(key); });
    } else if constexpr (std::is_same_v<Body, SetBackstop>) {
        codec.number(body.account);
    } else if constexpr (std::is_same_v<Body, SetHalted>) {
        codec.number(body.market);
        codec.boolean(body.halted);
    } else {
        static_assert(std::is_same_v<Body, CancelAll>);
    }
}

// The fields of each kind, in their order.
template <class Codec, class T>
void fields(Codec& codec, T& body) {
    using Body = std::remove_const_t<T>;
    if constexpr (std::is_same_v<Body, PlaceOrder>) {
        codec.number(body.market);
        order_rest(codec, body);
    } else if constexpr (std::is_same_v<Body, AmendOrder>) {
        codec.number(body.market);
        codec.number(body.order);
        codec.number(body.price);
        codec.number(body.size);
    } else if constexpr (std::is_same_v<Body, CancelOrder>) {
        codec.number(body.market);
        codec.number(body.order);
    } else if constexpr (std::is_same_v<Body, CancelClientId>) {
        codec.fixed(body.client_id);
    } else if constexpr (std::is_same_v<Body, CancelMarket>) {
        codec.number(body.market);
    } else if constexpr (std::is_same_v<Body, PlaceTrigger>) {
        codec.number(body.order.market);
        trigger_rest(codec, body);
    } else if constexpr (std::is_same_v<Body, TriggerPair>) {
        codec.number(body.first.order.market);
        if constexpr (Codec::kReads)
            body.second.order.market = body.first.order.market;
        trigger_rest(codec, body.first);
        trigger_rest(codec, body.second);
    } else if constexpr (std::is_same_v<Body, OrderWithTrigger>) {
        codec.number(body.order.market);
        if constexpr (Codec::kReads)
            body.trigger.order.market = body.order.market;
        order_rest(codec, body.order);
        trigger_rest(codec, body.trigger);
    } else if constexpr (std::is_same_v<Body, PlaceTwap>) {
        codec.number(body.market);
        if constexpr (Codec::kReads) {
            const std::uint64_t flags = codec.varint(3);
            body.side = (flags & 1) != 0 ? Side::Sell : Side::Buy;
            body.reduce_only = (flags & 2) != 0;
        } else {
            codec.varint((body.side == Side::Sell ? 1 : 0) | (body.reduce_only ? 2 : 0));
        }
        codec.number(body.size);
        codec.number(body.duration_ms);
    } else if constexpr (std::is_same_v<Body, CancelConditional>) {
        codec.number(body.id);
    } else if constexpr (std::is_same_v<Body, ScheduleCancel>) {
        codec.number(body.time_ms);
    } else {
        other_fields(codec, body);
    }
}

template <std::size_t... I>
CommandBody body_of(std::size_t index, std::index_sequence<I...>) {
    CommandBody out;
    static_cast<void>(((index == I && (out.emplace<I>(), true)) || ...));
    return out;
}

}  // namespace

std::string_view name(CommandError error) noexcept {
    constexpr std::string_view kNames[] = {"UnknownKind", "Truncated", "TrailingBytes", "NotCanonical",
                                           "OutOfRange"};
    return kNames[static_cast<std::size_t>(error)];
}

std::string_view describe(CommandError error) noexcept {
    constexpr std::string_view kTexts[] = {
        "there is no command of this kind", "the command ends before its last field",
        "there are bytes behind the command's last field",
        "a number or a field that is not there is not written in its one form",
        "a number is too large for its field, or has unknown flags"};
    return kTexts[static_cast<std::size_t>(error)];
}

bool read_order_flags(std::uint64_t flags, PlaceOrder& order) noexcept {
    const std::uint64_t mode = flags >> kFlagSelfTradeShift;
    if (mode >= std::size(kSelfTrades))
        return false;
    read_basic_flags(flags, order);
    order.self_trade = kSelfTrades[mode];
    return true;
}

Result<Command, CommandError> decode_command(BytesView bytes) {
    if (bytes.empty())
        return fail(CommandError::UnknownKind);
    const auto kind = static_cast<CommandKind>(bytes[0] & ~kSubAccountBit);
    const auto found = std::ranges::find(kKinds, kind);
    if (found == kKinds.end())
        return fail(CommandError::UnknownKind);
    Reader reader(bytes.subspan(1));
    Command out;
    if ((bytes[0] & kSubAccountBit) != 0) {
        reader.number(out.sub);
        if (out.sub == 0)
            reader.fail_with(CommandError::NotCanonical);
    }
    out.body =
        body_of(static_cast<std::size_t>(found - kKinds.begin()), std::make_index_sequence<kKinds.size()>());
    std::visit([&](auto& body) { fields(reader, body); }, out.body);
    if (reader.more())
        reader.fail_with(CommandError::TrailingBytes);
    if (const auto error = reader.error())
        return fail(*error);
    return out;
}

Bytes encode_command(const Command& command) {
    const auto kind = static_cast<std::uint8_t>(kKinds[command.body.index()]);
    Bytes out{static_cast<std::uint8_t>(command.sub != 0 ? kind | kSubAccountBit : kind)};
    Writer writer(out);
    if (command.sub != 0)
        writer.number(command.sub);
    std::visit([&](const auto& body) { fields(writer, body); }, command.body);
    return out;
}

CommandGroup group_of(BytesView command) noexcept {
    if (command.empty())
        return CommandGroup::Operator;
    switch (static_cast<CommandKind>(command[0] & ~kSubAccountBit)) {
        case Kind::Place:
        case Kind::Amend:
        case Kind::Trigger:
        case Kind::TriggerPair:
        case Kind::OrderWithTrigger:
        case Kind::Twap:
            return CommandGroup::Trade;
        case Kind::Cancel:
        case Kind::CancelByClientId:
        case Kind::CancelMarket:
        case Kind::CancelAll:
        case Kind::CancelConditional:
        case Kind::ScheduleCancel:
            return CommandGroup::Cancel;
        case Kind::Leverage:
        case Kind::MoveMargin:
        case Kind::AddCollateral:
        case Kind::RemoveCollateral:
            return CommandGroup::Margin;
        case Kind::Transfer:
        case Kind::FundInsurance:
            return CommandGroup::Transfer;
        case Kind::Withdraw:
            return CommandGroup::Withdraw;
        case Kind::ApproveBuilder:
            return CommandGroup::Approve;
        case Kind::Publish:
            return CommandGroup::Oracle;
        default:
            return CommandGroup::Operator;
    }
}

}  // namespace meridian::modules::exchange
