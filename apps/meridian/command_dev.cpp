// meridian dev: a development chain behind HTTP and WebSocket, in memory or in a folder, until Ctrl-C.
#include "commands.hpp"
#include "data_folder.hpp"
#include "logging.hpp"
#include "modules.hpp"
#include "node_options.hpp"
#include "number_option.hpp"
#include "store_tools.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/gateway/access.hpp>
#include <meridian/gateway/server.hpp>
#include <meridian/node/dev_chain.hpp>
#include <meridian/node/mnemonic_check.hpp>
#include <meridian/store/memory_database.hpp>
#include <meridian/store/rocks_database.hpp>

#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

namespace meridian::app {
namespace {

constexpr unsigned kPortMax = 65535;
constexpr unsigned kThreadsMax = 64;

struct DevOptions {
    gateway::ServerOptions server;
    std::string mnemonic{node::kDefaultMnemonic};
    std::size_t accounts = 10;
    std::string balance = "10000";
    std::uint64_t chain_id = 1234321;
    std::uint64_t gas_limit = 60'000'000;
    std::uint64_t base_fee = 1'000'000'000;
    std::optional<std::uint64_t> timestamp;  // default: now
    std::string hardfork = "osaka";
    double block_time_s = 0;
    bool no_mining = false;
    bool unlimited_code_size = false;
    std::string genesis;
    std::vector<std::string> modules;
    std::string import;
    std::string data_dir;  // empty: in memory
    std::uint64_t call_gas = 50'000'000;
    double evm_timeout_s = 5;
    bool json = false;
    std::string vhosts = "localhost";
    std::string cors = "localhost,127.0.0.1,[::1]";
    LogOptions log;
    bool verbose = false;
};

int refuse(const std::string& message, int code = kExitFailed) {
    std::fprintf(stderr, "meridian dev: %s\n", message.c_str());
    return code;
}

Result<node::Genesis, std::string> make_genesis(const DevOptions& options,
                                                const std::vector<node::DevAccount>& accounts) {
    if (!options.genesis.empty())
        return load_genesis(options.genesis);
    const auto revision = parse_revision(options.hardfork);
    if (!revision)
        return fail("--hardfork: there is no \"" + options.hardfork + "\"; the newest is osaka");
    const auto balance = parse_ether(options.balance);
    if (!balance)
        return fail("--balance: want ether from 0 to 10^59, with at most 18 decimals, not \"" +
                    options.balance + "\"");
    return node::dev_genesis({.chain_id = options.chain_id,
                              .revision = *revision,
                              .gas_limit = options.gas_limit,
                              .timestamp = options.timestamp ? *options.timestamp : seconds_since_epoch(),
                              .base_fee = options.base_fee,
                              .balance = *balance,
                              .unlimited_code_size = options.unlimited_code_size},
                             accounts);
}

void print_json(const DevOptions& options, node::DevChain& chain, std::uint16_t port) {
    std::printf("{\"url\":\"http://%s:%u\",\"chainId\":%llu,\"blockNumber\":%llu,\"accounts\":[",
                options.server.host.c_str(), port, static_cast<unsigned long long>(chain.config().chain_id),
                static_cast<unsigned long long>(chain.head()->number()));
    const char* separator = "";
    for (const auto& account : chain.accounts()) {
        std::printf("%s{\"address\":\"%s\",\"privateKey\":\"%s\"}", separator,
                    node::checksum_address(account.address).c_str(), to_hex0x(account.private_key).c_str());
        separator = ",";
    }
    std::printf("]}\n");
}

void print_text(const DevOptions& options, node::DevChain& chain, std::uint16_t port) {
    std::printf("Meridian development chain %llu, block %llu\n\n",
                static_cast<unsigned long long>(chain.config().chain_id),
                static_cast<unsigned long long>(chain.head()->number()));
    std::size_t index = 0;
    for (const auto& account : chain.accounts()) {
        std::printf("(%zu) %s  key %s\n", index++, node::checksum_address(account.address).c_str(),
                    to_hex0x(account.private_key).c_str());
    }
    if (chain.accounts().empty())
        std::printf("No account of the mnemonic is funded.\n\n");
    else
        std::printf("\nThese keys are public knowledge: never use them for anything of value.\n\n");
    std::printf("Listening on %s:%u (HTTP and WebSocket)\n", options.server.host.c_str(), port);
}

void log_start(const DevOptions& options, node::DevChain& chain, std::uint16_t port) {
    const node::BlockPtr head = chain.head();
    const chain::Header& header = head->header();
    spdlog::info("meridian {}: chain {}, block {}, genesis {}", MERIDIAN_VERSION, chain.config().chain_id,
                 header.number, to_hex0x(chain.genesis_hash()));
    spdlog::info(
        "gas limit {}, mining {}", header.gas_limit,
        chain.mining().automine ? "at once" : std::to_string(chain.mining().interval_ms) + " ms apart");
    spdlog::info("listening on {}:{}, {} threads, at most {} connections", options.server.host, port,
                 options.server.threads, options.server.connections_max);
    spdlog::info("names served (--vhosts): {}; pages served (--cors): {}", options.vhosts, options.cors);
}

int serve(const DevOptions& options, node::DevChain& chain) {
    rpc::ServiceOptions service_options;
    service_options.pending_first =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                       std::chrono::system_clock::now().time_since_epoch())
                                       .count());
    service_options.limits.call_gas_max = options.call_gas;
    service_options.limits.call_ms_max = static_cast<std::uint64_t>(options.evm_timeout_s * 1000);
    // Development tools know their node by the beginning of this text.
    service_options.client_version = "anvil/Meridian/v" MERIDIAN_VERSION;
    rpc::Service service(chain, service_options, &chain);
    gateway::Server server(service, options.server);
    if (const auto opened = server.listen(); !opened)
        return refuse(opened.error());
    log_start(options, chain, server.port());
    (options.json ? print_json : print_text)(options, chain, server.port());
    std::fflush(stdout);
    server.run();
    spdlog::info("ended at block {}", chain.head()->number());
    return 0;
}

