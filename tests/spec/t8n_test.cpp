// geth's own cases for `evm t8n`: its inputs, and what its tool writes for them.

#include "vector_files.hpp"

#include <meridian/spec/runner.hpp>
#include <meridian/spec/t8n.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <map>
#include <sstream>

namespace meridian::spec {
namespace {

namespace fs = std::filesystem;
using boost::json::value;

fs::path cases_folder() {
    const fs::path pack = testdata("rpc");
    return pack.empty() ? pack : pack / "geth/cmd/evm/testdata";
}

// A folder that goes when the test ends.
class ScratchFolder {
public:
    ScratchFolder() {
        std::string name = (fs::temp_directory_path() / "meridian-t8n-XXXXXX").string();
        if (mkdtemp(name.data()) != nullptr)
            m_path = name;
    }
    ~ScratchFolder() {
        std::error_code code;
        fs::remove_all(m_path, code);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    const fs::path& path() const noexcept { return m_path; }

private:
    fs::path m_path;
};

struct Case {
    const char* folder;
    const char* fork;
    const char* expected = "exp.json";  // null: no output is compared
    const char* txns = "txs.json";
    const char* env = "env.json";
    T8nCode code = T8nCode::Success;
    std::int64_t reward = 0;
};

T8nOptions options_of(const Case& c, const fs::path& folder, const fs::path& out) {
    T8nOptions options;
    options.input_alloc = folder / "alloc.json";
    options.input_txs = folder / c.txns;
    options.input_env = folder / c.env;
    options.output_basedir = out;
    options.output_body = "body.json";
    options.fork = c.fork;
    options.reward = c.reward;
    return options;
}

// geth names Go types where it refuses an encoding; that there is a rejection and of which transaction is
// what counts.
void forget_decoder_words(value& want, value& have) {
    auto* expected = want.as_object().if_contains("rejected");
    auto* actual = have.as_object().if_contains("rejected");
    if (expected == nullptr || actual == nullptr || expected->as_array().size() != actual->as_array().size())
        return;
    for (std::size_t i = 0; i < expected->as_array().size(); ++i)
        if (std::string_view(expected->at(i).at("error").as_string()).starts_with("rlp:"))
            expected->at(i).as_object()["error"] = actual->at(i).at("error");
}

void compare_outputs(const value& expected, const fs::path& out) {
    for (const auto& item : expected.as_object()) {
        SCOPED_TRACE(std::string(item.key()));
        value want = item.value();
        value have = read_json(out / (std::string(item.key()) + ".json"));
        if (item.key() == "result")
            forget_decoder_words(want, have);
        EXPECT_EQ(want, have) << "want " << want << "\nhave " << have;
    }
}

class T8nCases : public testing::TestWithParam<Case> {};

TEST_P(T8nCases, GivesWhatGethGives) {
    const fs::path folder = cases_folder();
    MERIDIAN_REQUIRE_TESTDATA(folder);
    const Case& c = GetParam();
    const ScratchFolder out;
    const fs::path input = folder / c.folder;
    EXPECT_EQ(run_t8n(options_of(c, input, out.path())), c.code);
    if (c.expected != nullptr && c.code == T8nCode::Success)
        compare_outputs(read_json(input / c.expected), out.path());
}

std::string case_name(const testing::TestParamInfo<Case>& info) {
    const std::string name = std::to_string(info.index) + "_in_" + info.param.folder;
    return name + "_" + std::string(info.param.fork).substr(0, std::string(info.param.fork).find('+'));
}

INSTANTIATE_TEST_SUITE_P(
    Geth, T8nCases,
    testing::Values(
        Case{.folder = "1", .fork = "Frontier+1346", .code = T8nCode::Config},
        Case{.folder = "1", .fork = "Byzantium"}, Case{.folder = "3", .fork = "Berlin"},
        Case{.folder = "4", .fork = "Berlin", .code = T8nCode::MissingBlockHash},
        Case{.folder = "5", .fork = "Byzantium", .reward = 0x80}, Case{.folder = "13", .fork = "London"},
        Case{.folder = "13", .fork = "London", .expected = "exp2.json", .txns = "signed_txs.rlp"},
        Case{.folder = "14", .fork = "London"},
        Case{.folder = "14", .fork = "London", .expected = "exp2.json", .env = "env.uncles.json"},
        Case{.folder = "14", .fork = "Berlin", .expected = "exp_berlin.json", .env = "env.uncles.json"},
        Case{.folder = "19", .fork = "London", .expected = "exp_london.json"},
        Case{.folder = "19", .fork = "ArrowGlacier", .expected = "exp_arrowglacier.json"},
        Case{.folder = "19", .fork = "GrayGlacier", .expected = "exp_grayglacier.json"},
        Case{.folder = "23", .fork = "Berlin"}, Case{.folder = "24", .fork = "Merge"},
        Case{.folder = "24", .fork = "Merge", .env = "env-missingrandom.json", .code = T8nCode::Config},
        Case{.folder = "25", .fork = "Merge"}, Case{.folder = "26", .fork = "Shanghai"},
        Case{.folder = "28", .fork = "Cancun", .txns = "txs.rlp"}, Case{.folder = "29", .fork = "Cancun"},
        Case{.folder = "30", .fork = "Cancun", .txns = "txs_more.rlp"},
        Case{.folder = "33", .fork = "Prague"}, Case{.folder = "34", .fork = "Prague"}),
    case_name);

void compare_traces(const fs::path& expected_folder, const fs::path& out) {
    std::size_t compared = 0;
    for (const fs::path& file : files_below(expected_folder, ".jsonl")) {
        SCOPED_TRACE(file.filename().string());
        ASSERT_TRUE(fs::exists(out / file.filename()));
        std::string want = read_text(file);
        while (want.ends_with("\n\n"))
            want.pop_back();
        EXPECT_EQ(read_text(out / file.filename()), want);
        ++compared;
    }
    EXPECT_GT(compared, 0u);
}

TEST(T8nTrace, IsGethsByteForByte) {
    const fs::path folder = cases_folder();
    MERIDIAN_REQUIRE_TESTDATA(folder);
    const ScratchFolder out;
    T8nOptions options = options_of({.folder = "31", .fork = "Cancun"}, folder / "31", out.path());
    options.trace.emplace();
    EXPECT_EQ(run_t8n(options), T8nCode::Success);
    compare_traces(folder / "31", out.path());
}

// What --opcode.count writes is what the trace shows, name by name.
TEST(T8nTrace, CountsInstructions) {
    const fs::path folder = cases_folder();
    MERIDIAN_REQUIRE_TESTDATA(folder);
    const ScratchFolder out;
    T8nOptions options = options_of({.folder = "31", .fork = "Cancun"}, folder / "31", out.path());
    options.trace.emplace();
    options.opcode_count = "opcodes.json";
    EXPECT_EQ(run_t8n(options), T8nCode::Success);
    std::map<std::string, std::uint64_t> expected;
    for (const fs::path& file : files_below(out.path(), ".jsonl")) {
        std::istringstream lines(read_text(file));
        for (std::string line; std::getline(lines, line);)
            if (const auto step = boost::json::parse(line); step.as_object().contains("opName"))
                ++expected[std::string(step.at("opName").as_string())];
    }
    std::map<std::string, std::uint64_t> counted;
    const value counts = read_json(out.path() / "opcodes.json");
    for (const auto& item : counts.as_object())
        counted[std::string(item.key())] = item.value().to_number<std::uint64_t>();
    EXPECT_FALSE(expected.empty());
    EXPECT_EQ(counted, expected);
}

// Says by how much the sender's nonce grew, and how many frames there were.
class NonceTracer final : public T8nTracer {
public:
    void begin(const T8nTraced& subject) override {
        m_before = subject.before.account(subject.sender)->nonce;
    }
    value result(const T8nTraced& subject) override {
        const std::uint64_t after = subject.after->account(subject.sender)->nonce;
        return {
            {"grown", after - m_before}, {"frames", m_frames}, {"gas", subject.outcome->receipt.gas_used}};
    }
    void on_enter(const evm::Message&, BytesView) override { ++m_frames; }
    void on_exit(const evm::Message&, const evm::CallResult&) override {}
    void on_step(const evm::Step&) override {}
    void on_selfdestruct(const Address&, const Address&, const u256&) override {}
    void on_log(const state::Log&) override {}

private:
    std::uint64_t m_before = 0;
    std::uint64_t m_frames = 0;
};

TEST(T8nTrace, WritesWhatANamedTracerSays) {
    const fs::path folder = cases_folder();
    MERIDIAN_REQUIRE_TESTDATA(folder);
    const ScratchFolder out;
    T8nOptions options = options_of({.folder = "31", .fork = "Cancun"}, folder / "31", out.path());
    options.make_tracer = [] { return std::make_unique<NonceTracer>(); };
    EXPECT_EQ(run_t8n(options), T8nCode::Success);
    const value receipts = read_json(out.path() / "result.json").at("receipts");
    std::size_t traces = 0;
    for (const fs::path& file : files_below(out.path(), ".json")) {
        if (!file.filename().string().starts_with("trace-"))
            continue;
        const value trace = read_json(file);
        EXPECT_EQ(trace.at("grown").to_number<int>(), 1);
        EXPECT_GE(trace.at("frames").to_number<int>(), 1);
        EXPECT_GT(trace.at("gas").to_number<int>(), 21000);
        ++traces;
    }
    EXPECT_EQ(traces, receipts.as_array().size());
    EXPECT_GT(traces, 0u);
}

TEST(T8nInput, MayBeGivenInPlaceOfStandardInput) {
    T8nOptions options;
    options.input_alloc = options.input_env = options.input_txs = "stdin";
    options.output_alloc = options.output_result = "";
    options.fork = "Berlin";
    options.standard_input = R"({"alloc":{},"env":{"currentCoinbase":"0x)" + std::string(40, '0') +
                             R"(","currentGasLimit":"0x1000","currentNumber":"1","currentTimestamp":"5",
                             "currentDifficulty":"0x20000"},"txs":[]})";
    const auto done = transition(options);
    EXPECT_TRUE(done) << done.error().message;
    const std::string good = *options.standard_input;
    const auto error_with = [&](const std::string& member) {
        options.standard_input = good;
        options.standard_input->insert(good.find("\"currentCoinbase\""), member + ",");
        return transition(options).error().message;
    };
    EXPECT_EQ(error_with(R"("ommers":[{"delta":9,"address":"0x00"}])"),
              "stdin: env/ommers/0/delta: an ommer is at most 8 generations old");
    EXPECT_EQ(error_with(R"("blockHashes":{"18446744073709551616":"0x01"})"),
              "stdin: env/blockHashes: a block number that does not fit 64 bits");
    options.standard_input = "{}";
    EXPECT_EQ(transition(options).error().message, "stdin: missing member \"alloc\"");
}

