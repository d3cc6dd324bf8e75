// For tests: a small world, programs written as opcodes, and what they did.
#pragma once

#include <meridian/evm/code_cache.hpp>
#include <meridian/evm/evm.hpp>
#include <meridian/evm/instructions.hpp>
#include <meridian/state/memory_state.hpp>

#include <initializer_list>

namespace meridian::evm::testing {

inline constexpr Address account(std::uint8_t id) noexcept {
    Address out;
    out[0] = 0xaa;
    out[19] = id;
    return out;
}

inline constexpr Address kContract = account(0xc0);
inline constexpr Address kOther = account(0xc1);
inline constexpr Address kSender = account(0x5e);

// Bytecode under construction.
class Program {
public:
    Program() = default;
    Program(std::initializer_list<Op> ops) {
        for (const Op op : ops)
            (void)add(op);
    }

    Program& add(Op op) {
        m_code.push_back(static_cast<std::uint8_t>(op));
        return *this;
    }
    Program& byte(std::uint8_t value) {
        m_code.push_back(value);
        return *this;
    }
    // The shortest PUSH from PUSH1 on.
    Program& push(const u256& value) {
        const unsigned size = std::max(1u, byte_length(value));
        m_code.push_back(static_cast<std::uint8_t>(0x5f + size));
        const Hash word = to_hash(value);
        append(m_code, BytesView{word}.last(size));
        return *this;
    }
    Program& push(const Address& address) { return push(from_address(address)); }
    Program& dup(int n) { return byte(static_cast<std::uint8_t>(0x7f + n)); }
    Program& swap(int n) { return byte(static_cast<std::uint8_t>(0x8f + n)); }
    Program& add(const Program& other) {
        append(m_code, other.m_code);
        return *this;
    }
    // Returns the top of the stack as one word.
    Program& return_top() { return push(0).add(Op::Mstore).push(32).push(0).add(Op::Return); }
    Program& sstore(const u256& key, const u256& value) { return push(value).push(key).add(Op::Sstore); }
    // Operands of CALL apart from gas: nothing in, nothing out.
    Program& call(Op kind, const Address& to, const u256& gas, const u256& value = 0) {
        push(0).push(0).push(0).push(0);
        if (kind == Op::Call || kind == Op::Callcode)
            push(value);
        return push(to).push(gas).add(kind);
    }
    // Init code that deploys this program.
    Program deployment() const {
        Program out;
        const std::size_t size = m_code.size();
        for (std::size_t i = 0; i < size; ++i)
            out.push(m_code[i]).push(i).add(Op::Mstore8);
        return out.push(size).push(0).add(Op::Return);
    }
    // CREATE of `init`, whose address is left on the stack.
    Program& create(const Program& init, const u256& value = 0) {
        store(init.m_code);
        return push(init.m_code.size()).push(0).push(value).add(Op::Create);
    }
    Program& create2(const Program& init, const u256& salt) {
        store(init.m_code);
        return push(salt).push(init.m_code.size()).push(0).push(0).add(Op::Create2);
    }

    const Bytes& code() const noexcept { return m_code; }
    std::size_t size() const noexcept { return m_code.size(); }

private:
    void store(const Bytes& bytes) {
        for (std::size_t i = 0; i < bytes.size(); ++i)
            push(bytes[i]).push(i).add(Op::Mstore8);
    }

    Bytes m_code;
};

class World {
public:
    explicit World(Revision revision_ = Revision::Osaka) : revision(revision_) {
        parent.set_balance(kSender, 1'000'000'000);
        block.number = 1000;
        block.timestamp = 1'700'000'000;
        block.gas_limit = 30'000'000;
        block.coinbase = account(0xcb);
        block.prev_randao = 0x1234;
        block.base_fee = 7;
        block.blob_base_fee = 3;
        txn.origin = kSender;
        txn.gas_price = 9;
    }

    World& deploy(const Address& address, const Program& program, const u256& balance = 0) {
        return deploy(address, BytesView{program.code()}, balance);
    }
    World& deploy(const Address& address, BytesView code, const u256& balance = 0) {
        parent.set_nonce(address, 1);
        parent.set_code(address, code);
        parent.set_balance(address, balance);
        return *this;
    }

    Message message(std::int64_t gas = 1'000'000) const {
        Message out;
        out.gas = gas;
        out.recipient = out.code_address = kContract;
        out.sender = kSender;
        return out;
    }

    CallResult run(std::int64_t gas = 1'000'000) { return run(message(gas)); }
    CallResult run(const Program& program, std::int64_t gas = 1'000'000) {
        deploy(kContract, program);
        return run(gas);
    }
    // A transaction of its own; the state stays to be looked at.
    CallResult run(const Message& message, Tracer* tracer = nullptr) {
        state.emplace(parent);
        state->begin_transaction();
        if (revision >= Revision::Berlin)
            for (const Address& warm : {message.recipient, message.sender})
                (void)state->warm_account(state->load(warm));
        Evm evm(revision, *state, block, txn, cache, tracer, options);
        return evm.execute(message);
    }
    // What the program returns as a word; its gas in `gas_used`.
    u256 value_of(const Program& program) {
        const CallResult result = run(program);
        gas_used = 1'000'000 - result.gas_left;
        return result.output.size() == 32 ? load_be(result.output) : u256{0xdead};
    }
    std::int64_t gas_of(const Program& program) { return 1'000'000 - run(program).gas_left; }
    u256 stored(const u256& key, const Address& address = kContract) {
        return state->slot(state->load(address), key).current;
    }

    Revision revision;
    state::MemoryState parent;
    std::optional<state::State> state;
    CodeCache cache;
    BlockContext block;
    TxnContext txn;
    Options options;
    std::int64_t gas_used = 0;
};

}  // namespace meridian::evm::testing