// Who is not in a genesis file's alloc, or there without ether, cannot pay for a transaction.
std::vector<node::DevAccount> funded(const std::vector<node::DevAccount>& accounts,
                                     const node::Genesis& genesis) {
    std::vector<node::DevAccount> out;
    for (const auto& account : accounts) {
        const auto found = genesis.alloc.find(account.address);
        if (found != genesis.alloc.end() && found->second.balance != u256{})
            out.push_back(account);
    }
    return out;
}

Result<std::unique_ptr<store::Database>, std::string> open_database(const DevOptions& options) {
    if (options.data_dir.empty())
        return std::make_unique<store::MemoryDatabase>();
    if (auto made = make_folder(options.data_dir); !made)
        return fail("--data-dir: " + made.error());
    auto opened = store::open_rocks({.path = store_folder(options.data_dir)});
    if (!opened)
        return fail("--data-dir: " + opened.error().message);
    return *std::move(opened);
}

// A genesis without --timestamp is of the moment when the folder was made.
Result<void, std::string> take_timestamp(store::Database& database, DevOptions& options) {
    if (options.timestamp || !options.genesis.empty())
        return {};
    auto identity = store::ChainStore::read_identity(database);
    if (!identity && identity.error().kind == store::StoreErrorKind::NotFound)
        return {};
    if (!identity)
        return fail(std::move(identity.error().message));
    const auto genesis = store::ChainStore::view_of(database.snapshot(), {}).header(0);
    if (!genesis)
        return fail(genesis.error().message);
    options.timestamp = genesis->header.timestamp;
    return {};
}

