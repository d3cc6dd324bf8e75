// meridian dev: a development chain in memory behind HTTP and WebSocket, until Ctrl-C.
#include "commands.hpp"
#include "node_options.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/gateway/server.hpp>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>

namespace meridian::app {
namespace {

constexpr unsigned kPortMax = 65535;

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
    std::string import;
    std::uint64_t call_gas = 50'000'000;
    bool json = false;
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
        return fail("--balance: \"" + options.balance + "\" is not an amount of ether");
    return node::dev_genesis({.chain_id = options.chain_id,
                              .revision = *revision,
                              .gas_limit = options.gas_limit,
                              .timestamp = options.timestamp ? *options.timestamp : seconds_since_epoch(),
                              .base_fee = options.base_fee,
                              .balance = *balance,
                              .unlimited_code_size = options.unlimited_code_size},
                             accounts);
}

void print_json(const DevOptions& options, const node::DevChain& chain, std::uint16_t port) {
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

void print_text(const DevOptions& options, const node::DevChain& chain, std::uint16_t port) {
    std::printf("Meridian development chain %llu, block %llu\n\n",
                static_cast<unsigned long long>(chain.config().chain_id),
                static_cast<unsigned long long>(chain.head()->number()));
    std::size_t index = 0;
    for (const auto& account : chain.accounts()) {
        std::printf("(%zu) %s  key %s\n", index++, node::checksum_address(account.address).c_str(),
                    to_hex0x(account.private_key).c_str());
    }
    if (!chain.accounts().empty())
        std::printf("\nThese keys are public knowledge: never use them for anything of value.\n\n");
    std::printf("Listening on %s:%u (HTTP and WebSocket)\n", options.server.host.c_str(), port);
}

int serve(const DevOptions& options, node::DevChain& chain) {
    rpc::ServiceOptions service_options;
    service_options.limits.call_gas_max = options.call_gas;
    // Development tools know their node by the beginning of this text.
    service_options.client_version = "anvil/Meridian/v" MERIDIAN_VERSION;
    rpc::Service service(chain, service_options);
    gateway::Server server(service, options.server);
    if (const auto opened = server.listen(); !opened)
        return refuse(opened.error());
    (options.json ? print_json : print_text)(options, chain, server.port());
    std::fflush(stdout);
    server.run();
    return 0;
}

int run_dev(const DevOptions& options) {
    spdlog::set_default_logger(spdlog::stderr_color_mt("meridian"));
    spdlog::set_level(options.verbose ? spdlog::level::debug : spdlog::level::warn);
    const auto accounts = node::dev_accounts(options.mnemonic, options.accounts);
    if (!accounts)
        return refuse(accounts.error() == node::MnemonicError::TooManyAccounts
                          ? "--accounts: at most " + std::to_string(node::kMaxDevAccounts)
                          : "--mnemonic: no accounts can be derived from it",
                      kExitUsage);
    const auto genesis = make_genesis(options, *accounts);
    if (!genesis)
        return refuse(genesis.error(), kExitUsage);
    node::ChainOptions chain_options;
    chain_options.clock = seconds_since_epoch;
    chain_options.accounts = *accounts;
    chain_options.mining.interval_ms = static_cast<std::uint64_t>(options.block_time_s * 1000);
    chain_options.mining.automine = !options.no_mining && chain_options.mining.interval_ms == 0;
    node::DevChain chain(*genesis, chain_options);
    if (!options.import.empty())
        if (const auto imported = import_file(chain, options.import); !imported)
            return refuse(imported.error().message, imported.error().exit_code);
    return serve(options, chain);
}

// Refuses what the option's type does not hold, which the parser's own conversion saturates.
std::string check_number(std::string& text, std::uint64_t min) {
    const auto value = parse_u256(text);
    if (!value && value.error() != NumberError::Overflow)
        return "\"" + text + "\" is not a whole number";
    if (!value || !fits_u64(*value))
        return "does not fit 64 bits";
    if (*value < u256{min})
        return "must be at least " + std::to_string(min);
    text = to_decimal(*value);
    return {};
}

CLI::Validator whole_number(std::uint64_t min) {
    return {[min](std::string& text) { return check_number(text, min); }, ""};
}

std::string check_port(std::string& text) {
    const bool valid = check_number(text, 0).empty() && text.size() <= 5 && std::stoul(text) <= kPortMax;
    return valid ? "" : "1 to " + std::to_string(kPortMax) + ", or 0 for any free one";
}

// Blocks are timed in milliseconds.
std::string check_block_time(std::string& text) {
    char* end = nullptr;
    const double seconds = std::strtod(text.c_str(), &end);
    const bool number = !text.empty() && *end == '\0';
    if (number && (seconds == 0 || (seconds >= 0.001 && seconds <= 1e6)))
        return {};
    return "0, or 0.001 to 1000000 seconds";
}

}  // namespace

void add_dev_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("dev", "Run a development chain in memory, with funded accounts");
    auto options = std::make_shared<DevOptions>();
    command->add_option("-p,--port", options->server.port, "TCP port; 0 takes any free one")
        ->capture_default_str()
        ->transform(CLI::Validator(check_port, ""));
    command->add_option("--host", options->server.host, "IP address to listen on")->capture_default_str();
    command->add_option("-a,--accounts", options->accounts, "How many accounts to fund")
        ->capture_default_str();
    command->add_option("--balance", options->balance, "Ether for each account")->capture_default_str();
    command->add_option("-m,--mnemonic", options->mnemonic, "Phrase that the accounts come from");
    command->add_option("--chain-id", options->chain_id, "Chain identifier")
        ->capture_default_str()
        ->transform(whole_number(1));
    command->add_option("--gas-limit", options->gas_limit, "Gas limit of a block")
        ->capture_default_str()
        ->transform(whole_number(1));
    command->add_option("--base-fee", options->base_fee, "Base fee of the genesis block, wei")
        ->capture_default_str()
        ->transform(whole_number(0));
    command
        ->add_option("--timestamp", options->timestamp,
                     "Time of the genesis block, seconds since 1970 (default: now)")
        ->transform(whole_number(0));
    command->add_option("--hardfork", options->hardfork, "Protocol revision, frontier to osaka")
        ->capture_default_str();
    command
        ->add_option("-b,--block-time", options->block_time_s,
                     "Seconds between blocks; 0: a block as soon as there is a transaction")
        ->capture_default_str()
        ->check(CLI::Validator(check_block_time, ""));
    command->add_flag("--no-mining", options->no_mining, "Make blocks only when asked (evm_mine)");
    command->add_flag("--unlimited-code-size", options->unlimited_code_size, "Contracts of any size");
    command->add_option("--genesis", options->genesis,
                        "Genesis file, as geth's, in place of funded accounts");
    command->add_option("--import", options->import, "File of RLP blocks to begin with");
    command->add_option("--call-gas", options->call_gas, "Most gas of an eth_call or of a trace")
        ->capture_default_str()
        ->transform(whole_number(0));
    command->add_option("--threads", options->server.threads, "Threads for connections")
        ->check(CLI::Range(1, 64));
    command->add_flag("--json", options->json, "Print one JSON object when ready");
    command->add_flag("-v,--verbose", options->verbose, "Log more, to stderr");
    command->callback([options, &exit_code] { exit_code = run_dev(*options); });
}

}  // namespace meridian::app
