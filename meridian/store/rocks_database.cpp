#include <meridian/store/rocks_database.hpp>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/perf_level.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include <mutex>

namespace meridian::store {
namespace {

rocksdb::Slice slice(BytesView bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

BytesView view(const rocksdb::Slice& slice) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(slice.data()), slice.size()};
}

bool says(std::string_view text, std::string_view what) noexcept {
    return text.find(what) != std::string_view::npos;
}

struct Remedy {
    StoreErrorKind kind;
    const char* advice;
};

Remedy remedy_of(const rocksdb::Status& status, std::string_view text) {
    if (status.IsNoSpace() || says(text, "No space left"))
        return {StoreErrorKind::DiskFull, "free space on its file system and try again"};
    if (status.IsIOError() && (says(text, "lock file") || says(text, "lock hold")))
        return {StoreErrorKind::Locked, "stop the process that has it open, or name another folder"};
    if (status.IsInvalidArgument() && says(text, "olumn famil"))
        return {StoreErrorKind::WrongFormat, "open it with the version that wrote it"};
    if (status.IsMemoryLimit() || says(text, "Too many open files") || says(text, "Cannot allocate memory"))
        return {StoreErrorKind::Exhausted, "raise the limits of the process (ulimit -n), or its memory"};
    if (status.IsCorruption() || says(text, "orruption"))
        return {StoreErrorKind::Corrupt,
                "the disk lost or changed bytes: restore a snapshot or start with an empty folder"};
    return {StoreErrorKind::Io, "check the file system and the rights to the folder"};
}

StoreError error_from(const rocksdb::Status& status, std::string_view what, const std::string& path) {
    const std::string text = status.ToString();
    const Remedy remedy = remedy_of(status, text);
    std::string message = "store " + path + ": ";
    message.append(what).append(": ").append(text).append("; ").append(remedy.advice);
    return {remedy.kind, std::move(message)};
}

// Written block by block and never overwritten: sorted already, read in ranges.
bool is_sequential(Table table) noexcept {
    return table == Table::Blocks || table == Table::Bodies || table == Table::Receipts ||
           table == Table::ChangeSets;
}

// Read at random while transactions execute: a smaller block is less to search.
bool is_hot(Table table) noexcept {
    return table == Table::Accounts || table == Table::Storage;
}

rocksdb::ColumnFamilyOptions table_options(Table table, const RocksOptions& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
    rocksdb::BlockBasedTableOptions blocks;
    blocks.block_cache = cache;
    blocks.block_size = is_sequential(table) ? 32 << 10 : is_hot(table) ? 4 << 10 : 8 << 10;
    blocks.format_version = 5;
    blocks.cache_index_and_filter_blocks = true;
    blocks.pin_l0_filter_and_index_blocks_in_cache = true;
    if (!is_sequential(table)) {
        blocks.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
        blocks.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    }
    rocksdb::ColumnFamilyOptions out;
    if (!is_sequential(table)) {
        // Most keys that are read were not written lately: not looked for among those that were.
        out.memtable_prefix_bloom_size_ratio = 0.02;
        out.memtable_whole_key_filtering = true;
    }
    out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(blocks));
    out.write_buffer_size = std::max<std::uint64_t>(options.write_buffer_bytes / 4, 1 << 20);
    out.level_compaction_dynamic_level_bytes = true;
    out.compression = rocksdb::kLZ4Compression;
    out.bottommost_compression = is_sequential(table) ? rocksdb::kZSTD : rocksdb::kLZ4Compression;
    return out;
}

rocksdb::DBOptions database_options(const RocksOptions& options) {
    rocksdb::DBOptions out;
    out.create_if_missing = options.create;
    out.create_missing_column_families = !options.read_only;
    out.max_background_jobs = static_cast<int>(options.background_jobs);
    out.db_write_buffer_size = options.write_buffer_bytes;
    out.max_total_wal_size = options.write_buffer_bytes * 2;
    // Written back as it comes: a whole block at once would hold up the frame log's flushes, which go to the
    // same disk.
    out.bytes_per_sync = 512 << 10;
    out.wal_bytes_per_sync = 512 << 10;
    out.strict_bytes_per_sync = true;
    // A crash leaves a prefix of the commits: replay stops at the first record that does not check.
    out.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
    out.info_log_level = rocksdb::WARN_LEVEL;
    out.keep_log_file_num = 4;
    out.max_log_file_size = 1 << 20;
    out.max_open_files = 512;
    if (options.env != nullptr)
        out.env = options.env;
    return out;
}

