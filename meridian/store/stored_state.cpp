#include <meridian/store/stored_state.hpp>

namespace meridian::store {
namespace {

bool starts_with(BytesView key, BytesView prefix) noexcept {
    return key.size() >= prefix.size() && equal(key.first(prefix.size()), prefix);
}

// One past state, or the newest. A value at block N is what the first block after N that changed it found,
// else what stands there now.
class StateOfSnapshot final : public StoredState {
public:
    StateOfSnapshot(SnapshotPtr snapshot, std::optional<std::uint64_t> number)
        : m_snapshot(std::move(snapshot)), m_number(number) {
        if (!m_number)
            return;
        m_accounts = m_snapshot->cursor(Table::AccountHistory);
        m_slots = m_snapshot->cursor(Table::StorageHistory);
    }

    std::optional<state::Account> account(const Address& address) override;
    u256 storage(const Address& address, const u256& key) override;
    bool has_storage(const Address& address) override;
    BytesView code(const Hash& code_hash) override;
    bool arena_page(const Address& module, std::uint32_t page, std::uint8_t* out) override;
    state::StateError error() const noexcept override { return m_error; }
    const std::optional<StoreError>& failure() const noexcept override { return m_failure; }

private:
    void remember(StoreError failure, state::StateError error = state::StateError::CorruptNode) {
        if (m_failure)
            return;
        m_failure = std::move(failure);
        m_error = error;
    }
    // Whether a later block changed what the key names; then the cursor stands at what it found.
    bool find_change(Cursor& cursor, BytesView name, BytesView key);
    std::optional<u256> changed_slot(const StorageHistoryKey& key);
    bool had_slots_since_erased(const Address& address);
    bool take_back_page(const Address& module, std::uint32_t page, std::uint8_t* out);

