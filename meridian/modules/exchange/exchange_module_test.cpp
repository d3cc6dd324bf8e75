// The exchange on a chain: tokens come and go, commands and contracts trade, what reverts has not been.
#include <meridian/base/hex.hpp>
#include <meridian/chain/chain_fixture.hpp>
#include <meridian/module/host.hpp>
#include <meridian/modules/exchange/commands.hpp>
#include <meridian/modules/exchange/exchange_fixture.hpp>
#include <meridian/modules/exchange/exchange_module.hpp>
#include <meridian/modules/exchange/tokens.hpp>
#include <meridian/rlp/encode.hpp>

#include <gtest/gtest.h>

namespace meridian::modules::exchange {
namespace {

using chain::Transaction;
using chain::TxnError;
using chain::TxnType;
using chain::testing::BlockFixture;

const Address kExchange = exchange_address();
constexpr Address kToken = "0x00000000000000000000000000000000000070c0"_address;
constexpr Address kBaseToken = "0x00000000000000000000000000000000000070c1"_address;
constexpr Address kOperator = "0x000000000000000000000000000000000000ac1e"_address;
constexpr Address kAlice = "0x00000000000000000000000000000000000a11ce"_address;
constexpr Address kBob = "0x0000000000000000000000000000000000000b0b"_address;
constexpr Address kKey = "0x0000000000000000000000000000000000000c3e"_address;
constexpr Address kTrader = "0x0000000000000000000000000000000000007ade"_address;
constexpr Address kReverter = "0x0000000000000000000000000000000000007adf"_address;
constexpr std::uint64_t kWei = 1'000'000'000'000;  // a unit, of both tokens
const u256 kUnit{kWei};

// Compiled from (solc 0.8, optimised, runs 1, without metadata):
//   mapping(address => uint256) public balanceOf;
//   mapping(address => mapping(address => uint256)) allowed;
//   uint256 mode;
//   function mint(address to, uint256 amount) external { balanceOf[to] += amount; }
//   function become(uint256 next) external { mode = next; }
//   function approve(address who, uint256 amount) external { allowed[msg.sender][who] = amount; }
//   function transfer(address to, uint256 amount) external { move(msg.sender, to, amount); }
//   function transferFrom(address from, address to, uint256 amount) external {
//       allowed[from][msg.sender] -= amount;
//       move(from, to, amount);
//   }
//   function move(address from, address to, uint256 amount) private {
//       if (mode != 3) { balanceOf[from] -= amount; balanceOf[to] += mode == 1 ? amount - 1 : amount; }
//       if (mode == 2) return;
//       uint256 said = mode == 3 ? 0 : 1;
//       assembly { mstore(0, said) return(0, 32) }
//   }
constexpr std::string_view kTokenCode =
    "608060405234801561000f575f5ffd5b5060043610610060575f3560e01c8063095ea7b31461006457806323b8"
    "72dd1461009d57806340c10f19146100b057806370a08231146100c3578063a9059cbb146100f4578063d9adc3"
    "aa14610107575b5f5ffd5b61009b61007236600461026a565b335f908152600160209081526040808320600160"
    "0160a01b039590951683529390529190912055565b005b61009b6100ab366004610292565b61011a565b61009b"
    "6100be36600461026a565b610162565b6100e26100d13660046102cc565b5f6020819052908152604090205481"
    "565b60405190815260200160405180910390f35b61009b61010236600461026a565b610192565b61009b610115"
    "3660046102ec565b600255565b6001600160a01b0383165f908152600160209081526040808320338452909152"
    "8120805483929061014c908490610317565b9091555061015d90508383836101a1565b505050565b6001600160"
    "a01b0382165f9081526020819052604081208054839290610189908490610330565b90915550505050565b6101"
    "9d3383836101a1565b5050565b60025460031461021f576001600160a01b0383165f9081526020819052604081"
    "2080548392906101d2908490610317565b90915550506002546001146101e757806101f2565b6101f260018261"
    "0317565b6001600160a01b0383165f9081526020819052604081208054909190610219908490610330565b9091"
    "5550505b60025460020361022e57505050565b5f600254600314610240576001610242565b5f5b60ff16905080"
    "5f5260205ff35b80356001600160a01b0381168114610265575f5ffd5b919050565b5f5f604083850312156102"
    "7b575f5ffd5b6102848361024f565b946020939093013593505050565b5f5f5f606084860312156102a4575f5f"
    "fd5b6102ad8461024f565b92506102bb6020850161024f565b929592945050506040919091013590565b5f6020"
    "82840312156102dc575f5ffd5b6102e58261024f565b9392505050565b5f602082840312156102fc575f5ffd5b"
    "5035919050565b634e487b7160e01b5f52601160045260245ffd5b8181038181111561032a5761032a61030356"
    "5b92915050565b8082018082111561032a5761032a61030356";
constexpr std::uint64_t kKeepsAFee = 1;
constexpr std::uint64_t kSaysNothing = 2;
constexpr std::uint64_t kSaysNo = 3;

// Calls the contract whose address is the first 20 bytes of the call data with the rest of it, and returns,
// or reverts with, what came back.
Bytes forwarder(bool reverts) {
    Bytes out = from_hex("601436038060145f375f5f915f5f5f3560601c5af13d5f5f3e601f573d5ffd5b3d5f").value();
    out.push_back(reverts ? 0xfd : 0xf3);
    return out;
}

u256 word_of(const Address& address) {
    return from_hash(module::topic(address));
}

Bytes call_data(std::string_view signature, std::initializer_list<u256> arguments = {}) {
    Bytes out;
    const std::uint32_t selector = module::selector(signature);
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(selector >> shift));
    for (const u256& argument : arguments)
        module::append_word(out, argument);
    return out;
}

Bytes execute_data(const Command& command) {
    const Bytes bytes = encode_command(command);
    Bytes out = call_data("execute(bytes)", {32, bytes.size()});
    append(out, bytes);
    out.resize(out.size() + 31);
    return out;
}

Bytes through(const Address& to, const Bytes& data) {
    Bytes out = to_bytes(to);
    append(out, data);
    return out;
}

std::string reason_of(const Bytes& revert) {
    if (revert.size() < 68 || revert[0] != 0x08)
        return {};
    const std::size_t size = load_be32(revert.data() + 36)[0];
    const std::string text(revert.begin() + 68, revert.begin() + 68 + static_cast<std::ptrdiff_t>(size));
    // Module, rule, sentence.
    const std::size_t first = text.find(": ");
    return text.substr(0, text.find(": ", first + 2));
}

std::uint64_t number_at(const Bytes& output, std::size_t word) {
    return output.size() >= (word + 1) * 32 ? load_be32(output.data() + word * 32)[0] : ~0ull;
}

// A chain with an exchange of a perpetual and a spot market; Alice and Bob have 1,000,000 units of both
// tokens.
class ExchangeChain {
public:
    static constexpr std::uint64_t kFunds = 1'000'000;

