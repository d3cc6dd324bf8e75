// meridian node: a real-time chain behind HTTP and WebSocket, until Ctrl-C.
#include "commands.hpp"
#include "data_folder.hpp"
#include "logging.hpp"
#include "node_process.hpp"
#include "node_settings.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/config/config_file.hpp>

#include <boost/json/serialize.hpp>

#include <cstdio>
#include <memory>

namespace meridian::app {
namespace {

struct NodeOptions {
    std::string config;
    std::vector<std::string> settings;   // --set
    std::vector<std::string> shortcuts;  // of the options that stand for a key
    bool json = false;
    bool identity = false;
    bool signer = false;
    bool change_role = false;
};

int refuse(const std::string& message, int code) {
    std::fprintf(stderr, "meridian node: %s\n", message.c_str());
    return code;
}

int refuse(const config::Problems& problems) {
    for (const config::Problem& problem : problems)
        std::fprintf(stderr, "%s\n", problem.text().c_str());
    return kExitUsage;
}

boost::json::value port_or_null(std::uint16_t port) {
    return port != 0 ? boost::json::value(port) : boost::json::value(nullptr);
}

void print_json(const NodeProcess& node, const config::NodeConfig& config) {
    const NodePorts ports = node.ports();
    const boost::json::object out{
        {"url", "http://" + config.rpc.host + ":" + std::to_string(ports.rpc)},
        {"role", config.node.role},
        {"chainId", node.genesis().config.chain_id},
        {"blockNumber", node.block_number()},
        {"frameNumber", node.frame_number()},
        {"signer", to_hex0x(node.signer())},
        {"identity", node.identity() ? boost::json::value(to_hex0x(*node.identity())) : nullptr},
        {"ports", boost::json::object{{"rpc", ports.rpc},
                                      {"feed", port_or_null(ports.feed)},
                                      {"transactions", port_or_null(ports.transactions)},
                                      {"metrics", port_or_null(ports.metrics)},
                                      {"admin", port_or_null(ports.admin)}}}};
    std::printf("%s\n", boost::json::serialize(out).c_str());
}

void print_text(const NodeProcess& node, const config::NodeConfig& config) {
    const NodePorts ports = node.ports();
    std::printf("Meridian %s, chain %llu, block %llu, frame %llu\n\n", config.node.role.c_str(),
                static_cast<unsigned long long>(node.genesis().config.chain_id),
                static_cast<unsigned long long>(node.block_number()),
                static_cast<unsigned long long>(node.frame_number()));
    std::printf("Data       %s (durability %s)\n", config.node.data_dir.c_str(),
                config.log.durability.c_str());
    std::printf("Signer     %s\n", node::checksum_address(node.signer()).c_str());
    if (node.identity())
        std::printf("Identity   %s%s\n", node::checksum_address(*node.identity()).c_str(),
                    config.feed.acknowledge ? " (acknowledges frames)" : "");
    if (!node.accounts().empty())
        std::printf(
            "Accounts   of the development mnemonic, from %s on; never use them for anything of value\n",
            node::checksum_address(node.accounts().front().address).c_str());
    const auto port = [](const char* name, const std::string& host, std::uint16_t number) {
        if (number != 0)
            std::printf("%s%s:%u\n", name, host.c_str(), number);
    };
    port("Feed       ", config.feed.host, ports.feed);
    port("Binary txs ", config.transactions.host, ports.transactions);
    port("Metrics    ", config.metrics.host, ports.metrics);
    port("Admin      ", config.admin.host, ports.admin);
    std::printf("\nListening on %s:%u (HTTP and WebSocket)\n", config.rpc.host.c_str(), ports.rpc);
}

// For the configuration of others, before this node has run.
int print_address(const config::NodeConfig& config, decltype(&load_identity) load) {
    if (auto made = make_folder(config.node.data_dir); !made)
        return refuse(made.error(), kExitFailed);
    const auto key = load(config);
    if (!key)
        return refuse(key.error(), kExitFailed);
    std::printf("%s\n", to_hex0x(key->address()).c_str());
    return 0;
}

int run_node(const NodeOptions& options) {
    std::vector<std::string> settings = options.settings;
    settings.insert(settings.end(), options.shortcuts.begin(), options.shortcuts.end());
    auto config = config::load_with_settings(options.config, settings);
    if (!config)
        return refuse(config.error());
    if (const auto problems = find_problems(*config, options.config.empty() ? "--set" : options.config);
        !problems.empty())
        return refuse(problems);
    if (options.identity || options.signer)
        return print_address(*config, options.identity ? load_identity : load_signer);
    start_log({config->logging.level, config->logging.format == "json"});
    auto node = NodeProcess::open(*config, options.change_role);
    if (!node)
        return refuse(node.error().message, node.error().exit_code);
    (options.json ? print_json : print_text)(**node, *config);
    std::fflush(stdout);
    (*node)->run();
    return 0;
}

}  // namespace

void add_node_command(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("node", "Run a real-time chain: a sequencer, or a replica that follows one");
    auto options = std::make_shared<NodeOptions>();
    command->footer(kExitCodes);
    command->add_option("-c,--config", options->config,
                        "chain.toml (see `meridian config`); without it, every key has its default");
    const auto setting = [&](const char* name, const char* key, const char* text) {
        command->add_option_function<std::string>(
            name,
            [options, key](const std::string& value) {
                options->shortcuts.push_back(std::string(key) + "=" + value);
            },
            text);
    };
    setting("--role", "node.role", "sequencer or replica");
    setting("-d,--data-dir", "node.data_dir", "Folder of the chain's data");
    setting("--genesis", "chain.genesis", "Genesis file, as geth's");
    setting("-p,--port", "rpc.port", "TCP port of JSON-RPC; 0 takes any free one");
    setting("--feed", "feed.upstream",
            "A replica's source of frames: HOST:PORT of a feed, or several with commas");
    command->add_flag_callback(
        "--trust-diffs", [options] { options->shortcuts.emplace_back("feed.trust_diffs=true"); },
        "A replica takes over the frames' state changes instead of executing");
    setting("--log-level", "logging.level", "What to log to stderr: trace, debug, info, warn, error, off");
    command
        ->add_option("-s,--set", options->settings,
                     "KEY=VALUE, any key of chain.toml, as frames.interval_ms=5; again for more")
        ->type_name("KEY=VALUE");
    command->add_flag("--identity", options->identity,
                      "Print who this node is as a replica, for its sequencer's log.replicas, and end");
    command->add_flag("--signer", options->signer,
                      "Print who signs this node's frames, for its replicas' feed.sequencers, and end");
    command->add_flag("--change-role", options->change_role,
                      "Take a data folder whose node had another role before");
    command->add_flag("--json", options->json, "Print one JSON object when ready");
    command->callback([options, &exit_code] { exit_code = run_node(*options); });
}

}  // namespace meridian::app