    SnapshotPtr m_snapshot;
    std::optional<std::uint64_t> m_number;
    std::unique_ptr<Cursor> m_accounts;
    std::unique_ptr<Cursor> m_slots;
    std::unordered_map<Hash, Bytes> m_code;
    std::optional<StoreError> m_failure;
    state::StateError m_error = state::StateError::None;
};

bool StateOfSnapshot::find_change(Cursor& cursor, BytesView name, BytesView key) {
    if (!cursor.seek(key)) {
        if (cursor.error())
            remember(*cursor.error());
        return false;
    }
    return cursor.key().size() == key.size() && starts_with(cursor.key(), name);
}

std::optional<state::Account> StateOfSnapshot::account(const Address& address) {
    if (m_number && find_change(*m_accounts, address, account_history_key(address, *m_number + 1))) {
        if (m_accounts->value().empty())
            return std::nullopt;
        auto before = decode_account_value(m_accounts->value());
        if (!before)
            remember(corrupt_entry(Table::AccountHistory, to_hex0x(m_accounts->key())));
        return before;
    }
    auto found = read_account(*m_snapshot, address);
    if (!found) {
        remember(std::move(found.error()));
        return std::nullopt;
    }
    return *found;
}

std::optional<u256> StateOfSnapshot::changed_slot(const StorageHistoryKey& key) {
    if (!find_change(*m_slots, BytesView(key).first(StorageKey::kSize), key))
        return std::nullopt;
    const auto before = decode_slot_value(m_slots->value());
    if (!before)
        remember(corrupt_entry(Table::StorageHistory, to_hex0x(m_slots->key())));
    return before.value_or(u256{});
}

u256 StateOfSnapshot::storage(const Address& address, const u256& key) {
    if (m_number)
        if (const auto before = changed_slot(storage_history_key(address, key, *m_number + 1)))
            return *before;
    auto found = read_storage(*m_snapshot, address, key);
    if (!found) {
        remember(std::move(found.error()));
        return {};
    }
    return *found;
}

// Stops at the first slot that had a value, so the cost is that of the slots which had none.
bool StateOfSnapshot::has_storage(const Address& address) {
    bool found = false;
    auto done = for_each_slot(*m_snapshot, address, [&](const u256& slot, const u256&) {
        found = !m_number || storage(address, slot) != u256{};
        return !found && !m_failure;
    });
    if (!done)
        remember(std::move(done.error()));
    return found || (m_number && had_slots_since_erased(address));
}

// Looks at each slot that later blocks changed.
bool StateOfSnapshot::had_slots_since_erased(const Address& address) {
    bool at_entry = find_change(*m_slots, address, storage_history_key(address, 0, 0));
    while (at_entry && !m_failure) {
        const u256 slot = load_be32(m_slots->key().data() + 20);
        const auto before = changed_slot(storage_history_key(address, slot, *m_number + 1));
        if (before.value_or(u256{}) != u256{})
            return true;
        if (slot == u256::max())
            return false;
        at_entry = find_change(*m_slots, address, storage_history_key(address, slot + 1, 0));
    }
    return false;
}

BytesView StateOfSnapshot::code(const Hash& code_hash) {
    if (code_hash == crypto::kEmptyKeccak)
        return {};
    if (const auto known = m_code.find(code_hash); known != m_code.end())
        return known->second;
    Bytes code;
    auto found = m_snapshot->get(Table::Code, code_hash, code);
    if (!found) {
        remember(std::move(found.error()));
        return {};
    }
    if (!*found) {
        remember(corrupt_entry(Table::Code, "missing code " + to_hex0x(code_hash)),
                 state::StateError::MissingCode);
        return {};
    }
    return m_code.emplace(code_hash, std::move(code)).first->second;
}

bool StateOfSnapshot::arena_page(const Address& module, std::uint32_t page, std::uint8_t* out) {
    auto read = read_page(*m_snapshot, module, page,
                          std::span<std::uint8_t, state::kArenaPageSize>(out, state::kArenaPageSize));
    if (!read) {
        remember(std::move(read.error()), state::StateError::MissingPage);
        return false;
    }
    return !m_number || take_back_page(module, page, out);
}

// From what stands there now back to the block, the last change first.
bool StateOfSnapshot::take_back_page(const Address& module, std::uint32_t page, std::uint8_t* out) {
    std::vector<state::PagePatch> before;
    const auto cursor = m_snapshot->cursor(Table::ArenaHistory);
    const ArenaPageKey name = arena_page_key(module, page);
    const ArenaHistoryKey first = arena_history_key(module, page, *m_number + 1);
    for (bool at = cursor->seek(first); at && starts_with(cursor->key(), name); at = cursor->next()) {
        auto patch = decode_page_patch(cursor->value());
        if (!patch) {
            remember(corrupt_entry(Table::ArenaHistory, to_hex0x(cursor->key())),
                     state::StateError::MissingPage);
            return false;
        }
        before.push_back(*std::move(patch));
    }
    if (cursor->error()) {
        remember(*cursor->error(), state::StateError::MissingPage);
        return false;
    }
    for (auto patch = before.rbegin(); patch != before.rend(); ++patch)
        patch->write_to(out);
    return true;
}

}  // namespace

StoreError corrupt_entry(Table table, std::string_view what) {
    std::string message = "store: ";
    message.append(name_of(table)).append(": malformed entry: ").append(what);
    message.append("; check the store, or restore a snapshot");
    return {StoreErrorKind::Corrupt, std::move(message)};
}

StoreResult<std::optional<state::Account>> read_account(const Snapshot& snapshot, const Address& address) {
    Bytes value;
    auto found = snapshot.get(Table::Accounts, address, value);
    if (!found)
        return fail(std::move(found.error()));
    if (!*found)
        return std::nullopt;
    auto account = decode_account_value(value);
    if (!account)
        return fail(corrupt_entry(Table::Accounts, to_hex0x(address)));
    return account;
}

StoreResult<u256> read_storage(const Snapshot& snapshot, const Address& address, const u256& slot) {
    Bytes value;
    auto found = snapshot.get(Table::Storage, storage_key(address, slot), value);
    if (!found)
        return fail(std::move(found.error()));
    if (!*found)
        return u256{};
    const auto number = decode_slot_value(value);
    if (!number)
        return fail(corrupt_entry(Table::Storage, to_hex0x(storage_key(address, slot))));
    return *number;
}

StoreResult<void> read_page(const Snapshot& snapshot, const Address& module, std::uint32_t page,
                            std::span<std::uint8_t, state::kArenaPageSize> out) {
    Bytes value;
    const ArenaPageKey key = arena_page_key(module, page);
    auto found = snapshot.get(Table::ArenaPages, key, value);
    if (!found)
        return fail(std::move(found.error()));
    if (!*found)
        value.clear();
    if (value.size() > out.size())
        return fail(corrupt_entry(Table::ArenaPages, to_hex0x(key)));
    std::ranges::fill(std::ranges::copy(value, out.begin()).out, out.end(), std::uint8_t{0});
    return {};
}

StoreResult<ChangeSet> read_change_set(const Snapshot& snapshot, std::uint64_t number) {
    Bytes value;
    auto found = snapshot.get(Table::ChangeSets, number_key(number), value);
    if (!found)
        return fail(std::move(found.error()));
    auto changes = *found ? decode_change_set(value) : std::nullopt;
    if (!changes)
        return fail(corrupt_entry(Table::ChangeSets, "block " + std::to_string(number)));
    return *std::move(changes);
}

StoreResult<void> for_each_slot(const Snapshot& snapshot, const Address& address,
                                const std::function<bool(const u256&, const u256&)>& visit) {
    const auto cursor = snapshot.cursor(Table::Storage);
    for (bool at = cursor->seek(address); at && starts_with(cursor->key(), address); at = cursor->next()) {
        const auto value = decode_slot_value(cursor->value());
        if (cursor->key().size() != StorageKey::kSize || !value)
            return fail(corrupt_entry(Table::Storage, to_hex0x(cursor->key())));
        if (!visit(load_be32(cursor->key().data() + 20), *value))
            return {};
    }
    if (cursor->error())
        return fail(*cursor->error());
    return {};
}

std::unique_ptr<StoredState> make_stored_state(SnapshotPtr snapshot, std::optional<std::uint64_t> number) {
    return std::make_unique<StateOfSnapshot>(std::move(snapshot), number);
}

}  // namespace meridian::store
