// An embedded store of ordered tables: byte keys, compared lexicographically, to byte values.
//
// One writer at a time (the implementations serialise), any number of readers in any threads. A reader works
// on a snapshot: what the store held when it was taken, whatever is committed or erased meanwhile. A batch is
// committed as a whole; after a crash the store holds a prefix of the commits, with every synced one in it.
// Keys have at most kKeySizeMax bytes, values at most kValueSizeMax.
#pragma once

#include <meridian/store/error.hpp>
#include <meridian/store/write_batch.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace meridian::store {

inline constexpr std::size_t kKeySizeMax = 512;
inline constexpr std::size_t kValueSizeMax = std::size_t{1} << 30;

// Walks one table of a snapshot, in the order of keys. For one thread at a time; it keeps the snapshot alive.
class Cursor {
public:
    virtual ~Cursor() = default;

    // Each moves and says whether the cursor is at an entry now. After false see error().
    // To the first key not below `key`.
    virtual bool seek(BytesView key) = 0;
    // To the last key below `key`.
    virtual bool seek_before(BytesView key) = 0;
    virtual bool seek_last() = 0;
    // Precondition: at an entry.
    virtual bool next() = 0;
    virtual bool prev() = 0;

    // Valid until the cursor moves. Precondition: at an entry.
    virtual BytesView key() const = 0;
    virtual BytesView value() const = 0;

    // Set if the last move failed rather than came to the end.
    virtual const std::optional<StoreError>& error() const = 0;
};

// A consistent view. For any number of threads at once; must not outlive the database.
class Snapshot {
public:
    virtual ~Snapshot() = default;

    // Replaces `value`, or returns false if there is no such key.
    virtual StoreResult<bool> get(Table table, BytesView key, Bytes& value) const = 0;
    virtual std::unique_ptr<Cursor> cursor(Table table) const = 0;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

enum class Durability : std::uint8_t {
    Sync,      // on the disk when commit() returns (fdatasync)
    Buffered,  // survives the end of the process, but not of the machine
};

struct TableStats {
    Table table = Table::Meta;
    std::uint64_t entries = 0;  // an estimate, where the engine has no count
    std::uint64_t size_bytes = 0;
};

struct DatabaseStats {
    std::string engine;
    std::string path;  // empty: in memory
    std::uint64_t disk_bytes = 0;
    std::uint64_t memory_bytes = 0;  // caches and write buffers
    std::vector<TableStats> tables;
};

class Database {
public:
    virtual ~Database() = default;

    virtual SnapshotPtr snapshot() = 0;
    // As get() of a snapshot taken now, without the cost of taking one.
    virtual StoreResult<bool> get(Table table, BytesView key, Bytes& value) = 0;
    // All or nothing. After an error nothing of the batch is there, and the store can still be read; once the
    // cause is gone (space was freed), commits succeed again, on a disk after some seconds.
    virtual StoreResult<void> commit(const WriteBatch& batch, Durability durability) = 0;
    // Makes all commits so far durable.
    virtual StoreResult<void> sync() = 0;

    virtual DatabaseStats stats() = 0;
    // Gives back the space of what was erased or overwritten. Readers and the writer go on meanwhile.
    virtual StoreResult<void> compact() = 0;
    // Reads everything and verifies the engine's checksums; progress(table, entries so far) may be empty.
    virtual StoreResult<void> check(const std::function<void(Table, std::uint64_t)>& progress) = 0;
};

// Where `get` is all that is needed: of the newest state, or of a snapshot.
using GetFunction = std::function<StoreResult<bool>(Table, BytesView, Bytes&)>;

}  // namespace meridian::store
