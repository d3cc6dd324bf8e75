// A database in memory, for tests, the simulator and chains that are not kept.
//
// Keys keep the versions that snapshots still see. What a crash would do to a disk can be asked for: loss of
// commits that were not synced, and commits that fail.
#pragma once

#include <meridian/store/database.hpp>

namespace meridian::store {

class MemoryDatabase final : public Database {
public:
    // What a crash is to undo costs memory until the next synced commit; so it is kept only if asked for.
    enum class Crashes : bool { Impossible, Possible };

    explicit MemoryDatabase(Crashes crashes = Crashes::Impossible);
    ~MemoryDatabase() override;

    SnapshotPtr snapshot() override;
    StoreResult<bool> get(Table table, BytesView key, Bytes& value) override;
    StoreResult<void> commit(const WriteBatch& batch, Durability durability) override;
    StoreResult<void> sync() override;
    DatabaseStats stats() override;
    StoreResult<void> compact() override;
    StoreResult<void> check(const std::function<void(Table, std::uint64_t)>& progress) override;

    // What is left after a power cut: everything up to the last synced commit, and `kept` of the commits
    // after it. Precondition: Crashes::Possible, and no snapshot is held.
    void crash(std::size_t kept = 0);
    // Commits since the last synced one.
    std::size_t unsynced_commits() const;
    // The next commit fails so, and changes nothing.
    void fail_next_commit(StoreError error);

private:
    struct State;
    std::shared_ptr<State> m_state;
};

}  // namespace meridian::store
