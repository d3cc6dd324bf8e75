// A native module on whole nodes: a development chain, a sequencer that crashes, and replicas of both kinds.
#include <examples/counter/counter.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/node/call.hpp>
#include <meridian/node/dev_chain.hpp>
#include <meridian/rlp/encode.hpp>
#include <meridian/store/rocks_database.hpp>
#include <meridian/store/snapshot.hpp>
#include <meridian/store/test_folder.hpp>
#include <testkit/replica.hpp>

#include <gtest/gtest.h>

namespace meridian::testkit {
namespace {

const Address kCounter = module::module_address(examples::Counter::kId);
constexpr std::uint64_t kSecond = 1'000'000;

std::shared_ptr<const module::ModuleSet> counter(std::uint64_t start = 0) {
    auto set = std::make_shared<module::ModuleSet>();
    EXPECT_TRUE(set->add(std::make_shared<examples::Counter>(), {{"start", start}}));
    return set;
}

Bytes call_data(std::string_view signature, std::optional<u256> argument = {}) {
    Bytes out;
    const std::uint32_t selector = module::selector(signature);
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(selector >> shift));
    if (argument)
        module::append_word(out, *argument);
    return out;
}

chain::Transaction add_txn(std::uint64_t chain_id, std::uint64_t nonce, std::uint64_t amount) {
    chain::Transaction txn;
    txn.type = chain::TxnType::DynamicFee;
    txn.chain_id = chain_id;
    txn.nonce = nonce;
    txn.max_fee_per_gas = 10'000'000'000;
    txn.max_priority_fee_per_gas = 1;
    txn.gas_limit = 200'000;
    txn.to = kCounter;
    txn.data = call_data("add(uint256)", amount);
    return txn;
}

// Adds in the signer's own name.
chain::Transaction command_txn(std::uint64_t chain_id, const Address& account, std::uint64_t nonce_ms,
                               std::uint64_t amount) {
    chain::Transaction txn;
    txn.type = chain::TxnType::Module;
    txn.chain_id = chain_id;
    txn.module_id = examples::Counter::kId;
    txn.to = kCounter;
    txn.from = account;
    txn.nonce = nonce_ms;
    Bytes command(9, examples::Counter::kAdd);
    detail::store_be64(amount, command.data() + 1);
    txn.data = to_bytes(rlp::ListBuilder().bytes(command).payload());
    return txn;
}

// What the counter stands at in a state, read as eth_call reads it.
u256 value_in(const chain::ChainConfig& config, state::StateReader& reader) {
    class NoHashes final : public evm::BlockHashSource {
        Hash block_hash(std::uint64_t) override { return {}; }
    } hashes;
    evm::CodeCache cache;
    chain::Header header;
    header.number = 1;
    header.gas_limit = 30'000'000;
    header.base_fee = u256{0};
    header.excess_blob_gas = 0;
    header.timestamp = 1'800'000'000;
    chain::ExecutionEnvironment environment{.code_cache = cache, .block_hashes = hashes};
    environment.skipped_checks = {.nonce = true, .sender_code = true, .gas_maximum = true, .block_gas = true};
    state::State state(reader);
    chain::BlockExecutor executor(config, header, state, environment);
    chain::Transaction txn;
    txn.gas_limit = 100'000;
    txn.to = kCounter;
    txn.data = call_data("value()");
    const auto done = executor.execute(txn, Address{});
    EXPECT_TRUE(done.has_value());
    return done && done->output.size() == 32 ? load_be32(done->output.data()) : u256::max();
}

// --- a sequencer and its replicas
// ---------------------------------------------------------------------------

class Counting {
public:
    explicit Counting(const WorldOptions& options) : world(options) {}

    // By a contract call or a transaction of the module's own, in turn.
    void add(std::uint64_t amount) {
        Bytes envelope;
        if (m_sent++ % 2 == 0) {
            envelope = world.sign(add_txn(world.genesis().config.chain_id, m_nonce++, amount), 0);
        } else {
            const std::uint64_t now_ms = world.clock.wall_us() / 1'000 + m_sent;
            envelope =
                world.sign(command_txn(world.genesis().config.chain_id, world.account(1), now_ms, amount), 1);
        }
        const auto answer = world.submit(std::move(envelope));
        world.settle();
        ASSERT_TRUE(answer->has_value());
        ASSERT_TRUE((*answer)->has_value()) << (*answer)->error().message;
        expected += amount;
    }
    u256 value(const sequencer::LiveChain& live) {
        const auto head = live.head();
        return value_in(world.genesis().config, *live.state_at(*head));
    }
    u256 slot0(const sequencer::LiveChain& live) {
        const auto head = live.head();
        return live.state_at(*head)->storage(kCounter, 0);
    }

