#include <meridian/load/workload.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/load/abi.hpp>
#include <meridian/load/artifacts.hpp>

#include <array>
#include <filesystem>

namespace meridian::load {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSharesMax = 100;      // accounts in one transaction of the distributor
constexpr std::uint64_t kShareGas = 60'000;  // for each account that gets tokens
constexpr std::uint64_t kApproveGas = 60'000;
constexpr std::uint64_t kTransferGas = 21'000;
constexpr std::uint64_t kTokenTransferGas = 70'000;
constexpr std::uint64_t kSwapGas = 220'000;
constexpr std::uint64_t kLiquidityGas = 4'000'000;  // makes the pair too
const u256 kToken = u256{1'000'000'000'000'000'000};
const u256 kDeadline = u256{1} << 40;

// Spreads numbers that come one after another.
std::uint64_t scattered(std::uint64_t i) {
    i = (i ^ (i >> 30)) * 0xbf58476d1ce4e5b9u;
    i = (i ^ (i >> 27)) * 0x94d049bb133111ebu;
    return i ^ (i >> 31);
}

// Amounts differ, so that a transfer that went elsewhere shows.
std::uint64_t amount_of(std::size_t txn) {
    return 1 + scattered(txn) % 97;
}

std::size_t recipient_of(std::size_t txn, std::size_t count) {
    return scattered(txn + 1) % count;
}

// Sums that the recipients got, compared with what the confirmed transactions say.
Check compare_received(const std::string& name, const std::vector<u256>& before,
                       const std::vector<u256>& after, const Cast& cast,
                       const std::function<bool(std::size_t)>& succeeded) {
    std::vector<u256> expected = before;
    for (std::size_t i = 0; i < cast.txns; ++i)
        if (succeeded(i))
            expected[recipient_of(i, expected.size())] += u256{amount_of(i)};
    for (std::size_t i = 0; i < expected.size(); ++i)
        if (after[i] != expected[i])
            return {name, false,
                    to_hex0x(cast.recipients[i]) + " has " + to_decimal(after[i]) + ", expected " +
                        to_decimal(expected[i])};
    return {name, true, std::to_string(expected.size()) + " recipients"};
}

class Transfers final : public Workload {
public:
    explicit Transfers(const Cast& cast) : m_cast(cast) {}

    std::uint64_t gas_limit_max() const override { return kTransferGas; }
    u256 value_max() const override { return u256{100}; }

    void prepare(Setup& setup, const Address&) override {
        m_before = read_balances(setup.rpc(), m_cast.recipients);
    }

    Operation operation(std::size_t txn) const override {
        return {.to = m_cast.recipients[recipient_of(txn, m_cast.recipients.size())],
                .value = u256{amount_of(txn)},
                .data = {},
                .gas_limit = kTransferGas};
    }