int run_chain(const DevOptions& options, const node::Genesis& genesis,
              const std::vector<node::DevAccount>& accounts, std::unique_ptr<store::Database> database) {
    node::ChainOptions chain_options;
    chain_options.clock = seconds_since_epoch;
    chain_options.accounts = options.genesis.empty() ? accounts : funded(accounts, genesis);
    chain_options.mining.interval_ms = static_cast<std::uint64_t>(options.block_time_s * 1000);
    chain_options.mining.automine = !options.no_mining && chain_options.mining.interval_ms == 0;
    const auto chain = node::DevChain::open(genesis, chain_options, std::move(database));
    if (!chain)
        return refuse(chain.error().message);
    if (!options.import.empty())
        if (const auto imported = import_file(**chain, options.import); !imported)
            return refuse(imported.error().message, imported.error().exit_code);
    const int code = serve(options, **chain);
    if (const auto kept = (*chain)->sync(); !kept)
        return refuse(kept.error().message);
    return code;
}

int run_dev(DevOptions& options) {
    if (options.verbose && options.log.level == LogOptions{}.level)
        options.log.level = "debug";
    start_log(options.log);
    options.server.vhosts = gateway::split_list(options.vhosts);
    options.server.cors = gateway::split_list(options.cors);
    if (const auto checked = node::check_mnemonic(options.mnemonic); !checked)
        return refuse("--mnemonic: " + checked.error().message, kExitUsage);
    const auto accounts = node::dev_accounts(options.mnemonic, options.accounts);
    if (!accounts)
        return refuse("--mnemonic: no accounts can be derived from it", kExitUsage);
    auto database = open_database(options);
    if (!database)
        return refuse(database.error());
    if (const auto taken = take_timestamp(**database, options); !taken)
        return refuse("--data-dir: " + taken.error());
    auto genesis = make_genesis(options, *accounts);
    if (!genesis)
        return refuse(genesis.error(), kExitUsage);
    const auto tables = parse_modules(options.modules);
    auto modules = tables ? host_modules(*tables) : fail(tables.error());
    if (!modules)
        return refuse("--module: " + modules.error(), kExitUsage);
    genesis->config.modules = *std::move(modules);
    return run_chain(options, *genesis, *accounts, *std::move(database));
}

// Blocks are timed in milliseconds.
std::string check_block_time(std::string& text) {
    char* end = nullptr;
    const double seconds = std::strtod(text.c_str(), &end);
    const bool number = !text.empty() && *end == '\0';
    if (number && (seconds == 0 || (seconds >= 0.001 && seconds <= 1e6)))
        return {};
    return "want 0, or 0.001 to 1000000 seconds, not \"" + text + "\"";
}

std::string check_host(std::string& text) {
    return gateway::is_ip_address(text)
               ? std::string{}
               : "\"" + text + "\" is not an IP address, such as 127.0.0.1 or 0.0.0.0";
}

// Each item of a comma-separated list by itself.
CLI::Validator list_of(bool (*is_item)(std::string_view), const char* wanted) {
    return {[is_item, wanted](std::string& text) {
                for (const std::string& item : gateway::split_list(text))
                    if (!is_item(item))
                        return "\"" + item + "\" is not " + wanted;
                return std::string{};
            },
            ""};
}

void add_chain_options(CLI::App& command, DevOptions& options) {
    std::vector<CLI::Option*> of_genesis;  // what a genesis file says too
    const auto number = [&](const char* name, auto& value, const char* text, std::uint64_t min) {
        return command.add_option(name, value, text)->capture_default_str()->transform(whole_number(min));
    };
    of_genesis.push_back(number("--chain-id", options.chain_id, "Chain identifier", 1));
    of_genesis.push_back(
        command.add_option("--balance", options.balance, "Ether for each account")->capture_default_str());
    of_genesis.push_back(number("--gas-limit", options.gas_limit, "Gas limit of a block", 1));
    of_genesis.push_back(number("--base-fee", options.base_fee, "Base fee of the genesis block, wei", 0));
    of_genesis.push_back(command
                             .add_option("--timestamp", options.timestamp,
                                         "Time of the genesis block, seconds since 1970 (default: now)")
                             ->transform(whole_number(0)));
    of_genesis.push_back(
        command.add_option("--hardfork", options.hardfork, "Protocol revision, frontier to osaka")
            ->capture_default_str());
    of_genesis.push_back(
        command.add_flag("--unlimited-code-size", options.unlimited_code_size, "Contracts of any size"));
    CLI::Option* genesis = command.add_option(
        "--genesis", options.genesis,
        "Genesis file, as geth's. It decides what the seven options before it do; of the mnemonic's accounts "
        "those that it funds are unlocked and shown");
    for (CLI::Option* option : of_genesis)
        genesis->excludes(option);
    command.add_option(
        "--module", options.modules,
        "Native module that the chain hosts: NAME, or NAME:KEY=NUMBER,KEY=NUMBER; may be repeated");
    command.add_option("--import", options.import, "File of RLP blocks to begin with");
    command.add_option("--data-dir", options.data_dir,
                       "Folder that keeps the chain: what is there is gone on with, under the options that "
                       "it was begun with (default: none, the chain is in memory)");
}

