#include <meridian/store/database.hpp>

#include <meridian/store/memory_database.hpp>
#include <meridian/store/rocks_database.hpp>
#include <meridian/store/test_folder.hpp>

#include <fcntl.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <random>
#include <thread>

// The engine is not instrumented, so ThreadSanitizer cannot see how it orders its threads.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
    return "called_from_lib:librocksdb\nrace:librocksdb\n";
}

namespace meridian::store {
namespace {

Bytes text(std::string_view s) {
    return to_bytes(as_bytes(s));
}

// Both implementations keep the same promises.
class DatabaseTest : public testing::TestWithParam<bool> {
protected:
    std::unique_ptr<Database> open() {
        if (!GetParam())
            return std::make_unique<MemoryDatabase>();
        return open_rocks({.path = folder.path() / "db", .write_buffer_bytes = 1 << 20}).value();
    }
    TestFolder folder;
};
INSTANTIATE_TEST_SUITE_P(Engines, DatabaseTest, testing::Bool(),
                         [](const auto& engine) { return engine.param ? "RocksDB" : "Memory"; });

using Model = std::map<Bytes, Bytes>;

Bytes random_key(std::mt19937_64& random) {
    // Short keys over few bytes, so that they meet, with the extremes among them.
    Bytes out(random() % 4);
    for (auto& byte : out)
        byte = std::array<std::uint8_t, 4>{0, 1, 0x7f, 0xff}[random() % 4];
    return out;
}

void expect_same(const Snapshot& snapshot, const Model& model, std::mt19937_64& random) {
    const auto cursor = snapshot.cursor(Table::Storage);
    auto expected = model.begin();
    for (bool at = cursor->seek({}); at; at = cursor->next(), ++expected) {
        ASSERT_NE(expected, model.end());
        ASSERT_TRUE(equal(cursor->key(), expected->first) && equal(cursor->value(), expected->second));
    }
    ASSERT_EQ(expected, model.end());
    for (int i = 0; i < 20; ++i) {
        const Bytes key = random_key(random);
        Bytes value;
        ASSERT_EQ(snapshot.get(Table::Storage, key, value).value(), model.contains(key));
        const auto from = model.lower_bound(key);
        ASSERT_EQ(cursor->seek(key), from != model.end());
        if (from != model.end()) {
            ASSERT_TRUE(equal(cursor->key(), from->first));
            ASSERT_EQ(cursor->prev(), from != model.begin());
        }
        ASSERT_EQ(cursor->seek_before(key), from != model.begin());
        if (from != model.begin()) {
            ASSERT_TRUE(equal(cursor->key(), std::prev(from)->first));
        }
    }
    ASSERT_EQ(cursor->seek_last(), !model.empty());
    if (!model.empty()) {
        ASSERT_TRUE(equal(cursor->key(), model.rbegin()->first));
    }
}

void change(WriteBatch& batch, Model& model, std::mt19937_64& random) {
    const Bytes key = random_key(random);
    const Bytes other = random_key(random);
    switch (random() % 8) {
        case 0: {
            batch.erase_range(Table::Storage, key, other);
            if (key < other)
                model.erase(model.lower_bound(key), model.lower_bound(other));
            break;
        }
        case 1:
            batch.erase_prefix(Table::Storage, key);
            std::erase_if(model, [&](const auto& entry) {
                return entry.first.size() >= key.size() &&
                       equal(BytesView(entry.first).first(key.size()), key);
            });
            break;
        case 2:
            batch.erase(Table::Storage, key);
            model.erase(key);
            break;
        default: {
            const Bytes value(random() % 10, static_cast<std::uint8_t>(random()));
            batch.put(Table::Storage, key, value);
            model[key] = value;
        }
    }
}

TEST_P(DatabaseTest, AgreesWithAMapWhileSnapshotsLast) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
        std::mt19937_64 random(seed);
        const auto database = open();
        WriteBatch clear;
        clear.erase_prefix(Table::Storage, {});
        ASSERT_TRUE(database->commit(clear, Durability::Buffered).has_value());
        Model model;
        std::vector<std::pair<SnapshotPtr, Model>> held;
        for (int i = 0; i < 60; ++i) {
            WriteBatch batch;
            for (std::uint64_t n = random() % 12; n > 0; --n)
                change(batch, model, random);
            ASSERT_TRUE(database->commit(batch, Durability::Buffered).has_value());
            if (random() % 5 == 0)
                held.emplace_back(database->snapshot(), model);
            if (held.size() > 5)
                held.erase(held.begin() + static_cast<std::ptrdiff_t>(random() % held.size()));
            if (i % 30 == 29) {
                ASSERT_TRUE(database->compact().has_value());
            }
            expect_same(*database->snapshot(), model, random);
            for (const auto& [snapshot, then] : held)
                expect_same(*snapshot, then, random);
        }
        EXPECT_TRUE(database->check({}).has_value());
    }
}