    World world;
    std::uint64_t expected = 0;

private:
    std::uint64_t m_sent = 0;
    std::uint64_t m_nonce = 0;
};

WorldOptions with_counter() {
    WorldOptions options;
    options.modules = counter();
    return options;
}

TEST(Modules, FollowToReplicasOfBothKinds) {
    Counting run(with_counter());
    ASSERT_EQ(run.world.start(), "");
    ReplicaOptions applying;
    applying.follower.trust_diffs = true;
    Replica executes(run.world, {}), applies(run.world, applying);
    ASSERT_EQ(executes.start(), "");
    ASSERT_EQ(applies.start(), "");
    for (std::uint64_t i = 0; i < 60; ++i) {
        run.add(i + 1);
        run.world.run_for(kSecond / 7);
    }
    run.world.run_for(2 * kSecond);
    EXPECT_EQ(run.world.check(), "");
    EXPECT_EQ(run.value(run.world.node().live()), u256{run.expected});
    for (Replica* replica : {&executes, &applies}) {
        replica->catch_up();
        EXPECT_EQ(replica->node().status().fault, "");
        EXPECT_EQ(replica->check(), "");
        EXPECT_EQ(replica->check_equal(), "");
        EXPECT_EQ(run.value(replica->node().live()), u256{run.expected});
        EXPECT_EQ(run.slot0(replica->node().live()), run.slot0(run.world.node().live()));
    }
}

TEST(Modules, GoOnAfterTheProcessAndAfterTheMachine) {
    std::mt19937_64 random(1);
    Counting run(with_counter());
    ASSERT_EQ(run.world.start(), "");
    for (int life = 0; life < 6; ++life) {
        for (std::uint64_t i = 0; i < 10; ++i) {
            run.add(i + 1);
            run.world.run_for(kSecond / 5);
        }
        if (life % 2 == 0)
            run.world.kill();
        else
            run.world.power_cut(random);
        ASSERT_EQ(run.world.start(), "") << life;
        EXPECT_EQ(run.world.check(), "");
        EXPECT_EQ(run.value(run.world.node().live()), u256{run.expected}) << life;
    }
    run.world.run_for(3 * kSecond);
    EXPECT_EQ(run.world.check(), "");
}

TEST(Modules, AreInSnapshots) {
    const store::TestFolder folder;
    Counting run(with_counter());
    ASSERT_EQ(run.world.start(), "");
    for (std::uint64_t i = 0; i < 20; ++i) {
        run.add(i + 1);
        run.world.run_for(kSecond / 4);
    }
    run.world.run_for(2 * kSecond);
    const auto exported = store::export_snapshot(run.world.store().view().value(), run.world.identity(),
                                                 folder.path() / "s", {});
    ASSERT_TRUE(exported.has_value()) << exported.error().message;
    Replica replica(run.world, {});
    ASSERT_EQ(replica.restore(folder.path() / "s"), "");
    ASSERT_EQ(replica.start(), "");
    for (std::uint64_t i = 0; i < 10; ++i) {
        run.add(i + 1);
        run.world.run_for(kSecond / 4);
    }
    replica.catch_up();
    EXPECT_EQ(replica.node().status().fault, "");
    EXPECT_EQ(replica.check(), "");
    EXPECT_EQ(run.value(replica.node().live()), u256{run.expected});
}

TEST(Modules, AreRefusedTwice) {
    Counting run(with_counter());
    ASSERT_EQ(run.world.start(), "");
    const std::uint64_t chain_id = run.world.genesis().config.chain_id;
    const auto send = [&](std::uint64_t nonce_ms, std::uint64_t amount) -> std::string {
        const auto answer = run.world.submit(
            run.world.sign(command_txn(chain_id, run.world.account(2), nonce_ms, amount), 2));
        run.world.run_for(kSecond / 10);
        return (*answer)->has_value() ? "" : (*answer)->error().message;
    };
    const std::uint64_t now_ms = run.world.clock.wall_us() / 1'000;
    EXPECT_EQ(send(now_ms, 4), "");
    EXPECT_NE(send(now_ms, 4), "");
    EXPECT_NE(send(now_ms, 5).find("nonce already used"), std::string::npos);
    EXPECT_EQ(send(now_ms - 1, 6), "");
    EXPECT_EQ(run.value(run.world.node().live()), u256{10});
    EXPECT_EQ(run.world.check(), "");
}

// --- a development chain
// ------------------------------------------------------------------------------------

struct Dev {
    explicit Dev(const std::filesystem::path& path) : folder(path) { open(); }

