// Real blocks, and the same blocks with something changed: replay notices, in every format.

#include "vector_files.hpp"

#include <meridian/spec/replay.hpp>
#include <meridian/spec/runner.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

#include <fstream>

namespace meridian::spec {
namespace {

namespace fs = std::filesystem;

struct Change {
    const char* source;  // a folder or file below the pack
    const char* file;    // the file in it to be changed; empty: the source itself
    const char* from;
    const char* to;
    const char* expected;
};

class ReplayOf : public testing::TestWithParam<Change> {
protected:
    void SetUp() override {
        std::string name = (fs::temp_directory_path() / "meridian-replay-XXXXXX").string();
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        m_folder = name;
    }
    void TearDown() override { fs::remove_all(m_folder); }

    static std::string run(const fs::path& path, int expected_code) {
        ReplayOptions options;
        options.paths = {path.string()};
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        EXPECT_EQ(run_replay(options), expected_code);
        testing::internal::GetCapturedStderr();
        return testing::internal::GetCapturedStdout();
    }

    fs::path m_folder;
};

TEST_P(ReplayOf, NoticesWhatIsChanged) {
    const fs::path pack = testdata("blocks");
    MERIDIAN_REQUIRE_TESTDATA(pack);
    const Change& change = GetParam();
    const fs::path source = pack / change.source;
    const fs::path copy = m_folder / source.filename();
    fs::copy(source, copy, fs::copy_options::recursive);
    EXPECT_TRUE(run(copy, kExitPassed).ends_with("\n1 passed, 0 failed, 0 skipped\n"));

    const fs::path file = *change.file == 0 ? copy : copy / change.file;
    std::string text = read_text(file);
    const std::size_t place = text.find(change.from);
    ASSERT_NE(place, std::string::npos);
    text.replace(place, std::string_view(change.from).size(), change.to);
    std::ofstream(file, std::ios::binary) << text;
    const std::string out = run(copy, kExitFailed);
    EXPECT_NE(out.find(change.expected), std::string::npos) << out;
}

constexpr const char* kRaiko = "raiko/ethereum-20612842.json";
constexpr const char* kZksync = "zksync-os/22244135";
constexpr const char* kNimbus = "nimbus-persistblock/block2675002.json";

INSTANTIATE_TEST_SUITE_P(
    Changed, ReplayOf,
    testing::Values(Change{kRaiko, "", "0xa4464a2f95c187d0b202115b59f4dee5",
                           "0xa4464a2f95c187d0b202115b59f4dee6", "post-state root: expected"},
                    Change{kRaiko, "", "\"gas_used\":1318761", "\"gas_used\":1318762",
                           "gas used: expected 1318762, got 1318761"},
                    Change{kRaiko, "", "\"amount\":\"0x12045b4\"", "\"amount\":\"0x12045b5\"",
                           "withdrawals root: expected"},
                    Change{kZksync, "block.json", "0x07d43872084785522d3e70a8", "0x07d43872084785522d3e70a9",
                           "block hash: expected"},
                    Change{kZksync, "difftrace.json", "\"post\": {", "\"pozt\": {",
                           "missing member \"post\""},
                    Change{kNimbus, "", "\"28d13a\"", "\"28d13b\"", "state: lacks the block's header"},
                    Change{"era1/sepolia-00021-b8814b14.era1", "", "sNaPpY", "sNaPpy",
                           "a wrong Snappy stream identifier"}));

}  // namespace
}  // namespace meridian::spec
