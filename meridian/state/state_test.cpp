// The journaled state against a naive model that is copied at each checkpoint, and cases of their own.
#include <meridian/state/memory_state.hpp>
#include <meridian/state/state.hpp>

#include <meridian/base/hex.hpp>

#include <gtest/gtest.h>

#include <set>

namespace meridian::state {
namespace {

constexpr Address kAlice = "0xa11ce0"_address;
constexpr Address kBob = "0xb0b0"_address;
constexpr Address kRipemd = "0x03"_address;

Bytes bytes(std::initializer_list<std::uint8_t> list) {
    return list;
}

TEST(State, AbsentAccountIsEmptyAndDoesNotExist) {
    MemoryState parent;
    State state(parent);
    EXPECT_FALSE(state.exists(kAlice));
    EXPECT_TRUE(state.is_empty(kAlice));
    EXPECT_EQ(state.balance(kAlice), u256{});
    EXPECT_TRUE(state.code(kAlice).empty());
    EXPECT_TRUE(state.changes().accounts.empty());
}

TEST(State, RevertRestoresBalanceNonceCodeAndLogs) {
    MemoryState parent;
    parent.set_balance(kAlice, 5);
    parent.set_code(kAlice, bytes({1, 2, 3}));
    State state(parent);
    state.begin_transaction();
    const auto checkpoint = state.checkpoint();
    state.add_balance(kAlice, 7);
    state.set_nonce(state.load(kAlice), 9);
    state.set_code(state.load(kAlice), bytes({4}));
    state.add_log({kAlice, {}, {}});
    state.add_refund(4800);
    EXPECT_TRUE(equal(state.code(kAlice), bytes({4})));
    state.revert(checkpoint);
    EXPECT_EQ(state.balance(kAlice), u256{5});
    EXPECT_EQ(state.nonce(kAlice), 0u);
    EXPECT_TRUE(equal(state.code(kAlice), bytes({1, 2, 3})));
    EXPECT_TRUE(state.logs().empty());
    EXPECT_EQ(state.refund(), 0);
    state.finish_transaction({});
    EXPECT_TRUE(state.changes().accounts.empty());
}

TEST(State, OriginalValueIsThatOfTheTransactionsStart) {
    MemoryState parent;
    parent.set_balance(kAlice, 1);
    parent.set_storage(kAlice, 1, 10);
    State state(parent);
    state.begin_transaction();
    CachedAccount& alice = state.load(kAlice);
    state.set_storage(alice, 1, state.slot(alice, 1), 20);
    EXPECT_EQ(state.slot(alice, 1).original, u256{10});
    state.finish_transaction({});
    state.begin_transaction();
    EXPECT_EQ(state.slot(alice, 1).original, u256{20});
    EXPECT_EQ(state.slot(alice, 1).parent, u256{10});
}

TEST(State, Eip161TouchedEmptyAccountGoes) {
    MemoryState parent;
    parent.set_account(kAlice, {});
    State state(parent);
    state.begin_transaction();
    state.touch(state.load(kAlice));
    state.finish_transaction({.delete_touched_empty = true});
    EXPECT_FALSE(state.exists(kAlice));
    ASSERT_EQ(state.changes().accounts.size(), 1u);
    EXPECT_FALSE(state.changes().accounts.at(kAlice).account.has_value());
}

TEST(State, BeforeEip161TouchCreates) {
    MemoryState parent;
    State state(parent);
    state.begin_transaction();
    state.add_balance(kAlice, 0);
    state.finish_transaction({.delete_touched_empty = false});
    EXPECT_TRUE(state.exists(kAlice));
    EXPECT_TRUE(state.changes().accounts.at(kAlice).account.has_value());
}

TEST(State, RevertedTouchDoesNotDelete) {
    MemoryState parent;
    parent.set_account(kAlice, {});
    parent.set_account(kRipemd, {});
    State state(parent);
    state.begin_transaction();
    const auto checkpoint = state.checkpoint();
    state.touch(state.load(kAlice));
    state.touch(state.load(kRipemd));
    state.revert(checkpoint);
    state.finish_transaction({.delete_touched_empty = true});
    EXPECT_TRUE(state.exists(kAlice));
    EXPECT_FALSE(state.exists(kRipemd));  // the historic exception
}

TEST(State, DestroyedThenCreatedAgainInTheSameBlock) {
    MemoryState parent;
    parent.set_balance(kAlice, 1);
    parent.set_code(kAlice, bytes({0xff}));
    parent.set_storage(kAlice, 1, 10);
    parent.set_storage(kAlice, 2, 20);
    State state(parent);
    state.begin_transaction();
    CachedAccount& alice = state.load(kAlice);
    EXPECT_EQ(state.slot(alice, 1).current, u256{10});
    state.set_balance(alice, 0);
    state.mark_destroyed(alice);
    EXPECT_TRUE(state.is_destroyed(alice));
    state.finish_transaction({});
    EXPECT_FALSE(state.exists(kAlice));
    EXPECT_FALSE(state.has_storage(kAlice));

    state.begin_transaction();
    EXPECT_FALSE(state.is_destroyed(alice));
    state.create_contract(alice);
    EXPECT_TRUE(state.created_in_transaction(alice));
    EXPECT_EQ(state.slot(alice, 1).current, u256{});
    EXPECT_EQ(state.slot(alice, 2).current, u256{});  // first loaded after the removal
    state.set_nonce(alice, 1);
    state.set_storage(alice, 2, state.slot(alice, 2), 21);
    state.finish_transaction({});

    const StateChanges changes = state.changes();
    const AccountChange& change = changes.accounts.at(kAlice);
    EXPECT_TRUE(change.storage_cleared);
    EXPECT_EQ(change.storage, (std::map<u256, u256>{{2, 21}}));
    parent.apply(changes);
    EXPECT_EQ(parent.storage(kAlice, 1), u256{});
    EXPECT_EQ(parent.storage(kAlice, 2), u256{21});
    EXPECT_FALSE(parent.account(kAlice)->has_code());
}

TEST(State, RevertedCreationGivesTheParentsStorageBack) {
    MemoryState parent;
    parent.set_balance(kAlice, 1);
    parent.set_storage(kAlice, 1, 10);
    parent.set_storage(kAlice, 2, 20);
    State state(parent);
    state.begin_transaction();
    CachedAccount& alice = state.load(kAlice);
    EXPECT_EQ(state.slot(alice, 1).current, u256{10});
    const auto checkpoint = state.checkpoint();
    state.create_contract(alice);
    EXPECT_EQ(state.slot(alice, 1).current, u256{});
    EXPECT_EQ(state.slot(alice, 2).current, u256{});
    state.revert(checkpoint);
    EXPECT_EQ(state.slot(alice, 1).current, u256{10});
    EXPECT_EQ(state.slot(alice, 2).current, u256{20});
    state.finish_transaction({});
    EXPECT_TRUE(state.changes().accounts.empty());
}

TEST(State, WarmthEndsWithTheTransactionAndWithItsFrame) {
    MemoryState parent;
    State state(parent);
    state.begin_transaction();
    CachedAccount& bob = state.load(kBob);
    const auto checkpoint = state.checkpoint();
    EXPECT_TRUE(state.warm_account(bob));
    EXPECT_FALSE(state.warm_account(bob));
    EXPECT_TRUE(state.warm_slot(state.slot(bob, 1)));
    state.revert(checkpoint);
    EXPECT_FALSE(state.is_warm(bob));
    EXPECT_TRUE(state.warm_slot(state.slot(bob, 1)));
    state.finish_transaction({});
    state.begin_transaction();
    EXPECT_TRUE(state.warm_slot(state.slot(bob, 1)));
    EXPECT_FALSE(bob.exists);  // warming is no touch
}

TEST(State, WarmingReadsNothing) {
    class Refusing final : public StateReader {
    public:
        std::optional<Account> account(const Address&) override { return refuse(), std::nullopt; }
        u256 storage(const Address&, const u256&) override { return refuse(), u256{}; }
        bool has_storage(const Address&) override { return refuse(), false; }
        BytesView code(const Hash&) override { return refuse(), BytesView{}; }
        StateError error() const noexcept override { return m_error; }

    private:
        void refuse() { m_error = StateError::MissingNode; }
        StateError m_error = StateError::None;
    } parent;
    State state(parent);
    state.begin_transaction();
    state.warm_address(kAlice);
    state.warm_storage(kAlice, 1);
    state.warm_storage(kBob, 2);
    state.finish_transaction({});
    EXPECT_TRUE(state.changes().accounts.empty());
    EXPECT_EQ(state.error(), StateError::None);
    EXPECT_FALSE(state.exists(kAlice));
    EXPECT_EQ(state.error(), StateError::MissingNode);
}

TEST(State, WarmedSlotIsReadOnUse) {
    MemoryState parent;
    parent.set_balance(kAlice, 1);
    parent.set_storage(kAlice, 1, 10);
    State state(parent);
    state.begin_transaction();
    state.warm_address(kAlice);
    state.warm_storage(kAlice, 1);
    CachedAccount& alice = state.load(kAlice);
    EXPECT_TRUE(state.is_warm(alice));
    CachedSlot& slot = state.slot(alice, 1);
    EXPECT_FALSE(state.warm_slot(slot));
    EXPECT_EQ(slot.current, u256{10});
    EXPECT_EQ(slot.original, u256{10});
    EXPECT_EQ(slot.parent, u256{10});
}

TEST(State, TransientStorageRevertsAndEndsWithTheTransaction) {
    MemoryState parent;
    State state(parent);
    state.begin_transaction();
    state.set_transient_storage(kAlice, 1, 5);
    const auto checkpoint = state.checkpoint();
    state.set_transient_storage(kAlice, 1, 6);
    state.set_transient_storage(kBob, 1, 7);
    state.revert(checkpoint);
    EXPECT_EQ(state.transient_storage(kAlice, 1), u256{5});
    EXPECT_EQ(state.transient_storage(kBob, 1), u256{});
    state.finish_transaction({});
    state.begin_transaction();
    EXPECT_EQ(state.transient_storage(kAlice, 1), u256{});
}

TEST(State, CodeOfTheBlockIsReported) {
    MemoryState parent;
    State state(parent);
    state.begin_transaction();
    state.set_code(state.load(kAlice), bytes({1}));
    state.set_code(state.load(kBob), bytes({1}));
    state.set_code(state.load(kBob), bytes({2}));
    state.finish_transaction({});
    const StateChanges changes = state.changes();
    ASSERT_EQ(changes.code.size(), 2u);
    EXPECT_EQ(changes.code.at(crypto::keccak256(bytes({2}))), bytes({2}));
}

TEST(State, MissingCodeIsRemembered) {
    MemoryState parent;
    parent.set_account(kAlice, {.nonce = 1, .balance = 0, .code_hash = Hash{}});
    State state(parent);
    EXPECT_TRUE(state.code(kAlice).empty());
    EXPECT_EQ(state.error(), StateError::MissingCode);
}

// --- model ------------------------------------------------------------------------------------------

struct ModelAccount {
    Account account;
    std::map<u256, u256> storage;
};

// Everything by value: a checkpoint is a copy.
struct Model {
    std::map<Address, ModelAccount> accounts;
    std::map<std::pair<Address, u256>, u256> transient;
    std::set<Address> touched;
    std::set<Address> destroyed;
    std::set<Address> created;
    std::set<Address> warm;
    std::set<std::pair<Address, u256>> warm_slots;
    std::size_t log_count = 0;
    std::int64_t refund = 0;
};

class Simulation {
public:
    explicit Simulation(std::uint64_t seed) : m_random(seed) {
        for (std::uint8_t i = 0; i < 6; ++i)
            seed_parent(i);
        for (const auto& [address, entry] : m_parent.accounts())
            m_model.accounts[address] = {entry.account, entry.storage};
    }