    void open() {
        chain.reset();
        node::DevGenesisOptions options;
        options.balance = u256{1'000'000'000'000'000'000} * 10;
        options.timestamp = 1'700'000'000;
        node::Genesis genesis = node::dev_genesis(options, accounts);
        genesis.config.modules = counter(100);
        node::ChainOptions chain_options;
        chain_options.accounts = accounts;
        chain_options.clock = [] { return std::uint64_t{1'700'000'000}; };
        auto database = store::open_rocks({.path = folder});
        ASSERT_TRUE(database.has_value());
        auto opened = node::DevChain::open(genesis, chain_options, *std::move(database));
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        chain = *std::move(opened);
    }
    Hash add(std::uint64_t amount) {
        chain::Transaction txn =
            add_txn(chain->config().chain_id, chain->next_nonce(accounts[0].address), amount);
        const auto signature = crypto::secp256k1::sign(chain::signing_hash(txn), accounts[0].private_key);
        txn.r = from_hash(signature->r);
        txn.s = from_hash(signature->s);
        txn.v = signature->recovery_id;
        const auto hash = chain->submit(txn);
        EXPECT_TRUE(hash.has_value()) << hash.error().message;
        return hash.value_or(Hash{});
    }
    u256 value() { return value_in(chain->config(), chain->head_state()); }
    u256 value_after(std::uint64_t block) {
        auto state = chain->state_after(block);
        EXPECT_TRUE(state.has_value());
        return value_in(chain->config(), **state);
    }
    u256 slot0() { return chain->head_state().storage(kCounter, 0); }

    std::filesystem::path folder;
    std::vector<node::DevAccount> accounts = *node::dev_accounts(node::kDefaultMnemonic, 2);
    std::unique_ptr<node::DevChain> chain;
};

TEST(ModulesOfADevChain, AreAsTheyWereInOlderBlocks) {
    const store::TestFolder folder;
    Dev dev(folder.path() / "db");
    for (std::uint64_t i = 1; i <= 30; ++i)
        dev.add(i);
    u256 expected = 100;
    for (std::uint64_t block = 0; block <= 30; ++block)
        EXPECT_EQ(dev.value_after(block), expected += block) << block;
    dev.open();
    EXPECT_EQ(dev.value(), u256{100 + 465});
    dev.add(1);
    EXPECT_EQ(dev.value(), u256{100 + 466});
    EXPECT_EQ(dev.value_after(30), u256{100 + 465});
}

TEST(ModulesOfADevChain, GoBackWithIt) {
    const store::TestFolder folder;
    Dev dev(folder.path() / "db");
    dev.add(1);
    const u256 slot = dev.slot0();
    const std::uint64_t snapshot = dev.chain->snapshot();
    for (std::uint64_t i = 0; i < 5; ++i)
        dev.add(10);
    EXPECT_NE(dev.slot0(), slot);
    ASSERT_TRUE(dev.chain->revert(snapshot).value_or(false));
    EXPECT_EQ(dev.slot0(), slot);
    EXPECT_EQ(dev.value(), u256{101});
    dev.add(2);
    EXPECT_EQ(dev.value(), u256{103});
    ASSERT_TRUE(dev.chain->rollback(2));
    EXPECT_EQ(dev.value(), u256{100});
    ASSERT_TRUE(dev.chain->reset());
    EXPECT_EQ(dev.value(), u256{100});
}

TEST(ModulesOfADevChain, AreReplayedForTraces) {
    const store::TestFolder folder;
    Dev dev(folder.path() / "db");
    dev.add(1);
    const Hash hash = dev.add(2);
    dev.add(3);
    const auto place = dev.chain->find_transaction(hash);
    ASSERT_TRUE(place && *place);
    struct Observer final : node::ReplayObserver {
        evm::Tracer* before(const node::ReplayStep&) override { return nullptr; }
        void after(const node::ReplayStep& step) override { output = step.outcome->output; }
        Bytes output;
    } observer;
    ASSERT_TRUE(node::replay(*dev.chain, *(*place)->block, (*place)->index, observer));
    EXPECT_EQ(observer.output, module::abi_word(103));
    // What is pending, and what is imagined, changes nothing.
    ASSERT_TRUE(dev.chain->pending());
    EXPECT_EQ(dev.value(), u256{106});
}

}  // namespace
}  // namespace meridian::testkit
