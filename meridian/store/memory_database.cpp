#include <meridian/store/memory_database.hpp>

#include <meridian/base/assert.hpp>

#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>

namespace meridian::store {
namespace {

struct Less {
    using is_transparent = void;
    bool operator()(BytesView a, BytesView b) const noexcept {
        return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
    }
};

struct Version {
    std::uint64_t sequence;
    std::optional<Bytes> value;  // empty: erased
};
// Ascending sequences, never empty.
using Versions = std::vector<Version>;
using Entries = std::map<Bytes, Versions, Less>;

const Bytes* value_at(const Versions& versions, std::uint64_t sequence) noexcept {
    for (auto version = versions.rbegin(); version != versions.rend(); ++version)
        if (version->sequence <= sequence)
            return version->value ? &*version->value : nullptr;
    return nullptr;
}

// Drops what no reader at `floor` or above sees; true if nothing is left.
bool trim(Versions& versions, std::uint64_t floor) {
    std::size_t first = 0;
    while (first + 1 < versions.size() && versions[first + 1].sequence <= floor)
        ++first;
    versions.erase(versions.begin(), versions.begin() + static_cast<std::ptrdiff_t>(first));
    return versions.size() == 1 && !versions[0].value && versions[0].sequence <= floor;
}

// std::erase_if() hands out entries that cannot be changed.
template <class Condition>
void erase_versions_if(Entries& table, Condition&& condition) {
    for (auto at = table.begin(); at != table.end();)
        at = condition(at->second) ? table.erase(at) : std::next(at);
}

}  // namespace

struct MemoryDatabase::State {
    mutable std::shared_mutex mutex;
    std::array<Entries, kTableCount> tables;
    std::uint64_t sequence = 0;
    std::uint64_t synced = 0;
    bool crashes = false;
    std::multiset<std::uint64_t> snapshots;
    std::optional<StoreError> next_failure;

    Entries& entries(Table table) noexcept { return tables[static_cast<std::size_t>(table)]; }
    const Entries& entries(Table table) const noexcept { return tables[static_cast<std::size_t>(table)]; }

    // The oldest sequence that can still be asked for.
    std::uint64_t floor() const noexcept {
        std::uint64_t out = crashes ? synced : sequence;
        if (!snapshots.empty())
            out = std::min(out, *snapshots.begin());
        return out;
    }
    bool read(Table table, BytesView key, std::uint64_t at, Bytes& value) const {
        const auto found = entries(table).find(key);
        const Bytes* bytes = found == entries(table).end() ? nullptr : value_at(found->second, at);
        if (bytes != nullptr)
            value = *bytes;
        return bytes != nullptr;
    }
    void write(Entries& to, Entries::iterator at, std::optional<Bytes> value, std::uint64_t floor_now) {
        Versions& versions = at->second;
        if (!versions.empty() && versions.back().sequence == sequence)
            versions.back().value = std::move(value);
        else
            versions.push_back({sequence, std::move(value)});
        if (trim(versions, floor_now))
            to.erase(at);
    }
    void apply(const WriteBatch::Operation& operation, std::uint64_t floor_now);
    void sweep(std::uint64_t floor_now);
};

void MemoryDatabase::State::apply(const WriteBatch::Operation& operation, std::uint64_t floor_now) {
    Entries& to = entries(operation.table);
    if (operation.kind == WriteBatch::Kind::Put) {
        write(to, to.try_emplace(to_bytes(operation.key)).first, to_bytes(operation.value), floor_now);
    } else if (operation.kind == WriteBatch::Kind::Erase) {
        if (const auto at = to.find(operation.key); at != to.end())
            write(to, at, std::nullopt, floor_now);
    } else {
        const auto end = to.lower_bound(operation.value);
        for (auto at = to.lower_bound(operation.key); at != end;)
            write(to, at++, std::nullopt, floor_now);
    }
}

void MemoryDatabase::State::sweep(std::uint64_t floor_now) {
    for (Entries& table : tables)
        erase_versions_if(table, [floor_now](Versions& versions) { return trim(versions, floor_now); });
}

namespace {

template <class State>
class VersionedCursor final : public Cursor {
public:
    VersionedCursor(std::shared_ptr<State> state, SnapshotPtr pin, std::uint64_t sequence, Table table)
        : m_state(std::move(state)), m_pin(std::move(pin)), m_sequence(sequence), m_table(table) {}

    bool seek(BytesView key) override {
        const std::shared_lock lock(m_state->mutex);
        return forward(entries().lower_bound(key));
    }
    bool seek_before(BytesView key) override {
        const std::shared_lock lock(m_state->mutex);
        return backward(entries().lower_bound(key));
    }
    bool seek_last() override {
        const std::shared_lock lock(m_state->mutex);
        return backward(entries().end());
    }
    bool next() override {
        const std::shared_lock lock(m_state->mutex);
        return forward(entries().upper_bound(BytesView(m_key)));
    }
    bool prev() override {
        const std::shared_lock lock(m_state->mutex);
        return backward(entries().lower_bound(BytesView(m_key)));
    }
    BytesView key() const override { return m_key; }
    BytesView value() const override { return m_value; }
    const std::optional<StoreError>& error() const override { return m_error; }

private:
    const Entries& entries() const { return m_state->entries(m_table); }
    bool take(Entries::const_iterator at) {
        const Bytes* value = value_at(at->second, m_sequence);
        if (value == nullptr)
            return false;
        m_key = at->first;
        m_value = *value;
        return true;
    }
    bool forward(Entries::const_iterator at) {
        for (; at != entries().end(); ++at)
            if (take(at))
                return true;
        return false;
    }
    // From the entry before `at`.
    bool backward(Entries::const_iterator at) {
        while (at != entries().begin())
            if (take(--at))
                return true;
        return false;
    }