// The engine counts comparisons for each thread, which costs a fifth of an insertion; nobody reads the
// counts.
void stop_counting() {
    thread_local const bool stopped = [] {
        rocksdb::SetPerfLevel(rocksdb::PerfLevel::kDisable);
        return true;
    }();
    static_cast<void>(stopped);
}

// The engine with what its users share. Snapshots and cursors keep it alive.
struct Engine {
    std::string path;
    std::function<void(const StoreError&)> on_read_failure;
    std::shared_ptr<rocksdb::Cache> cache;
    rocksdb::DB* db = nullptr;
    rocksdb::ColumnFamilyHandle* default_family = nullptr;
    std::vector<rocksdb::ColumnFamilyHandle*> families;  // by table

    Engine() = default;
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine() {
        if (db == nullptr)
            return;
        for (rocksdb::ColumnFamilyHandle* family : families)
            db->DestroyColumnFamilyHandle(family);
        db->DestroyColumnFamilyHandle(default_family);
        db->Close();
        delete db;
    }

    rocksdb::ColumnFamilyHandle* family(Table table) const noexcept {
        return families[static_cast<std::size_t>(table)];
    }
    StoreError read_failure(const rocksdb::Status& status, std::string_view what) const {
        StoreError out = error_from(status, what, path);
        if (on_read_failure)
            on_read_failure(out);
        return out;
    }
    StoreResult<bool> get(const rocksdb::ReadOptions& options, Table table, BytesView key,
                          Bytes& value) const {
        stop_counting();
        rocksdb::PinnableSlice found;
        const auto status = db->Get(options, family(table), slice(key), &found);
        if (status.IsNotFound())
            return false;
        if (!status.ok())
            return fail(read_failure(status, "reading " + std::string(name_of(table))));
        const BytesView bytes = view(found);
        value.assign(bytes.begin(), bytes.end());
        return true;
    }
};
using EnginePtr = std::shared_ptr<Engine>;

class RocksSnapshot;

class RocksCursor final : public Cursor {
public:
    RocksCursor(EnginePtr engine, SnapshotPtr pin, const rocksdb::ReadOptions& options, Table table)
        : m_engine(std::move(engine)),
          m_pin(std::move(pin)),
          m_table(table),
          m_at(m_engine->db->NewIterator(options, m_engine->family(table))) {}

    bool seek(BytesView key) override {
        m_at->Seek(slice(key));
        return arrived();
    }
    bool seek_before(BytesView key) override {
        m_at->SeekForPrev(slice(key));
        if (m_at->Valid() && equal(view(m_at->key()), key))
            m_at->Prev();
        return arrived();
    }
    bool seek_last() override {
        m_at->SeekToLast();
        return arrived();
    }
    bool next() override {
        m_at->Next();
        return arrived();
    }
    bool prev() override {
        m_at->Prev();
        return arrived();
    }
    BytesView key() const override { return view(m_at->key()); }
    BytesView value() const override { return view(m_at->value()); }
    const std::optional<StoreError>& error() const override { return m_error; }

private:
    bool arrived() {
        if (m_at->Valid())
            return true;
        if (!m_at->status().ok())
            m_error = m_engine->read_failure(m_at->status(), "walking " + std::string(name_of(m_table)));
        return false;
    }

    EnginePtr m_engine;
    SnapshotPtr m_pin;
    Table m_table;
    std::unique_ptr<rocksdb::Iterator> m_at;
    std::optional<StoreError> m_error;
};

class RocksSnapshot final : public Snapshot, public std::enable_shared_from_this<RocksSnapshot> {
public:
    explicit RocksSnapshot(EnginePtr engine) : m_engine(std::move(engine)) {
        m_options.snapshot = m_engine->db->GetSnapshot();
    }
    RocksSnapshot(const RocksSnapshot&) = delete;
    RocksSnapshot& operator=(const RocksSnapshot&) = delete;
    ~RocksSnapshot() override { m_engine->db->ReleaseSnapshot(m_options.snapshot); }

    StoreResult<bool> get(Table table, BytesView key, Bytes& value) const override {
        return m_engine->get(m_options, table, key, value);
    }
    std::unique_ptr<Cursor> cursor(Table table) const override {
        return std::make_unique<RocksCursor>(m_engine, shared_from_this(), m_options, table);
    }

private:
    EnginePtr m_engine;
    rocksdb::ReadOptions m_options;
};

class RocksDatabase final : public Database {
public:
    explicit RocksDatabase(EnginePtr engine) : m_engine(std::move(engine)) {}

