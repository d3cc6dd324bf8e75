// meridian bench load: drives a node with signed transactions and reports how it did.
#include "commands.hpp"
#include "number_option.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/load/load.hpp>
#include <meridian/load/workload.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>

namespace meridian::app {
namespace {

struct BenchOptions {
    load::LoadOptions load;
    std::string url = "http://127.0.0.1:8545";
    std::string rpc;
    std::string subscribe;
    std::string compare;
    int compare_pid = 0;
    std::string receipts = "auto";
    std::string fund_key;
    std::optional<std::uint64_t> max_fee_gwei;
    bool sync = false;
    bool print_genesis = false;
    std::uint64_t chain_id = 1234321;
    std::uint64_t gas_limit = 60'000'000;
    bool json = false;
};

int refuse(const std::string& message, int code) {
    std::fprintf(stderr, "meridian bench load: %s\n", message.c_str());
    return code;
}

// What stands in the options as text; the error names the option.
Result<void, std::string> read_texts(BenchOptions& options) {
    const auto endpoint = [](const std::string& name, const std::string& text,
                             load::Endpoint& out) -> Result<void, std::string> {
        const auto parsed = load::parse_endpoint(text);
        if (!parsed)
            return fail(name + ": " + parsed.error());
        out = *parsed;
        return {};
    };
    if (const auto read = endpoint("--url", options.url, options.load.endpoint); !read)
        return read;
    if (options.load.endpoint.kind == load::Endpoint::Kind::Binary && options.rpc.empty())
        return fail(
            std::string("--rpc: needed with tcp://, where JSON-RPC of the same node is (http://...)"));
    options.load.rpc = options.load.endpoint.as(load::Endpoint::Kind::Http);
    if (!options.rpc.empty())
        if (const auto read = endpoint("--rpc", options.rpc, options.load.rpc); !read)
            return read;
    if (!options.subscribe.empty())
        if (const auto read = endpoint("--subscribe", options.subscribe, options.load.subscribe.emplace());
            !read)
            return read;
    if (!options.fund_key.empty()) {
        const auto key = fixed_from_hex<32>(options.fund_key);
        if (!key)
            return fail(std::string("--fund-key: want 32 bytes in hexadecimal"));
        options.load.fund_key = *key;
    }
    return {};
}

load::ReceiptSource source_of(const std::string& name) {
    for (const auto source :
         {load::ReceiptSource::Frames, load::ReceiptSource::Heads, load::ReceiptSource::Poll})
        if (name == load::to_string(source))
            return source;
    return load::ReceiptSource::Auto;
}

// As many as can be sent in the time, if both rate and time are given.
void complete(BenchOptions& options) {
    load::LoadOptions& out = options.load;
    if (options.max_fee_gwei)
        out.max_fee = u256{*options.max_fee_gwei} * u256{1'000'000'000};
    if (options.sync)
        out.drive.method = load::SubmitMethod::Sync;
    out.receipts = source_of(options.receipts);
    if (out.drive.rate > 0 && out.drive.duration_s > 0)
        out.transactions = static_cast<std::size_t>(out.drive.rate * out.drive.duration_s);
    if (out.uniswap_folder.empty())
        out.uniswap_folder = load::find_uniswap_folder();
}

int report(const BenchOptions& options, const std::vector<load::LoadReport>& reports,
           const load::RecoveryRate& recovery) {
    if (options.json) {
        std::printf("%s\n", load::report_json(reports, recovery).c_str());
    } else {
        for (const load::LoadReport& one : reports)
            std::printf("%s\n", load::report_text(one, recovery).c_str());
        if (reports.size() == 2)
            std::printf("%s", load::comparison_text(reports[0], reports[1]).c_str());
    }
    for (const load::LoadReport& one : reports)
        if (!one.passed())
            return kExitFailed;
    return 0;
}

int run_bench_load(BenchOptions& options) {
    if (const auto read = read_texts(options); !read)
        return refuse(read.error(), kExitUsage);
    complete(options);
    if (options.print_genesis) {
        load::write_genesis(stdout, options.load, options.chain_id, options.gas_limit);
        return 0;
    }
    try {
        load::RecoveryRate recovery;
        std::vector<load::LoadReport> reports{load::run_load(options.load, &recovery)};
        if (!options.compare.empty()) {
            load::LoadOptions second = options.load;
            const auto endpoint = load::parse_endpoint(options.compare);
            if (!endpoint)
                return refuse("--compare: " + endpoint.error(), kExitUsage);
            second.endpoint = *endpoint;
            second.rpc = endpoint->as(load::Endpoint::Kind::Http);
            second.subscribe.reset();
            second.pid = options.compare_pid;
            reports.push_back(load::run_load(second, nullptr));
        }
        return report(options, reports, recovery);
    } catch (const load::LoadFailure& error) {
        return refuse(error.what(), kExitFailed);
    } catch (const std::exception& error) {  // of the JSON library
        return refuse(std::string("the node answered what was not expected: ") + error.what(), kExitFailed);
    }
}

void add_target_options(CLI::App& command, BenchOptions& options) {
    command
        .add_option("--url", options.url,
                    "Where transactions go: http://, ws://, or tcp:// for a node's binary transaction port")
        ->capture_default_str();
    command.add_option("--rpc", options.rpc, "Where JSON-RPC of the same node is (default: as --url)");
    command.add_option("--subscribe", options.subscribe,
                       "Where the same node takes subscriptions, ws:// (default: as --rpc)");
    command.add_option("--pid", options.load.pid, "Process of the node, for its memory and processor time")
        ->check(CLI::PositiveNumber);
    command.add_option("--compare", options.compare,
                       "A second node: the same work, afterwards, and how the figures compare");
    command.add_option("--compare-pid", options.compare_pid, "Process of the second node")
        ->check(CLI::PositiveNumber);
}

void add_work_options(CLI::App& command, BenchOptions& options) {
    load::LoadOptions& work = options.load;
    command
        .add_option("--workload", work.workload,
                    "transfers, erc20, uniswap (v2 swaps), or mix: six, three and one of ten")
        ->capture_default_str()
        ->check(CLI::IsMember({"transfers", "erc20", "uniswap", "mix"}));
    command.add_option("--transactions", work.transactions, "How many to sign and send")
        ->capture_default_str()
        ->transform(whole_number(1, 50'000'000));
    command
        .add_option("--duration", work.drive.duration_s,
                    "Seconds after which no more are sent; with --rate it gives their number")
        ->check(CLI::Range(0.001, 1e6));
    command
        .add_option("--rate", work.drive.rate,
                    "Transactions a second, due whatever the node does; 0: flat out")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1e7));
    command.add_option("--accounts", work.accounts, "Sending accounts")
        ->capture_default_str()
        ->transform(whole_number(1, load::kAccountsMax));
    command.add_option("--recipients", work.recipients, "Receiving accounts")
        ->capture_default_str()
        ->transform(whole_number(1, load::kAccountsMax));
    command
        .add_option("--seed", work.seed, "What the accounts' keys are derived from: anyone with it has them")
        ->capture_default_str();
    command.add_option(
        "--fund-key", options.fund_key,
        "Private key of who pays for the accounts (default: the treasury of --print-genesis if "
        "it has ether, else the first account of the test mnemonic)");
    command
        .add_option("--max-fee", options.max_fee_gwei, "Gwei a gas (default: 20 times the base fee and one)")
        ->transform(whole_number(1, 1'000'000'000));
    command.add_option(
        "--artifacts", work.uniswap_folder,
        "Folder with v2-core and v2-periphery of Uniswap (default: node_modules/@uniswap above the "
        "binary or the current folder)");
}

void add_driving_options(CLI::App& command, BenchOptions& options) {
    load::DriveOptions& drive = options.load.drive;
    command.add_option("--connections", drive.connections, "Connections; an account always uses the same")
        ->capture_default_str()
        ->transform(whole_number(1, 10'000));
    command
        .add_option("--pipeline", drive.pipeline, "Submissions of a connection that wait for their answer")
        ->capture_default_str()
        ->transform(whole_number(1, 100'000));
    command.add_option("--in-flight", drive.in_flight, "Transactions sent that have no receipt yet")
        ->capture_default_str()
        ->transform(whole_number(1, 10'000'000));
    command.add_option("--threads", drive.threads, "Threads that send")
        ->capture_default_str()
        ->transform(whole_number(1, 64));
    command.add_option("--reconnect", drive.reconnect_s, "Seconds of trying again when a connection is lost")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1e6));
    command.add_flag("--sync", options.sync,
                     "Submit with eth_sendRawTransactionSync, whose answer is the receipt");
    command
        .add_option("--receipts", options.receipts,
                    "How receipts are seen: frames or heads (subscriptions), poll, or auto")
        ->capture_default_str()
        ->check(CLI::IsMember({"auto", "frames", "heads", "poll"}));
    command
        .add_option("--drain", options.load.drain_s, "Seconds that receipts may take after the last answer")
        ->capture_default_str()
        ->check(CLI::Range(0.0, 1e6));
}

}  // namespace

void add_bench_command(CLI::App& app, int& exit_code) {
    CLI::App* bench = app.add_subcommand("bench", "Measure a node");
    bench->require_subcommand(1);
    CLI::App* command = bench->add_subcommand(
        "load", "Drive a node with transactions, measure it, and check what it made of them");
    auto options = std::make_shared<BenchOptions>();
    command->footer(kExitCodes);
    add_target_options(*command, *options);
    add_work_options(*command, *options);
    add_driving_options(*command, *options);
    command->add_flag("--json", options->json, "One JSON object in place of the table");
    command->add_flag("--print-genesis", options->print_genesis,
                      "Only print a genesis file in which the accounts have ether");
    command->add_option("--chain-id", options->chain_id, "Of --print-genesis")
        ->capture_default_str()
        ->transform(whole_number(1));
    command->add_option("--gas-limit", options->gas_limit, "Of --print-genesis")
        ->capture_default_str()
        ->transform(whole_number(1));
    command->callback([options, &exit_code] { exit_code = run_bench_load(*options); });
}

}  // namespace meridian::app
