// The counter on a chain: calls from contracts and accounts, reverts, gas, hooks, commitments, commands.
#include <examples/counter/counter.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/chain/chain_fixture.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/module/host.hpp>
#include <meridian/module/page_tree.hpp>
#include <meridian/module/stored_tree.hpp>
#include <meridian/rlp/encode.hpp>

#include <gtest/gtest.h>

namespace meridian::examples {
namespace {

using chain::Transaction;
using chain::TxnError;
using chain::TxnType;
using chain::testing::BlockFixture;
using chain::testing::kContract;
using chain::testing::kSender;

const Address kCounter = module::module_address(Counter::kId);
constexpr Address kAlice = "0x00000000000000000000000000000000000a11ce"_address;
constexpr Address kKey = "0x0000000000000000000000000000000000000c3e"_address;

// A chain with a counter, and its state so far in memory.
struct CounterChain {
    explicit CounterChain(module::ParameterValues values = {}) {
        auto modules = std::make_shared<module::ModuleSet>();
        EXPECT_TRUE(modules->add(std::make_shared<Counter>(), std::move(values)));
        set = modules;
        const auto genesis = module::genesis_of(*set);
        EXPECT_TRUE(genesis.has_value());
        state.apply(*genesis);
        state.set_balance(kSender, chain::testing::kEther);
    }

    // A block on top; `work` gets its fixture. Its changes become the state.
    template <class Work>
    chain::BlockOutcome block(Work work) {
        BlockFixture fixture(evm::Revision::Cancun);
        fixture.parent = state;
        fixture.config.modules = set;
        fixture.header.number = ++number;
        fixture.header.timestamp = time_s += 1;
        EXPECT_TRUE(fixture.executor().start());
        work(fixture);
        auto outcome = fixture.executor().finish({}, std::nullopt);
        EXPECT_TRUE(outcome.has_value());
        last_invariants = module_invariants(fixture);
        state.apply(outcome->changes);
        return *std::move(outcome);
    }
    std::string module_invariants(BlockFixture&) {
        state::State view(state);
        module::ModuleHost host(*set, view);
        return host.check_invariants();
    }

    u256 slot0() { return state.storage(kCounter, 0); }

