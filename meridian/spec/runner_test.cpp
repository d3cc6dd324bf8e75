// What the last line and the exit code say about input that cannot be used.

#include <meridian/spec/runner.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

namespace meridian::spec {
namespace {

struct RunOutput {
    int exit_code = 0;
    std::string out;
    std::string err;
};

RunOutput run(std::vector<std::string> paths, bool json = false, std::string filter = {}) {
    RunOptions options;
    options.paths = std::move(paths);
    options.json = json;
    options.filter = std::move(filter);
    options.kinds = {CaseKind::HexPrefix, CaseKind::State, CaseKind::Transaction, CaseKind::Rlp};
    options.jobs = 1;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    RunOutput result;
    result.exit_code = run_suites(options);
    result.err = testing::internal::GetCapturedStderr();
    result.out = testing::internal::GetCapturedStdout();
    return result;
}

class SpecRunner : public testing::Test {
protected:
    std::string write(const std::string& name, const std::string& content) {
        const std::string path = testing::TempDir() + "meridian_runner_" + name;
        std::ofstream(path) << content;
        m_paths.push_back(path);
        return path;
    }

    void TearDown() override {
        for (const std::string& path : m_paths)
            std::remove(path.c_str());
    }

    std::vector<std::string> m_paths;
};

constexpr const char* kGood = R"({"even": {"seq": [1, 2], "term": false, "out": "0012"}})";

TEST_F(SpecRunner, CountsFilesThatCannotBeUsedAsFailed) {
    const std::string good = write("good.json", kGood);
    EXPECT_EQ(run({good}).out, "1 passed, 0 failed, 0 skipped\n");
    const std::string broken = write("broken.json", "{");
    const std::string other = write("other.json", "{}");
    const RunOutput result = run({good, broken, other});
    EXPECT_EQ(result.exit_code, kExitFailed);
    EXPECT_NE(result.out.find("FAIL " + broken + ": "), std::string::npos) << result.out;
    EXPECT_NE(result.out.find("FAIL " + other + ": holds no test"), std::string::npos) << result.out;
    EXPECT_TRUE(result.out.ends_with("\n1 passed, 2 failed, 0 skipped\n")) << result.out;
}

TEST_F(SpecRunner, CountsTestsThatCannotBeUnderstoodAsFailed) {
    const std::string path = write("fields.json", R"({"a": {"seq": 5, "term": false, "out": "0012"}})");
    const RunOutput result = run({path}, true);
    EXPECT_EQ(result.exit_code, kExitFailed);
    EXPECT_NE(result.out.find(R"("name":"a","pass":false)"), std::string::npos) << result.out;
    EXPECT_NE(result.out.find(R"("error":"seq: )"), std::string::npos) << result.out;
    EXPECT_TRUE(result.err.ends_with("0 passed, 1 failed, 0 skipped\n")) << result.err;
    EXPECT_TRUE(result.out.starts_with("[") && result.out.ends_with("\n]\n")) << result.out;
    // The test is named once.
    EXPECT_TRUE(run({path}).out.starts_with("FAIL " + path + " a: seq: ")) << run({path}).out;
}

// A transaction whose nonce has a leading zero, with what the fixture says of it.
std::string nonce_with_zero(const std::string& exception) {
    return R"({"a": {"result": {"London": {"exception": "TransactionException.)" + exception +
           R"("}}, "txbytes": "0xe18200010182520894010101010101010101010101010101010101010180801b0101"}})";
}

TEST_F(SpecRunner, ComparesWhyAndWhereAnEncodingIsRefused) {
    const auto outcome = [&](const std::string& exception) {
        return run({write("txn.json", nonce_with_zero(exception))}).out;
    };
    EXPECT_EQ(outcome("RLP_LEADING_ZEROS_NONCE"), "1 passed, 0 failed, 0 skipped\n");
    const std::string other = outcome("RLP_LEADING_ZEROS_VALUE");
    EXPECT_NE(other.find("expected TransactionException.RLP_LEADING_ZEROS_VALUE, got "
                         "TransactionException.RLP_INVALID_ENCODING (leading zero in integer: nonce)\n"),
              std::string::npos)
        << other;
    for (const char* wrong : {"RLP_INVALID_NONCE", "NONCE_OVERFLOW", "RLP_LEADING_ZEROS_NONCE_SIZE",
                              "RLP_ERROR_SIZE", "RLP_INVALID_VALUE", "RLP_INVALID_ENCODING"})
        EXPECT_TRUE(outcome(wrong).ends_with("0 passed, 1 failed, 0 skipped\n")) << wrong;
}

TEST_F(SpecRunner, ComparesWhatIsWrongWithInvalidRlp) {
    const auto outcome = [&](const std::string& encoded) {
        return run({write("rlp.json", R"({"bytesShouldBeSingleByte00": {"in": "INVALID", "out": ")" +
                                          encoded + R"("}})")})
            .out;
    };
    EXPECT_EQ(outcome("0x8100"), "1 passed, 0 failed, 0 skipped\n");
    EXPECT_TRUE(outcome("0x81").ends_with("0 passed, 1 failed, 0 skipped\n"));
}

TEST_F(SpecRunner, SaysThatAFilterSelectsNothing) {
    const RunOutput result = run({write("good.json", kGood)}, false, "nomatch");
    EXPECT_EQ(result.exit_code, kExitBadInput);
    EXPECT_EQ(result.out, "0 passed, 0 failed, 0 skipped\n");
    EXPECT_NE(result.err.find("--run 'nomatch' selects no case"), std::string::npos) << result.err;
}

}  // namespace
}  // namespace meridian::spec