TEST(T8nTrace, TellsWhereCallsBeginAndEnd) {
    const fs::path folder = cases_folder();
    MERIDIAN_REQUIRE_TESTDATA(folder);
    const ScratchFolder out;
    T8nOptions options = options_of({.folder = "32", .fork = "Merge"}, folder / "32", out.path());
    options.trace.emplace().call_frames = true;
    EXPECT_EQ(run_t8n(options), T8nCode::Success);
    compare_traces(folder / "32", out.path());
}

TEST(StateTestTrace, IsGethsByteForByte) {
    const fs::path folder = cases_folder();
    MERIDIAN_REQUIRE_TESTDATA(folder);
    RunOptions options;
    options.paths = {folder / "statetest.json"};
    options.kinds = {CaseKind::State};
    options.trace.emplace();
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    EXPECT_EQ(run_suites(options), kExitFailed);  // the expected root of geth's case is zero on purpose
    EXPECT_EQ(testing::internal::GetCapturedStderr(), read_text(folder / "evmrun/8.out.2.txt"));
    EXPECT_TRUE(testing::internal::GetCapturedStdout().ends_with("0 passed, 1 failed, 0 skipped\n"));
}

TEST(T8nInput, NamesWhatIsWrong) {
    const ScratchFolder folder;
    const auto write = [&](const char* name, std::string_view text) {
        std::FILE* file = std::fopen((folder.path() / name).c_str(), "wb");
        std::fwrite(text.data(), 1, text.size(), file);
        std::fclose(file);
    };
    const Case c{.folder = "", .fork = "Berlin"};
    const auto run = [&] { return run_t8n(options_of(c, folder.path(), folder.path())); };
    EXPECT_EQ(run(), T8nCode::Io);  // no file
    write("alloc.json", "{");
    write("env.json", "{}");
    write("txs.json", "[]");
    testing::internal::CaptureStderr();
    EXPECT_EQ(run(), T8nCode::Syntax);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("alloc.json: malformed JSON at byte 1"),
              std::string::npos);
    write("alloc.json", "{}");
    testing::internal::CaptureStderr();
    EXPECT_EQ(run(), T8nCode::Syntax);
    EXPECT_NE(testing::internal::GetCapturedStderr().find("missing member \"currentCoinbase\""),
              std::string::npos);
}

}  // namespace
}  // namespace meridian::spec
