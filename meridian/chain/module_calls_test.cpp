// Modules that call contracts: what is undone with what, and in which order things happened.
#include <meridian/base/hex.hpp>
#include <meridian/chain/chain_fixture.hpp>
#include <meridian/module/host.hpp>
#include <meridian/rlp/encode.hpp>

#include <gtest/gtest.h>

namespace meridian::chain {
namespace {

using module::Arena;
using module::CallOutcome;
using module::Context;
using module::Ptr;
using testing::BlockFixture;
using testing::kSender;

struct TillRoot {
    std::uint64_t count;
    std::uint64_t refused_in_hooks;
};

// Counts, calls the contract that its input names, and has an opinion on what comes back. Input: address 20,
// what to do then 1.
enum Then : std::uint8_t { kPassOn, kIgnore, kRefuse };

class Till final : public module::Module {
public:
    static constexpr std::uint32_t kId = 9;
    static constexpr std::uint64_t kGas = 60'000;

    std::string_view name() const noexcept override { return "till"; }
    std::uint32_t id() const noexcept override { return kId; }
    std::uint32_t page_limit() const noexcept override { return 64; }
    bool takes_value() const noexcept override { return true; }
    Result<void, std::string> genesis(Arena& arena, const module::ParameterValues&) const override {
        arena.set_root(Ptr<TillRoot>::to(module::offset_of_page(*arena.allocate_pages(1))));
        return {};
    }
    CallOutcome call(Context& context, BytesView input) const override {
        Arena& arena = context.arena();
        if (input.size() < 21)
            return module::abi_word(arena.at(arena.root<TillRoot>()).count);
        if (!context.caller().is_static) {
            ++arena.edit(arena.root<TillRoot>(), &TillRoot::count);
            context.emit({}, Bytes{1});
        }
        auto answer =
            context.call_contract(first_bytes<20>(input), input.subspan(21), kGas, context.caller().value);
        if (!context.caller().is_static)
            context.emit({}, Bytes{2});
        if (input[20] == kRefuse)
            return module::refuse("till: changed its mind");
        return answer || input[20] == kPassOn ? answer : CallOutcome(Bytes{});
    }
    CallOutcome command(Context& context, BytesView command) const override {
        return call(context, command.subspan(1));
    }
    void end_block(Context& context) const override {
        if (!context.call_contract({}, {}, kGas))
            ++context.arena().edit(context.arena().root<TillRoot>(), &TillRoot::refused_in_hooks);
    }
};

const Address kTill = module::module_address(Till::kId);
constexpr Address kAlice = "0x00000000000000000000000000000000000a11ce"_address;
constexpr Address kShop = "0x0000000000000000000000000000000000005409"_address;
// Stores its caller at 0 and what it got at 2, logs nothing but that, returns 1.
const Bytes kStores = from_hex("335f55346002555f5fa060015f5260205ff3").value();
const Bytes kReverts = from_hex("60aa5f5260205ffd").value();
const Bytes kLoops = from_hex("5b5f56").value();
// Calls its caller, and stores at 1 whether that succeeded, plus one.
const Bytes kCallsBack = from_hex("5f5f5f5f5f335af160010160015500").value();

struct TillChain {
    TillChain() {
        EXPECT_TRUE(modules->add(std::make_shared<Till>(), {}));
        fixture.parent.apply(*module::genesis_of(*modules));
        fixture.parent.set_balance(kSender, testing::kEther);
        fixture.config.modules = modules;
    }
    void shop(const Bytes& code) { fixture.parent.set_code(kShop, code); }
    static Bytes input(Then then, const Address& to = kShop) {
        Bytes out = to_bytes(to);
        out.push_back(then);
        return out;
    }
    TxnOutcome send(const Address& to, Bytes data, std::uint64_t gas = 300'000, const u256& value = {}) {
        Transaction txn;
        txn.nonce = nonce++;
        txn.max_fee_per_gas = txn.max_priority_fee_per_gas = 10;
        txn.gas_limit = gas;
        txn.to = to;
        txn.value = value;
        txn.data = std::move(data);
        auto done = fixture.execute(txn);
        EXPECT_TRUE(done.has_value());
        return *std::move(done);
    }
    TxnOutcome command(std::initializer_list<Bytes> inputs) {
        Transaction txn;
        txn.type = TxnType::Module;
        txn.chain_id = 1;
        txn.module_id = Till::kId;
        txn.to = kTill;
        txn.from = kAlice;
        txn.nonce = fixture.header.timestamp * 1000;
        rlp::ListBuilder list;
        for (const Bytes& one : inputs) {
            Bytes whole{1};
            append(whole, one);
            list.bytes(whole);
        }
        txn.data = to_bytes(list.payload());
        auto done = fixture.executor().execute(txn, kAlice);
        EXPECT_TRUE(done.has_value());
        return *std::move(done);
    }
    std::uint64_t count() { return send(kTill, {}).output.back(); }
    u256 stored(std::uint64_t slot, const Address& at = kShop) {
        state::State& state = fixture.state();
        state::CachedAccount& account = state.load(at);
        return state.slot(account, slot).current;
    }