    SnapshotPtr snapshot() override { return std::make_shared<RocksSnapshot>(m_engine); }
    StoreResult<bool> get(Table table, BytesView key, Bytes& value) override {
        return m_engine->get({}, table, key, value);
    }
    StoreResult<void> commit(const WriteBatch& batch, Durability durability) override;
    StoreResult<void> sync() override;
    DatabaseStats stats() override;
    StoreResult<void> compact() override;
    StoreResult<void> check(const std::function<void(Table, std::uint64_t)>& progress) override;

private:
    StoreResult<void> translate(const WriteBatch& batch, rocksdb::WriteBatch& to) const;
    rocksdb::Status erase_range(const WriteBatch::Operation& operation, bool overwritten,
                                rocksdb::WriteBatch& to) const;
    StoreError error(const rocksdb::Status& status, std::string_view what) const {
        return error_from(status, what, m_engine->path);
    }

    EnginePtr m_engine;
    // The engine refuses every write after a failed one until it is told to go on.
    std::optional<StoreError> m_stopped;
    std::mutex m_committing;
};

// A range of few keys is erased key by key: every range erased is in the way of all reads of its table until
// it is compacted. `overwritten`: the batch put keys into the table before, which only a range erases as
// well.
rocksdb::Status RocksDatabase::erase_range(const WriteBatch::Operation& operation, bool overwritten,
                                           rocksdb::WriteBatch& to) const {
    constexpr std::size_t kFewKeys = 64;
    rocksdb::ColumnFamilyHandle* family = m_engine->family(operation.table);
    if (overwritten)
        return to.DeleteRange(family, slice(operation.key), slice(operation.value));
    const rocksdb::Slice end = slice(operation.value);
    rocksdb::ReadOptions options;
    options.iterate_upper_bound = &end;
    const std::unique_ptr<rocksdb::Iterator> at(m_engine->db->NewIterator(options, family));
    std::vector<std::string> keys;
    for (at->Seek(slice(operation.key)); at->Valid(); at->Next()) {
        if (keys.size() == kFewKeys)
            return to.DeleteRange(family, slice(operation.key), end);
        keys.push_back(at->key().ToString());
    }
    for (const std::string& key : keys)
        to.Delete(family, key);
    return at->status();
}

StoreResult<void> RocksDatabase::translate(const WriteBatch& batch, rocksdb::WriteBatch& to) const {
    std::array<bool, kTableCount> overwritten{};
    rocksdb::Status status;
    batch.for_each([&](const WriteBatch::Operation& operation) {
        rocksdb::ColumnFamilyHandle* family = m_engine->family(operation.table);
        bool& has_puts = overwritten[static_cast<std::size_t>(operation.table)];
        if (!status.ok())
            return;
        if (operation.kind == WriteBatch::Kind::Put) {
            has_puts = true;
            status = to.Put(family, slice(operation.key), slice(operation.value));
        } else if (operation.kind == WriteBatch::Kind::Erase) {
            status = to.Delete(family, slice(operation.key));
        } else {
            status = erase_range(operation, has_puts, to);
        }
    });
    if (!status.ok())
        return fail(error(status, "preparing a commit"));
    return {};
}

StoreResult<void> RocksDatabase::commit(const WriteBatch& batch, Durability durability) {
    const std::lock_guard lock(m_committing);
    stop_counting();
    if (m_stopped) {
        const auto status = m_engine->db->Resume();
        // The engine looks for free space itself, every few seconds, and cannot be hurried.
        if (status.IsBusy())
            return fail(*m_stopped);
        if (!status.ok())
            return fail(error(status, "going on after a failed write"));
        m_stopped.reset();
    }
    rocksdb::WriteBatch writes(batch.size_bytes() + 16 * batch.operation_count());
    if (auto translated = translate(batch, writes); !translated)
        return translated;
    rocksdb::WriteOptions options;
    options.sync = durability == Durability::Sync;
    if (const auto status = m_engine->db->Write(options, &writes); !status.ok()) {
        m_stopped = error(status, "committing");
        return fail(*m_stopped);
    }
    return {};
}

StoreResult<void> RocksDatabase::sync() {
    if (const auto status = m_engine->db->SyncWAL(); !status.ok())
        return fail(error(status, "syncing"));
    return {};
}

