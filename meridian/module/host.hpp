// The modules of a chain as a block executes: their arenas as a part of the state, and their answers to
// calls.
//
// One host serves one State, as a cache does: a page is read from the parent state when it is first touched,
// what was changed is told in State::changes(). An arena's checkpoints belong to the State's journal: a call
// that succeeds leaves one open and a mark in the journal, which undoes it when the journal goes back behind
// it; the end of the transaction commits them all.
#pragma once

#include <meridian/evm/native.hpp>
#include <meridian/module/module.hpp>
#include <meridian/module/sessions.hpp>

#include <set>

namespace meridian::module {

// Commands under one signature (type 0x4D).
struct CommandList {
    const ModuleSet::Entry* module = nullptr;
    Address account;
    Address signer;
    std::uint64_t nonce = 0;
    std::uint64_t expiry_ms = 0;  // zero: never
    std::vector<BytesView> commands;
};
struct CommandsOutcome {
    bool success = false;      // all commands were done
    bool interrupted = false;  // a contract that one called was, and nothing counts
    std::uint64_t gas_used = 0;
    std::size_t done = 0;
    Bytes output;  // revert data of the first that was refused
};

class ModuleHost final : public state::Extension, public evm::NativeContracts {
public:
    // Both outlive the host, which makes itself the state's extension.
    ModuleHost(const ModuleSet& modules, state::State& state);
    ~ModuleHost() override;
    ModuleHost(const ModuleHost&) = delete;
    ModuleHost& operator=(const ModuleHost&) = delete;

    // Each as a transaction of the state's own.
    void begin_block(const evm::BlockContext& block);
    void end_block(const evm::BlockContext& block);
    // Pages that the block changed before this host was made.
    void note_changed(const std::map<Address, state::ArenaPatch>& arenas);
    // Writes the commitments of the arenas that the block changed into slot 0 of their accounts.
    void commit();

    // Within a transaction of the state. After an error nothing is as before: the caller cancels.
    Result<CommandsOutcome, TransactError> transact(const CommandList& list, const evm::BlockContext& block,
                                                    evm::Tracer* tracer, evm::NestedCalls& nested);

    // Whether transact() would begin with it, as a block of that time; nothing stays of it. Between
    // transactions.
    Result<void, TransactError> check(const CommandList& list, std::uint64_t timestamp);

    // What went wrong for good, as pages that are not to be had; empty: nothing. What was executed since is
    // not to be trusted.
    const std::string& failure() const noexcept { return m_failure; }
    // What is wrong in which module, in words; empty: all invariants hold. Between transactions.
    std::string check_invariants();

    bool has(const Address& address) const noexcept override { return m_modules.find(address) != nullptr; }
    evm::NativeOutcome call(const evm::Message& message, const evm::BlockContext& block,
                            const evm::TxnContext& txn, evm::Tracer* tracer, evm::NestedCalls& nested,
                            Bytes& output) override;

    void undo(const u256& mark) noexcept override;
    void finish_transaction() noexcept override;
    void collect(state::StateChanges& out) const override;
    void forget() override;

private:
    struct Loaded;
    struct Step;
    class Calls;
    Loaded* load(const ModuleSet::Entry& entry);
    Result<void, TransactError> admit(Loaded& loaded, const CommandList& list, std::uint64_t now_ms);
    bool end_step(Loaded& loaded, Step& step, Context& context, CallOutcome& outcome, bool is_static);
    void tell_logs(const Address& module, Context& context, evm::Tracer* tracer);
    void fail_with(const ModuleSet::Entry& entry, Error error);
    void run_hook(const ModuleSet::Entry& entry, const evm::BlockContext& block, bool begins);

    const ModuleSet& m_modules;
    state::State& m_state;
    std::vector<std::unique_ptr<Loaded>> m_loaded;      // as the set's entries; null: not touched yet
    std::map<Address, std::set<PageNumber>> m_changed;  // pages, since the block's beginning
    std::string m_failure;
};

}  // namespace meridian::module
