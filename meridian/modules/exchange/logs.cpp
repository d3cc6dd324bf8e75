#include <meridian/modules/exchange/logs.hpp>

namespace meridian::modules::exchange {
namespace {

template <class T>
void store_be(std::uint8_t* out, T value) noexcept {
    for (std::size_t i = sizeof(T); i-- > 0; value = static_cast<T>(value >> 7 >> 1))
        out[i] = static_cast<std::uint8_t>(value);
}

constexpr std::uint8_t kSells = 1;
constexpr std::uint8_t kTaker = 2;

struct What {
    std::uint8_t kind;
    std::uint8_t reason;
    std::uint8_t flags;
    AssetId asset;
    MarketId market;
    AccountId other;
    Price price;
    std::uint64_t id;
    std::uint64_t lots;
};
FixedBytes<32> pack(const What& what) noexcept {
    FixedBytes<32> out{};
    out[0] = what.kind;
    out[1] = what.reason;
    out[2] = what.flags;
    static_assert(kAssetsMax <= 256);
    out[3] = static_cast<std::uint8_t>(what.asset);
    store_be(&out[4], what.market);
    store_be(&out[8], what.other);
    store_be(&out[12], what.price);
    store_be(&out[16], what.id);
    store_be(&out[24], what.lots);
    return out;
}

void log_transfer(module::Context& context, const Hash& event, const Address& owner, std::uint32_t sub,
                  const Address& token, AccountId account, const u256& wei) {
    Bytes data = module::abi_word(sub);
    module::append_word(data, account);
    module::append_word(data, wei);
    context.emit({event, module::topic(owner), module::topic(token)}, std::move(data));
}

}  // namespace

void LogSink::on_step_end(bool kept) noexcept {
    if (!kept)
        m_entries.resize(m_marks.back());
    m_marks.pop_back();
}

// Fills are told by both sides' trades.
void LogSink::on_order(MarketId market, const Event& event) noexcept {
    if (event.kind == EventKind::Filled || event.kind == EventKind::Rejected)
        return;
    m_entries.push_back({Topic::OrderChanged,
                         event.owner,
                         pack({.kind = static_cast<std::uint8_t>(event.kind),
                               .reason = static_cast<std::uint8_t>(event.reason),
                               .flags = event.side == Side::Sell ? kSells : std::uint8_t{0},
                               .asset = 0,
                               .market = market,
                               .other = 0,
                               .price = event.price,
                               .id = event.id,
                               .lots = event.size}),
                         {}});
}

// Deposits and withdrawals have logs of their own, in wei.
void LogSink::on_report(const Report& report) noexcept {
    if (report.kind == ReportKind::Deposit || report.kind == ReportKind::Withdrawal)
        return;
    FixedBytes<32> amounts{};
    store_be(&amounts[0], report.amount);
    store_be(&amounts[16], report.realised);
    m_entries.push_back({report.kind == ReportKind::Trade ? Topic::Traded : Topic::Reported, report.account,
                         pack({.kind = static_cast<std::uint8_t>(report.kind),
                               .reason = static_cast<std::uint8_t>(report.error),
                               .flags = static_cast<std::uint8_t>((report.lots < 0 ? kSells : 0) |
                                                                  (report.is_taker ? kTaker : 0)),
                               .asset = report.asset,
                               .market = report.market,
                               .other = report.other,
                               .price = report.price,
                               .id = report.id,
                               .lots = static_cast<std::uint64_t>(report.lots)}),
                         amounts});
}

void LogSink::write(module::Context& context) const {
    static const Hash kTopics[] = {module::event_topic("OrderChanged(uint32,bytes32)"),
                                   module::event_topic("Traded(uint32,bytes32,bytes32)"),
                                   module::event_topic("Reported(uint32,bytes32,bytes32)")};
    for (const Entry& entry : m_entries) {
        Bytes data = to_bytes(entry.what);
        if (entry.topic != Topic::OrderChanged)
            append(data, entry.amounts);
        context.emit({kTopics[static_cast<std::size_t>(entry.topic)], to_hash(u256{entry.account})},
                     std::move(data));
    }
}

void log_deposit(module::Context& context, const Address& owner, std::uint32_t sub, const Address& token,
                 AccountId account, const u256& wei) {
    static const Hash kTopic = module::event_topic("Deposited(address,address,uint32,uint32,uint256)");
    log_transfer(context, kTopic, owner, sub, token, account, wei);
}

void log_withdrawal(module::Context& context, const Address& owner, std::uint32_t sub, const Address& token,
                    AccountId account, const u256& wei) {
    static const Hash kTopic = module::event_topic("Withdrawn(address,address,uint32,uint32,uint256)");
    log_transfer(context, kTopic, owner, sub, token, account, wei);
}

}  // namespace meridian::modules::exchange
