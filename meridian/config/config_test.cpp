#include <meridian/config/config_file.hpp>
#include <meridian/config/nearest.hpp>
#include <meridian/config/schema.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <set>

#include <unistd.h>

namespace meridian::config {
namespace {

// The only problem of a text, as it is shown.
std::string problem_of(const std::string& text) {
    const auto config = parse_node_config(text, "chain.toml");
    EXPECT_FALSE(config) << "accepted: " << text;
    if (config)
        return {};
    EXPECT_EQ(config.error().size(), 1u) << text;
    return config.error().front().text();
}

TEST(Config, EmptyTextIsTheDefaults) {
    const auto config = parse_node_config("", "chain.toml");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->frames.interval_ms, 10u);
    EXPECT_EQ(config->log.durability, "fsync");
    EXPECT_EQ(config->rpc.vhosts, std::vector<std::string>{"localhost"});
}

TEST(Config, PrintedDefaultsReadAsThemselves) {
    NodeConfig defaults;
    const std::string printed = default_text(sections_of(defaults));
    auto config = parse_node_config(printed, "chain.toml");
    ASSERT_TRUE(config) << config.error().front().text();
    EXPECT_EQ(default_text(sections_of(*config)), printed);
    // Every key is read from there, not left at its default.
    for (Section& section : sections_of(*config))
        for (Key& key : section.keys)
            if (auto* const* number = std::get_if<std::uint64_t*>(&key.slot))
                **number = 0;
    ASSERT_TRUE(parse(printed, "chain.toml", sections_of(*config)).empty());
    EXPECT_EQ(default_text(sections_of(*config)), printed);
}

TEST(Config, EveryKeyIsSetByItsName) {
    NodeConfig defaults;
    const auto names = sections_of(defaults);
    for (std::size_t s = 0; s < names.size(); ++s)
        for (std::size_t k = 0; k < names[s].keys.size(); ++k) {
            NodeConfig config;
            const auto sections = sections_of(config);
            const Key& key = sections[s].keys[k];
            std::string value;
            if (auto* const* number = std::get_if<std::uint64_t*>(&key.slot))
                value = std::to_string(**number == key.max ? key.min : key.max);
            else if (auto* const* flag = std::get_if<bool*>(&key.slot))
                value = **flag ? "false" : "true";
            else
                continue;  // texts have checks of their own, below
            const std::string text =
                "[" + std::string(sections[s].name) + "]\n" + std::string(key.name) + " = " + value + "\n";
            const std::string before = value_text(key.slot);
            EXPECT_TRUE(parse(text, "chain.toml", sections).empty()) << text;
            EXPECT_NE(value_text(key.slot), before) << text;
            // And no other key.
            NodeConfig untouched;
            const auto others = sections_of(untouched);
            for (std::size_t i = 0; i < others.size(); ++i)
                for (std::size_t j = 0; j < others[i].keys.size(); ++j)
                    if (i != s || j != k) {
                        EXPECT_EQ(value_text(sections[i].keys[j].slot), value_text(others[i].keys[j].slot));
                    }
        }
}

TEST(Config, SchemaIsWellFormed) {
    NodeConfig config;
    std::set<std::string_view> sections;
    for (const Section& section : sections_of(config)) {
        EXPECT_TRUE(sections.insert(section.name).second) << section.name;
        EXPECT_TRUE(section.description.ends_with('.')) << section.name;
        std::set<std::string_view> keys;
        for (const Key& key : section.keys) {
            EXPECT_TRUE(keys.insert(key.name).second) << key.name;
            EXPECT_TRUE(key.description.ends_with('.')) << key.name;
            if (auto* const* number = std::get_if<std::uint64_t*>(&key.slot)) {
                EXPECT_LE(key.min, **number) << key.name;
                EXPECT_GE(key.max, **number) << key.name;
                EXPECT_LE(key.max, static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
            }
        }
    }
    EXPECT_TRUE(find_conflicts(config).empty());
}

TEST(Config, UnknownKeyNamesTheRightOne) {
    EXPECT_EQ(problem_of("[frames]\n  intervall_ms = 5\n"),
              "chain.toml:2:3: frames.intervall_ms: unknown key; did you mean interval_ms?");
    EXPECT_EQ(problem_of("[node]\nblock_time_s = 5\n"),
              "chain.toml:2:1: node.block_time_s: unknown key; did you mean it for [frames]?");
    EXPECT_EQ(problem_of("[node]\nzzzzzzzzzzz = 5\n"), "chain.toml:2:1: node.zzzzzzzzzzz: unknown key");
}

TEST(Config, UnknownSectionNamesTheRightOne) {
    EXPECT_EQ(problem_of("[frame]\ninterval_ms = 5\n"),
              "chain.toml:1:2: frame: unknown section; did you mean [frames]?");
    EXPECT_EQ(problem_of("interval_ms = 5\n"),
              "chain.toml:1:1: interval_ms: unknown key outside of a section; it belongs into [frames]");
    EXPECT_EQ(problem_of("frames = 5\n"),
              "chain.toml:1:10: frames: is a section: write [frames] and its keys below");
}

TEST(Config, WrongTypeNamesKeyAndValue) {
    EXPECT_EQ(
        problem_of("[frames]\ninterval_ms = \"10\"\n"),
        "chain.toml:2:15: frames.interval_ms: wants a whole number, 1 to 1_000 milliseconds, not the text "
        "\"10\"");
    EXPECT_EQ(
        problem_of("[frames]\ninterval_ms = 1.5\n"),
        "chain.toml:2:15: frames.interval_ms: wants a whole number, 1 to 1_000 milliseconds, not a number "
        "with a fraction");
    EXPECT_EQ(problem_of("[admin]\nenabled = 1\n"),
              "chain.toml:2:11: admin.enabled: wants true or false, not the number 1");
    EXPECT_EQ(
        problem_of("[node]\nrole = 1979-05-27\n"),
        "chain.toml:2:8: node.role: wants a text in quotes, one of \"sequencer\", \"replica\", not a date or "
        "time");
    EXPECT_EQ(problem_of("[rpc]\ncors = \"*\"\n"),
              "chain.toml:2:8: rpc.cors: wants a list, as [\"...\"], not the text \"*\"");
    EXPECT_EQ(problem_of("[rpc]\ncors = [\"*\", 2]\n"),
              "chain.toml:2:8: rpc.cors: wants a list of texts in quotes; item 2 is the number 2");
}

TEST(Config, WrongRangeNamesKeyValueAndRange) {
    EXPECT_EQ(problem_of("[frames]\ninterval_ms = 0\n").substr(0, 78),
              "chain.toml:2:15: frames.interval_ms: is 0, out of range: 1 to 1_000 millisecon");
    EXPECT_EQ(problem_of("[rpc]\nport = 65536\n"),
              "chain.toml:2:8: rpc.port: is 65536, out of range: 0 to 65_535");
    EXPECT_EQ(problem_of("[rpc]\nport = -1\n"), "chain.toml:2:8: rpc.port: is -1, out of range: 0 to 65_535");
    EXPECT_EQ(
        problem_of("[log]\ndurability = \"fsnyc\"\n"),
        "chain.toml:2:14: log.durability: is \"fsnyc\", but has to be one of \"fsync\", \"replicated\", "
        "\"none\"; did you mean \"fsync\"?");
}

TEST(Config, TextsAreChecked) {
    EXPECT_EQ(problem_of("[rpc]\nhost = \"localhost\"\n"),
              "chain.toml:2:8: rpc.host: \"localhost\" is not an IP address; take 127.0.0.1 for this machine "
              "alone, 0.0.0.0 for every interface");
    EXPECT_TRUE(parse_node_config("[rpc]\nhost = \"::1\"\n", "chain.toml"));
    EXPECT_EQ(problem_of("[rpc]\ndeny = [\"debug_*\", \"*\"]\n"),
              "chain.toml:2:8: rpc.deny: item 2 \"*\" is not the name of a method, as eth_call, nor of a "
              "namespace, as debug_*");
    EXPECT_EQ(problem_of("[frames]\ncoinbase = \"0x12\"\n"),
              "chain.toml:2:12: frames.coinbase: \"0x12\" is not an address: 0x and 40 hexadecimal digits");
    EXPECT_FALSE(check_endpoint("sequencer").empty());
    EXPECT_FALSE(check_endpoint("sequencer:0").empty());
    EXPECT_FALSE(check_endpoint(":8548").empty());
    EXPECT_TRUE(check_endpoint("[::1]:8548").empty());
    EXPECT_FALSE(check_extra_data(std::string(33, 'x')).empty());
    EXPECT_EQ(problem_of("[frames]\nextra_data = \"a\\u0000b\"\n"),
              "chain.toml:2:14: frames.extra_data: holds a zero byte");
}

TEST(Config, AllProblemsAreToldInOrder) {
    const auto config = parse_node_config(
        "[rpc]\nport = 70000\n[frames]\ninterval_ms = 5000\nblok_time_s = 1\n[metrix]\n", "chain.toml");
    ASSERT_FALSE(config);
    ASSERT_EQ(config.error().size(), 4u);
    EXPECT_EQ(config.error()[0].key, "rpc.port");
    EXPECT_EQ(config.error()[1].key, "frames.interval_ms");
    EXPECT_EQ(config.error()[2].key, "frames.blok_time_s");
    EXPECT_EQ(config.error()[3].key, "metrix");
}

TEST(Config, BrokenTomlHasAPlace) {
    const auto config = parse_node_config("[frames]\ninterval_ms = \n", "chain.toml");
    ASSERT_FALSE(config);
    ASSERT_EQ(config.error().size(), 1u);
    EXPECT_EQ(config.error()[0].line, 2u);
    const auto twice = parse_node_config("[frames]\ninterval_ms = 1\ninterval_ms = 2\n", "chain.toml");
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error()[0].line, 3u);
}

// What the library's parser would answer with an assertion, or not at all.
TEST(Config, CharactersOutsideOfQuotes) {
    EXPECT_EQ(problem_of("[node]\n\xce\x8a = 1\n"),
              "chain.toml:2:1: a character that can only stand in quotes or in a comment");
    EXPECT_EQ(problem_of(std::string("[\0]", 3)),
              "chain.toml:1:2: a character that can only stand in quotes or in a comment");
    EXPECT_EQ(problem_of("[node]\ndata_dir = \"a\\\"\" \xc2\xa0# b\n"),
              "chain.toml:2:18: a character that can only stand in quotes or in a comment");
    EXPECT_EQ(problem_of("[node]\ndata_dir = \"\"\"a\"\"\"\n"),
              "chain.toml:2:12: a text in triple quotes; write it in one line, in single ones");
    const auto config = parse_node_config(
        "\xef\xbb\xbf[node] # \xce\x8a\ndata_dir = '\xce\x8a'\n[frames]\nextra_data = \"\"\n", "chain.toml");
    ASSERT_TRUE(config) << config.error().front().text();
    EXPECT_EQ(config->node.data_dir, "\xce\x8a");
}

TEST(Config, NestingAndSizeAreBounded) {
    EXPECT_FALSE(parse_node_config("a = " + std::string(100'000, '['), "chain.toml"));
    const auto large = parse_node_config(std::string(kFileBytesMax + 1, '\n'), "chain.toml");
    ASSERT_FALSE(large);
    EXPECT_EQ(large.error()[0].text(), "chain.toml: is larger than 1024 KiB");
}

TEST(Config, KeysThatContradictEachOther) {
    EXPECT_EQ(problem_of("[node]\nrole = \"replica\"\n[feed]\nsequencers = "
                         "[\"0x00000000000000000000000000000000000000aa\"]\n"),
              "chain.toml:3:1: feed.upstream: a replica needs the feed of a sequencer, as "
              "[\"127.0.0.1:8548\"]");
    EXPECT_EQ(
        problem_of("[frames]\ngas_max = 29_000_000\n"),
        "chain.toml: ingress.txn_gas_max: has to be at most frames.gas_max, as a transaction is executed in "
        "one frame");
}

TEST(Config, TwoPortsAreNotOne) {
    const std::string both = "[rpc]\nport = 9000\n[admin]\nport = 9000\n";
    EXPECT_EQ(problem_of(both),
              "chain.toml:4:8: admin.port: is 9000, as rpc.port is: each needs one of its own");
    EXPECT_EQ(problem_of(both + "host = \"0.0.0.0\"\n"),
              "chain.toml:4:8: admin.port: is 9000, as rpc.port is: each needs one of its own");
    EXPECT_TRUE(parse_node_config(both + "enabled = false\n", "chain.toml"));
    EXPECT_TRUE(parse_node_config(both + "host = \"127.0.0.2\"\n", "chain.toml"));
    EXPECT_TRUE(parse_node_config("[rpc]\nport = 0\n[admin]\nport = 0\n", "chain.toml"));
}

TEST(Config, HostsAndOriginsThatNobodyCanHave) {
    for (const char* good : {"*", "localhost", "node-1.example.org", "127.0.0.1", "[::1]"})
        EXPECT_EQ(check_host_name(good), "") << good;
    for (const char* bad : {"", "a b", "http://a", "a:1", "[x]", "a*"})
        EXPECT_NE(check_host_name(bad), "") << bad;
    for (const char* good : {"*", "localhost", "127.0.0.1", "[::1]", "[::1]:80", "https://app.example.org",
                             "http://localhost:3000", "moz-extension://abc"})
        EXPECT_EQ(check_origin(good), "") << good;
    for (const char* bad : {"", "foo://", "://a", "a b", "http://a/path", "https://*", "a:0", "a:99999"})
        EXPECT_NE(check_origin(bad), "") << bad;
    EXPECT_NE(problem_of("[rpc]\ncors = [\"foo://\"]\n").find("rpc.cors: item 1 \"foo://\" is not an origin"),
              std::string::npos);
}

TEST(Config, ReplicasThatHoldFrames) {
    const std::string one = "0x00000000000000000000000000000000000000aa",
                      same = "0x00000000000000000000000000000000000000AA";
    const auto problem = [](const std::string& log, const std::string& rest = "") {
        return problem_of("[log]\n" + log + rest);
    };
    const std::string replicated = "durability = \"replicated\"\n";
    EXPECT_EQ(
        problem(replicated),
        "chain.toml:1:1: log.replicas: \"replicated\" needs the replicas' identities, which `meridian node "
        "--identity` prints on each of them; or set log.durability = \"fsync\"");
    EXPECT_EQ(problem(replicated + "replicas = [\"" + one + "\"]\nreplicas_min = 2\n"),
              "chain.toml:4:16: log.replicas_min: has to be at most the number of log.replicas, 1");
    EXPECT_EQ(problem(replicated + "replicas = [\"" + one + "\", \"" + same + "\"]\n"),
              "chain.toml:3:12: log.replicas: names " + one + " twice; each replica counts once");
    EXPECT_EQ(problem(replicated + "replicas = [\"\"]\n"),
              "chain.toml:3:12: log.replicas: has an empty item; want 0x and 40 hexadecimal digits");
    EXPECT_EQ(problem("replicas = [\"" + one + "\"]\n"),
              "chain.toml:2:12: log.replicas: are asked only where log.durability = \"replicated\"");
    EXPECT_EQ(
        problem(replicated + "replicas = [\"" + one + "\"]\n", "[feed]\nenabled = false\n"),
        "chain.toml:5:11: feed.enabled: has to be true, as log.durability = \"replicated\" needs the feed");
    EXPECT_EQ(
        problem_of("[feed]\nacknowledge = true\n"),
        "chain.toml:2:15: feed.acknowledge: only a replica acknowledges frames; set node.role = \"replica\"");
    const std::string replica =
        "[node]\nrole = \"replica\"\n[feed]\nacknowledge = true\nupstream = "
        "[\"127.0.0.1:1\"]\nsequencers = [\"" +
        one + "\"]\n[log]\ndurability = ";
    EXPECT_EQ(
        problem_of(replica + "\"none\"\n"),
        "chain.toml:8:14: log.durability: has to be \"fsync\" with feed.acknowledge = true, which says that "
        "the disk has a frame");
    EXPECT_NE(problem_of(replica + "\"replicated\"\n").find("is for sequencers"), std::string::npos);
    EXPECT_TRUE(parse_node_config(replica + "\"fsync\"\n", "chain.toml"));
}

TEST(Config, PathsAreRelativeToTheFile) {
    const auto folder =
        std::filesystem::temp_directory_path() / ("meridian.config." + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    const auto file = folder / "chain.toml";
    std::ofstream(file) << "[node]\ndata_dir = \"data\"\n[signer]\nkey_file = \"/etc/key\"\n";
    const auto config = load_node_config(file.string());
    std::filesystem::remove_all(folder);
    ASSERT_TRUE(config);
    EXPECT_EQ(config->node.data_dir, (folder / "data").string());
    EXPECT_EQ(config->signer.key_file, "/etc/key");
    EXPECT_EQ(config->admin.token_file, "");
    const auto missing = load_node_config(file.string());
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error()[0].text(), file.string() + ": cannot be read: No such file or directory");
}

TEST(Config, SettingsOfTheCommandLine) {
    const auto config = load_with_settings("", {"frames.interval_ms=5", "node.data_dir=my data",
                                                "rpc.cors=a.example,b.example", "admin.enabled=false"});
    ASSERT_TRUE(config);
    EXPECT_EQ(config->frames.interval_ms, 5u);
    EXPECT_EQ(config->node.data_dir, "my data");
    EXPECT_EQ(config->rpc.cors, (std::vector<std::string>{"a.example", "b.example"}));
    EXPECT_FALSE(config->admin.enabled);
    const auto wrong =
        load_with_settings("", {"frames.intervl_ms=5", "rpc.port=x", "port", "rpc.port=70000"});
    ASSERT_FALSE(wrong);
    ASSERT_EQ(wrong.error().size(), 4u);
    EXPECT_NE(wrong.error()[0].text().find("interval_ms"), std::string::npos);
    EXPECT_TRUE(wrong.error()[1].text().starts_with("rpc.port=x"));
    EXPECT_EQ(wrong.error()[2].text(), "port: want SECTION.KEY=VALUE, as frames.interval_ms=5");
    EXPECT_TRUE(wrong.error()[3].text().starts_with("rpc.port=70000")) << wrong.error()[3].text();
}

TEST(Config, ModulesHaveSectionsOfTheirOwn) {
    const auto config = parse_node_config("[modules.counter]\nstart = 5\n[modules.other]\n", "chain.toml");
    ASSERT_TRUE(config);
    EXPECT_EQ(config->modules, (ModuleTables{{"counter", {{"start", 5}}}, {"other", {}}}));
    const auto address = parse_node_config(
        "[modules.a]\noperator = \"0x00000000000000000000000000000000000A11ce\"\nmax = \"0x" +
            std::string(64, 'f') + "\"\n",
        "chain.toml");
    ASSERT_TRUE(address);
    EXPECT_EQ(address->modules.at("a").at("operator"), u256{0xa11ce});
    EXPECT_EQ(address->modules.at("a").at("max"), u256::max());
    EXPECT_FALSE(parse_node_config("[modules.a]\nb = \"0x1" + std::string(64, '0') + "\"\n", "chain.toml"));
    EXPECT_FALSE(parse_node_config("[modules.a]\nb = \"12\"\n", "chain.toml"));
    const auto set = load_with_settings("", {"modules.counter.limit=7"});
    ASSERT_TRUE(set);
    EXPECT_EQ(set->modules.at("counter").at("limit"), u256{7});
    const auto wrong =
        parse_node_config("[modules]\ncounter = 1\n[modules.a]\nb = -1\nc = \"x\"\n", "chain.toml");
    ASSERT_FALSE(wrong);
    ASSERT_EQ(wrong.error().size(), 3u);
    EXPECT_EQ(wrong.error()[0].text(),
              "chain.toml:2:11: modules.counter: is a section: write [modules.counter] and its keys below");
    EXPECT_EQ(
        wrong.error()[1].text(),
        "chain.toml:4:5: modules.a.b: wants a whole number, beyond 63 bits as a text of 0x and up to 64 "
        "hexadecimal digits, not the number -1");
}

// The documentation's tables are those of the schema.
TEST(Config, DocumentedAsItIs) {
    std::ifstream in(std::string(MERIDIAN_SOURCE_DIR) + "/docs/configuration.md");
    const std::string document{std::istreambuf_iterator<char>(in), {}};
    NodeConfig defaults;
    const std::string table = markdown_table(sections_of(defaults));
    EXPECT_NE(document.find(table), std::string::npos)
        << "docs/configuration.md differs from the output of: meridian config --print-table";
}

TEST(Config, UnitsAreInTheNames) {
    EXPECT_EQ(unit_of("interval_min_us"), "microseconds");
    EXPECT_EQ(unit_of("drain_ms_max"), "milliseconds");
    EXPECT_EQ(unit_of("requests_per_s_max"), "a second");
    EXPECT_EQ(unit_of("cache_mib"), "MiB");
    EXPECT_EQ(unit_of("mib_max"), "MiB");
    EXPECT_EQ(unit_of("port"), "");
    EXPECT_EQ(unit_of("state_blocks"), "");
}

TEST(Config, NearestName) {
    const std::vector<std::string> known{"alpha", "beta"};
    EXPECT_EQ(nearest_name("alhpa", known), "alpha");
    EXPECT_EQ(nearest_name("completely else", known), std::nullopt);
    EXPECT_EQ(nearest_name("x", {}), std::nullopt);
    EXPECT_EQ(nearest_name("x", std::vector<std::string>{"ws"}), std::nullopt);
    EXPECT_EQ(nearest_name("", known), std::nullopt);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

}  // namespace
}  // namespace meridian::config