TEST_P(DatabaseTest, TablesAreApart) {
    const auto database = open();
    WriteBatch batch;
    for (std::size_t i = 0; i < kTableCount; ++i)
        batch.put(static_cast<Table>(i), text("k"), Bytes(i + 1, 1));
    batch.erase_prefix(Table::Code, {});
    ASSERT_TRUE(database->commit(batch, Durability::Sync).has_value());
    Bytes value;
    for (std::size_t i = 0; i < kTableCount; ++i) {
        const auto table = static_cast<Table>(i);
        EXPECT_EQ(database->get(table, text("k"), value).value(), table != Table::Code);
        if (table != Table::Code) {
            EXPECT_EQ(value.size(), i + 1);
        }
    }
    std::uint64_t seen = 0;
    ASSERT_TRUE(database->check([&](Table, std::uint64_t entries) { seen += entries; }).has_value());
    EXPECT_EQ(seen, kTableCount - 1);
    EXPECT_EQ(database->stats().tables.size(), kTableCount);
}

TEST_P(DatabaseTest, ReadersSeeWholeCommits) {
    const auto database = open();
    std::atomic<bool> stop = false;
    const auto read = [&] {
        while (!stop) {
            const SnapshotPtr snapshot = database->snapshot();
            Bytes a;
            Bytes b;
            const bool has_a = snapshot->get(Table::Accounts, text("a"), a).value();
            const bool has_b = snapshot->get(Table::Receipts, text("b"), b).value();
            EXPECT_EQ(has_a, has_b);
            EXPECT_EQ(a, b);
        }
    };
    std::thread first(read);
    std::thread second(read);
    for (int i = 0; i < 1000; ++i) {
        WriteBatch batch;
        const Bytes value(static_cast<std::size_t>(i % 100), static_cast<std::uint8_t>(i));
        batch.put(Table::Accounts, text("a"), value);
        batch.put(Table::Receipts, text("b"), value);
        ASSERT_TRUE(database->commit(batch, Durability::Buffered).has_value());
    }
    stop = true;
    first.join();
    second.join();
}

TEST(MemoryDatabase, LosesWhatWasNotSynced) {
    MemoryDatabase database(MemoryDatabase::Crashes::Possible);
    const auto put = [&](std::string_view key, Durability durability) {
        WriteBatch batch;
        batch.put(Table::Meta, as_bytes(key), as_bytes(key));
        batch.erase(Table::Meta, text("a"));
        ASSERT_TRUE(database.commit(batch, durability).has_value());
    };
    put("a", Durability::Sync);
    put("b", Durability::Sync);
    put("c", Durability::Buffered);
    put("d", Durability::Buffered);
    EXPECT_EQ(database.unsynced_commits(), 2u);
    database.crash(1);
    Bytes value;
    EXPECT_FALSE(database.get(Table::Meta, text("a"), value).value());
    EXPECT_TRUE(database.get(Table::Meta, text("b"), value).value());
    EXPECT_TRUE(database.get(Table::Meta, text("c"), value).value());
    EXPECT_FALSE(database.get(Table::Meta, text("d"), value).value());
}

// --- what only a disk does ------------------------------------------------------------------------------

StoreError open_error(const RocksOptions& options) {
    auto opened = open_rocks(options);
    EXPECT_FALSE(opened.has_value());
    return opened ? StoreError{} : opened.error();
}

