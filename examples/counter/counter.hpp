// A counter with a log of who changed it: the smallest module that uses everything. docs/vertical.md builds
// it step by step.
//
// Calls, as contracts see it (examples/counter/ICounter.sol):
//   add(uint256)                 adds, up to the limit; gives the new value; emits
//   Added(address,uint256,uint256) value() count()              what it stands at, and how often it was
//   changed entry(uint256)               (account, amount, time) of one change
// Commands of its own transactions: a byte 01 and an amount of 8 bytes adds; 02 does nothing.
#pragma once

#include <meridian/module/module.hpp>

namespace meridian::examples {

class Counter final : public module::Module {
public:
    static constexpr std::uint32_t kId = 1;
    static constexpr std::uint8_t kAdd = 1;
    static constexpr std::uint8_t kNothing = 2;

    std::string_view name() const noexcept override { return "counter"; }
    std::uint32_t id() const noexcept override { return kId; }
    std::uint32_t page_limit() const noexcept override { return 16'384; }
    std::span<const module::Parameter> parameters() const noexcept override;

    Result<void, std::string> genesis(module::Arena& arena,
                                      const module::ParameterValues& values) const override;
    module::CallOutcome call(module::Context& context, BytesView input) const override;
    module::CallOutcome command(module::Context& context, BytesView command) const override;
    std::uint32_t command_kind(BytesView command) const noexcept override { return command[0]; }
    // Counts the blocks in which something was added.
    void end_block(module::Context& context) const override;
    std::string check_invariants(const module::Arena& arena) const override;
};

}  // namespace meridian::examples
