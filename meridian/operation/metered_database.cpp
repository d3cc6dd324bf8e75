#include <meridian/operation/metered_database.hpp>

#include <meridian/operation/stopwatch.hpp>

namespace meridian::operation {

MeteredDatabase::MeteredDatabase(std::unique_ptr<store::Database> database)
    : m_database(std::move(database)), m_commit_us(metrics::duration_bounds_us(), 1e-6) {}

store::StoreResult<void> MeteredDatabase::commit(const store::WriteBatch& batch,
                                                 store::Durability durability) {
    const Stopwatch time;
    auto out = m_database->commit(batch, durability);
    m_commit_us.observe(time.us());
    if (out)
        m_written_bytes.add(batch.size_bytes());
    else
        m_errors.add();
    return out;
}

void MeteredDatabase::collect(metrics::Page& page) {
    page.add(kStoreCommit, m_commit_us);
    page.add(kStoreWritten, m_written_bytes);
    page.add(kStoreErrors, m_errors);
    const store::DatabaseStats stats = m_database->stats();
    page.add(kStoreDisk, static_cast<double>(stats.disk_bytes));
    page.add(kStoreMemory, static_cast<double>(stats.memory_bytes));
    for (const store::TableStats& table : stats.tables)
        page.add(kStoreTable, static_cast<double>(table.size_bytes),
                 {{"table", std::string(store::name_of(table.table))}});
}

}  // namespace meridian::operation