    std::shared_ptr<const module::ModuleSet> set;
    state::MemoryState state;
    std::uint64_t number = 0;
    std::uint64_t time_s = 1'000'000;
    std::string last_invariants;
};

Bytes call_data(std::string_view signature, std::initializer_list<u256> arguments = {}) {
    Bytes out;
    const std::uint32_t selector = module::selector(signature);
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(selector >> shift));
    for (const u256& argument : arguments)
        module::append_word(out, argument);
    return out;
}

Transaction call_txn(const Address& to, Bytes data, std::uint64_t nonce, std::uint64_t gas = 300'000) {
    Transaction txn;
    txn.nonce = nonce;
    txn.max_fee_per_gas = txn.max_priority_fee_per_gas = 10;
    txn.gas_limit = gas;
    txn.to = to;
    txn.data = std::move(data);
    return txn;
}

std::string reason_of(const Bytes& revert) {
    if (revert.size() < 68)
        return {};
    const std::size_t size = load_be32(revert.data() + 36)[0];
    return {revert.begin() + 68, revert.begin() + 68 + static_cast<std::ptrdiff_t>(size)};
}

// Passes its call data on to the counter with the opcode, then returns what came back, or reverts with it.
Bytes forwarder(std::uint8_t opcode, bool reverts) {
    const bool has_value = opcode == 0xf1 || opcode == 0xf2;
    Bytes out = from_hex("365f5f37").value();   // calldatacopy(0, 0, calldatasize)
    append(out, from_hex("5f5f365f").value());  // out 0 0, in 0..calldatasize
    if (has_value)
        out.push_back(0x5f);
    out.push_back(0x73);
    append(out, kCounter);
    out.push_back(0x5a);
    out.push_back(opcode);
    out.push_back(0x50);  // whether it succeeded
    if (reverts)
        append(out, from_hex("3d5f5f3e3d5ffd").value());
    else
        append(out, from_hex("3d5f5f3e3d5ff3").value());
    return out;
}

TEST(Counter, GenesisCommitsToItsArena) {
    CounterChain chain({{"start", 7}});
    const auto account = chain.state.account(kCounter);
    ASSERT_TRUE(account.has_value());
    EXPECT_EQ(account->nonce, 1u);
    EXPECT_TRUE(account->has_code());
    EXPECT_NE(chain.slot0(), u256{});
    CounterChain other({{"start", 8}});
    EXPECT_NE(chain.slot0(), other.slot0());
}

TEST(Counter, RefusesParametersThatItDoesNotHave) {
    module::ModuleSet set;
    const auto wrong = set.add(std::make_shared<Counter>(), {{"stat", 1}});
    ASSERT_FALSE(wrong.has_value());
    EXPECT_EQ(wrong.error(), "module counter: it has no parameter stat");
    const auto large = set.add(std::make_shared<Counter>(), {{"limit", u256{0, 1, 0, 0}}});
    ASSERT_FALSE(large.has_value());
    EXPECT_EQ(large.error(),
              "module counter: limit is 18446744073709551616; it may be 1 to 18446744073709551615");
    module::ModuleSet twice;
    EXPECT_TRUE(twice.add(std::make_shared<Counter>(), {}));
    EXPECT_FALSE(twice.add(std::make_shared<Counter>(), {}));
}

TEST(Counter, AnswersAccountsAndLogsInOrder) {
    CounterChain chain;
    const u256 before = chain.slot0();
    const auto outcome = chain.block([](BlockFixture& block) {
        const auto done = block.execute(call_txn(kCounter, call_data("add(uint256)", {5}), 0));
        ASSERT_TRUE(done.has_value());
        EXPECT_EQ(done->status, evm::Status::Success);
        EXPECT_EQ(done->output, module::abi_word(5));
        const auto read = block.execute(call_txn(kCounter, call_data("value()"), 1));
        EXPECT_EQ(read->output, module::abi_word(5));
    });
    ASSERT_EQ(outcome.receipts[0].logs.size(), 1u);
    EXPECT_EQ(outcome.receipts[0].logs[0].address, kCounter);
    EXPECT_EQ(outcome.receipts[0].logs[0].topics[1], module::topic(kSender));
    EXPECT_NE(chain.slot0(), before);
    EXPECT_EQ(chain.last_invariants, "");
    EXPECT_TRUE(outcome.changes.arenas.contains(kCounter));
}

// What stands in slot 0 is the commitment to the pages as a full tree over them gives it.
TEST(Counter, CommitsToThePagesThatItHas) {
    CounterChain chain;
    for (std::uint64_t i = 0; i < 3; ++i)
        chain.block([&](BlockFixture& block) {
            for (std::uint64_t k = 0; k < 100; ++k)
                ASSERT_TRUE(
                    block.execute(call_txn(kCounter, call_data("add(uint256)", {k + 1}), i * 100 + k)));
        });
    class Pages final : public module::PageSource {
    public:
        explicit Pages(state::MemoryState& s) : m_state(s) {}
        bool fetch(module::PageNumber page,
                   std::span<std::uint8_t, module::kPageSize> out) noexcept override {
            return m_state.arena_page(kCounter, page, out.data());
        }

    private:
        state::MemoryState& m_state;
    } pages(chain.state);
    std::vector<std::uint8_t> memory(module::Region::size_bytes(16'384) + module::kPageSize);
    const auto start = reinterpret_cast<std::uintptr_t>(memory.data());
    const module::Region region{memory.data() + (module::kPageSize - start % module::kPageSize), 16'384};
    auto arena = module::Arena::open(region, &pages);
    ASSERT_TRUE(arena.has_value());
    EXPECT_GT(arena->page_count(), 4u);
    const module::PageTree tree(*arena);
    EXPECT_EQ(from_hash(module::commitment_of(arena->page_count(), tree.root())), chain.slot0());
}

TEST(Counter, IsUndoneWithTheCallThatReverts) {
    CounterChain chain;
    chain.state.set_code(kContract, forwarder(0xf1, true));
    const u256 before = chain.slot0();
    const auto outcome = chain.block([](BlockFixture& block) {
        const auto done = block.execute(call_txn(kContract, call_data("add(uint256)", {5}), 0));
        ASSERT_TRUE(done.has_value());
        EXPECT_EQ(done->status, evm::Status::Revert);
        // It had been done: the revert returns what the counter had answered.
        EXPECT_EQ(done->output, module::abi_word(5));
        EXPECT_EQ(block.execute(call_txn(kCounter, call_data("value()"), 1))->output, module::abi_word(0));
    });
    EXPECT_TRUE(outcome.receipts[0].logs.empty());
    EXPECT_EQ(chain.slot0(), before);
    EXPECT_FALSE(outcome.changes.arenas.contains(kCounter));
}

TEST(Counter, StaysWithTheCallThatDoesNot) {
    CounterChain chain;
    chain.state.set_code(kContract, forwarder(0xf1, false));
    chain.block([](BlockFixture& block) {
        EXPECT_EQ(block.execute(call_txn(kContract, call_data("add(uint256)", {5}), 0))->status,
                  evm::Status::Success);
        EXPECT_EQ(block.execute(call_txn(kCounter, call_data("value()"), 1))->output, module::abi_word(5));
    });
    EXPECT_EQ(chain.last_invariants, "");
}

TEST(Counter, RefusesByName) {
    CounterChain chain({{"limit", 10}});
    const auto refusal = [&](std::uint8_t opcode, Bytes data) {
        std::string reason;
        chain.state.set_code(kContract, forwarder(opcode, true));
        chain.block([&](BlockFixture& block) {
            const std::uint64_t nonce = block.state().nonce(kSender);
            reason = reason_of(block.execute(call_txn(kContract, std::move(data), nonce))->output);
        });
        return reason;
    };
    const Bytes add = call_data("add(uint256)", {5});
    EXPECT_EQ(refusal(0xfa, add), "counter: a static call must not change anything");
    EXPECT_EQ(refusal(0xf4, add), "counter: a module cannot be called by DELEGATECALL or CALLCODE");
    EXPECT_EQ(refusal(0xf2, add), "counter: a module cannot be called by DELEGATECALL or CALLCODE");
    EXPECT_EQ(refusal(0xf1, call_data("add(uint256)", {11})), "counter: above its limit");
    EXPECT_EQ(refusal(0xf1, call_data("sub(uint256)", {1})), "counter: no such function");
    EXPECT_EQ(refusal(0xf1, call_data("add(uint256)")), "counter: the arguments are not those of a function");
    Transaction paying = call_txn(kCounter, add, 0);
    paying.value = 1;
    chain.block([&](BlockFixture& block) {
        paying.nonce = block.state().nonce(kSender);
        EXPECT_EQ(reason_of(block.execute(paying)->output), "counter: takes no ether");
        EXPECT_EQ(block.state().balance(kCounter), u256{});
    });
}

TEST(Counter, ChargesWhatItDeclares) {
    CounterChain chain;
    chain.block([](BlockFixture& block) {
        const Bytes data = call_data("value()");
        const auto read = block.execute(call_txn(kCounter, data, 0));
        const auto intrinsic = chain::intrinsic_gas(evm::Revision::Cancun, call_txn(kCounter, data, 0));
        EXPECT_EQ(read->receipt.gas_used, intrinsic.gas + 500 + 3 * data.size());
        const auto needed = block.execute(call_txn(kCounter, call_data("add(uint256)", {1}), 1))->receipt;
        // One unit less is too little, and nothing stays of it.
        const auto again = block.execute(call_txn(kCounter, call_data("add(uint256)", {1}), 2))->receipt;
        EXPECT_LE(again.gas_used, needed.gas_used);
        const auto failed =
            block.execute(call_txn(kCounter, call_data("add(uint256)", {1}), 3, again.gas_used - 1));
        ASSERT_TRUE(failed.has_value());
        EXPECT_EQ(failed->status, evm::Status::OutOfGas);
        EXPECT_TRUE(failed->receipt.logs.empty());
        EXPECT_EQ(block.execute(call_txn(kCounter, call_data("value()"), 4))->output, module::abi_word(2));
    });
}

// A state without the arena's pages: the transaction is refused by name, and so is the block.
TEST(Counter, SaysWhenItsPagesAreMissing) {
    class Without final : public state::StateReader {
    public:
        explicit Without(state::MemoryState& s) : m_state(s) {}
        std::optional<state::Account> account(const Address& a) override { return m_state.account(a); }
        u256 storage(const Address& a, const u256& k) override { return m_state.storage(a, k); }
        bool has_storage(const Address& a) override { return m_state.has_storage(a); }
        BytesView code(const Hash& h) override { return m_state.code(h); }

    private:
        state::MemoryState& m_state;
    };
    CounterChain chain;
    Without reader(chain.state);
    state::State state(reader);
    BlockFixture fixture(evm::Revision::Cancun);
    fixture.config.modules = chain.set;
    evm::CodeCache cache;
    chain::testing::NoHashes hashes;
    chain::BlockExecutor executor(fixture.config, fixture.header, state, {cache, hashes});
    const auto done = executor.execute(call_txn(kCounter, call_data("value()"), 0), kSender);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error(), TxnError::ModuleStateMissing);
    EXPECT_EQ(state.nonce(kSender), 0u);
    const auto started = executor.start();
    ASSERT_FALSE(started.has_value());
    EXPECT_EQ(started.error().error, chain::BlockError::MissingState);
    EXPECT_EQ(started.error().message,
              "module counter: its arena: a page was needed that the page source does not have");
}

// --- transactions of its own ------------------------------------------------------------------------------

Bytes add_command(std::uint64_t amount) {
    Bytes out{Counter::kAdd};
    out.resize(9);
    detail::store_be64(amount, out.data() + 1);
    return out;
}

Bytes session_command(const Address& key, std::uint64_t scope, std::uint64_t expiry, std::uint64_t commands) {
    Bytes out{module::kFrameworkCommand, module::kAuthorise};
    append(out, key);
    out.resize(22 + 24);
    detail::store_be64(scope, out.data() + 22);
    detail::store_be64(expiry, out.data() + 30);
    detail::store_be64(commands, out.data() + 38);
    return out;
}

Transaction module_txn(const std::vector<Bytes>& commands, std::uint64_t nonce,
                       const Address& account = kAlice) {
    Transaction txn;
    txn.type = TxnType::Module;
    txn.chain_id = 1;
    txn.module_id = Counter::kId;
    txn.to = kCounter;
    txn.from = account;
    txn.nonce = nonce;
    rlp::ListBuilder list;
    for (const Bytes& command : commands)
        list.bytes(command);
    txn.data = to_bytes(list.payload());
    return txn;
}

TEST(CounterTransactions, DoTheirCommandsForNoFee) {
    CounterChain chain;
    const auto outcome = chain.block([&](BlockFixture& block) {
        const auto done = block.executor().execute(
            module_txn({add_command(3), add_command(4)}, chain.time_s * 1000), kAlice);
        ASSERT_TRUE(done.has_value());
        EXPECT_TRUE(done->receipt.success);
        EXPECT_EQ(done->receipt.type, TxnType::Module);
        EXPECT_GT(done->receipt.gas_used, 0u);
        EXPECT_EQ(block.state().nonce(kAlice), 0u);
        EXPECT_EQ(block.execute(call_txn(kCounter, call_data("value()"), 0))->output, module::abi_word(7));
    });
    EXPECT_EQ(outcome.receipts[0].logs.size(), 2u);
    EXPECT_EQ(chain.last_invariants, "");
}

TEST(CounterTransactions, KeepTheCommandsBeforeOneThatIsRefused) {
    CounterChain chain({{"limit", 10}});
    chain.block([&](BlockFixture& block) {
        const auto done = block.executor().execute(
            module_txn({add_command(3), add_command(40), add_command(1)}, chain.time_s * 1000), kAlice);
        ASSERT_TRUE(done.has_value());
        EXPECT_FALSE(done->receipt.success);
        EXPECT_EQ(reason_of(done->output), "counter: above its limit");
        EXPECT_EQ(block.execute(call_txn(kCounter, call_data("value()"), 0))->output, module::abi_word(4));
    });
}

TEST(CounterTransactions, AreNotReplayed) {
    CounterChain chain;
    const std::uint64_t now = chain.time_s * 1000 + 1000;
    const auto send = [&](std::uint64_t nonce) -> std::optional<TxnError> {
        std::optional<TxnError> error;
        chain.block([&](BlockFixture& block) {
            const auto done = block.executor().execute(module_txn({add_command(1)}, nonce), kAlice);
            if (!done)
                error = done.error();
        });
        return error;
    };
    EXPECT_EQ(send(now), std::nullopt);
    EXPECT_EQ(send(now), TxnError::ModuleNonceUsed);
    EXPECT_EQ(send(now - 5), std::nullopt);
    EXPECT_EQ(send(now - 3 * 86'400'000ull), TxnError::ModuleNonceTooOld);
    EXPECT_EQ(send(now + 2 * 86'400'000ull), TxnError::ModuleNonceTooNew);
    for (std::uint64_t i = 1; i <= 99; ++i)
        EXPECT_EQ(send(now + i), std::nullopt) << i;
    EXPECT_EQ(send(now - 6), TxnError::ModuleNonceTooOld);  // below the 100 that are remembered
    EXPECT_EQ(send(now - 5), TxnError::ModuleNonceTooOld);
    Transaction expired = module_txn({add_command(1)}, now + 500);
    expired.expiry_ms = now;
    chain.block([&](BlockFixture& block) {
        EXPECT_EQ(block.executor().execute(expired, kAlice).error(), TxnError::ModuleTxnExpired);
    });
}

TEST(CounterTransactions, AreSignedByKeysWithinTheirTerms) {
    CounterChain chain;
    std::uint64_t nonce = chain.time_s * 1000;
    const auto send = [&](std::vector<Bytes> commands, const Address& signer) -> std::optional<TxnError> {
        std::optional<TxnError> error;
        chain.block([&](BlockFixture& block) {
            const auto done = block.executor().execute(module_txn(commands, ++nonce), signer);
            if (!done)
                error = done.error();
            else
                EXPECT_TRUE(done->receipt.success) << reason_of(done->output);
        });
        return error;
    };
    EXPECT_EQ(send({add_command(1)}, kKey), TxnError::ModuleSignerNotAllowed);
    const std::uint64_t expiry = (chain.time_s + 6) * 1000;
    EXPECT_EQ(send({session_command(kKey, 1u << Counter::kAdd, expiry, 3)}, kAlice), std::nullopt);
    EXPECT_EQ(send({add_command(1), add_command(1)}, kKey), std::nullopt);
    EXPECT_EQ(send({add_command(1), add_command(1)}, kKey), TxnError::ModuleSessionCap);
    EXPECT_EQ(send({Bytes{Counter::kNothing}}, kKey), TxnError::ModuleSessionScope);
    EXPECT_EQ(send({session_command(kAlice, 1, 0, 1)}, kKey), TxnError::ModuleSessionScope);
    EXPECT_EQ(send({add_command(1)}, kKey), TxnError::ModuleSessionExpired);
    EXPECT_EQ(send({session_command(kKey, 1u << Counter::kAdd, 0, 3)}, kAlice), std::nullopt);
    EXPECT_EQ(send({add_command(1)}, kKey), std::nullopt);
    Bytes revoke{module::kFrameworkCommand, module::kRevoke};
    append(revoke, kKey);
    EXPECT_EQ(send({revoke}, kAlice), std::nullopt);
    EXPECT_EQ(send({add_command(1)}, kKey), TxnError::ModuleSignerNotAllowed);
}

// The same on every machine that this runs on, the guest's included.
TEST(Counter, GivesTheSameCommitmentEverywhere) {
    CounterChain chain({{"start", 3}});
    for (std::uint64_t i = 0; i < 5; ++i)
        chain.block([&](BlockFixture& block) {
            for (std::uint64_t k = 0; k < 40; ++k)
                ASSERT_TRUE(
                    block.execute(call_txn(kCounter, call_data("add(uint256)", {i * k}), i * 40 + k)));
            ASSERT_TRUE(block.executor().execute(
                module_txn({add_command(i), session_command(kKey, i, i, i)}, chain.time_s * 1000 + i),
                kAlice));
        });
    EXPECT_EQ(to_hex0x(to_hash(chain.slot0())),
              "0x324f322e2f86e90c63e5d0dcd6fbb2bab9406f6bd60cbbd84b9574aeaaaab721");
}

}  // namespace
}  // namespace meridian::examples