    void run() {
        State state(m_parent);
        m_state = &state;
        for (int txn = 0; txn < 6; ++txn)
            run_transaction();
        m_parent_after = m_parent;
        m_parent_after.apply(state.changes());
        EXPECT_EQ(m_parent_after.accounts().size(), m_model.accounts.size());
        for (const auto& [address, expected] : m_model.accounts) {
            EXPECT_EQ(m_parent_after.account(address), std::optional(expected.account));
            const auto it = m_parent_after.accounts().find(address);
            if (it != m_parent_after.accounts().end()) {
                EXPECT_EQ(it->second.storage, expected.storage);
            }
        }
    }

private:
    std::uint64_t random(std::uint64_t bound) {
        m_random ^= m_random << 13;
        m_random ^= m_random >> 7;
        m_random ^= m_random << 17;
        return m_random % bound;
    }
    static Address address(std::uint64_t i) { return to_address(u256{0x100 + i}); }
    Address any_address() { return address(random(8)); }

    void seed_parent(std::uint8_t i) {
        m_parent.set_balance(address(i), i % 3 == 0 ? 0 : 100);
        if (i == 1)
            m_parent.set_code(address(i), bytes({i}));
        for (std::uint64_t key = 0; key < i; ++key)
            m_parent.set_storage(address(i), key, key + 1);
    }

