// The state as a block executes: a cache over the parent state with a journal that undoes.
//
// One State serves one block: begin_transaction() opens a transaction, finish_transaction() settles it
// (destroyed and empty accounts go, logs and refund are read before), changes() tells what the block did.
// Within a transaction checkpoint()/revert() nest as EVM frames do; everything is undone by revert(),
// logs, refund, warmth and transient storage included. The one exception is history's: a touch of the
// RIPEMD-160 precompile survives (see revert()).
// An account that does not exist is always Account{}.
// References to CachedAccount and code views stay valid as long as the State.
#pragma once

#include <meridian/state/state_reader.hpp>

#include <unordered_map>

namespace meridian::state {

// A storage slot: values as of the parent state, the transaction's start, and now.
struct CachedSlot {
    u256 parent;  // zero if the parent's storage had been cleared when the slot was loaded
    u256 original;
    u256 current;
    // The transaction in which `original` was taken, and the one that last warmed the slot. While
    // original_txn is zero the slot has been warmed, but not read from the parent.
    std::uint32_t original_txn = 0;
    std::uint32_t warm_txn = 0;
    bool read_cleared = false;  // read while the parent's storage counted as cleared
};

struct U256Hash {
    std::size_t operator()(const u256& v) const noexcept {
        std::uint64_t h = (v[0] ^ 0x9e3779b97f4a7c15u) * 0xff51afd7ed558ccdu;
        h = (h ^ (h >> 32) ^ v[1]) * 0xc4ceb9fe1a85ec53u;
        h = (h ^ (h >> 32) ^ v[2]) * 0xff51afd7ed558ccdu;
        h = (h ^ (h >> 32) ^ v[3]) * 0xc4ceb9fe1a85ec53u;
        return static_cast<std::size_t>(h ^ (h >> 32));
    }
};

struct CachedAccount {
    Address address;
    Account account;
    std::optional<Account> parent;  // as the reader gave it
    BytesView code;                 // valid if code_loaded
    bool loaded = false;            // false: warmed, but not read from the parent yet
    bool exists = false;
    bool code_loaded = false;
    bool storage_cleared = false;  // the parent's slots count as zero
    std::uint32_t warm_txn = 0;
    std::uint32_t touched_txn = 0;
    std::uint32_t created_txn = 0;    // by CREATE, CREATE2 or a creation transaction
    std::uint32_t destroyed_txn = 0;  // marked by SELFDESTRUCT
    using SlotMap = std::unordered_map<u256, CachedSlot, U256Hash>;
    SlotMap storage;
    // The slots in the order of their loading: what walks them must not depend on the hash table.
    std::vector<SlotMap::value_type*> slots;
};

// Which accounts finish_transaction() removes.
struct FinishRules {
    // EIP-161: touched empty accounts are removed (Spurious Dragon on).
    bool delete_touched_empty = true;
};

// What is part of the state beside accounts, and is undone, finished and told with them: the arenas of native
// modules. Whoever changes something notes a mark in the journal first (State::note_extension).
class Extension {
public:
    virtual ~Extension() = default;
    // Undoes what was done since the mark was noted. Marks come back last first.
    virtual void undo(const u256& mark) noexcept = 0;
    virtual void finish_transaction() noexcept = 0;
    // As State::changes() and State::rebase(). Between transactions only.
    virtual void collect(StateChanges& out) const = 0;
    virtual void forget() = 0;
};

class State {
public:
    explicit State(StateReader& parent) : m_parent(parent) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    // --- accounts ---------------------------------------------------------------------------------
    // Never null; looks the account up in the parent on first use. An account that does not exist has
    // exists == false.
    CachedAccount& load(const Address& address);

    bool exists(const Address& address) { return load(address).exists; }
    // EIP-161 emptiness; true for an account that does not exist.
    bool is_empty(const Address& address);
    const u256& balance(const Address& address) { return load(address).account.balance; }
    std::uint64_t nonce(const Address& address) { return load(address).account.nonce; }
    const Hash& code_hash(const Address& address) { return load(address).account.code_hash; }
    BytesView code(const Address& address) { return code(load(address)); }
    BytesView code(CachedAccount& account);
    // Has the account any storage that is not zero, parent's included (EIP-7610). Asked of accounts
    // without code, whose storage the block cannot have emptied slot by slot.
    bool has_storage(const Address& address);

    // Writers create the account where it does not exist, and touch it.
    void touch(CachedAccount& account);
    void set_balance(CachedAccount& account, const u256& value);
    void add_balance(const Address& address, const u256& amount);
    // Precondition: the balance is at least `amount`.
    void sub_balance(const Address& address, const u256& amount);
    void set_nonce(CachedAccount& account, std::uint64_t nonce);
    void set_code(CachedAccount& account, Bytes code);
    // Makes the account a fresh contract: clears storage, code and nonce, keeps the balance, marks it as
    // created in this transaction. The nonce and code are set by the caller.
    void create_contract(CachedAccount& account);
    // Marks for removal at the end of the transaction. The balance is the caller's business.
    void mark_destroyed(CachedAccount& account);
    bool is_destroyed(const CachedAccount& account) const noexcept { return account.destroyed_txn == m_txn; }
    bool created_in_transaction(const CachedAccount& account) const noexcept {
        return account.created_txn == m_txn;
    }