DatabaseStats RocksDatabase::stats() {
    DatabaseStats out{
        .engine = "rocksdb", .path = m_engine->path, .disk_bytes = 0, .memory_bytes = 0, .tables = {}};
    const auto property = [this](Table table, const std::string& name) {
        std::uint64_t value = 0;
        m_engine->db->GetIntProperty(m_engine->family(table), name, &value);
        return value;
    };
    for (std::size_t i = 0; i < kTableCount; ++i) {
        const auto table = static_cast<Table>(i);
        out.tables.push_back({.table = table,
                              .entries = property(table, rocksdb::DB::Properties::kEstimateNumKeys),
                              .size_bytes = property(table, rocksdb::DB::Properties::kTotalSstFilesSize)});
        out.memory_bytes += property(table, rocksdb::DB::Properties::kSizeAllMemTables);
    }
    out.memory_bytes += m_engine->cache->GetUsage();
    std::error_code ignored;
    for (const auto& file : std::filesystem::directory_iterator(m_engine->path, ignored))
        if (file.is_regular_file(ignored))
            out.disk_bytes += file.file_size(ignored);
    return out;
}

StoreResult<void> RocksDatabase::compact() {
    rocksdb::CompactRangeOptions options;
    options.exclusive_manual_compaction = false;
    options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
    for (rocksdb::ColumnFamilyHandle* family : m_engine->families)
        if (const auto status = m_engine->db->CompactRange(options, family, nullptr, nullptr); !status.ok())
            return fail(error(status, "compacting " + family->GetName()));
    return {};
}

StoreResult<void> RocksDatabase::check(const std::function<void(Table, std::uint64_t)>& progress) {
    constexpr std::uint64_t kProgressEntries = 100'000;
    rocksdb::ReadOptions options;
    options.verify_checksums = true;
    options.fill_cache = false;
    if (const auto status = m_engine->db->VerifyChecksum(options); !status.ok())
        return fail(error(status, "checking"));
    for (std::size_t i = 0; i < kTableCount; ++i) {
        const auto table = static_cast<Table>(i);
        std::uint64_t entries = 0;
        const std::unique_ptr<rocksdb::Iterator> at(
            m_engine->db->NewIterator(options, m_engine->family(table)));
        for (at->SeekToFirst(); at->Valid(); at->Next())
            if (++entries % kProgressEntries == 0 && progress)
                progress(table, entries);
        if (!at->status().ok())
            return fail(error(at->status(), "checking " + std::string(name_of(table))));
        if (progress)
            progress(table, entries);
    }
    return {};
}

// Whether the folder may be opened or made; what is in it must be a store of the engine.
StoreResult<void> check_folder(const RocksOptions& options) {
    const std::string path = options.path.string();
    std::error_code error;
    const bool exists = std::filesystem::exists(options.path / "CURRENT", error);
    if (exists)
        return {};
    if (!options.create || options.read_only)
        return store_fail(StoreErrorKind::NotFound,
                          "store " + path + ": there is none; name the folder of one that exists");
    if (std::filesystem::exists(options.path, error)) {
        if (!std::filesystem::is_directory(options.path, error))
            return store_fail(StoreErrorKind::WrongFormat,
                              "store " + path + ": this is a file; name a folder");
        if (!std::filesystem::is_empty(options.path, error) && !error)
            return store_fail(StoreErrorKind::WrongFormat,
                              "store " + path + ": the folder holds something else; name an empty one");
    }
    std::filesystem::create_directories(options.path, error);
    if (error)
        return store_fail(StoreErrorKind::Io, "store " + path + ": cannot make the folder: " +
                                                  error.message() + "; check the rights to its parent");
    return {};
}

}  // namespace

StoreResult<std::unique_ptr<Database>> open_rocks(const RocksOptions& options) {
    if (auto checked = check_folder(options); !checked)
        return fail(std::move(checked.error()));
    auto engine = std::make_shared<Engine>();
    engine->path = options.path.string();
    engine->on_read_failure = options.on_read_failure;
    engine->cache = rocksdb::NewLRUCache(options.cache_bytes);
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    families.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions());
    for (std::size_t i = 0; i < kTableCount; ++i)
        families.emplace_back(std::string(kTableNames[i]),
                              table_options(static_cast<Table>(i), options, engine->cache));
    const rocksdb::DBOptions database = database_options(options);
    const auto status =
        options.read_only
            ? rocksdb::DB::OpenForReadOnly(database, engine->path, families, &engine->families, &engine->db)
            : rocksdb::DB::Open(database, engine->path, families, &engine->families, &engine->db);
    if (!status.ok()) {
        engine->families.clear();
        engine->db = nullptr;
        return fail(error_from(status, "opening", engine->path));
    }
    engine->default_family = engine->families.front();
    engine->families.erase(engine->families.begin());
    return std::make_unique<RocksDatabase>(std::move(engine));
}

}  // namespace meridian::store