    void run_transaction() {
        m_state->begin_transaction();
        m_txn_start = m_model;
        std::vector<std::pair<State::Checkpoint, Model>> frames;
        for (int step = 0; step < 60; ++step) {
            const std::uint64_t action = random(12);
            if (action == 0) {
                frames.emplace_back(m_state->checkpoint(), m_model);
            } else if (action == 1 && !frames.empty()) {
                m_state->revert(frames.back().first);
                m_model = frames.back().second;
                frames.pop_back();
            } else if (action == 2 && !frames.empty()) {
                frames.pop_back();
            } else {
                write(action);
            }
            compare(any_address());
        }
        finish();
    }

    ModelAccount& touch(const Address& a) {
        m_model.touched.insert(a);
        return m_model.accounts[a];
    }

    void write(std::uint64_t action) {
        const Address a = any_address();
        const u256 key{random(6)};
        const u256 value{random(4)};
        if (action == 10 && value[0] < 2) {
            m_state->warm_storage(a, key);
            m_model.warm_slots.insert({a, key});
            return;
        }
        CachedAccount& account = m_state->load(a);
        switch (action) {
            case 3:
                m_state->add_balance(a, value);
                touch(a).account.balance += value;
                break;
            case 4:
                m_state->set_balance(account, 0);
                touch(a).account.balance = 0;
                break;
            case 5: {
                const Bytes code(value[0], 0x5b);
                m_state->set_code(account, code);
                touch(a).account.code_hash = crypto::keccak256(code);
                break;
            }
            case 6:
                m_state->create_contract(account);
                m_model.created.insert(a);
                touch(a).storage.clear();
                m_model.accounts[a].account.nonce = 0;
                m_model.accounts[a].account.code_hash = crypto::kEmptyKeccak;
                break;
            case 7:
                m_state->mark_destroyed(account);
                m_model.destroyed.insert(a);
                break;
            case 8:
            case 9: {
                CachedSlot& slot = m_state->slot(account, key);
                m_state->set_storage(account, key, slot, value);
                touch(a);
                set_model_slot(a, key, value);
                break;
            }
            case 10:
                EXPECT_EQ(m_state->warm_account(account), m_model.warm.insert(a).second);
                EXPECT_EQ(m_state->warm_slot(m_state->slot(account, key)),
                          m_model.warm_slots.insert({a, key}).second);
                break;
            default:
                m_state->set_transient_storage(a, key, value);
                m_model.transient[{a, key}] = value;
                m_state->add_log({a, {}, {}});
                m_model.log_count++;
                m_state->add_refund(1);
                m_model.refund++;
                break;
        }
    }

