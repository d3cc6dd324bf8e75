// Every metric that a dashboard or an alert rule asks for exists, and every metric is documented. The names
// of what exists come from the collectors themselves, not from a list.
#include <meridian/metrics/process_metrics.hpp>
#include <meridian/operation/follower_metrics.hpp>
#include <meridian/operation/metered_database.hpp>
#include <meridian/operation/metered_disk.hpp>
#include <meridian/operation/pages.hpp>
#include <meridian/operation/pipeline_metrics.hpp>
#include <meridian/operation/replication_metrics.hpp>
#include <meridian/operation/rpc_metrics.hpp>
#include <meridian/store/memory_database.hpp>
#include <meridian/store/test_folder.hpp>

#include <gtest/gtest.h>
#include <boost/json/parse.hpp>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

namespace meridian::operation {
namespace {

namespace fs = std::filesystem;

const fs::path kOps = fs::path(MERIDIAN_SOURCE_DIR) / "ops";

std::string read(const fs::path& path) {
    std::ifstream in(path);
    EXPECT_TRUE(in) << path;
    return {std::istreambuf_iterator<char>(in), {}};
}

frames::LogOptions log_options(std::string folder) {
    frames::LogOptions out;
    out.folder = std::move(folder);
    out.chain_id = 1;
    return out;
}

// The page of a node that has done nothing yet, but been asked once.
std::string page_of_a_node() {
    const store::TestFolder folder;
    sequencer::SystemClock clock;
    MeteredListener listener(clock, nullptr);
    MeteredDisk disk(frames::posix_disk());
    MeteredDatabase database(std::make_unique<store::MemoryDatabase>());
    RpcMetrics requests{std::vector<std::string_view>{"eth_call", "eth_chainId"}};
    Health health;
    const auto log = frames::FrameLog::open(disk, log_options((folder.path() / "frames").string()));
    EXPECT_TRUE(log);
    metrics::Registry registry;
    const auto process = registry.add(metrics::process_collector("0"));
    const auto node = registry.add([&](metrics::Page& page) {
        listener.collect(page);
        disk.collect(page);
        database.collect(page);
        requests.collect(page);
        collect_log(page, **log);
        collect_pipeline(page, {}, {});
        collect_follower(page, {}, {}, 0);
        collect_quorum(page, {.replicas = {{}}, .replicas_min = 1});
        collect_server(page, {}, {});
        collect_health(page, health);
    });
    return registry.text();
}

// Names as in queries (a histogram's with its endings), and the labels of each.
struct Known {
    std::set<std::string> names;     // for queries
    std::set<std::string> families;  // as documented
};

Known known_metrics() {
    Known out;
    std::istringstream lines(page_of_a_node());
    static const std::regex kType("# TYPE (\\S+) (\\S+)");
    std::smatch match;
    for (std::string line; std::getline(lines, line);) {
        if (!std::regex_match(line, match, kType))
            continue;
        out.families.insert(match[1]);
        if (match[2] != "histogram")
            out.names.insert(match[1]);
        else
            for (const char* ending : {"_bucket", "_sum", "_count"})
                out.names.insert(match[1].str() + ending);
    }
    return out;
}

// The metrics that a PromQL expression names: all of ours and the process's.
std::set<std::string> metrics_in(const std::string& expression) {
    static const std::regex kName("\\b(?:meridian|process)_[a-z0-9_]+");
    return {std::sregex_token_iterator(expression.begin(), expression.end(), kName), {}};
}

// The expressions of a rule file, each of which is on one line.
std::vector<std::string> rule_expressions(const std::string& yaml) {
    std::vector<std::string> out;
    std::istringstream lines(yaml);
    static const std::regex kExpression("\\s*expr:\\s*(.*)");
    std::smatch match;
    for (std::string line; std::getline(lines, line);)
        if (std::regex_match(line, match, kExpression)) {
            EXPECT_GT(match[1].length(), 2) << "an expression has to be on one line: " << line;
            out.push_back(match[1]);
        }
    return out;
}

void find_expressions(const boost::json::value& value, std::vector<std::string>& out) {
    if (const auto* object = value.if_object())
        for (const auto& [name, member] : *object) {
            if (name == "expr")
                out.emplace_back(member.as_string());
            find_expressions(member, out);
        }
    if (const auto* array = value.if_array())
        for (const auto& item : *array)
            find_expressions(item, out);
}

void expect_known(const std::vector<std::string>& expressions, const fs::path& file) {
    static const Known known = known_metrics();
    EXPECT_FALSE(expressions.empty()) << file;
    for (const std::string& expression : expressions) {
        const auto names = metrics_in(expression);
        // `up` is Prometheus's own.
        EXPECT_TRUE(!names.empty() || expression.find("up{") != std::string::npos)
            << file << ": " << expression;
        for (const std::string& name : names)
            EXPECT_TRUE(known.names.contains(name)) << file << ": there is no metric " << name;
    }
}

TEST(Dashboards, ExpressionsAreRead) {
    EXPECT_EQ(metrics_in("rate(meridian_a_total[5m]) / process_b{x=\"meridian\"}"),
              (std::set<std::string>{"meridian_a_total", "process_b"}));
    EXPECT_EQ(rule_expressions("  expr: a > 1\n  for: 1m\n    expr: b > 2\n\n").size(), 2u);
}

TEST(Dashboards, AlertRulesAskForWhatExists) {
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(kOps / "prometheus")) {
        const std::string text = read(entry.path());
        if (text.find("expr:") == std::string::npos)
            continue;
        ++files;
        expect_known(rule_expressions(text), entry.path());
    }
    EXPECT_GE(files, 1u);
}

TEST(Dashboards, PanelsAskForWhatExists) {
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(kOps / "grafana")) {
        if (entry.path().extension() != ".json")
            continue;
        ++files;
        std::vector<std::string> expressions;
        find_expressions(boost::json::parse(read(entry.path())), expressions);
        expect_known(expressions, entry.path());
    }
    EXPECT_GE(files, 1u);
}

// Both ways: nothing undocumented, nothing documented that is not there.
TEST(Dashboards, EveryMetricIsDocumented) {
    const std::string document = read(fs::path(MERIDIAN_SOURCE_DIR) / "docs/operations.md");
    static const std::regex kRow("\n\\| `((?:meridian|process)_[a-z0-9_]+)`");
    std::set<std::string> documented;
    for (std::sregex_iterator at(document.begin(), document.end(), kRow), end; at != end; ++at)
        documented.insert((*at)[1]);
    EXPECT_EQ(documented, known_metrics().families);
}

}  // namespace
}  // namespace meridian::operation
