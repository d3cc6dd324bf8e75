// What replay says of sources that it cannot use; the real blocks are in tests/spec.

#include <meridian/spec/replay.hpp>
#include <meridian/spec/runner.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace meridian::spec {
namespace {

namespace fs = std::filesystem;

class Replay : public testing::Test {
protected:
    void SetUp() override {
        std::string name = testing::TempDir() + "meridian_replay_XXXXXX";
        ASSERT_NE(mkdtemp(name.data()), nullptr);
        m_folder = name;
    }
    void TearDown() override { fs::remove_all(m_folder); }

    std::string write(const std::string& name, const std::string& content) {
        const fs::path path = m_folder / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path) << content;
        return path.string();
    }
    // Standard output.
    std::string run(const std::string& path, int expected_code) {
        m_options.paths = {path};
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        EXPECT_EQ(run_replay(m_options), expected_code);
        m_err = testing::internal::GetCapturedStderr();
        return testing::internal::GetCapturedStdout();
    }

    fs::path m_folder;
    ReplayOptions m_options;
    std::string m_err;
};

TEST_F(Replay, RefusesNamedFilesThatHoldNoBlock) {
    const std::pair<std::string, std::string> cases[] = {
        {write("a.json", "garbage"), "malformed JSON at byte 0"},
        {write("b.json", "{}"), "holds no recorded block that replay knows: a folder with block.json and"},
        {write("block.json", R"({"parentHash":"0x","stateRoot":"0x","transactions":[]})"),
         "cannot be replayed: a block without its pre-state"},
        {write("c.era1", "garbage and more"), "byte 0: no era1 file"},
        {write("d.json", R"({"fixture":{},"preimages":{}})"),
         "fixture: missing member \"executing_payload\""},
        {write("e.json", R"({"blockNumber":"zz","state":{}})"), "blockNumber: not a hexadecimal number"},
        {write("f.json", R"({"blockNumber":"1","state":{}})"), "state: lacks the block's header"},
        {write("g.json", R"({"parent_state_trie":5,"parent_storage":{},"block":{}})"), "missing member"},
    };
    for (const auto& [path, expected] : cases) {
        const std::string out = run(path, kExitFailed);
        EXPECT_TRUE(out.starts_with("FAIL " + path + ": ")) << out;
        EXPECT_NE(out.find(expected), std::string::npos) << out;
        EXPECT_TRUE(out.ends_with("0 passed, 1 failed, 0 skipped\n")) << out;
    }
    run((m_folder / "none").string(), kExitBadInput);
    EXPECT_NE(m_err.find("no such file or folder"), std::string::npos) << m_err;
}

TEST_F(Replay, NamesWhatOfAFolderCannotBeReplayed) {
    const std::string scroll = write("scroll.json", R"({"prev_state_root":"0x","states":[],"codes":[]})");
    const std::string bare = write("fixture.json", R"(// no JSON: {"header":{},"transactions":[]})");
    const std::string cache = write("cache.json", R"({"full_blocks":[],"proofs":[]})");
    const std::string chain = write("chain.rlp", "");
    write("notes.json", "not even JSON");
    const std::string out = run(m_folder.string(), kExitPassed);
    EXPECT_NE(out.find("SKIP " + scroll + ": a block of Scroll"), std::string::npos) << out;
    EXPECT_NE(out.find("SKIP " + bare + ": a block without its pre-state"), std::string::npos) << out;
    EXPECT_NE(out.find("SKIP " + cache + ": a cache of RPC answers without proofs"), std::string::npos)
        << out;
    EXPECT_NE(out.find("SKIP " + chain + ": a chain"), std::string::npos) << out;
    EXPECT_TRUE(out.ends_with("0 passed, 0 failed, 4 skipped\n")) << out;
}

TEST_F(Replay, LeavesChainsToTheCaller) {
    const std::string good = write("good.rlp", "");
    const std::string bad = write("bad.rlp", "");
    m_options.chain = [&](const std::string& path) {
        return ReplayCheck{path == bad ? "block 7: wrong" : "", {}};
    };
    const std::string out = run(m_folder.string(), kExitFailed);
    EXPECT_NE(out.find("FAIL " + bad + ": block 7: wrong\n"), std::string::npos) << out;
    EXPECT_TRUE(out.ends_with("1 passed, 1 failed, 0 skipped\n")) << out;
}

}  // namespace
}  // namespace meridian::spec
