// What a native vertical is to a chain: a module. docs/modules.md and docs/vertical.md say how to write one.
//
// A Module object has no state of its own: it may be shared by threads, and all that it knows of a chain
// lies in the arena that it is given. Nothing here throws; what cannot be done is a value, and what was
// written until then is undone by whoever called.
#pragma once

#include <meridian/evm/context.hpp>
#include <meridian/evm/tracer.hpp>
#include <meridian/module/abi.hpp>
#include <meridian/module/arena.hpp>
#include <meridian/state/state.hpp>

#include <map>
#include <string>

namespace meridian::module {

// What a chain's file may say of a module: whole numbers, of which an address is one.
struct Parameter {
    std::string_view name;
    std::string_view description;  // one sentence
    u256 value;                    // if the file says nothing
    u256 min;
    u256 max = u256::max();
};
using ParameterValues = std::map<std::string, u256, std::less<>>;

// What calls cost beside the EVM's schedule, which stays as it is: the price of CALL, of its memory and of
// the account's access is charged as for any contract.
struct GasSchedule {
    std::uint64_t call = 500;  // each call, and each command of a transaction
    std::uint64_t line = 200;  // each line of 64 bytes that it is the first to change
    std::uint64_t byte = 3;    // of input
    std::uint64_t log = 375;   // as LOG0 to LOG4
    std::uint64_t log_topic = 375;
    std::uint64_t log_byte = 8;
};

// Ends a call, with revert data as Solidity's contracts give it.
struct Refused {
    Bytes data;
};
using CallOutcome = Result<Bytes, Refused>;
inline std::unexpected<Refused> refuse(std::string_view reason) {
    return std::unexpected(Refused{revert_reason(reason)});
}

// Who calls, and when.
struct Caller {
    Address sender;  // of a call the caller, of a command the account in whose name it is
    Address origin;  // who signed the transaction
    u256 value;      // wei that came with the call, and is the module's account's already
    bool is_static = false;
};

class Context;

// The host's way out of a module, into contracts.
class Outward {
public:
    virtual ~Outward() = default;
    virtual CallOutcome call(Context& context, const Address& to, BytesView input, const u256& value,
                             std::uint64_t gas_max) = 0;
};

// What a call, a command or a hook works with.
class Context {
public:
    // Without `outward` no contract can be called.
    Context(Arena& arena, const evm::BlockContext& block, const Caller& caller, std::uint64_t gas,
            const GasSchedule& schedule, Outward* outward = nullptr)
        : m_arena(arena),
          m_block(block),
          m_caller(caller),
          m_schedule(schedule),
          m_outward(outward),
          m_gas(gas) {}

    Arena& arena() noexcept { return m_arena; }
    const evm::BlockContext& block() const noexcept { return m_block; }
    const Caller& caller() const noexcept { return m_caller; }

    // Pays for work. False: there is not enough left, and whatever the module says the call fails.
    bool charge(std::uint64_t gas) noexcept {
        m_out_of_gas = m_out_of_gas || gas > m_gas;
        m_gas = m_out_of_gas ? 0 : m_gas - gas;
        return !m_out_of_gas;
    }
    // An ordinary log of the module's account. At most four topics. Hooks have none: no receipt holds them.
    void emit(std::vector<Hash> topics, Bytes data);

    // Calls a contract in the name of the module's account, as CALL does, or STATICCALL if this call is
    // static: what it did is undone if it fails, and with this call. `value` is wei of the module's account.
    // It may use `gas_max`, and no more than all but a 64th of what is left; the access and the value are
    // charged as CALL's. Meanwhile this module takes no calls. An address without code succeeds with no
    // output. Refused with the contract's revert data, or a reason; in hooks always.
    CallOutcome call_contract(const Address& to, BytesView input, std::uint64_t gas_max,
                              const u256& value = {});