    std::shared_ptr<module::ModuleSet> modules = std::make_shared<module::ModuleSet>();
    BlockFixture fixture{evm::Revision::Cancun};
    std::uint64_t nonce = 0;
};

u256 word(const Address& address) {
    return from_hash(module::topic(address));
}

TEST(ModuleCalls, ComeFromTheModulesAccountAndAreInOrder) {
    TillChain chain;
    chain.shop(kStores);
    const auto done = chain.send(kTill, TillChain::input(kPassOn), 300'000, 5);
    EXPECT_EQ(done.status, evm::Status::Success);
    EXPECT_EQ(done.output, module::abi_word(1));
    EXPECT_EQ(chain.stored(0), word(kTill));
    EXPECT_EQ(chain.stored(2), u256{5});
    EXPECT_EQ(chain.fixture.state().balance(kShop), u256{5});
    ASSERT_EQ(done.receipt.logs.size(), 3u);
    EXPECT_EQ(done.receipt.logs[0].data, Bytes{1});
    EXPECT_EQ(done.receipt.logs[1].address, kShop);
    EXPECT_EQ(done.receipt.logs[2].data, Bytes{2});
    EXPECT_EQ(chain.count(), 1u);
}

TEST(ModuleCalls, AreUndoneWithTheCallThatMadeThem) {
    TillChain chain;
    chain.shop(kStores);
    const auto done = chain.send(kTill, TillChain::input(kRefuse));
    EXPECT_EQ(done.status, evm::Status::Revert);
    EXPECT_TRUE(done.receipt.logs.empty());
    EXPECT_EQ(chain.stored(0), u256{});
    EXPECT_EQ(chain.count(), 0u);
}

TEST(ModuleCalls, ThatFailAreUndoneAlone) {
    TillChain chain;
    chain.shop(kReverts);
    EXPECT_EQ(chain.send(kTill, TillChain::input(kIgnore)).status, evm::Status::Success);
    EXPECT_EQ(chain.count(), 1u);
    const auto passed_on = chain.send(kTill, TillChain::input(kPassOn));
    EXPECT_EQ(passed_on.status, evm::Status::Revert);
    EXPECT_EQ(passed_on.output, module::abi_word(0xaa));
    EXPECT_EQ(chain.count(), 1u);
}

TEST(ModuleCalls, HaveTheGasThatTheyAreGiven) {
    TillChain chain;
    chain.shop(kLoops);
    const auto done = chain.send(kTill, TillChain::input(kIgnore));
    EXPECT_EQ(done.status, evm::Status::Success);
    EXPECT_GT(done.receipt.gas_used, Till::kGas + 21'000);
    EXPECT_LT(done.receipt.gas_used, Till::kGas + 21'000 + 10'000);
    // With less than it wants, a 64th is left for what comes behind.
    const auto poor = chain.send(kTill, TillChain::input(kPassOn), 60'000);
    EXPECT_NE(poor.status, evm::Status::Success);
    EXPECT_EQ(chain.count(), 1u);
}

TEST(ModuleCalls, FindTheModuleClosedMeanwhile) {
    TillChain chain;
    chain.shop(kCallsBack);
    EXPECT_EQ(chain.send(kTill, TillChain::input(kPassOn)).status, evm::Status::Success);
    EXPECT_EQ(chain.stored(1), u256{1});
    EXPECT_EQ(chain.count(), 1u);
}

TEST(ModuleCalls, OfStaticCallsAreStatic) {
    TillChain chain;
    chain.shop(kStores);
    // A contract that asks the till by STATICCALL, and stores whether it got an answer, plus one.
    Bytes asks = from_hex("365f5f375f5f365f73").value();
    append(asks, kTill);
    append(asks, from_hex("5afa60010160015500").value());
    constexpr Address kAsker = "0x000000000000000000000000000000000000a5ce"_address;
    chain.fixture.parent.set_code(kAsker, asks);
    EXPECT_EQ(chain.send(kAsker, TillChain::input(kPassOn)).status, evm::Status::Success);
    EXPECT_EQ(chain.stored(1, kAsker), u256{1}) << "the shop writes";
    chain.fixture.state().set_code(chain.fixture.state().load(kShop), from_hex("60015f5260205ff3").value());
    EXPECT_EQ(chain.send(kAsker, TillChain::input(kPassOn)).status, evm::Status::Success);
    EXPECT_EQ(chain.stored(1, kAsker), u256{2});
}

TEST(ModuleCalls, OfACommandAreUndoneWithIt) {
    TillChain chain;
    chain.shop(kStores);
    const auto refused = chain.command({TillChain::input(kRefuse)});
    EXPECT_FALSE(refused.receipt.success);
    EXPECT_TRUE(refused.receipt.logs.empty());
    EXPECT_EQ(chain.stored(0), u256{});
    TillChain other;
    other.shop(kStores);
    const auto half = other.command({TillChain::input(kPassOn), TillChain::input(kRefuse)});
    EXPECT_FALSE(half.receipt.success);
    EXPECT_EQ(half.receipt.logs.size(), 3u);
    EXPECT_EQ(other.stored(0), word(kTill));
    EXPECT_EQ(other.count(), 1u);
}

TEST(ModuleCalls, AreNotForHooks) {
    TillChain chain;
    ASSERT_TRUE(chain.fixture.executor().start());
    const auto outcome = chain.fixture.executor().finish({}, std::nullopt);
    ASSERT_TRUE(outcome.has_value());
    const state::PagePatch& page = outcome->changes.arenas.at(kTill).begin()->second;
    ASSERT_EQ(page.contents.size(), 1u);
    EXPECT_EQ(page.contents[0][offsetof(TillRoot, refused_in_hooks)], 1u);
}

}  // namespace
}  // namespace meridian::chain
