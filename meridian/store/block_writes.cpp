#include <meridian/store/block_writes.hpp>

#include <meridian/store/log_index.hpp>
#include <meridian/store/record_codec.hpp>
#include <meridian/store/stored_state.hpp>

#include <algorithm>
#include <numeric>
#include <set>

namespace meridian::store {
namespace {

// The change set of one block as it is gathered.
class History {
public:
    History(const ChangeSet& earlier, std::uint64_t number, WriteBatch& batch)
        : m_number(number), m_batch(batch) {
        for (const ChangeSet::Entry& entry : earlier.entries) {
            Entry& to = m_entries[entry.address];
            to.account = entry.account;
            to.slots.insert(entry.slots.begin(), entry.slots.end());
            to.pages.insert(entry.pages.begin(), entry.pages.end());
        }
    }

    void note_account(const Address& address, const std::optional<state::Account>& before) {
        Entry& entry = m_entries[address];
        if (std::exchange(entry.account, true))
            return;
        m_batch.put(Table::AccountHistory, account_history_key(address, m_number),
                    before ? encode_account_value(*before) : Bytes{});
    }
    void note_slot(const Address& address, const u256& slot, const u256& before) {
        if (m_entries[address].slots.insert(slot).second)
            m_batch.put(Table::StorageHistory, storage_history_key(address, slot, m_number),
                        encode_slot_value(before));
    }
    // Blocks alone change pages, each once.
    void note_page(const Address& module, std::uint32_t page, const state::PagePatch& before) {
        if (m_entries[module].pages.insert(page).second)
            m_batch.put(Table::ArenaHistory, arena_history_key(module, page, m_number),
                        encode_page_patch(before));
    }
    ChangeSet take() {
        ChangeSet out;
        for (auto& [address, entry] : m_entries)
            out.entries.push_back({address,
                                   entry.account,
                                   {entry.slots.begin(), entry.slots.end()},
                                   {entry.pages.begin(), entry.pages.end()}});
        return out;
    }

private:
    struct Entry {
        bool account = false;
        std::set<u256> slots;
        std::set<std::uint32_t> pages;
    };

