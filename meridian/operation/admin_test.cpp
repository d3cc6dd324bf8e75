// The admin port: who may ask, and what the methods do to a real store.
#include <meridian/operation/admin_methods.hpp>
#include <meridian/operation/token_file.hpp>
#include <meridian/store/chain_test_model.hpp>
#include <meridian/store/memory_database.hpp>
#include <meridian/store/snapshot.hpp>
#include <meridian/store/test_folder.hpp>

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <boost/json/parse.hpp>

#include <fstream>
#include <thread>

#include <sys/stat.h>

namespace meridian::operation {
namespace {

constexpr const char* kToken = "0123456789abcdef0123456789abcdef";

TEST(Token, IsMadeOnceForItsOwnerAlone) {
    const store::TestFolder folder;
    const std::string path = (folder.path() / "admin.token").string();
    const auto made = load_or_make_token(path);
    ASSERT_TRUE(made) << made.error();
    EXPECT_EQ(made->size(), 64u);
    struct stat info{};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u);
    EXPECT_EQ(*load_or_make_token(path), *made);
    EXPECT_NE(*load_or_make_token(path + "2"), *made);
}

TEST(Token, IsRefusedIfOthersCanReadItOrItIsShort) {
    const store::TestFolder folder;
    const std::string path = (folder.path() / "admin.token").string();
    std::ofstream(path) << "  " << kToken << "\n";
    ::chmod(path.c_str(), 0640);
    EXPECT_NE(load_or_make_token(path).error().find("chmod 600"), std::string::npos);
    ::chmod(path.c_str(), 0600);
    EXPECT_EQ(*load_or_make_token(path), kToken);
    std::ofstream(path) << "short";
    EXPECT_NE(load_or_make_token(path).error().find("less than 32"), std::string::npos);
    EXPECT_FALSE(load_or_make_token((folder.path() / "no" / "admin.token").string()));
}

TEST(Token, OnlyTheWholeOneOpens) {
    EXPECT_TRUE(authorized(std::string("Bearer ") + kToken, kToken));
    EXPECT_FALSE(authorized("", kToken));
    EXPECT_FALSE(authorized(kToken, kToken));
    EXPECT_TRUE(authorized(std::string("bearer ") + kToken, kToken));
    EXPECT_FALSE(authorized(std::string("Basic! ") + kToken, kToken));
    EXPECT_FALSE(authorized("Bearer ", kToken));
    EXPECT_FALSE(authorized(std::string("Bearer ") + kToken + "0", kToken));
    EXPECT_FALSE(authorized("Bearer 0123456789abcdef0123456789abcdee", kToken));
    EXPECT_FALSE(authorized(std::string("Basic ") + kToken, kToken));
}

// A store with some blocks.
class StoredModel {
public:
    StoredModel() : m_model(1) {
        m_store =
            store::ChainStore::open(std::make_unique<store::MemoryDatabase>(), m_model.identity()).value();
        const auto trie = m_store->open_trie().value();
        for (std::uint64_t i = 0; i <= kBlocks; ++i) {
            const store::TestBlock& block = i == 0 ? m_model.head() : m_model.mine();
            const auto update = trie->apply(block.changes).value();
            EXPECT_TRUE(m_store->commit_block(block.commit(*update), store::Durability::Buffered));
        }
    }
    store::ChainStore& store() { return *m_store; }
    std::uint64_t head() const { return kBlocks; }

private:
    static constexpr std::uint64_t kBlocks = 5;
    store::ChainModel m_model;
    std::unique_ptr<store::ChainStore> m_store;
};

class AdminTest : public testing::Test {
protected:
    AdminTest() : m_admin(kToken) {
        m_health.set_running();
        add_admin_methods(m_admin, {.health = m_health,
                                    .jobs = m_jobs,
                                    .store = m_model.store(),
                                    .snapshot_folder = m_folder.path() / "snapshots",
                                    .status = [] { return json::object{{"frame", 17}}; },
                                    .drain = [this] { m_drained = true; }});
    }
    gateway::PlainAnswer ask(const std::string& body, const std::string& token = kToken) {
        return m_admin.answer(
            {.method = "POST", .path = "/", .authorization = "Bearer " + token, .body = body});
    }
    json::object call(const std::string& method, const std::string& params = "[]") {
        return json::parse(ask(R"({"id":3,"method":")" + method + R"(","params":)" + params + "}").body)
            .as_object();
    }
    std::string error_of(const std::string& method, const std::string& params = "[]") {
        return std::string(call(method, params).at("error").at("message").as_string());
    }
    json::object finished_job() {
        while (m_jobs.status().at("running").as_bool())
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        return m_jobs.status().as_object();
    }