    ExchangeChain() {
        auto modules = std::make_shared<module::ModuleSet>();
        EXPECT_TRUE(modules->add(std::make_shared<ExchangeModule>(8192), {{"operator", word_of(kOperator)}}));
        m_set = modules;
        const auto genesis = module::genesis_of(*m_set);
        EXPECT_TRUE(genesis.has_value());
        state.apply(*genesis);
        for (const Address& token : {kToken, kBaseToken})
            state.set_code(token, from_hex(kTokenCode).value());
        state.set_code(kTrader, forwarder(false));
        state.set_code(kReverter, forwarder(true));
        for (const Address& account : {kOperator, kAlice, kBob})
            state.set_balance(account, chain::testing::kEther);
        begin();
        for (const Address& token : {kToken, kBaseToken})
            for (const Address& who : {kAlice, kBob, kTrader, kReverter})
                EXPECT_TRUE(call(kOperator, token,
                                 call_data("mint(address,uint256)", {word_of(who), kUnit * u256{kFunds}}))
                                .ok);
        EXPECT_EQ(commands(kOperator,
                           {AddAsset{kToken, kWei}, AddAsset{kBaseToken, kWei},
                            AddMarket{testing::perpetual_terms(), kOperator},
                            AddMarket{testing::spot_terms(), kOperator}, SetPublishers{{kOperator, kKey}}}),
                  "");
        publish(100);
        end();
        begin();
    }