    std::uint64_t m_number;
    WriteBatch& m_batch;
    std::map<Address, Entry> m_entries;
};

void put_account(const Address& address, const std::optional<state::Account>& account, WriteBatch& batch) {
    if (account)
        batch.put(Table::Accounts, address, encode_account_value(*account));
    else
        batch.erase(Table::Accounts, address);
}

void put_slot(const Address& address, const u256& slot, const u256& value, WriteBatch& batch) {
    if (value)
        batch.put(Table::Storage, storage_key(address, slot), encode_slot_value(value));
    else
        batch.erase(Table::Storage, storage_key(address, slot));
}

// The slots that go with the account or its old storage, one by one: each has a past.
StoreResult<void> clear_storage(const Snapshot& before, const Address& address,
                                const std::map<u256, u256>& kept, History* history, WriteBatch& batch) {
    return for_each_slot(before, address, [&](const u256& slot, const u256& value) {
        if (kept.contains(slot))
            return true;
        if (history != nullptr)
            history->note_slot(address, slot, value);
        batch.erase(Table::Storage, storage_key(address, slot));
        return true;
    });
}

StoreResult<void> write_account(const Snapshot& before, const Address& address,
                                const state::AccountChange& change, History* history, WriteBatch& batch) {
    auto old = read_account(before, address);
    if (!old)
        return fail(std::move(old.error()));
    if (*old != change.account) {
        if (history != nullptr)
            history->note_account(address, *old);
        put_account(address, change.account, batch);
    }
    static const std::map<u256, u256> kNone;
    const auto& slots = change.account ? change.storage : kNone;
    if (!change.account || change.storage_cleared)
        if (auto done = clear_storage(before, address, slots, history, batch); !done)
            return done;
    for (const auto& [slot, value] : slots) {
        auto was = read_storage(before, address, slot);
        if (!was)
            return fail(std::move(was.error()));
        if (*was == value)
            continue;
        if (history != nullptr)
            history->note_slot(address, slot, *was);
        put_slot(address, slot, value, batch);
    }
    return {};
}

void put_page(const Address& module, std::uint32_t page, const StoredPage& content, WriteBatch& batch) {
    std::size_t size = content.size();
    while (size > 0 && content[size - 1] == 0)
        --size;
    const ArenaPageKey key = arena_page_key(module, page);
    if (size == 0)
        batch.erase(Table::ArenaPages, key);
    else
        batch.put(Table::ArenaPages, key, BytesView(content).first(size));
}

StoreResult<void> write_arena(const Snapshot& before, const Address& module, const state::ArenaPatch& pages,
                              History* history, WriteBatch& batch) {
    for (const auto& [page, patch] : pages) {
        StoredPage content;
        if (auto read = read_page(before, module, page, content); !read)
            return read;
        if (history != nullptr)
            history->note_page(module, page, state::patch_of(content.data(), patch.lines));
        patch.write_to(content.data());
        put_page(module, page, content, batch);
    }
    return {};
}

Bytes place_of(std::uint64_t block, std::size_t index) {
    const GroupKey place = group_key(block, static_cast<std::uint32_t>(index));
    static_assert(GroupKey::kSize == kTxnPlaceSize);
    return to_bytes(place);
}

void write_groups(const BlockCommit& commit, WriteBatch& batch) {
    const std::uint64_t number = commit.block.header.number;
    const std::span<const chain::Transaction> txns = commit.block.transactions;
    std::uint64_t log_index = 0;
    for (std::size_t first = 0; first < txns.size(); first += kGroupSize) {
        const std::size_t count = std::min(kGroupSize, txns.size() - first);
        const GroupKey key = group_key(number, static_cast<std::uint32_t>(first / kGroupSize));
        const auto receipts = commit.receipts.subspan(first, count);
        batch.put(Table::Bodies, key,
                  encode_body_group(txns.subspan(first, count), commit.senders.subspan(first, count)));
        batch.put(Table::Receipts, key, encode_receipt_group(receipts, log_index));
        for (const chain::Receipt& receipt : receipts)
            log_index += receipt.logs.size();
    }
    batch.put(Table::Bodies, group_key(number, kBodyRest), encode_body_rest(commit.block));
}

}  // namespace

StoreResult<void> write_state(const Snapshot& before, const state::StateChanges& changes,
                              std::uint64_t number, ChangeSet* set, WriteBatch& batch) {
    std::optional<History> history;
    if (set != nullptr)
        history.emplace(*set, number, batch);
    for (const auto& [address, change] : changes.accounts) {
        auto done = write_account(before, address, change, history ? &*history : nullptr, batch);
        if (!done)
            return done;
    }
    for (const auto& [module, pages] : changes.arenas)
        if (auto done = write_arena(before, module, pages, history ? &*history : nullptr, batch); !done)
            return done;
    for (const auto& [hash, code] : changes.code)
        batch.put(Table::Code, hash, code);
    if (set != nullptr)
        *set = history->take();
    return {};
}

void overwrite_state(const state::StateChanges& changes, WriteBatch& batch) {
    for (const auto& [address, change] : changes.accounts) {
        put_account(address, change.account, batch);
        for (const auto& [slot, value] : change.storage)
            put_slot(address, slot, value, batch);
    }
    for (const auto& [module, pages] : changes.arenas)
        for (const auto& [page, patch] : pages) {
            StoredPage content{};
            patch.write_to(content.data());
            put_page(module, page, content, batch);
        }
}

void write_block(const BlockCommit& commit, WriteBatch& batch) {
    const chain::Header& header = commit.block.header;
    const NumberKey number = number_key(header.number);
    batch.put(Table::Blocks, number,
              encode_block_record({header, commit.hash, header.state_root, commit.total_difficulty,
                                   commit.size_bytes, commit.block.transactions.size()}));
    batch.put(Table::BlockNumbers, commit.hash, number);
    write_groups(commit, batch);
    write_indexes(header.number, commit.txn_hashes, commit.receipts, batch);
}

void write_indexes(std::uint64_t number, std::span<const Hash> txn_hashes,
                   std::span<const chain::Receipt> receipts, WriteBatch& batch) {
    std::vector<std::size_t> by_hash(txn_hashes.size());
    std::iota(by_hash.begin(), by_hash.end(), std::size_t{0});
    std::ranges::stable_sort(by_hash, {}, [&](std::size_t i) { return txn_hashes[i]; });
    for (const std::size_t i : by_hash)
        batch.put(Table::Transactions, txn_hashes[i], place_of(number, i));
    for (const Posting& posting : postings_of(receipts))
        batch.put(Table::LogIndex, posting_key(posting.term, number), encode_posting(posting.txn_indexes));
}

void erase_history(const ChangeSet& set, std::uint64_t number, WriteBatch& batch) {
    for (const ChangeSet::Entry& entry : set.entries) {
        if (entry.account)
            batch.erase(Table::AccountHistory, account_history_key(entry.address, number));
        for (const u256& slot : entry.slots)
            batch.erase(Table::StorageHistory, storage_history_key(entry.address, slot, number));
        for (const std::uint32_t page : entry.pages)
            batch.erase(Table::ArenaHistory, arena_history_key(entry.address, page, number));
    }
    batch.erase(Table::ChangeSets, number_key(number));
}

StoreResult<void> erase_body(const ChainView& view, std::uint64_t number, WriteBatch& batch) {
    auto body = view.body(number);
    if (!body)
        return fail(std::move(body.error()));
    auto stored = view.receipts(number);
    if (!stored)
        return fail(std::move(stored.error()));
    for (const chain::Transaction& txn : body->transactions) {
        const Hash hash = chain::transaction_hash(txn);
        auto place = view.find_transaction(hash);
        if (!place)
            return fail(std::move(place.error()));
        // A legacy chain may hold one transaction twice; the index leads to the later one.
        if (*place && (*place)->block == number)
            batch.erase(Table::Transactions, hash);
    }
    std::vector<chain::Receipt> receipts;
    for (StoredReceipt& receipt : *stored)
        receipts.push_back(std::move(receipt.receipt));
    for (const Posting& posting : postings_of(receipts))
        batch.erase(Table::LogIndex, posting_key(posting.term, number));
    batch.erase_prefix(Table::Bodies, number_key(number));
    batch.erase_prefix(Table::Receipts, number_key(number));
    return {};
}

}  // namespace meridian::store
