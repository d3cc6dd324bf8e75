// A database that outlives the node that has it open.
#pragma once

#include <meridian/store/memory_database.hpp>

namespace meridian::testkit {

class BorrowedDatabase final : public store::Database {
public:
    explicit BorrowedDatabase(std::shared_ptr<store::MemoryDatabase> of) : m_of(std::move(of)) {}
    store::SnapshotPtr snapshot() override { return m_of->snapshot(); }
    store::StoreResult<bool> get(store::Table table, BytesView key, Bytes& value) override {
        return m_of->get(table, key, value);
    }
    store::StoreResult<void> commit(const store::WriteBatch& batch, store::Durability durability) override {
        return m_of->commit(batch, durability);
    }
    store::StoreResult<void> sync() override { return m_of->sync(); }
    store::DatabaseStats stats() override { return m_of->stats(); }
    store::StoreResult<void> compact() override { return m_of->compact(); }
    store::StoreResult<void> check(
        const std::function<void(store::Table, std::uint64_t)>& progress) override {
        return m_of->check(progress);
    }

private:
    std::shared_ptr<store::MemoryDatabase> m_of;
};

}  // namespace meridian::testkit
