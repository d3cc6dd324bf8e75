// The journaled state. Every writer appends the old value to the journal before it writes.
#include <meridian/state/state.hpp>

#include <meridian/base/assert.hpp>

namespace meridian::state {

namespace {
constexpr Address kRipemdPrecompile = left_padded<20>(std::array<std::uint8_t, 1>{3});
}

// --- accounts -----------------------------------------------------------------------------------------

CachedAccount& State::load(const Address& address) {
    if (m_last_loaded != nullptr && m_last_loaded->address == address)
        return *m_last_loaded;
    CachedAccount& account = entry(address);
    if (!account.loaded)
        read_parent(account);
    m_last_loaded = &account;
    return account;
}

CachedAccount& State::entry(const Address& address) {
    const auto [it, inserted] = m_accounts.try_emplace(address);
    if (inserted) {
        it->second.address = address;
        m_account_order.push_back(&it->second);
    }
    return it->second;
}

void State::read_parent(CachedAccount& account) {
    account.loaded = true;
    account.parent = m_parent.account(account.address);
    account.exists = account.parent.has_value();
    if (account.exists)
        account.account = *account.parent;
}

bool State::is_empty(const Address& address) {
    return load(address).account.is_empty();
}

BytesView State::code(CachedAccount& account) {
    if (account.code_loaded)
        return account.code;
    const Hash& hash = account.account.code_hash;
    if (!account.account.has_code()) {
        account.code = {};
    } else if (const auto it = m_new_code.find(hash); it != m_new_code.end()) {
        account.code = it->second;
    } else {
        account.code = m_parent.code(hash);
    }
    account.code_loaded = true;
    return account.code;
}

bool State::has_storage(const Address& address) {
    const CachedAccount& account = load(address);
    for (const auto* entry : account.slots)
        if (entry->second.current)
            return true;
    return account.parent.has_value() && !account.storage_cleared && m_parent.has_storage(address);
}

void State::touch(CachedAccount& account) {
    if (account.exists && account.touched_txn == m_txn)
        return;
    m_journal.push_back({.kind = JournalEntry::Kind::Existence,
                         .flag = account.exists,
                         .txn = account.touched_txn,
                         .account = &account});
    account.exists = true;
    account.touched_txn = m_txn;
    m_touched.push_back(&account);
}

void State::set_balance(CachedAccount& account, const u256& value) {
    touch(account);
    if (account.account.balance == value)
        return;
    m_journal.push_back(
        {.kind = JournalEntry::Kind::Balance, .account = &account, .value = account.account.balance});
    account.account.balance = value;
}

void State::add_balance(const Address& address, const u256& amount) {
    CachedAccount& account = load(address);
    set_balance(account, account.account.balance + amount);
}

void State::sub_balance(const Address& address, const u256& amount) {
    CachedAccount& account = load(address);
    MERIDIAN_DEBUG_ASSERT(account.account.balance >= amount);
    set_balance(account, account.account.balance - amount);
}

void State::set_nonce(CachedAccount& account, std::uint64_t nonce) {
    touch(account);
    m_journal.push_back(
        {.kind = JournalEntry::Kind::Nonce, .account = &account, .value = account.account.nonce});
    account.account.nonce = nonce;
}

void State::set_code(CachedAccount& account, Bytes code) {
    touch(account);
    m_journal.push_back({.kind = JournalEntry::Kind::Code,
                         .account = &account,
                         .value = from_hash(account.account.code_hash)});
    account.account.code_hash = crypto::kEmptyKeccak;
    account.code = {};
    account.code_loaded = true;
    if (code.empty())
        return;
    account.account.code_hash = crypto::keccak256(code);
    account.code = m_new_code.try_emplace(account.account.code_hash, std::move(code)).first->second;
}

void State::create_contract(CachedAccount& account) {
    touch(account);
    for (auto* entry : account.slots)
        if (entry->second.current)
            set_storage(account, entry->first, slot(account, entry->first), {});
    if (account.account.nonce != 0)
        set_nonce(account, 0);
    if (account.account.has_code())
        set_code(account, {});
    m_journal.push_back({.kind = JournalEntry::Kind::Created,
                         .flag = account.storage_cleared,
                         .txn = account.created_txn,
                         .account = &account});
    account.storage_cleared = true;
    account.created_txn = m_txn;
}

void State::mark_destroyed(CachedAccount& account) {
    if (account.destroyed_txn == m_txn)
        return;
    m_journal.push_back(
        {.kind = JournalEntry::Kind::Destroyed, .txn = account.destroyed_txn, .account = &account});
    account.destroyed_txn = m_txn;
    m_destroyed.push_back(&account);
}

// --- storage ------------------------------------------------------------------------------------------

CachedSlot& State::slot(CachedAccount& account, const u256& key) {
    CachedSlot& slot = slot_entry(account, key);
    if (slot.original_txn == m_txn)
        return slot;
    if (slot.original_txn == 0)
        read_parent(account, key, slot);
    slot.original = slot.current;
    slot.original_txn = m_txn;
    return slot;
}

CachedSlot& State::slot_entry(CachedAccount& account, const u256& key) {
    const auto [it, inserted] = account.storage.try_emplace(key);
    if (inserted)
        account.slots.push_back(&*it);
    return it->second;
}

void State::read_parent(CachedAccount& account, const u256& key, CachedSlot& slot) {
    slot.read_cleared = account.storage_cleared;
    slot.parent = {};
    if (account.parent.has_value() && !account.storage_cleared)
        slot.parent = m_parent.storage(account.address, key);
    slot.current = slot.parent;
}

void State::set_storage(CachedAccount& account, const u256&, CachedSlot& slot, const u256& value) {
    touch(account);
    if (slot.current == value)
        return;
    m_journal.push_back(
        {.kind = JournalEntry::Kind::Storage, .account = &account, .slot = &slot, .value = slot.current});
    slot.current = value;
}

u256 State::transient_storage(const Address& address, const u256& key) const {
    const auto it = m_transient.find({address, key});
    return it == m_transient.end() ? u256{} : it->second;
}

void State::set_transient_storage(const Address& address, const u256& key, const u256& value) {
    u256& current = m_transient[{address, key}];
    m_journal.push_back({.kind = JournalEntry::Kind::Transient, .transient = &current, .value = current});
    current = value;
}

// --- access lists, logs, refund -------------------------------------------------------------------------

bool State::warm_account(CachedAccount& account) {
    if (account.warm_txn == m_txn)
        return false;
    m_journal.push_back(
        {.kind = JournalEntry::Kind::WarmAccount, .txn = account.warm_txn, .account = &account});
    account.warm_txn = m_txn;
    return true;
}

bool State::warm_slot(CachedSlot& slot) {
    if (slot.warm_txn == m_txn)
        return false;
    m_journal.push_back({.kind = JournalEntry::Kind::WarmSlot, .txn = slot.warm_txn, .slot = &slot});
    slot.warm_txn = m_txn;
    return true;
}

void State::warm_storage(const Address& address, const u256& key) {
    warm_slot(slot_entry(entry(address), key));
}

void State::add_log(Log log) {
    m_logs.push_back(std::move(log));
}

void State::add_refund(std::int64_t delta) {
    m_refund += delta;
}

// --- transactions and frames ----------------------------------------------------------------------------

void State::revert(const Checkpoint& checkpoint) {
    while (m_journal.size() > checkpoint.journal_size) {
        undo(m_journal.back());
        m_journal.pop_back();
    }
    m_logs.resize(checkpoint.log_count);
    m_refund = checkpoint.refund;
}

void State::undo(const JournalEntry& entry) {
    using Kind = JournalEntry::Kind;
    switch (entry.kind) {
        case Kind::Balance:
            entry.account->account.balance = entry.value;
            return;
        case Kind::Nonce:
            entry.account->account.nonce = entry.value[0];
            return;
        case Kind::Code:
            entry.account->account.code_hash = to_hash(entry.value);
            entry.account->code_loaded = false;
            return;
        case Kind::Existence:
            entry.account->exists = entry.flag;
            if (entry.account->address != kRipemdPrecompile)
                entry.account->touched_txn = entry.txn;
            return;
        case Kind::Created:
            undo_creation(entry);
            return;
        case Kind::Destroyed:
            entry.account->destroyed_txn = entry.txn;
            return;
        case Kind::Storage:
            entry.slot->current = entry.value;
            return;
        case Kind::Transient:
            *entry.transient = entry.value;
            return;
        case Kind::WarmAccount:
            entry.account->warm_txn = entry.txn;
            return;
        case Kind::WarmSlot:
            entry.slot->warm_txn = entry.txn;
            return;
        case Kind::Extension:
            m_extension->undo(entry.value);
            return;
    }
}

void State::undo_creation(const JournalEntry& entry) {
    CachedAccount& account = *entry.account;
    account.created_txn = entry.txn;
    account.storage_cleared = entry.flag;
    if (account.storage_cleared || !account.parent.has_value())
        return;
    // Slots read while the parent's storage counted as cleared were taken as zero: read them again. None
    // of them held another value before the creation, since an unread slot holds none.
    for (auto* loaded : account.slots)
        if (loaded->second.read_cleared)
            loaded->second.original_txn = 0;
}

void State::begin_transaction() {
    ++m_txn;
    m_journal.clear();
    m_logs.clear();
    m_refund = 0;
    m_transient.clear();
    m_touched.clear();
    m_destroyed.clear();
}

void State::finish_transaction(const FinishRules& rules) {
    for (CachedAccount* account : m_destroyed)
        if (is_destroyed(*account))
            remove(*account);
    if (rules.delete_touched_empty)
        for (CachedAccount* account : m_touched)
            if (account->touched_txn == m_txn && account->exists && account->account.is_empty())
                remove(*account);
    if (m_extension != nullptr)
        m_extension->finish_transaction();
    m_journal.clear();
    m_transient.clear();
    m_touched.clear();
    m_destroyed.clear();
}

void State::cancel_transaction() {
    revert({.journal_size = 0, .log_count = 0, .refund = 0});
    m_transient.clear();
    m_touched.clear();
    m_destroyed.clear();
}

void State::remove(CachedAccount& account) {
    account.exists = false;
    account.account = {};
    account.code_loaded = false;
    account.storage_cleared = true;
    account.destroyed_txn = 0;
    for (auto* entry : account.slots)
        entry->second.current = {};
}

// --- result ---------------------------------------------------------------------------------------------

StateChanges State::changes() const {
    StateChanges out;
    for (const CachedAccount* account : m_account_order)
        collect(*account, out);
    if (m_extension != nullptr)
        m_extension->collect(out);
    return out;
}

void State::rebase() {
    if (m_extension != nullptr)
        m_extension->forget();
    m_txn = 1;
    m_accounts.clear();
    m_account_order.clear();
    m_last_loaded = nullptr;
    m_new_code.clear();
    m_transient.clear();
    m_touched.clear();
    m_destroyed.clear();
    m_journal.clear();
    m_logs.clear();
    m_refund = 0;
}

void State::collect(const CachedAccount& account, StateChanges& out) const {
    const bool existed = account.parent.has_value();
    if (!account.exists) {
        if (existed)
            out.accounts[account.address] = {.account = std::nullopt, .storage_cleared = true, .storage = {}};
        return;
    }
    AccountChange change{
        .account = account.account, .storage_cleared = existed && account.storage_cleared, .storage = {}};
    for (const auto* entry : account.slots) {
        const CachedSlot& slot = entry->second;
        if (account.storage_cleared ? static_cast<bool>(slot.current) : slot.current != slot.parent)
            change.storage.emplace(entry->first, slot.current);
    }
    if (existed && *account.parent == account.account && !change.storage_cleared && change.storage.empty())
        return;
    const Hash& code_hash = account.account.code_hash;
    if (!existed || account.parent->code_hash != code_hash)
        if (const auto it = m_new_code.find(code_hash); it != m_new_code.end())
            out.code.emplace(code_hash, it->second);
    out.accounts.emplace(account.address, std::move(change));
}

}  // namespace meridian::state