void add_account_and_mining_options(CLI::App& command, DevOptions& options) {
    command.add_option("-a,--accounts", options.accounts, "How many accounts to unlock and fund")
        ->capture_default_str()
        ->transform(whole_number(0, node::kMaxDevAccounts));
    command.add_option("-m,--mnemonic", options.mnemonic,
                       "BIP-39 phrase that the accounts come from (default: \"test test ... junk\")");
    command
        .add_option("-b,--block-time", options.block_time_s,
                    "Seconds between blocks; 0: a block as soon as there is a transaction")
        ->capture_default_str()
        ->check(CLI::Validator(check_block_time, ""));
    command.add_flag("--no-mining", options.no_mining, "Make blocks only when asked (evm_mine)");
    command.add_option("--call-gas", options.call_gas, "Most gas of an eth_call or of a trace")
        ->capture_default_str()
        ->transform(whole_number(0));
    command
        .add_option("--rpc-evm-timeout", options.evm_timeout_s,
                    "Most seconds of an eth_call, an estimate or a simulation; 0: no limit")
        ->capture_default_str()
        ->check(CLI::Validator(check_block_time, ""));
}

void add_server_options(CLI::App& command, DevOptions& options) {
    command.add_option("-p,--port", options.server.port, "TCP port; 0 takes any free one")
        ->capture_default_str()
        ->transform(whole_number(0, kPortMax));
    command.add_option("--host", options.server.host, "IP address to listen on")
        ->capture_default_str()
        ->check(CLI::Validator(check_host, ""));
    command
        .add_option("--vhosts", options.vhosts,
                    "Names by which the node may be addressed, separated by commas; * for all. IP addresses "
                    "always may")
        ->capture_default_str()
        ->check(list_of(gateway::AllowedHosts::is_name, "a host name, which has no port, or *"));
    command
        .add_option(
            "--cors", options.cors,
            "Origins whose web pages may ask, separated by commas: [SCHEME://]HOST[:PORT], or * for all")
        ->capture_default_str()
        ->check(list_of(gateway::AllowedOrigins::is_rule, "[SCHEME://]HOST[:PORT] or *"));
    command.add_option("--threads", options.server.threads, "Threads for connections")
        ->capture_default_str()
        ->transform(whole_number(1, kThreadsMax));
    command.add_flag("--json", options.json, "Print one JSON object when ready");
    command.add_option("--log-level", options.log.level, "What to log to stderr")
        ->capture_default_str()
        ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error", "off"}));
    command.add_flag("--log-json", options.log.json, "Log one JSON object a line");
    command.add_flag("-v,--verbose", options.verbose,
                     "As --log-level debug: each request with its time and error");
}

}  // namespace

void add_dev_command(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("dev", "Run a development chain with funded accounts, in memory or in a folder");
    auto options = std::make_shared<DevOptions>();
    command->footer(kExitCodes);
    add_account_and_mining_options(*command, *options);
    add_chain_options(*command, *options);
    add_server_options(*command, *options);
    command->callback([options, &exit_code] { exit_code = run_dev(*options); });
}

}  // namespace meridian::app
