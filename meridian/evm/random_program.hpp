// For tests and fuzzing: programs that do something, made of random bytes.
#pragma once

#include <meridian/evm/evm_fixture.hpp>

#include <cstdint>

namespace meridian::evm::testing {

// Deterministic numbers (splitmix64).
class Numbers {
public:
    explicit Numbers(std::uint64_t seed) : m_state(seed) {}
    std::uint64_t next() {
        std::uint64_t z = m_state += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    std::uint64_t below(std::uint64_t bound) { return next() % bound; }

private:
    std::uint64_t m_state;
};

inline u256 random_word(Numbers& numbers) {
    switch (numbers.below(8)) {
        case 0:
            return u256{numbers.next(), numbers.next(), numbers.next(), numbers.next()};
        case 1:
            return u256{1} << numbers.below(256);
        case 2:
            return -u256{numbers.below(300)};
        case 3:
            return from_address(numbers.below(2) != 0 ? kContract : kOther);
        case 4:
            return numbers.below(12);  // precompiles among them
        default:
            return numbers.below(260);
    }
}

inline std::uint8_t defined_opcode(Numbers& numbers, std::uint8_t first, std::uint8_t last) {
    for (;;) {
        const auto op = static_cast<std::uint8_t>(first + numbers.below(last - first + 1u));
        if (costs(Revision::Osaka)[op] != kUndefinedCost)
            return op;
    }
}

// Instructions by weight: mostly computation and stack, some of everything, forward and backward jumps.
inline Program random_program(std::uint64_t seed) {
    Numbers numbers(seed);
    Program out;
    const std::uint64_t length = 5 + numbers.below(120);
    // Something to work on.
    for (std::uint64_t i = numbers.below(20); i > 0; --i)
        out.push(random_word(numbers));
    for (std::uint64_t i = 0; i < length; ++i) {
        const std::uint64_t kind = numbers.below(100);
        if (kind < 34) {
            out.push(random_word(numbers));
        } else if (kind < 46) {
            out.dup(static_cast<int>(1 + numbers.below(numbers.below(4) == 0 ? 16 : 4)));
        } else if (kind < 58) {
            out.swap(static_cast<int>(1 + numbers.below(numbers.below(4) == 0 ? 16 : 4)));
        } else if (kind < 80) {
            out.byte(defined_opcode(numbers, 0x01, 0x1f));
        } else if (kind < 84) {
            out.add(Op::Jumpdest);
        } else if (kind < 88) {
            out.push(numbers.below(3 * length)).add(numbers.below(4) == 0 ? Op::Jump : Op::Jumpi);
        } else if (kind < 90) {
            out.add(Op::Pop);
        } else if (kind < 97) {
            out.byte(defined_opcode(numbers, 0x20, 0x5f));
        } else {
            out.byte(numbers.below(8) == 0 ? static_cast<std::uint8_t>(numbers.next())
                                           : defined_opcode(numbers, 0xa0, 0xff));
        }
    }
    return out;
}

struct Never final : Interrupt {
    bool requested() const noexcept override { return false; }
};
inline const Never kNever;

// What a run left behind, comparable.
struct Observation {
    bool halted = false;
    Status status = Status::Success;
    std::int64_t gas_left = 0;
    Bytes output;
    std::int64_t refund = 0;
    std::vector<state::Log> logs;
    Hash root;

    friend bool operator==(const Observation&, const Observation&) = default;
};

struct SilentTracer final : Tracer {
    void on_enter(const Message&, BytesView) override {}
    void on_exit(const Message&, const CallResult&) override {}
    void on_step(const Step& step) override { failed = step.status; }
    void on_selfdestruct(const Address&, const Address&, const u256&) override {}
    void on_log(const state::Log&) override {}
    Status failed = Status::Success;
};

// Runs the two programs calling each other, in the mode for tracers or the usual one.
inline Observation observe(World& world, std::int64_t gas, bool stepped) {
    SilentTracer tracer;
    Message message = world.message(gas);
    const std::uint8_t input[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    message.input = input;
    CallResult result = world.run(message, stepped ? &tracer : nullptr);
    Observation out;
    out.halted = result.status != Status::Success && result.status != Status::Revert;
    // Which of several faults of a block comes first may differ, since it is all the same to consensus.
    out.status = out.halted ? Status::OutOfGas : result.status;
    out.gas_left = result.gas_left;
    out.output = std::move(result.output);
    // A failed outermost frame was undone by the EVM itself.
    out.refund = world.state->refund();
    out.logs = world.state->logs();
    world.state->finish_transaction({.delete_touched_empty = world.revision >= Revision::SpuriousDragon});
    state::MemoryState after = world.parent;
    after.apply(world.state->changes());
    out.root = after.root();
    return out;
}

}  // namespace meridian::evm::testing