    // --- for the host -------------------------------------------------------------------------------
    std::uint64_t gas_left() const noexcept { return m_gas; }
    bool out_of_gas() const noexcept { return m_out_of_gas; }
    std::vector<state::Log> take_logs() { return std::move(m_logs); }
    bool has_logs() const noexcept { return !m_logs.empty(); }
    // The host of the node wants an end.
    void interrupt() noexcept { m_interrupted = true; }
    bool interrupted() const noexcept { return m_interrupted; }

private:
    Arena& m_arena;
    const evm::BlockContext& m_block;
    const Caller& m_caller;
    const GasSchedule& m_schedule;
    Outward* m_outward;
    std::uint64_t m_gas;
    bool m_out_of_gas = false;
    bool m_interrupted = false;
    std::vector<state::Log> m_logs;
};

class Module {
public:
    virtual ~Module() = default;

    // Of [modules.NAME] in a chain's file: a to z, 0 to 9 and _.
    virtual std::string_view name() const noexcept = 0;
    // Of its account's address and its transactions; not zero, and of no other module of the chain.
    virtual std::uint32_t id() const noexcept = 0;
    // Of its arena.
    virtual std::uint32_t page_limit() const noexcept = 0;
    virtual GasSchedule gas() const noexcept { return {}; }
    virtual std::span<const Parameter> parameters() const noexcept { return {}; }

    // Makes the first content of an arena that is empty. The error is a sentence.
    virtual Result<void, std::string> genesis(Arena& arena, const ParameterValues& values) const = 0;

    // A call from a contract or an account. A static one must not write; one that does fails.
    virtual CallOutcome call(Context& context, BytesView input) const = 0;
    // Whether calls may bring ether.
    virtual bool takes_value() const noexcept { return false; }

    // One command of a module transaction (type 0x4D). What it refuses is undone, the commands before it
    // stand.
    virtual CallOutcome command(Context& context, BytesView command) const;
    // A kind of command that a session key may be confined to, 0 to 63; bit n of a key's scope allows kind n.
    virtual std::uint32_t command_kind(BytesView command) const noexcept {
        static_cast<void>(command);
        return 0;
    }
    // Gas that one module transaction may use; it counts against the block's and costs the account nothing.
    virtual std::uint64_t transaction_gas_max() const noexcept { return 2'000'000; }

    // Before a block's first transaction and after its last. Work is bounded: a hook that changes more than
    // hook_lines_max() lines is undone as a whole.
    virtual void begin_block(Context& context) const { static_cast<void>(context); }
    virtual void end_block(Context& context) const { static_cast<void>(context); }
    virtual std::uint32_t hook_lines_max() const noexcept { return 4'096; }

    // What is wrong, in words; empty: all invariants hold. Asked after every block in tests.
    virtual std::string check_invariants(const Arena& arena) const {
        static_cast<void>(arena);
        return {};
    }
};

// 0x4d01 and zeros, and the id at the end.
Address module_address(std::uint32_t id) noexcept;
// What stands at that address for whoever looks: an invalid instruction, and the module's name. Contracts
// that check for code find some.
Bytes module_code(const Module& module);

// The modules of a chain with the parameters of its genesis.
class ModuleSet {
public:
    struct Entry {
        std::shared_ptr<const Module> module;
        ParameterValues values;
        Address address;
    };
    // Unset parameters get their defaults. The error is a sentence that names the module.
    Result<void, std::string> add(std::shared_ptr<const Module> module, ParameterValues values);

    std::span<const Entry> entries() const noexcept { return m_entries; }
    // Null if there is none.
    const Entry* find(const Address& address) const noexcept;
    const Entry* find_id(std::uint32_t id) const noexcept;

private:
    std::vector<Entry> m_entries;  // ascending ids
};

// What the modules bring to a chain's first state: accounts, code, arenas and their commitments. The error is
// a sentence.
Result<state::StateChanges, std::string> genesis_of(const ModuleSet& modules);

}  // namespace meridian::module