    void begin() {
        m_block.emplace(evm::Revision::Cancun);
        m_block->parent = state;
        m_block->config.modules = m_set;
        m_block->header.number = ++m_number;
        m_block->header.timestamp = ++time_s;
        EXPECT_TRUE(m_block->executor().start());
    }
    // The block becomes the state, and all invariants hold.
    void end() {
        auto outcome = m_block->executor().finish({}, std::nullopt);
        ASSERT_TRUE(outcome.has_value());
        state.apply(outcome->changes);
        receipts = outcome->receipts;
        state::State view(state);
        module::ModuleHost host(*m_set, view);
        EXPECT_EQ(host.check_invariants(), "");
        m_block.reset();
    }
    void next() {
        end();
        begin();
    }

    struct Done {
        bool ok = false;
        Bytes output;
        std::string reason;
        std::uint64_t gas_used = 0;
    };
    Done call(const Address& from, const Address& to, Bytes data) {
        Transaction txn;
        txn.nonce = m_nonces[from]++;
        txn.max_fee_per_gas = txn.max_priority_fee_per_gas = 10;
        txn.gas_limit = 3'000'000;
        txn.to = to;
        txn.data = std::move(data);
        const auto done = m_block->executor().execute(txn, from);
        EXPECT_TRUE(done.has_value());
        const bool ok = done->receipt.success;
        return {ok, done->output, ok ? "" : reason_of(done->output), done->receipt.gas_used};
    }
    std::uint64_t look(std::string_view signature, std::initializer_list<u256> arguments,
                       std::size_t word = 0) {
        return number_at(call(kOperator, kExchange, call_data(signature, arguments)).output, word);
    }
    std::uint64_t tokens_of(const Address& who, const Address& token = kToken) {
        const u256 wei =
            load_be32(call(kOperator, token, call_data("balanceOf(address)", {word_of(who)})).output.data());
        EXPECT_EQ(wei % kUnit, u256{});
        return static_cast<std::uint64_t>(wei / kUnit);
    }

    // One module transaction. The rule that the first refused command broke; empty: all were done.
    std::string commands(const Address& account, const std::vector<CommandBody>& bodies,
                         std::optional<Address> signer = {}, std::uint32_t sub = 0) {
        std::vector<Bytes> encoded;
        for (const CommandBody& body : bodies)
            encoded.push_back(encode_command({sub, body}));
        return send(account, encoded, signer);
    }
    std::string send(const Address& account, const std::vector<Bytes>& encoded,
                     std::optional<Address> signer = {}) {
        Transaction txn;
        txn.type = TxnType::Module;
        txn.chain_id = 1;
        txn.module_id = ExchangeModule::kId;
        txn.to = kExchange;
        txn.from = account;
        txn.nonce = ++m_module_nonce;
        rlp::ListBuilder list;
        for (const Bytes& each : encoded)
            list.bytes(each);
        txn.data = to_bytes(list.payload());
        const auto done = m_block->executor().execute(txn, signer.value_or(account));
        if (!done)
            return done.error() == TxnError::ModuleSessionScope ? "SessionScope" : "not executed";
        last_gas = done->receipt.gas_used;
        return done->receipt.success ? "" : reason_of(done->output);
    }
    void publish(Price price) {
        const PublishPrices prices{time_s * 1000, {{0, price}}};
        EXPECT_EQ(commands(kOperator, {prices}), "");
        EXPECT_EQ(commands(kKey, {prices}), "");
    }
    Done deposit(const Address& who, std::uint64_t units, const Address& token = kToken) {
        EXPECT_TRUE(
            call(who, token, call_data("approve(address,uint256)", {word_of(kExchange), u256::max()})).ok);
        return call(who, kExchange,
                    call_data("deposit(uint32,address,uint256)", {0, word_of(token), kUnit * u256{units}}));
    }
    // With cross collateral.
    void fund(const Address& who, std::uint64_t units) {
        EXPECT_TRUE(deposit(who, units).ok);
        EXPECT_EQ(commands(who, {AddCollateral{units}}), "");
    }

