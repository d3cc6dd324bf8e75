// Files and folders as the frame log needs them, so that tests can put a disk below it that loses, tears and
// fills up.
//
// What is durable: a file's bytes and size after File::sync() has succeeded; a file's existence, name and
// absence after Disk::sync_directory() of its folder has. Everything else may be lost or kept in part after a
// crash, in any order. A sync that failed leaves it unknown what is durable.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>

#include <memory>
#include <string>

namespace meridian::frames {

enum class [[nodiscard]] IoCode : std::uint8_t {
    NotFound,
    AlreadyExists,
    NoSpace,  // disk full or over quota
    PermissionDenied,
    Busy,        // locked by somebody else
    NotAFolder,  // or not a file, where one is needed
    Exhausted,   // the process has no file descriptors or memory left
    Failed,      // anything else; the words say what
};

struct IoError {
    IoCode code = IoCode::Failed;
    std::string path;
    std::string message;  // a sentence with the path, as "cannot open /data/x: no such file or directory"
};

template <class T>
using IoResult = Result<T, IoError>;

// An open file. read_at() and size() may be called while another thread appends or syncs.
class File {
public:
    virtual ~File() = default;
    // At the end. After an error any part of the bytes may have been appended.
    virtual IoResult<void> append(BytesView bytes) = 0;
    // How many bytes were read: fewer than asked for only at the end of the file.
    virtual IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const = 0;
    virtual IoResult<std::uint64_t> size() const = 0;  // bytes
    // Precondition: not beyond the end.
    virtual IoResult<void> truncate(std::uint64_t size) = 0;
    virtual IoResult<void> sync() = 0;
    virtual const std::string& path() const noexcept = 0;
};

// Held until it is destroyed, or the process ends.
class DiskLock {
public:
    virtual ~DiskLock() = default;
};

enum class OpenMode : std::uint8_t { Read, ReadWrite };

// Thread-safe. An open file stays readable after it was removed or renamed.
class Disk {
public:
    virtual ~Disk() = default;
    virtual IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
    // A new, empty file, open for reading and writing; an error if it exists.
    virtual IoResult<std::unique_ptr<File>> create(const std::string& path) = 0;
    // Names (without the folder) of the files in a folder, sorted.
    virtual IoResult<std::vector<std::string>> list(const std::string& folder) = 0;
    virtual IoResult<void> remove(const std::string& path) = 0;
    // Replaces `to` if it exists, at once.
    virtual IoResult<void> rename(const std::string& from, const std::string& to) = 0;
    virtual IoResult<void> sync_directory(const std::string& folder) = 0;
    // With the folders above it; no error if it is there. Durable when it returns.
    virtual IoResult<void> make_directory(const std::string& folder) = 0;
    // Keeps other processes out: Busy if one holds it. The file is created if needed, and stays.
    virtual IoResult<std::unique_ptr<DiskLock>> lock(const std::string& path) = 0;
};

// The machine's own. Thread-safe, one for the process.
Disk& posix_disk() noexcept;

}  // namespace meridian::frames
