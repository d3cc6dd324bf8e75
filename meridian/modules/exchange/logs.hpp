// What the exchange tells, as logs of the module's account. docs/exchange.md has the layouts.
//
// Packed into words, as a batch tells thousands of things: `what` has kind 1, reason 1, flags 1 (bit 0 sells,
// bit 1 taker), asset 1, market 4, other account 4, price 4, id 8, lots 8 bytes; `amounts` two numbers of 16.
// All are big-endian, signed ones in two's complement.
#pragma once

#include <meridian/module/module.hpp>
#include <meridian/modules/exchange/events.hpp>

#include <vector>

namespace meridian::modules::exchange {

// Keeps what was told, without what was undone, until it is written.
class LogSink final : public ExchangeEvents {
public:
    void on_step_begin() noexcept override { m_marks.push_back(m_entries.size()); }
    void on_step_end(bool kept) noexcept override;
    void on_order(MarketId market, const Event& event) noexcept override;
    void on_report(const Report& report) noexcept override;

    void write(module::Context& context) const;

private:
    enum class Topic : std::uint8_t { OrderChanged, Traded, Reported };
    struct Entry {
        Topic topic;
        AccountId account;
        FixedBytes<32> what;
        FixedBytes<32> amounts;
    };
    std::vector<Entry> m_entries;
    std::vector<std::size_t> m_marks;
};

// For blocks, whose ends have no receipt.
class NoLogs final : public ExchangeEvents {
public:
    void on_order(MarketId, const Event&) noexcept override {}
    void on_report(const Report&) noexcept override {}
};

// Amounts are in wei of the token.
void log_deposit(module::Context& context, const Address& owner, std::uint32_t sub, const Address& token,
                 AccountId account, const u256& wei);
void log_withdrawal(module::Context& context, const Address& owner, std::uint32_t sub, const Address& token,
                    AccountId account, const u256& wei);

}  // namespace meridian::modules::exchange