    state::MemoryState state;
    std::vector<chain::Receipt> receipts;
    std::uint64_t time_s = 40 * 86'400;
    std::uint64_t last_gas = 0;

private:
    std::shared_ptr<const module::ModuleSet> m_set;
    std::optional<BlockFixture> m_block;
    std::map<Address, std::uint64_t> m_nonces;
    std::uint64_t m_number = 0;
    std::uint64_t m_module_nonce = 40ull * 86'400'000;
};

PlaceOrder order(Side side, Price price, Size size, MarketId market = 0) {
    PlaceOrder out;
    out.market = market;
    out.side = side;
    out.price = price;
    out.size = size;
    return out;
}

TEST(ExchangeModule, TakesTokensInAndGivesThemBack) {
    ExchangeChain chain;
    EXPECT_EQ(chain.look("assetOf(address)", {word_of(kBaseToken)}), 1u);
    EXPECT_EQ(chain.deposit(kAlice, 500).reason, "");
    const std::uint64_t alice = chain.look("accountOf(address,uint32)", {word_of(kAlice), 0});
    EXPECT_EQ(alice, 1u);
    EXPECT_EQ(chain.look("balanceOf(uint32,uint32)", {alice, 0}), 500u);
    EXPECT_EQ(chain.tokens_of(kExchange), 500u);
    EXPECT_EQ(chain.tokens_of(kAlice), ExchangeChain::kFunds - 500);
    EXPECT_EQ(chain.commands(kAlice, {WithdrawAsset{0, 200}}), "");
    EXPECT_EQ(chain
                  .call(kAlice, kExchange,
                        call_data("withdraw(uint32,address,uint256)", {0, word_of(kToken), kUnit}))
                  .reason,
              "");
    EXPECT_EQ(chain.commands(kAlice, {WithdrawAsset{0, 300}}), "exchange: InsufficientBalance");
    EXPECT_EQ(chain.commands(kBob, {WithdrawAsset{0, 1}}), "exchange: UnknownAccount");
    EXPECT_EQ(chain.tokens_of(kExchange), 299u);
    EXPECT_EQ(chain.tokens_of(kAlice), ExchangeChain::kFunds - 299);
    chain.end();
    // The deposit, the third transaction of the block.
    const auto& logs = chain.receipts[2].logs;
    ASSERT_EQ(logs.size(), 1u);
    EXPECT_EQ(logs[0].address, kExchange);
    EXPECT_EQ(logs[0].topics,
              (std::vector<Hash>{module::event_topic("Deposited(address,address,uint32,uint32,uint256)"),
                                 module::topic(kAlice), module::topic(kToken)}));
    EXPECT_EQ(load_be32(logs[0].data.data() + 64), kUnit * u256{500});
}

TEST(ExchangeModule, RefusesTokensThatDoNotBringWhatIsAskedFor) {
    ExchangeChain chain;
    const auto refused = [&](u256 wei, const Address& token) {
        return chain
            .call(kAlice, kExchange, call_data("deposit(uint32,address,uint256)", {0, word_of(token), wei}))
            .reason;
    };
    EXPECT_EQ(refused(kUnit, kToken), "exchange: TokenFailed");  // no allowance
    EXPECT_EQ(refused(kUnit, kAlice), "exchange: UnknownToken");
    EXPECT_TRUE(chain.deposit(kAlice, 10).ok);
    EXPECT_EQ(refused(kUnit + u256{1}, kToken), "exchange: Remainder");
    EXPECT_EQ(refused(u256{}, kToken), "exchange: ZeroAmount");
    EXPECT_EQ(refused(u256::max() - u256::max() % kUnit, kToken), "exchange: SupplyBounds");
    const auto become = [&](std::uint64_t mode) {
        EXPECT_TRUE(chain.call(kOperator, kToken, call_data("become(uint256)", {mode})).ok);
    };
    become(kKeepsAFee);
    EXPECT_EQ(refused(kUnit, kToken), "exchange: TokenFailed");
    become(kSaysNo);
    EXPECT_EQ(refused(kUnit, kToken), "exchange: TokenFailed");
    EXPECT_EQ(chain.commands(kAlice, {WithdrawAsset{0, 1}}), "exchange: TokenFailed");
    become(kSaysNothing);
    EXPECT_EQ(refused(kUnit, kToken), "");
    EXPECT_EQ(chain.commands(kAlice, {WithdrawAsset{0, 1}}), "");
    EXPECT_EQ(chain.tokens_of(kExchange), 10u);
    EXPECT_EQ(chain.look("balanceOf(uint32,uint32)", {1, 0}), 10u);
    EXPECT_EQ(chain.commands(kOperator, {AddAsset{kToken, 1}}), "exchange: TokenUsed");
    EXPECT_EQ(chain.commands(kOperator, {AddAsset{kAlice, 1}}), "exchange: TokenFailed");
    EXPECT_EQ(chain.commands(kOperator, {AddAsset{kTrader, 0}}), "exchange: BadToken");
    EXPECT_EQ(chain.commands(kAlice, {AddAsset{kTrader, 1}}), "exchange: NotOperator");
    chain.end();
}

TEST(ExchangeModule, TradesByCommands) {
    ExchangeChain chain;
    chain.fund(kAlice, 10'000);
    chain.fund(kBob, 10'000);
    chain.next();
    EXPECT_EQ(chain.commands(kAlice, {order(Side::Sell, 100, 5), order(Side::Sell, 101, 5)}), "");
    EXPECT_EQ(chain.look("best(uint32)", {0}, 2), 100u);
    EXPECT_EQ(chain.look("best(uint32)", {0}, 3), 5u);
    // The one that is refused is undone, the others stand.
    EXPECT_EQ(chain.commands(
                  kBob, {order(Side::Buy, 100, 3), order(Side::Buy, 2'000'000, 1), order(Side::Buy, 100, 1)}),
              "exchange: PriceBounds");
    EXPECT_EQ(chain.look("position(uint32,uint32)", {2, 0}), 4u);
    EXPECT_EQ(chain.look("best(uint32)", {0}, 3), 1u);
    EXPECT_EQ(chain.look("order(uint32,uint64)", {0, 1}, 3), 1u);
    EXPECT_EQ(chain.look("market(uint32)", {0}, 3), 4u);
    EXPECT_EQ(chain.commands(kAlice, {CancelAll{}}), "");
    EXPECT_EQ(chain.look("best(uint32)", {0}, 2), 0u);
    EXPECT_EQ(chain.send(kAlice, {Bytes{0x7f}}), "exchange: UnknownKind");
    EXPECT_EQ(chain.send(kAlice, {Bytes{6, 0}}), "exchange: TrailingBytes");
    chain.end();
    const auto topics = [&](std::size_t receipt) {
        std::vector<std::pair<Hash, std::uint64_t>> out;
        for (const auto& log : chain.receipts[receipt].logs)
            out.emplace_back(log.topics[0], from_hash(log.topics[1])[0]);
        return out;
    };
    const Hash changed = module::event_topic("OrderChanged(uint32,bytes32)");
    const Hash traded = module::event_topic("Traded(uint32,bytes32,bytes32)");
    EXPECT_EQ(topics(0), (std::vector<std::pair<Hash, std::uint64_t>>{{changed, 1}, {changed, 1}}));
    const auto trades = topics(3);
    EXPECT_EQ(std::ranges::count(trades, std::pair(traded, std::uint64_t{1})), 2);
    EXPECT_EQ(std::ranges::count(trades, std::pair(traded, std::uint64_t{2})), 2);
    // Accepted, no reason, sells, market 0, price 100, order 1, 5 lots.
    EXPECT_EQ(to_hex0x(chain.receipts[0].logs[0].data),
              "0x0000010000000000000000000000006400000000000000010000000000000005");
}

TEST(ExchangeModule, LetsContractsTradeAndUndoesWhatReverts) {
    ExchangeChain chain;
    chain.fund(kAlice, 10'000);
    EXPECT_EQ(chain.commands(kAlice, {order(Side::Sell, 100, 50)}), "");
    const Bytes approve = call_data("approve(address,uint256)", {word_of(kExchange), u256::max()});
    const Bytes deposit =
        call_data("deposit(uint32,address,uint256)", {0, word_of(kToken), kUnit * u256{1000}});
    EXPECT_TRUE(chain.call(kBob, kTrader, through(kToken, approve)).ok);
    EXPECT_TRUE(chain.call(kBob, kTrader, through(kExchange, deposit)).ok);
    EXPECT_TRUE(chain.call(kBob, kTrader, through(kExchange, execute_data({0, AddCollateral{1000}}))).ok);
    const auto buy = [](std::uint64_t size) {
        return call_data("placeOrder(uint32,uint32,uint32,uint32,uint64,bytes16)", {0, 0, 0, 100, size, 0});
    };
    const auto bought = chain.call(kBob, kTrader, through(kExchange, buy(3)));
    EXPECT_EQ(bought.reason, "");
    EXPECT_EQ(number_at(bought.output, 1), 3u);
    EXPECT_EQ(chain.look("position(uint32,uint32)", {2, 0}), 3u);
    // The same through a contract that reverts: nothing has been, the allowance neither.
    EXPECT_FALSE(chain.call(kBob, kReverter, through(kToken, approve)).ok);
    EXPECT_FALSE(chain.call(kBob, kReverter, through(kExchange, deposit)).ok);
    chain.state.set_code(kTrader, forwarder(true));
    chain.next();
    const auto undone = chain.call(kBob, kTrader, through(kExchange, buy(4)));
    EXPECT_FALSE(undone.ok);
    EXPECT_EQ(chain.look("position(uint32,uint32)", {2, 0}), 3u);
    EXPECT_EQ(chain.look("best(uint32)", {0}, 3), 47u);
    EXPECT_EQ(chain.tokens_of(kExchange), 11'000u);
    chain.end();
}

TEST(ExchangeModule, NamesWhatIsWrongWithCalls) {
    ExchangeChain chain;
    const auto reason = [&](const Bytes& data) { return chain.call(kAlice, kExchange, data).reason; };
    EXPECT_EQ(reason({}), "exchange: UnknownFunction");
    EXPECT_EQ(reason(call_data("no()")), "exchange: UnknownFunction");
    for (const std::string_view function : exchange_functions())
        EXPECT_EQ(reason(call_data(function)), "exchange: BadArguments") << function;
    EXPECT_EQ(reason(call_data("best(uint32)", {2})), "exchange: UnknownMarket");
    EXPECT_EQ(reason(call_data("best(uint32)", {u256{1} << 32})), "exchange: BadArguments");
    EXPECT_EQ(reason(call_data("order(uint32,uint64)", {0, 9})), "exchange: UnknownOrder");
    EXPECT_EQ(reason(call_data("marginOf(uint32)", {0})), "exchange: UnknownAccount");
    EXPECT_EQ(reason(call_data("balanceOf(uint32,uint32)", {1, 0})), "exchange: UnknownAccount");
    EXPECT_EQ(reason(call_data("cancelAll(uint32)", {0})), "exchange: UnknownAccount");
    chain.end();
}

TEST(ExchangeModule, ConfinesSessionKeys) {
    ExchangeChain chain;
    chain.fund(kAlice, 1000);
    EXPECT_TRUE(chain.deposit(kAlice, 10).ok);
    Bytes authorise{module::kFrameworkCommand, module::kAuthorise};
    append(authorise, kKey);
    authorise.resize(22 + 24);
    const std::uint64_t scope =
        1u << static_cast<unsigned>(CommandGroup::Trade) | 1u << static_cast<unsigned>(CommandGroup::Cancel);
    detail::store_be64(scope, authorise.data() + 22);
    detail::store_be64(100, authorise.data() + 38);
    EXPECT_EQ(chain.send(kAlice, {authorise}), "");
    EXPECT_EQ(chain.commands(kAlice, {order(Side::Buy, 90, 1), CancelAll{}}, kKey), "");
    for (const CommandBody& body :
         std::vector<CommandBody>{WithdrawAsset{0, 1}, TransferTo{1, 0, 1}, RemoveCollateral{1},
                                  SetLeverage{0, 2, false}, ApproveBuilder{1, 1}, SetHalted{0, true}}) {
        EXPECT_EQ(chain.commands(kAlice, {body}, kKey), "SessionScope");
        EXPECT_EQ(chain.commands(kAlice, {body}, kKey, 1), "SessionScope");
    }
    EXPECT_EQ(chain.tokens_of(kExchange), 1010u);
    chain.end();
}

TEST(ExchangeModule, LeavesTheExitOpenWhileItIsHalted) {
    ExchangeChain chain;
    chain.fund(kAlice, 1000);
    chain.fund(kBob, 1000);
    EXPECT_EQ(chain.commands(kAlice, {order(Side::Sell, 100, 5)}), "");
    EXPECT_EQ(chain.commands(kBob, {order(Side::Buy, 100, 5), order(Side::Buy, 90, 5)}), "");
    EXPECT_EQ(chain.commands(kAlice, {SetHalted{0, true}}), "exchange: NotOperator");
    EXPECT_EQ(chain.commands(kOperator, {SetHalted{0, true}}), "");
    EXPECT_EQ(chain.look("market(uint32)", {0}, 6), 1u);
    EXPECT_EQ(chain.commands(kAlice, {order(Side::Sell, 100, 1)}), "exchange: Halted");
    PlaceOrder close = order(Side::Buy, 100, 5);
    close.reduce_only = true;
    EXPECT_EQ(chain.commands(kAlice, {close}), "");
    EXPECT_EQ(chain.commands(kBob, {CancelAll{}}), "");
    EXPECT_EQ(chain.commands(kAlice, {RemoveCollateral{900}, WithdrawAsset{0, 900}}), "");
    EXPECT_EQ(chain.tokens_of(kExchange), 1100u);
    chain.end();
}

TEST(ExchangeModule, MovesWithBlocks) {
    ExchangeChain chain;
    chain.fund(kAlice, 1000);
    chain.fund(kBob, 1000);
    EXPECT_EQ(chain.look("market(uint32)", {0}, 1), 100u);
    EXPECT_EQ(chain.commands(kAlice, {order(Side::Sell, 100, 50)}), "");
    EXPECT_EQ(chain.commands(kBob, {order(Side::Buy, 100, 50)}), "");
    PlaceTrigger stop;
    stop.at = 95;
    stop.order = order(Side::Sell, 90, 10);
    EXPECT_EQ(chain.commands(kBob, {stop}), "");
    chain.next();
    chain.publish(94);
    EXPECT_EQ(chain.commands(kKey, {PublishPrices{1, {{0, 94}}}}), "exchange: OldPrice");
    EXPECT_EQ(chain.commands(kAlice, {PublishPrices{1, {{0, 94}}}}), "exchange: NotPublisher");
    EXPECT_EQ(chain.look("best(uint32)", {0}, 2), 0u);
    chain.next();
    EXPECT_EQ(chain.look("market(uint32)", {0}, 1), 94u);
    EXPECT_EQ(chain.look("best(uint32)", {0}, 2), 90u);  // the stop's order rests
    // An oracle that is silent becomes stale.
    chain.time_s += 120;
    chain.next();
    chain.next();
    EXPECT_EQ(chain.look("market(uint32)", {0}, 5), 0u);
    EXPECT_EQ(chain.commands(kBob, {order(Side::Buy, 80, 1)}), "exchange: NoMark");
    chain.end();
}

TEST(ExchangeModule, HasRoomForTheLargestBatch) {
    ExchangeChain chain;
    chain.fund(kAlice, 100'000);
    chain.fund(kBob, 100'000);
    chain.next();
    std::vector<CommandBody> orders;
    for (std::uint32_t i = 0; i < 1000; ++i)
        orders.emplace_back(order(Side::Buy, 10 + i % 50, 1));
    for (std::uint32_t i = 0; i < 24; ++i)
        orders.emplace_back(CancelOrder{.market = 0, .order = i + 1});
    EXPECT_EQ(chain.commands(kAlice, orders), "");
    RecordProperty("gas_of_1000_orders", static_cast<int>(chain.last_gas));
    EXPECT_EQ(chain.commands(kBob, std::vector<CommandBody>(orders.begin(), orders.begin() + 1000)), "");
    std::vector<CommandBody> cancels(orders.begin() + 1000, orders.end());
    for (auto& each : cancels)
        std::get<CancelOrder>(each).order += 100;
    EXPECT_EQ(chain.commands(kAlice, cancels), "");
    EXPECT_LT(chain.last_gas, ExchangeModule{}.transaction_gas_max() / 40);
    EXPECT_EQ(chain.commands(kBob, {CancelAll{}}), "");
    chain.end();
}

struct LinesOfBlocks {
    std::uint32_t blocks;
    std::uint32_t lines_most;
};

// All that may be due in one block but for liquidations: orders of 1,000 are cancelled for each of eight
// accounts, and 64 triggers fill 256 orders each. In how many blocks it is done that stop at so many lines.
void do_much(std::uint32_t lines_stop, LinesOfBlocks& out) {
    constexpr std::uint32_t kMakers = 17;
    constexpr std::uint32_t kGone = 8;
    MarketTerms terms = testing::perpetual_terms();
    terms.rules.fills_max = kFillsMax;
    testing::TestExchange test(terms, testing::spot_terms(), 8192, module::kUndoLinesMax);
    Exchange& exchange = test.exchange();
    test.block(100);
    for (std::uint32_t i = 1; i <= kMakers + kGone; ++i) {
        const bool goes = i > kMakers;
        const AccountId maker = test.trader(i, 100'000);
        for (std::uint32_t k = 0; k < kOrdersPerAccountMax; ++k)
            ASSERT_TRUE(test.place(maker, Side::Sell, goes ? 200 : 100, 1));
        if (goes) {
            ASSERT_TRUE(exchange.schedule_cancel(maker, test.now_ms() + 6000));
        }
    }
    const AccountId taker = test.trader(100, 10'000'000);
    for (std::uint32_t i = 0; i < kTriggersFiredMax; ++i) {
        PlaceTrigger trigger;
        trigger.above = true;
        trigger.at = 101;
        trigger.order = testing::TestExchange::order(taker, Side::Buy, 150, kFillsMax);
        ASSERT_TRUE(exchange.place_trigger(trigger));
    }
    std::uint64_t now_ms = test.now_ms() + 10'000;
    std::uint32_t lines_most = 0;
    std::uint32_t blocks = 0;
    for (; test.position(taker).size < std::int64_t{kTriggersFiredMax} * kFillsMax && blocks < 64; ++blocks) {
        now_ms += 1000;
        ASSERT_TRUE(exchange.begin_block(now_ms));
        for (std::uint32_t i = 0; i < 3; ++i)
            ASSERT_TRUE(exchange.publish(testing::address_of(900 + i), 0, 102, now_ms));
        const auto hook = test.arena().checkpoint();
        ASSERT_TRUE(exchange.end_block(lines_stop));
        lines_most = std::max(lines_most, test.arena().undo_lines());
        ASSERT_TRUE(test.arena().commit(hook));
    }
    out = {blocks, lines_most};
    EXPECT_EQ(exchange.ledger().book(0).best(Side::Sell)->total, kMakers * 1000 - 64 * 256);
    EXPECT_EQ(exchange.check_invariants(), "");
}

TEST(ExchangeModule, BoundsTheLinesOfABlock) {
    LinesOfBlocks whole{};
    do_much(kBlockLinesStop, whole);
    RecordProperty("lines_most", static_cast<int>(whole.lines_most));
    EXPECT_EQ(whole.blocks, 1u);
    EXPECT_LT(whole.lines_most, ExchangeModule{}.hook_lines_max() / 4);
    // It stops between two things, each of which is at most some thousand lines; the next blocks do the rest.
    constexpr std::uint32_t kStop = 8192;
    LinesOfBlocks parts{};
    do_much(kStop, parts);
    EXPECT_GT(parts.blocks, 2u);
    EXPECT_GE(parts.lines_most, kStop);
    EXPECT_LT(parts.lines_most, kStop + 8192);
}

}  // namespace
}  // namespace meridian::modules::exchange
