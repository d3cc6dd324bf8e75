// `meridian db` and `meridian snapshot` as processes, on a store that holds a chain.
#include <meridian/base/hex.hpp>
#include <meridian/store/chain_test_model.hpp>
#include <meridian/store/rocks_database.hpp>
#include <meridian/store/test_folder.hpp>

#include <gtest/gtest.h>

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>

namespace meridian::store {
namespace {

namespace fs = std::filesystem;

struct Ended {
    int exit_code = -1;
    std::string out;  // stdout and stderr
};

Ended meridian(const std::string& arguments) {
    Ended run;
    FILE* pipe = ::popen((std::string(MERIDIAN_BINARY) + " " + arguments + " 2>&1").c_str(), "r");
    if (pipe == nullptr)
        return run;
    std::array<char, 4096> buffer;
    while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe))
        run.out.append(buffer.data(), count);
    const int status = ::pclose(pipe);
    run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return run;
}

class StoreCommands : public testing::Test {
protected:
    static constexpr std::uint64_t kBlocks = 20;

    StoreCommands() : m_model(7) {
        const auto chain = open();
        const auto trie = chain->open_trie().value();
        for (std::uint64_t i = 0; i <= kBlocks; ++i) {
            const TestBlock& block = i == 0 ? m_model.head() : m_model.mine();
            const auto update = trie->apply(block.changes).value();
            EXPECT_TRUE(chain->commit_block(block.commit(*update), Durability::Sync));
        }
    }
    std::unique_ptr<ChainStore> open() {
        auto database = open_rocks({.path = m_folder.path() / "data" / "store"});
        EXPECT_TRUE(database) << database.error().message;
        return ChainStore::open(*std::move(database), m_model.identity()).value();
    }
    std::string path(const std::string& name) const { return (m_folder.path() / name).string(); }
    std::string head_hash() const { return to_hex0x(m_model.head().hash); }

    const TestFolder m_folder;
    ChainModel m_model;
};

void expect_in(const Ended& run, int exit_code, const std::string& part) {
    EXPECT_EQ(run.exit_code, exit_code) << run.out;
    EXPECT_NE(run.out.find(part), std::string::npos) << run.out;
}

TEST_F(StoreCommands, InspectTellsOfTheChain) {
    const Ended run = meridian("db inspect " + path("data"));
    expect_in(run, 0, "Chain     1234321, genesis " + to_hex0x(m_model.identity().genesis_hash) + "\n");
    expect_in(run, 0, "Head      block 20 " + head_hash() + "\n");
    expect_in(run, 0, "\naccounts ");
    expect_in(meridian("db inspect --json " + path("data/store")), 0,
              "\"head\":{\"number\":20,\"hash\":\"" + head_hash());
}

TEST_F(StoreCommands, InspectLooksWhileAnotherHasItOpenAndTheOthersDoNot) {
    const auto chain = open();
    expect_in(meridian("db inspect " + path("data")), 0, "block 20");
    for (const char* command : {"check", "compact", "prune"})
        expect_in(meridian(std::string("db ") + command + " " + path("data")), 1,
                  "a running node does this itself");
    expect_in(meridian("snapshot export " + path("data") + " " + path("out")), 1, "admin_snapshot");
    EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(StoreCommands, AWrongFolderIsNamed) {
    fs::create_directories(path("empty"));
    expect_in(meridian("db inspect " + path("empty")), 2, "there is no store in " + path("empty"));
    expect_in(meridian("db check " + path("none")), 2, path("none") + " is no folder");
    EXPECT_TRUE(fs::is_empty(path("empty")));
    expect_in(meridian("db inspect --json " + path("empty")), 2, "\"kind\":\"not found\"");
    expect_in(meridian("db inpsect " + path("data")), 2, "did you mean 'inspect'");
}

TEST_F(StoreCommands, CheckFindsTheStoreSoundOrSaysWhatIsWrong) {
    expect_in(meridian("db check " + path("data")), 0, "agree with the head's root");
    expect_in(meridian("db check --json " + path("data")), 0, "\"valid\":true");
    {
        const auto chain = open();
        const auto snapshot = chain->database().snapshot();
        const auto cursor = snapshot->cursor(Table::AccountTrie);
        ASSERT_TRUE(cursor->seek_last());
        WriteBatch batch;
        batch.erase(Table::AccountTrie, cursor->key());
        ASSERT_TRUE(chain->database().commit(batch, Durability::Sync));
    }
    const Ended damaged = meridian("db check --json " + path("data"));
    expect_in(damaged, 1, "\"kind\":\"corrupt\"");
}

TEST_F(StoreCommands, PruneAndCompact) {
    expect_in(meridian("db prune --json --state-blocks 4 --body-blocks 8 " + path("data")), 0,
              "\"statesRemoved\":");
    {
        const auto chain = open();
        const auto view = chain->view().value();
        EXPECT_EQ(view.oldest_state(), kBlocks - 4);
        EXPECT_GT(view.oldest_body(), 0u);
    }
    expect_in(meridian("db compact --json " + path("data")), 0, "\"diskBytesBefore\":");
    expect_in(meridian("db check " + path("data")), 0, "agree with the head's root");
    expect_in(meridian("db prune --state-blocks 0 " + path("data")), 2, "whole number from 1");
}

TEST_F(StoreCommands, ASnapshotGoesThroughFilesIntoAnotherStore) {
    expect_in(meridian("snapshot export --json " + path("data") + " " + path("out")), 0, "\"block\":20");
    expect_in(meridian("snapshot check " + path("out")), 0, "Whole: chain 1234321, block 20 " + head_hash());
    expect_in(meridian("snapshot restore --head-hash " + head_hash() + " " + path("out") + " " + path("new")),
              0, "Restored: chain 1234321, block 20");
    expect_in(meridian("db check " + path("new")), 0, "agree with the head's root");
    expect_in(meridian("db inspect " + path("new")), 0, "block 20 " + head_hash());
    expect_in(meridian("snapshot restore " + path("out") + " " + path("new")), 1, "holds a chain");
    expect_in(meridian("snapshot export " + path("data") + " " + path("out")), 1, path("out"));
}

TEST_F(StoreCommands, SnapshotsOfAnotherChainAndDamagedOnesAreRefused) {
    ASSERT_EQ(meridian("snapshot export " + path("data") + " " + path("out")).exit_code, 0);
    expect_in(meridian("snapshot restore --head-hash 0x" + std::string(64, '1') + " " + path("out") + " " +
                       path("a")),
              1, "0x1111");
    expect_in(meridian("snapshot restore --head-hash 0x12 " + path("out") + " " + path("a")), 2,
              "64 hexadecimal");
    std::ofstream(path("genesis.json"))
        << R"({"config":{"chainId":1},"gasLimit":"0x1000000","difficulty":"0x0","alloc":{}})";
    expect_in(
        meridian("snapshot restore --genesis " + path("genesis.json") + " " + path("out") + " " + path("b")),
        1, "chain");
    {
        std::fstream chunk(path("out/000000.chunk"), std::ios::in | std::ios::out | std::ios::binary);
        chunk.seekp(20);
        chunk.put('\x5a');
    }
    expect_in(meridian("snapshot check " + path("out")), 1, "000000.chunk");
    expect_in(meridian("snapshot restore " + path("out") + " " + path("c")), 1, "000000.chunk");
    expect_in(meridian("snapshot check " + path("data")), 2, path("data"));
}

}  // namespace
}  // namespace meridian::store