    std::shared_ptr<State> m_state;
    SnapshotPtr m_pin;
    std::uint64_t m_sequence;
    Table m_table;
    Bytes m_key;
    Bytes m_value;
    std::optional<StoreError> m_error;
};

template <class State>
class VersionedSnapshot final : public Snapshot,
                                public std::enable_shared_from_this<VersionedSnapshot<State>> {
public:
    explicit VersionedSnapshot(std::shared_ptr<State> state) : m_state(std::move(state)) {
        const std::unique_lock lock(m_state->mutex);
        m_sequence = m_state->sequence;
        m_state->snapshots.insert(m_sequence);
    }
    VersionedSnapshot(const VersionedSnapshot&) = delete;
    VersionedSnapshot& operator=(const VersionedSnapshot&) = delete;
    ~VersionedSnapshot() override {
        const std::unique_lock lock(m_state->mutex);
        m_state->snapshots.erase(m_state->snapshots.find(m_sequence));
    }

    StoreResult<bool> get(Table table, BytesView key, Bytes& value) const override {
        const std::shared_lock lock(m_state->mutex);
        return m_state->read(table, key, m_sequence, value);
    }
    std::unique_ptr<Cursor> cursor(Table table) const override {
        return std::make_unique<VersionedCursor<State>>(m_state, this->shared_from_this(), m_sequence, table);
    }

private:
    std::shared_ptr<State> m_state;
    std::uint64_t m_sequence = 0;
};

}  // namespace

MemoryDatabase::MemoryDatabase(Crashes crashes) : m_state(std::make_shared<State>()) {
    m_state->crashes = crashes == Crashes::Possible;
}

MemoryDatabase::~MemoryDatabase() = default;

SnapshotPtr MemoryDatabase::snapshot() {
    return std::make_shared<VersionedSnapshot<State>>(m_state);
}

StoreResult<bool> MemoryDatabase::get(Table table, BytesView key, Bytes& value) {
    const std::shared_lock lock(m_state->mutex);
    return m_state->read(table, key, m_state->sequence, value);
}

StoreResult<void> MemoryDatabase::commit(const WriteBatch& batch, Durability durability) {
    const std::unique_lock lock(m_state->mutex);
    if (auto failure = std::exchange(m_state->next_failure, std::nullopt))
        return fail(*std::move(failure));
    const std::uint64_t floor = m_state->floor();
    ++m_state->sequence;
    batch.for_each([&](const WriteBatch::Operation& operation) { m_state->apply(operation, floor); });
    if (durability == Durability::Sync)
        m_state->synced = m_state->sequence;
    return {};
}

StoreResult<void> MemoryDatabase::sync() {
    const std::unique_lock lock(m_state->mutex);
    m_state->synced = m_state->sequence;
    return {};
}

DatabaseStats MemoryDatabase::stats() {
    const std::shared_lock lock(m_state->mutex);
    DatabaseStats out{.engine = "memory", .path = {}, .disk_bytes = 0, .memory_bytes = 0, .tables = {}};
    for (std::size_t i = 0; i < kTableCount; ++i) {
        TableStats table{.table = static_cast<Table>(i)};
        for (const auto& [key, versions] : m_state->tables[i]) {
            const Bytes* value = value_at(versions, m_state->sequence);
            if (value == nullptr)
                continue;
            ++table.entries;
            table.size_bytes += key.size() + value->size();
        }
        out.memory_bytes += table.size_bytes;
        out.tables.push_back(table);
    }
    return out;
}

StoreResult<void> MemoryDatabase::compact() {
    const std::unique_lock lock(m_state->mutex);
    m_state->sweep(m_state->floor());
    return {};
}

StoreResult<void> MemoryDatabase::check(const std::function<void(Table, std::uint64_t)>& progress) {
    for (const TableStats& table : stats().tables)
        if (progress)
            progress(table.table, table.entries);
    return {};
}

void MemoryDatabase::crash(std::size_t kept) {
    const std::unique_lock lock(m_state->mutex);
    MERIDIAN_ASSERT(m_state->crashes && m_state->snapshots.empty());
    const std::uint64_t last = std::min(m_state->sequence, m_state->synced + kept);
    for (Entries& table : m_state->tables)
        erase_versions_if(table, [last](Versions& versions) {
            std::erase_if(versions, [last](const Version& v) { return v.sequence > last; });
            return versions.empty();
        });
    m_state->sequence = m_state->synced = last;
    m_state->sweep(last);
}

std::size_t MemoryDatabase::unsynced_commits() const {
    const std::shared_lock lock(m_state->mutex);
    return m_state->sequence - m_state->synced;
}

void MemoryDatabase::fail_next_commit(StoreError error) {
    const std::unique_lock lock(m_state->mutex);
    m_state->next_failure = std::move(error);
}

}  // namespace meridian::store