TEST(RocksDatabase, KeepsItsFolderToItself) {
    const TestFolder folder;
    const auto path = folder.path() / "db";
    EXPECT_EQ(open_error({.path = path, .create = false}).kind, StoreErrorKind::NotFound);
    auto first = open_rocks({.path = path}).value();
    const StoreError locked = open_error({.path = path});
    EXPECT_EQ(locked.kind, StoreErrorKind::Locked) << locked.message;
    EXPECT_NE(locked.message.find(path.string()), std::string::npos);
    WriteBatch batch;
    batch.put(Table::Meta, text("k"), text("v"));
    ASSERT_TRUE(first->commit(batch, Durability::Sync).has_value());
    const auto reader = open_rocks({.path = path, .create = false, .read_only = true}).value();
    Bytes value;
    EXPECT_TRUE(reader->get(Table::Meta, text("k"), value).value());
    EXPECT_FALSE(reader->commit(batch, Durability::Sync).has_value());
    first.reset();
    EXPECT_TRUE(open_rocks({.path = path, .create = false}).has_value());
}

TEST(RocksDatabase, RefusesOtherFolders) {
    const TestFolder folder;
    std::ofstream(folder.path() / "letter") << "dear";
    EXPECT_EQ(open_error({.path = folder.path()}).kind, StoreErrorKind::WrongFormat);
    EXPECT_EQ(open_error({.path = folder.path() / "letter"}).kind, StoreErrorKind::WrongFormat);
    EXPECT_EQ(open_error({.path = folder.path() / "letter" / "db"}).kind, StoreErrorKind::Io);
}

std::vector<std::filesystem::path> files_of(const std::filesystem::path& folder, std::string_view extension) {
    std::vector<std::filesystem::path> out;
    for (const auto& file : std::filesystem::directory_iterator(folder))
        if (file.path().extension() == extension)
            out.push_back(file.path());
    return out;
}

void fill(Database& database, int first, int count) {
    for (int i = first; i < first + count; ++i) {
        WriteBatch batch;
        batch.put(Table::Accounts, text("account " + std::to_string(i)),
                  Bytes(200, static_cast<std::uint8_t>(i)));
        ASSERT_TRUE(database.commit(batch, Durability::Sync).has_value());
    }
}

TEST(RocksDatabase, FindsChangedBytes) {
    const TestFolder folder;
    const auto path = folder.path() / "db";
    {
        auto database = open_rocks({.path = path}).value();
        fill(*database, 0, 200);
        ASSERT_TRUE(database->compact().has_value());
    }
    const auto tables = files_of(path, ".sst");
    ASSERT_FALSE(tables.empty());
    for (const auto& file : tables) {
        std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
        bytes.seekp(60);
        bytes.write("changed!", 8);
    }
    auto opened = open_rocks({.path = path});
    const auto checked = opened ? (*opened)->check({}) : StoreResult<void>(fail(opened.error()));
    ASSERT_FALSE(checked.has_value());
    EXPECT_EQ(checked.error().kind, StoreErrorKind::Corrupt) << checked.error().message;
    EXPECT_NE(checked.error().message.find("restore a snapshot"), std::string::npos);
}

TEST(RocksDatabase, TellsWhoeverKeepsWatchOfWhatItCannotRead) {
    const TestFolder folder;
    const auto path = folder.path() / "db";
    {
        auto database = open_rocks({.path = path}).value();
        fill(*database, 0, 200);
        ASSERT_TRUE(database->compact().has_value());
    }
    std::vector<StoreError> told;
    const auto database =
        open_rocks(
            {.path = path, .on_read_failure = [&told](const StoreError& error) { told.push_back(error); }})
            .value();
    const auto read_all = [&] {
        std::size_t failed = 0;
        for (std::size_t table = 0; table < kTableCount; ++table) {
            const auto cursor = database->snapshot()->cursor(static_cast<Table>(table));
            for (bool at = cursor->seek({}); at; at = cursor->next()) {
            }
            failed += cursor->error().has_value();
        }
        return failed;
    };
    for (const auto& file : files_of(path, ".sst")) {
        std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
        bytes.seekp(60);
        bytes.write("changed!", 8);
    }
    const std::size_t failed = read_all();
    ASSERT_GT(failed, 0u);
    EXPECT_EQ(told.size(), failed);
    EXPECT_EQ(told.front().kind, StoreErrorKind::Corrupt) << told.front().message;
}

