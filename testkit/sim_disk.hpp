// A disk in memory that does on a crash what disks do: of what was not synced, any part is lost, in sectors
// and in any order, and so are names. It can be full, and it can fail.
//
// Deterministic: a crash depends on the generator it is given and on nothing else. For one thread.
#pragma once

#include <meridian/frames/disk.hpp>

#include <functional>
#include <map>
#include <optional>
#include <random>

namespace meridian::testkit {

class SimDisk final : public frames::Disk {
public:
    static constexpr std::size_t kSectorSize = 512;  // bytes; written as a whole or not at all

    SimDisk();
    ~SimDisk() override;

    frames::IoResult<std::unique_ptr<frames::File>> open(const std::string& path,
                                                         frames::OpenMode mode) override;
    frames::IoResult<std::unique_ptr<frames::File>> create(const std::string& path) override;
    frames::IoResult<std::vector<std::string>> list(const std::string& folder) override;
    frames::IoResult<void> remove(const std::string& path) override;
    frames::IoResult<void> rename(const std::string& from, const std::string& to) override;
    frames::IoResult<void> sync_directory(const std::string& folder) override;
    frames::IoResult<void> make_directory(const std::string& folder) override;
    frames::IoResult<std::unique_ptr<frames::DiskLock>> lock(const std::string& path) override;

    // The machine stops and starts again: what is left is what a disk may have kept. Files that were open
    // must not be used any more; locks are gone.
    void crash(std::mt19937_64& random);
    // The process ends, the machine goes on: everything written stays, locks are gone.
    void end_process();

    // Bytes that can still be appended in all; none: no limit.
    void set_free_bytes(std::optional<std::uint64_t> bytes) { m_free_bytes = bytes; }
    // Called before each operation that changes something, with its number; true makes a crash of the caller
    // out of it: the operation is done in part and throws SimCrash.
    struct SimCrash {};
    void set_crash_at(std::optional<std::uint64_t> operation) { m_crash_at = operation; }
    std::uint64_t operations() const noexcept { return m_operations; }
    // For damage of other kinds: the bytes of a file as they would be read now. Null if there is none.
    Bytes* content(const std::string& path);

private:
    struct Inode;
    class SimFile;
    using InodePtr = std::shared_ptr<Inode>;
    using Names = std::map<std::string, InodePtr>;

    // True if the caller is to crash amid the operation.
    bool count_operation();

    Names m_names;          // as the process sees them
    Names m_durable_names;  // as they would be found after a crash
    std::map<std::string, bool> m_locked;
    std::uint64_t m_lock_epoch = 0;
    std::optional<std::uint64_t> m_free_bytes;
    std::optional<std::uint64_t> m_crash_at;
    std::uint64_t m_operations = 0;
};

}  // namespace meridian::testkit
