// The store's database with a clock beside it: how long commits take, how much they write, and what it holds.
#pragma once

#include <meridian/metrics/metrics.hpp>
#include <meridian/store/database.hpp>

namespace meridian::operation {

inline constexpr metrics::Metric kStoreCommit{"meridian_store_commit_seconds", metrics::Kind::Histogram,
                                              "Time of one commit to the store."};
inline constexpr metrics::Metric kStoreWritten{"meridian_store_written_bytes_total", metrics::Kind::Counter,
                                               "Bytes of keys and values committed to the store."};
inline constexpr metrics::Metric kStoreErrors{"meridian_store_errors_total", metrics::Kind::Counter,
                                              "Commits to the store, and reads of it, that failed."};
inline constexpr metrics::Metric kStoreDisk{"meridian_store_disk_bytes", metrics::Kind::Gauge,
                                            "Size of the store's files."};
inline constexpr metrics::Metric kStoreMemory{"meridian_store_memory_bytes", metrics::Kind::Gauge,
                                              "Memory of the store's caches and write buffers."};
inline constexpr metrics::Metric kStoreTable{"meridian_store_table_bytes", metrics::Kind::Gauge,
                                             "Size of a table's sorted files."};

class MeteredDatabase final : public store::Database {
public:
    explicit MeteredDatabase(std::unique_ptr<store::Database> database);

    store::SnapshotPtr snapshot() override { return m_database->snapshot(); }
    store::StoreResult<bool> get(store::Table table, BytesView key, Bytes& value) override {
        return m_database->get(table, key, value);
    }
    store::StoreResult<void> commit(const store::WriteBatch& batch, store::Durability durability) override;
    store::StoreResult<void> sync() override { return m_database->sync(); }
    store::DatabaseStats stats() override { return m_database->stats(); }
    store::StoreResult<void> compact() override { return m_database->compact(); }
    store::StoreResult<void> check(
        const std::function<void(store::Table, std::uint64_t)>& progress) override {
        return m_database->check(progress);
    }

    // From any thread.
    void count_read_failure() noexcept { m_errors.add(); }
    // Lists the folder of the store: for every page, not for every transaction.
    void collect(metrics::Page& page);

private:
    std::unique_ptr<store::Database> m_database;
    metrics::Histogram m_commit_us;
    metrics::Counter m_written_bytes;
    metrics::Counter m_errors;
};

}  // namespace meridian::operation