TEST(RocksDatabase, CutsATornLog) {
    const TestFolder folder;
    const auto path = folder.path() / "db";
    const auto copy = folder.path() / "copy";
    const auto database = open_rocks({.path = path}).value();
    fill(*database, 0, 50);
    // As after a power cut: the folder as it is now, the log's last bytes not written.
    std::filesystem::copy(path, copy);
    std::filesystem::remove(copy / "LOCK");
    std::filesystem::path log;
    for (const auto& file : files_of(copy, ".log"))
        if (log.empty() || std::filesystem::file_size(file) > std::filesystem::file_size(log))
            log = file;
    std::filesystem::resize_file(log, std::filesystem::file_size(log) - 100);
    const auto torn = open_rocks({.path = copy}).value();
    Bytes value;
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(torn->get(Table::Accounts, text("account " + std::to_string(i)), value).value(), i < 49)
            << i;
}

// A file system that can be told to be full.
class FullDisk final : public rocksdb::FileSystemWrapper {
public:
    class File final : public rocksdb::FSWritableFileOwnerWrapper {
    public:
        File(std::unique_ptr<rocksdb::FSWritableFile>&& file, FullDisk& disk)
            : FSWritableFileOwnerWrapper(std::move(file)), m_disk(disk) {}
        using FSWritableFileOwnerWrapper::Append;
        rocksdb::IOStatus Append(const rocksdb::Slice& data, const rocksdb::IOOptions& options,
                                 rocksdb::IODebugContext* context) override {
            return m_disk.full ? rocksdb::IOStatus::NoSpace("the test's disk")
                               : FSWritableFileOwnerWrapper::Append(data, options, context);
        }

    private:
        FullDisk& m_disk;
    };

    FullDisk() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
    const char* Name() const override { return "FullDisk"; }
    rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* result,
                                      rocksdb::IODebugContext* context) override {
        std::unique_ptr<rocksdb::FSWritableFile> file;
        const auto status = FileSystemWrapper::NewWritableFile(name, options, &file, context);
        if (status.ok())
            *result = std::make_unique<File>(std::move(file), *this);
        return status;
    }

    std::atomic<bool> full = false;
};

TEST(RocksDatabase, GoesOnWhenSpaceIsFreed) {
    const TestFolder folder;
    const auto disk = std::make_shared<FullDisk>();
    const auto env = rocksdb::NewCompositeEnv(disk);
    auto database = open_rocks({.path = folder.path() / "db", .env = env.get()}).value();
    fill(*database, 0, 10);
    WriteBatch batch;
    batch.put(Table::Accounts, text("account 10"), text("late"));
    disk->full = true;
    for (int i = 0; i < 3; ++i) {
        const auto failed = database->commit(batch, Durability::Sync);
        ASSERT_FALSE(failed.has_value());
        EXPECT_EQ(failed.error().kind, StoreErrorKind::DiskFull) << failed.error().message;
        EXPECT_NE(failed.error().message.find("free space"), std::string::npos);
    }
    Bytes value;
    EXPECT_TRUE(database->get(Table::Accounts, text("account 9"), value).value());
    EXPECT_FALSE(database->get(Table::Accounts, text("account 10"), value).value());
    disk->full = false;
    auto done = database->commit(batch, Durability::Sync);
    for (int tenths = 0; tenths < 600 && !done; ++tenths) {
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
        done = database->commit(batch, Durability::Sync);
    }
    ASSERT_TRUE(done.has_value()) << done.error().message;
    database.reset();
    database = open_rocks({.path = folder.path() / "db"}).value();
    EXPECT_TRUE(database->get(Table::Accounts, text("account 10"), value).value());
    EXPECT_EQ(value, text("late"));
}

// --- kill -9 --------------------------------------------------------------------------------------------

constexpr const char* kChildFolder =
    "MERIDIAN_TEST_COMMITS_FOREVER";  // set in the child only: the database's folder
constexpr int kChildReports = 3;      // the child's descriptor for its reports

