// The exchange as a module of a chain: its commands as transactions of type 0x4D (commands.hpp), its calls as
// contracts see them (contracts/interfaces/IExchange.sol), its blocks. docs/exchange.md is the reference.
//
// A command is in the name of the account that the transaction names, for its sub-account that the command
// names; the operator, guardians and publishers are such accounts.
#pragma once

#include <meridian/module/module.hpp>

namespace meridian::modules::exchange {

// A block's end begins nothing new once so many lines have changed; what is due then is due in the next
// block. Each thing that it begins is undone alone if the arena's bound on lines is reached in it.
inline constexpr std::uint32_t kBlockLinesStop = 1u << 16;

class ExchangeModule final : public module::Module {
public:
    static constexpr std::uint32_t kId = 2;
    static constexpr std::uint32_t kPageLimit = 1u << 19;  // 2 GiB

    // With fewer pages for tests.
    explicit ExchangeModule(std::uint32_t page_limit = kPageLimit) noexcept : m_page_limit(page_limit) {}

    std::string_view name() const noexcept override { return "exchange"; }
    std::uint32_t id() const noexcept override { return kId; }
    std::uint32_t page_limit() const noexcept override { return m_page_limit; }
    // Commands cost nobody ether, and lines are the module's own memory: prices are those of the work.
    module::GasSchedule gas() const noexcept override {
        return {.call = 500, .line = 40, .byte = 3, .log = 100, .log_topic = 50, .log_byte = 1};
    }
    // 1,024 orders that rest, or as many cancellations, fit (exchange_module_test.cpp).
    std::uint64_t transaction_gas_max() const noexcept override { return 8'000'000; }
    std::span<const module::Parameter> parameters() const noexcept override;

    Result<void, std::string> genesis(module::Arena& arena,
                                      const module::ParameterValues& values) const override;
    module::CallOutcome call(module::Context& context, BytesView input) const override;
    module::CallOutcome command(module::Context& context, BytesView command) const override;
    std::uint32_t command_kind(BytesView command) const noexcept override;

    void begin_block(module::Context& context) const override;
    void end_block(module::Context& context) const override;
    std::uint32_t hook_lines_max() const noexcept override { return module::kUndoLinesMax; }
    std::string check_invariants(const module::Arena& arena) const override;

private:
    std::uint32_t m_page_limit;
};

// The functions that contracts can call, as "deposit(uint32,address,uint256)".
std::vector<std::string_view> exchange_functions();

}  // namespace meridian::modules::exchange
