// The machine's disk and the model that tests use in its place answer alike.
#include <meridian/frames/memory_disk_test_model.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace meridian::frames {
namespace {

using namespace testing;

class DiskTest : public ::testing::TestWithParam<bool> {
protected:
    void SetUp() override {
        m_folder =
            (std::filesystem::temp_directory_path() / ("meridian-disk-test-" + std::to_string(::getpid())))
                .string();
        std::filesystem::remove_all(m_folder);
        ASSERT_TRUE(disk().make_directory(m_folder + "/a/b"));
        ASSERT_TRUE(disk().make_directory(m_folder + "/a/b"));
        m_folder += "/a/b";
    }
    void TearDown() override {
        std::filesystem::remove_all(std::filesystem::path(m_folder).parent_path().parent_path());
    }

    Disk& disk() { return GetParam() ? posix_disk() : m_memory; }
    std::string path(std::string_view name) const { return m_folder + "/" + std::string(name); }

    MemoryDisk m_memory;
    std::string m_folder;
};

TEST_P(DiskTest, files_grow_shrink_and_are_read) {
    auto file = *disk().create(path("f"));
    ASSERT_TRUE(file->append(as_bytes("hello ")));
    ASSERT_TRUE(file->append(as_bytes("world")));
    ASSERT_TRUE(file->sync());
    EXPECT_EQ(*file->size(), 11u);
    EXPECT_EQ(file->path(), path("f"));
    Bytes out(20);
    EXPECT_EQ(*file->read_at(6, out), 5u);
    EXPECT_TRUE(equal(BytesView(out).first(5), as_bytes("world")));
    EXPECT_EQ(*file->read_at(11, out), 0u);
    ASSERT_TRUE(file->truncate(3));
    ASSERT_TRUE(file->append(as_bytes("p")));
    auto again = *disk().open(path("f"), OpenMode::Read);
    EXPECT_EQ(*again->size(), 4u);
    EXPECT_EQ(*again->read_at(0, out), 4u);
    EXPECT_TRUE(equal(BytesView(out).first(4), as_bytes("help")));
}

TEST_P(DiskTest, errors_have_a_code_and_the_path) {
    const auto missing = disk().open(path("none"), OpenMode::Read);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, IoCode::NotFound);
    EXPECT_EQ(missing.error().path, path("none"));
    EXPECT_NE(missing.error().message.find(path("none")), std::string::npos);
    ASSERT_TRUE(disk().create(path("f")));
    EXPECT_EQ(disk().create(path("f")).error().code, IoCode::AlreadyExists);
    EXPECT_EQ(disk().remove(path("none")).error().code, IoCode::NotFound);
    EXPECT_EQ(disk().rename(path("none"), path("g")).error().code, IoCode::NotFound);
}

TEST_P(DiskTest, names_are_listed_in_order_renamed_and_removed) {
    for (const char* name : {"c", "a", "b"})
        ASSERT_TRUE(disk().create(path(name)));
    EXPECT_EQ(*disk().list(m_folder), (std::vector<std::string>{"a", "b", "c"}));
    ASSERT_TRUE(disk().rename(path("a"), path("b")));
    ASSERT_TRUE(disk().remove(path("c")));
    ASSERT_TRUE(disk().sync_directory(m_folder));
    EXPECT_EQ(*disk().list(m_folder), (std::vector<std::string>{"b"}));
}

TEST_P(DiskTest, a_removed_file_stays_readable_while_it_is_open) {
    auto file = *disk().create(path("f"));
    ASSERT_TRUE(file->append(as_bytes("x")));
    ASSERT_TRUE(disk().remove(path("f")));
    Bytes out(1);
    EXPECT_EQ(*file->read_at(0, out), 1u);
}

TEST_P(DiskTest, a_lock_is_held_once) {
    auto lock = disk().lock(path("LOCK"));
    ASSERT_TRUE(lock);
    EXPECT_EQ(disk().lock(path("LOCK")).error().code, IoCode::Busy);
    lock->reset();
    EXPECT_TRUE(disk().lock(path("LOCK")));
}

INSTANTIATE_TEST_SUITE_P(disks, DiskTest, ::testing::Values(true, false),
                         [](const auto& tested) { return tested.param ? "posix" : "memory"; });

TEST(posix_disk, folders_that_cannot_be_made_are_errors) {
    EXPECT_FALSE(posix_disk().make_directory("/dev/null/x"));
    EXPECT_FALSE(posix_disk().list("/nonexistent"));
    EXPECT_FALSE(posix_disk().sync_directory("/nonexistent"));
}

}  // namespace
}  // namespace meridian::frames