// Commits blocks of entries in four tables without end, and reports each number once it is durable. What the
// next test starts as a process of its own: a fork of this one would lack the engine's threads and might have
// its locks.
TEST(RocksDatabase, DISABLED_CommitsForever) {
    const char* path = std::getenv(kChildFolder);
    if (path == nullptr)
        GTEST_SKIP() << "the child of KeepsWholeCommitsThroughKills";
    const auto database = open_rocks({.path = path, .write_buffer_bytes = 1 << 20}).value();
    std::uint64_t number = 0;
    Bytes value;
    while (database->get(Table::Blocks, text(std::to_string(number)), value).value())
        ++number;
    for (;; ++number) {
        WriteBatch batch;
        for (const Table table : {Table::Blocks, Table::Receipts, Table::Accounts, Table::LogIndex})
            for (int part = 0; part < (table == Table::Blocks ? 1 : 40); ++part)
                batch.put(table, text(std::to_string(number) + (part == 0 ? "" : "." + std::to_string(part))),
                          Bytes(300, static_cast<std::uint8_t>(number)));
        const bool sync = number % 4 == 0;
        ASSERT_TRUE(database->commit(batch, sync ? Durability::Sync : Durability::Buffered).has_value());
        if (sync) {
            ASSERT_EQ(write(kChildReports, &number, sizeof number), static_cast<ssize_t>(sizeof number));
        }
    }
}

pid_t start_committing(const std::filesystem::path& path, int reports) {
    const std::string folder = std::string(kChildFolder) + "=" + path.string();
    std::vector<char*> environment;
    for (char** variable = environ; *variable != nullptr; ++variable)
        environment.push_back(*variable);
    environment.push_back(const_cast<char*>(folder.c_str()));
    environment.push_back(nullptr);
    const char* arguments[] = {"test_store", "--gtest_filter=RocksDatabase.DISABLED_CommitsForever",
                               "--gtest_also_run_disabled_tests", "--gtest_brief=1", nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, reports, kChildReports);
    pid_t child = -1;
    EXPECT_EQ(posix_spawn(&child, "/proc/self/exe", &actions, nullptr, const_cast<char**>(arguments),
                          environment.data()),
              0);
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

// Lets a child commit until it has reported some numbers, ends it a little later, wherever it is by then, and
// gives the last number that it reported to be durable.
std::uint64_t run_and_kill(const std::filesystem::path& path, int reports, std::chrono::microseconds later) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const pid_t child = start_committing(path, ends[1]);
    close(ends[1]);
    std::uint64_t last = 0;
    std::uint64_t number = 0;
    while (reports > 0 && read(ends[0], &number, sizeof number) == sizeof number) {
        last = number;
        --reports;
    }
    EXPECT_EQ(reports, 0) << "the child ended by itself";
    std::this_thread::sleep_for(later);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    while (read(ends[0], &number, sizeof number) == sizeof number)
        last = number;
    close(ends[0]);
    return last;
}

TEST(RocksDatabase, KeepsWholeCommitsThroughKills) {
    const TestFolder folder;
    const auto path = folder.path() / "db";
    for (int round = 0; round < 6; ++round) {
        const std::uint64_t promised =
            run_and_kill(path, 3 + 15 * round, std::chrono::microseconds(round * 700));
        const auto database = open_rocks({.path = path}).value();
        std::uint64_t count = 0;
        Bytes value;
        const auto has = [&](Table table, const std::string& key) {
            return database->get(table, text(key), value).value();
        };
        while (has(Table::Blocks, std::to_string(count))) {
            for (const Table table : {Table::Receipts, Table::Accounts, Table::LogIndex})
                for (const char* part : {"", ".1", ".39"})
                    ASSERT_TRUE(has(table, std::to_string(count) + part)) << count;
            ++count;
        }
        ASSERT_GT(count, promised);
        // Nothing of a commit that is not there.
        for (std::uint64_t number = count; number < count + 8; ++number)
            for (const char* part : {"", ".1", ".39"})
                ASSERT_FALSE(has(Table::Accounts, std::to_string(number) + part));
    }
}

}  // namespace
}  // namespace meridian::store