    void check(RpcClient& rpc, const std::function<bool(std::size_t)>& succeeded,
               std::vector<Check>& out) const override {
        out.push_back(compare_received("ether of the recipients", m_before,
                                       read_balances(rpc, m_cast.recipients), m_cast, succeeded));
    }

private:
    const Cast& m_cast;
    std::vector<u256> m_before;
};

// Deploys a token and gives each sender a share of it.
Address deploy_token(Setup& setup, const Cast& cast, const Address& distributor, const u256& share) {
    const u256 supply = kToken * u256{100'000'000} + share * u256{cast.senders.size()};
    const Address token = setup.deploy(creation_data(token_code(), {supply}));
    setup.send(setup.payer(),
               {.to = token,
                .value = {},
                .data = call_data("approve(address,uint256)", {word(distributor), u256::max()}),
                .gas_limit = kApproveGas});
    const std::vector<Address> holders = addresses_of(cast.senders);
    for (std::size_t from = 0; from < holders.size(); from += kSharesMax) {
        const auto part = std::span(holders).subspan(from, std::min(kSharesMax, holders.size() - from));
        setup.send(setup.payer(), {.to = distributor,
                                   .value = {},
                                   .data = call_data("shareToken(address,address[],uint256)",
                                                     {word(token), u256{}, share}, 1, part),
                                   .gas_limit = 100'000 + kShareGas * part.size()});
    }
    setup.finish();
    return token;
}

class TokenTransfers final : public Workload {
public:
    explicit TokenTransfers(const Cast& cast) : m_cast(cast) {}

    std::uint64_t gas_limit_max() const override { return kTokenTransferGas; }

    void prepare(Setup& setup, const Address& distributor) override {
        m_share = u256{100 * m_cast.txns_per_sender()};
        m_token = deploy_token(setup, m_cast, distributor, m_share);
        m_before = read_token_balances(setup.rpc(), m_token, m_cast.recipients);
    }

    Operation operation(std::size_t txn) const override {
        const Address& to = m_cast.recipients[recipient_of(txn, m_cast.recipients.size())];
        return {.to = m_token,
                .value = {},
                .data = call_data("transfer(address,uint256)", {word(to), u256{amount_of(txn)}}),
                .gas_limit = kTokenTransferGas};
    }

    void check(RpcClient& rpc, const std::function<bool(std::size_t)>& succeeded,
               std::vector<Check>& out) const override {
        out.push_back(compare_received("tokens of the recipients", m_before,
                                       read_token_balances(rpc, m_token, m_cast.recipients), m_cast,
                                       succeeded));
        u256 expected = m_share * u256{m_cast.senders.size()};
        for (std::size_t i = 0; i < m_cast.txns; ++i)
            if (succeeded(i))
                expected -= u256{amount_of(i)};
        u256 sum;
        for (const u256& balance : read_token_balances(rpc, m_token, addresses_of(m_cast.senders)))
            sum += balance;
        out.push_back({"tokens of the senders", sum == expected,
                       "together " + to_decimal(sum) + ", expected " + to_decimal(expected)});
    }

private:
    const Cast& m_cast;
    Address m_token;
    u256 m_share;
    std::vector<u256> m_before;
};

// Swaps in both directions in one Uniswap v2 pair of two tokens, through the router.
class Swaps final : public Workload {
public:
    Swaps(const Cast& cast, std::string folder) : m_cast(cast), m_folder(std::move(folder)) {
        m_factory_code = artifact_code(m_folder + "/v2-core/build/UniswapV2Factory.json");
        m_weth_code = artifact_code(m_folder + "/v2-periphery/build/WETH9.json");
        m_router_code = artifact_code(m_folder + "/v2-periphery/build/UniswapV2Router02.json");
    }

    std::uint64_t gas_limit_max() const override { return kSwapGas; }
    std::size_t setup_txns_per_sender() const override { return 2; }

    void prepare(Setup& setup, const Address& distributor) override {
        const u256 share = u256{2 * kSwapAmountMax * (m_cast.txns_per_sender() + 1)};
        for (Address& token : m_tokens)
            token = deploy_token(setup, m_cast, distributor, share);
        const Address factory = setup.deploy(creation_data(m_factory_code, {word(setup.payer().address)}));
        const Address weth = setup.deploy(m_weth_code);
        m_router = setup.deploy(creation_data(m_router_code, {word(factory), word(weth)}));
        add_liquidity(setup);
        for (const Account& sender : m_cast.senders)
            allow_router(setup, sender);
        setup.finish();
        m_pair = to_address(from_hash(hash_of(setup.rpc().call(
            "eth_call", {json::object{{"to", to_hex0x(factory)},
                                      {"data", to_hex0x(call_data("getPair(address,address)",
                                                                  {word(m_tokens[0]), word(m_tokens[1])}))}},
                         "latest"}))));
        m_before = holdings(setup.rpc());
    }

    Operation operation(std::size_t txn) const override {
        // A sender swaps back and forth, so that the price stays where it is.
        const std::size_t from = txn / m_cast.senders.size() % 2;
        const Address& sender = m_cast.senders[txn % m_cast.senders.size()].address;
        const std::array<Address, 2> path{m_tokens[from], m_tokens[1 - from]};
        const u256 amount{kSwapAmountMax - scattered(txn) % 1000};
        return {.to = m_router,
                .value = {},
                .data = call_data("swapExactTokensForTokens(uint256,uint256,address[],address,uint256)",
                                  {amount, u256{1}, u256{}, word(sender), kDeadline}, 2, path),
                .gas_limit = kSwapGas};
    }

    void check(RpcClient& rpc, const std::function<bool(std::size_t)>& succeeded,
               std::vector<Check>& out) const override {
        std::size_t swaps = 0;
        for (std::size_t i = 0; i < m_cast.txns; ++i)
            swaps += succeeded(i);
        const Holdings after = holdings(rpc);
        for (std::size_t side = 0; side < 2; ++side) {
            const u256 was = m_before.senders[side] + m_before.pair[side];
            const u256 is = after.senders[side] + after.pair[side];
            out.push_back({side == 0 ? "first token of senders and pair" : "second token of senders and pair",
                           was == is, to_decimal(is) + " together, before " + to_decimal(was)});
        }
        // Swaps of amounts this small against reserves this large keep the products within 192 bits.
        const bool grown = after.pair[0] * after.pair[1] > m_before.pair[0] * m_before.pair[1];
        out.push_back({"product of the pair's reserves", swaps == 0 || grown,
                       std::to_string(swaps) + " swaps, each with a fee that makes it grow"});
    }

private:
    static constexpr std::uint64_t kSwapAmountMax = 1'000'000;
    struct Holdings {
        std::array<u256, 2> senders;  // sums
        std::array<u256, 2> pair;
    };

    void allow_router(Setup& setup, const Account& owner) const {
        for (const Address& token : m_tokens)
            setup.send(owner, {.to = token,
                               .value = {},
                               .data = call_data("approve(address,uint256)", {word(m_router), u256::max()}),
                               .gas_limit = kApproveGas});
    }

    void add_liquidity(Setup& setup) const {
        const u256 amount = kToken * u256{1'000'000};
        allow_router(setup, setup.payer());
        setup.send(setup.payer(),
                   {.to = m_router,
                    .value = {},
                    .data = call_data(
                        "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)",
                        {word(m_tokens[0]), word(m_tokens[1]), amount, amount, u256{}, u256{},
                         word(setup.payer().address), kDeadline}),
                    .gas_limit = kLiquidityGas});
        setup.finish();
    }

    Holdings holdings(RpcClient& rpc) const {
        Holdings out;
        const std::vector<Address> senders = addresses_of(m_cast.senders);
        for (std::size_t side = 0; side < 2; ++side) {
            for (const u256& balance : read_token_balances(rpc, m_tokens[side], senders))
                out.senders[side] += balance;
            out.pair[side] = read_token_balances(rpc, m_tokens[side], {&m_pair, 1}).front();
        }
        return out;
    }

    const Cast& m_cast;
    std::string m_folder;
    Bytes m_factory_code;
    Bytes m_weth_code;
    Bytes m_router_code;
    std::array<Address, 2> m_tokens;
    Address m_router;
    Address m_pair;
    Holdings m_before;
};

// Six of ten are transfers, three move tokens, one swaps.
class Mix final : public Workload {
public:
    Mix(const Cast& cast, const std::string& uniswap_folder)
        : m_transfers(cast), m_tokens(cast), m_swaps(cast, uniswap_folder) {}

    std::uint64_t gas_limit_max() const override { return kSwapGas; }
    u256 value_max() const override { return m_transfers.value_max(); }
    std::size_t setup_txns_per_sender() const override { return m_swaps.setup_txns_per_sender(); }

    void prepare(Setup& setup, const Address& distributor) override {
        m_transfers.prepare(setup, distributor);
        m_tokens.prepare(setup, distributor);
        m_swaps.prepare(setup, distributor);
    }

    Operation operation(std::size_t txn) const override { return parts()[part_of(txn)]->operation(txn); }

    void check(RpcClient& rpc, const std::function<bool(std::size_t)>& succeeded,
               std::vector<Check>& out) const override {
        const auto all = parts();
        for (std::size_t part = 0; part < all.size(); ++part)
            all[part]->check(
                rpc, [&](std::size_t txn) { return part_of(txn) == part && succeeded(txn); }, out);
    }

private:
    static std::size_t part_of(std::size_t txn) {
        const std::uint64_t die = scattered(txn + 2) % 10;
        return die < 6 ? 0 : die < 9 ? 1 : 2;
    }
    std::array<const Workload*, 3> parts() const { return {&m_transfers, &m_tokens, &m_swaps}; }

    Transfers m_transfers;
    TokenTransfers m_tokens;
    Swaps m_swaps;
};

}  // namespace

std::unique_ptr<Workload> make_workload(const std::string& name, const Cast& cast,
                                        const std::string& uniswap_folder) {
    if (name == "transfers")
        return std::make_unique<Transfers>(cast);
    if (name == "erc20")
        return std::make_unique<TokenTransfers>(cast);
    if (name != "uniswap" && name != "mix")
        throw LoadFailure("there is no workload \"" + name + "\"; there are transfers, erc20, uniswap, mix");
    if (uniswap_folder.empty())
        throw LoadFailure(
            "the workload " + name +
            " needs Uniswap v2: --artifacts names the folder node_modules/@uniswap with v2-core "
            "and v2-periphery");
    if (name == "uniswap")
        return std::make_unique<Swaps>(cast, uniswap_folder);
    return std::make_unique<Mix>(cast, uniswap_folder);
}

std::string find_uniswap_folder() {
    std::error_code ec;
    for (fs::path start : {fs::read_symlink("/proc/self/exe", ec).parent_path(), fs::current_path(ec)})
        for (; start.has_relative_path(); start = start.parent_path())
            if (const fs::path folder = start / "node_modules/@uniswap";
                fs::is_directory(folder / "v2-core", ec))
                return folder.string();
    return {};
}

}  // namespace meridian::load
