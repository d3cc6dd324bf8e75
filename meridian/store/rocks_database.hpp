// The database on disk, by RocksDB: one column family a table.
#pragma once

#include <meridian/store/database.hpp>

#include <filesystem>

namespace rocksdb {
class Env;
}

namespace meridian::store {

struct RocksOptions {
    std::filesystem::path path;
    // False: a store that is not there is an error.
    bool create = true;
    // Takes no lock and writes nothing: for a look at a store that another process has open.
    bool read_only = false;
    // Blocks of all tables, read and index, that are kept in memory.
    std::uint64_t cache_bytes = std::uint64_t{512} << 20;
    // What is committed and not yet in sorted files. Twice as much at most is read again after a crash.
    std::uint64_t write_buffer_bytes = std::uint64_t{128} << 20;
    unsigned background_jobs = 2;
    // What is stored could not be read back: called by whoever reads it, on any thread. May be empty.
    std::function<void(const StoreError&)> on_read_failure = {};
    // For tests that let the disk fail; null: the system's. Outlives the database.
    rocksdb::Env* env = nullptr;
};

// Opens the store; a torn tail of its log, which a crash leaves, is cut off. Errors: Locked, Corrupt,
// NotFound, WrongFormat (a folder with something else in it), Io, DiskFull.
StoreResult<std::unique_ptr<Database>> open_rocks(const RocksOptions& options);

}  // namespace meridian::store