    void set_model_slot(const Address& a, const u256& key, const u256& value) {
        if (value)
            m_model.accounts[a].storage[key] = value;
        else
            m_model.accounts[a].storage.erase(key);
    }

    static u256 slot_of(const Model& model, const Address& a, const u256& key) {
        const auto it = model.accounts.find(a);
        if (it == model.accounts.end() || !it->second.storage.contains(key))
            return {};
        return it->second.storage.at(key);
    }

    void compare(const Address& a) {
        CachedAccount& account = m_state->load(a);
        const auto it = m_model.accounts.find(a);
        ASSERT_EQ(account.exists, it != m_model.accounts.end());
        EXPECT_EQ(account.account, it == m_model.accounts.end() ? Account{} : it->second.account);
        EXPECT_EQ(m_state->is_destroyed(account), m_model.destroyed.contains(a));
        EXPECT_EQ(m_state->created_in_transaction(account), m_model.created.contains(a));
        EXPECT_EQ(m_state->is_warm(account), m_model.warm.contains(a));
        EXPECT_EQ(crypto::keccak256(m_state->code(account)), account.account.code_hash);
        EXPECT_EQ(m_state->logs().size(), m_model.log_count);
        EXPECT_EQ(m_state->refund(), m_model.refund);
        const u256 key{random(6)};
        EXPECT_EQ(m_state->slot(account, key).current, slot_of(m_model, a, key));
        if (!m_model.created.contains(a)) {
            EXPECT_EQ(m_state->slot(account, key).original, slot_of(m_txn_start, a, key));
        }
        const auto transient = m_model.transient.find({a, key});
        EXPECT_EQ(m_state->transient_storage(a, key),
                  transient == m_model.transient.end() ? u256{} : transient->second);
    }

    void finish() {
        const bool delete_empty = random(2) == 0;
        m_state->finish_transaction({.delete_touched_empty = delete_empty});
        for (const Address& a : m_model.destroyed)
            m_model.accounts.erase(a);
        for (const Address& a : m_model.touched) {
            const auto it = m_model.accounts.find(a);
            if (delete_empty && it != m_model.accounts.end() && it->second.account.is_empty())
                m_model.accounts.erase(it);
        }
        Model next;
        next.accounts = m_model.accounts;
        m_model = next;
    }

    std::uint64_t m_random;
    MemoryState m_parent;
    MemoryState m_parent_after;
    State* m_state = nullptr;
    Model m_model;
    Model m_txn_start;
};

TEST(State, AgreesWithANaiveModel) {
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        SCOPED_TRACE(seed);
        Simulation(seed * 0x9e3779b97f4a7c15u).run();
        if (testing::Test::HasFailure())
            return;
    }
}

}  // namespace
}  // namespace meridian::state