    // --- storage ----------------------------------------------------------------------------------
    // Loads the slot, brings `original` up to this transaction. Valid until the State is destroyed.
    CachedSlot& slot(CachedAccount& account, const u256& key);
    void set_storage(CachedAccount& account, const u256& key, CachedSlot& slot, const u256& value);
    u256 transient_storage(const Address& address, const u256& key) const;
    void set_transient_storage(const Address& address, const u256& key, const u256& value);

    // --- access lists (EIP-2929): true if it was cold until now --------------------------------------
    bool warm_account(CachedAccount& account);
    bool warm_slot(CachedSlot& slot);
    // As an access list does: without reading the parent, whose partial state may lack the account.
    void warm_address(const Address& address) { warm_account(entry(address)); }
    void warm_storage(const Address& address, const u256& key);
    bool is_warm(const CachedAccount& account) const noexcept { return account.warm_txn == m_txn; }

    // --- logs and refund ----------------------------------------------------------------------------
    void add_log(Log log);
    const std::vector<Log>& logs() const noexcept { return m_logs; }
    std::vector<Log> take_logs() { return std::move(m_logs); }
    void add_refund(std::int64_t delta);
    std::int64_t refund() const noexcept { return m_refund; }

    // --- what else belongs to the state -------------------------------------------------------------
    // Null: nothing. It outlives its being set.
    void set_extension(Extension* extension) noexcept { m_extension = extension; }
    // What the extension does from here on is undone with what accounts do from here on.
    void note_extension(const u256& mark) {
        m_journal.push_back({.kind = JournalEntry::Kind::Extension, .value = mark});
    }
    StateReader& parent() noexcept { return m_parent; }

    // --- transactions and frames --------------------------------------------------------------------
    struct Checkpoint {
        std::size_t journal_size;
        std::size_t log_count;
        std::int64_t refund;
    };
    Checkpoint checkpoint() const noexcept { return {m_journal.size(), m_logs.size(), m_refund}; }
    // In block 2675119 of mainnet the empty account 0x03 was removed although the call that touched it
    // had run out of gas; the protocol keeps that exception, so its touch is not undone.
    void revert(const Checkpoint& checkpoint);

    void begin_transaction();
    void finish_transaction(const FinishRules& rules);
    // Ends the transaction as if it had not begun.
    void cancel_transaction();

    // The difference to the parent state. Between transactions only.
    StateChanges changes() const;
    // Forgets everything read and written: what comes next builds on what the parent state holds now. Between
    // transactions only; what was not taken from changes() is lost.
    void rebase();
    StateError error() const noexcept { return m_parent.error(); }

private:
    // One undoable step: the kind says which members mean something. The old value is kept.
    struct JournalEntry {
        enum class Kind : std::uint8_t {
            Balance,      // value
            Nonce,        // value
            Code,         // value: the code hash
            Existence,    // flag: exists; txn: touched_txn
            Created,      // flag: storage_cleared; txn: created_txn
            Destroyed,    // txn
            Storage,      // slot, value
            Transient,    // transient, value
            WarmAccount,  // txn
            WarmSlot,     // slot, txn
            Extension,    // value: the mark
        };
        Kind kind;
        bool flag = false;
        std::uint32_t txn = 0;
        CachedAccount* account = nullptr;
        CachedSlot* slot = nullptr;
        u256* transient = nullptr;
        u256 value{};
    };

    struct TransientKey {
        Address address;
        u256 key;
        friend bool operator==(const TransientKey&, const TransientKey&) noexcept = default;
    };
    struct TransientKeyHash {
        std::size_t operator()(const TransientKey& k) const noexcept {
            return std::hash<Address>{}(k.address) * 31 + U256Hash{}(k.key);
        }
    };

    CachedAccount& entry(const Address& address);
    void read_parent(CachedAccount& account);
    CachedSlot& slot_entry(CachedAccount& account, const u256& key);
    void read_parent(CachedAccount& account, const u256& key, CachedSlot& slot);
    void undo(const JournalEntry& entry);
    void undo_creation(const JournalEntry& entry);
    void remove(CachedAccount& account);
    void collect(const CachedAccount& account, StateChanges& out) const;

    StateReader& m_parent;
    std::uint32_t m_txn = 1;
    std::unordered_map<Address, CachedAccount> m_accounts;
    std::vector<CachedAccount*> m_account_order;
    CachedAccount* m_last_loaded = nullptr;
    std::unordered_map<Hash, Bytes> m_new_code;
    std::unordered_map<TransientKey, u256, TransientKeyHash> m_transient;
    // Accounts that this transaction touched or marked; entries may be repeated or undone since.
    std::vector<CachedAccount*> m_touched;
    std::vector<CachedAccount*> m_destroyed;
    std::vector<JournalEntry> m_journal;
    std::vector<Log> m_logs;
    std::int64_t m_refund = 0;
    Extension* m_extension = nullptr;
};

}  // namespace meridian::state