    const store::TestFolder m_folder;
    StoredModel m_model;
    Health m_health;
    AdminJobs m_jobs;
    Admin m_admin;
    bool m_drained = false;
};

TEST_F(AdminTest, WantsTheToken) {
    EXPECT_EQ(ask("{}", "wrong").status, 401u);
    EXPECT_EQ(ask(R"({"method":"admin_drain"})", "").status, 401u);
    EXPECT_FALSE(m_drained);
    EXPECT_EQ(m_admin.answer({.method = "GET", .path = "/", .authorization = std::string("Bearer ") + kToken})
                  .status,
              405u);
}

TEST_F(AdminTest, AnswersWhatIsNoCall) {
    EXPECT_EQ(json::parse(ask("{").body).at("error").at("code"), -32700);
    EXPECT_EQ(json::parse(ask(std::string(5'000, '[')).body).at("error").at("code"), -32700);
    EXPECT_EQ(json::parse(ask("[]").body).at("error").at("code"), -32600);
    EXPECT_EQ(call("admin_status", "{}").at("error").at("code"), -32600);
    EXPECT_EQ(
        error_of("admin_stat"),
        "there is no such method; there are admin_compact, admin_drain, admin_prune, admin_setLogLevel, "
        "admin_snapshot, admin_status");
}

TEST_F(AdminTest, StatusOfStoreAndNode) {
    const auto status = call("admin_status").at("result").as_object();
    EXPECT_EQ(status.at("ready"), true);
    EXPECT_EQ(status.at("frame"), 17);
    EXPECT_EQ(status.at("store").at("head").at("number"), m_model.head());
    EXPECT_TRUE(status.at("job").is_null());
}

TEST_F(AdminTest, LogLevel) {
    const auto before = spdlog::get_level();
    EXPECT_EQ(call("admin_setLogLevel", R"(["error"])").at("result").at("now"), "error");
    EXPECT_EQ(spdlog::get_level(), spdlog::level::err);
    EXPECT_EQ(error_of("admin_setLogLevel", R"(["loud"])"),
              "want [level], one of trace, debug, info, warn, error, off");
    spdlog::set_level(before);
}

TEST_F(AdminTest, SnapshotOfTheRunningStore) {
    EXPECT_EQ(call("admin_snapshot", R"(["monday"])").at("result").at("started"), "admin_snapshot");
    const auto job = finished_job();
    ASSERT_TRUE(job.contains("result")) << job;
    const auto manifest = store::read_manifest(m_folder.path() / "snapshots" / "monday");
    ASSERT_TRUE(manifest) << manifest.error().message;
    EXPECT_EQ(manifest->head.number, m_model.head());
    // The folder is taken now.
    call("admin_snapshot", R"(["monday"])");
    EXPECT_TRUE(finished_job().contains("error"));
    for (const char* name : {R"(["../x"])", R"([""])", R"(["a/b"])", R"([".."])", "[7]", R"(["a","b"])"})
        EXPECT_TRUE(error_of("admin_snapshot", name).starts_with("want [] or [name]")) << name;
}

TEST_F(AdminTest, UpkeepAndEnd) {
    call("admin_prune");
    EXPECT_TRUE(finished_job().contains("result"));
    call("admin_compact");
    EXPECT_TRUE(finished_job().contains("result"));
    EXPECT_EQ(error_of("admin_compact", "[1]"), "takes no parameters");
    EXPECT_FALSE(m_drained);
    call("admin_drain");
    EXPECT_TRUE(m_drained);
}

TEST(AdminJobs, OneAtATimeAndGivenUpAtTheEnd) {
    std::atomic<bool> given_up = false;
    {
        AdminJobs jobs;
        ASSERT_TRUE(jobs.start("long", [&](const AdminJobs::Progress& progress) -> AdminResult {
            while (progress("half")) {
            }
            given_up = true;
            return fail(std::string("stopped"));
        }));
        const auto second = jobs.start("second", [](const auto&) -> AdminResult { return nullptr; });
        ASSERT_FALSE(second);
        EXPECT_TRUE(second.error().starts_with("long is under way"));
    }
    EXPECT_TRUE(given_up);
}

}  // namespace
}  // namespace meridian::operation
