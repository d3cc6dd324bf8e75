// Reading the chain from a snapshot. ChainStore's own half, writing, is in chain_store.cpp.
#include <meridian/store/chain_store.hpp>
#include <meridian/store/log_index.hpp>
#include <meridian/store/record_codec.hpp>
#include <meridian/store/stored_state.hpp>

namespace meridian::store {
namespace {

std::string block_name(std::uint64_t number) {
    return "block " + std::to_string(number);
}

// Reads a record that has to be there.
StoreResult<Bytes> read_existing(const Snapshot& snapshot, Table table, BytesView key,
                                 std::string_view what) {
    Bytes value;
    auto found = snapshot.get(table, key, value);
    if (!found)
        return fail(std::move(found.error()));
    if (!*found)
        return fail(corrupt_entry(table, std::string(what) + " is missing"));
    return value;
}

StoreResult<std::vector<StoredTxn>> read_body_group(const Snapshot& snapshot, std::uint64_t number,
                                                    std::uint32_t group) {
    auto value = read_existing(snapshot, Table::Bodies, group_key(number, group), block_name(number));
    if (!value)
        return fail(std::move(value.error()));
    auto txns = decode_body_group(*value);
    if (!txns)
        return fail(corrupt_entry(Table::Bodies, block_name(number)));
    return *std::move(txns);
}

StoreResult<std::vector<StoredReceipt>> read_receipt_group(const Snapshot& snapshot, std::uint64_t number,
                                                           std::uint32_t group, Blooms blooms) {
    auto value = read_existing(snapshot, Table::Receipts, group_key(number, group), block_name(number));
    if (!value)
        return fail(std::move(value.error()));
    auto receipts = decode_receipt_group(*value, blooms);
    if (!receipts)
        return fail(corrupt_entry(Table::Receipts, block_name(number)));
    return *std::move(receipts);
}

std::uint32_t group_of(std::uint64_t index) noexcept {
    return static_cast<std::uint32_t>(index / kGroupSize);
}

std::uint32_t group_count(std::uint64_t txns) noexcept {
    return static_cast<std::uint32_t>((txns + kGroupSize - 1) / kGroupSize);
}

// Visits the matching logs of one receipt; false if the visitor has had enough.
bool visit_receipt(const LogQuery& query, std::uint64_t block, std::uint64_t txn,
                   const StoredReceipt& receipt, const LogVisitor& visit) {
    std::uint64_t index = receipt.first_log_index;
    for (const state::Log& log : receipt.receipt.logs) {
        if (matches(query, log) && !visit({block, txn, index, log}))
            return false;
        ++index;
    }
    return true;
}

}  // namespace

StoreResult<void> ChainView::check_on_chain(std::uint64_t number) const {
    if (!m_head)
        return store_fail(StoreErrorKind::NotFound, block_name(number) + ": the store is empty");
    if (number > m_head->number)
        return store_fail(StoreErrorKind::NotFound,
                          block_name(number) + ": the head is " + block_name(m_head->number));
    if (number < m_oldest_header)
        return store_fail(StoreErrorKind::Pruned,
                          block_name(number) + ": the store was restored from a snapshot and begins with " +
                              block_name(m_oldest_header));
    return {};
}

StoreResult<void> ChainView::check_body_kept(std::uint64_t number) const {
    if (auto on_chain = check_on_chain(number); !on_chain)
        return on_chain;
    if (number < m_oldest_body)
        return store_fail(StoreErrorKind::Pruned,
                          block_name(number) +
                              ": its transactions and receipts are pruned; the oldest block "
                              "that has them is " +
                              std::to_string(m_oldest_body) + " (an archive node keeps all)");
    return {};
}

StoreResult<std::optional<std::uint64_t>> ChainView::number_of(const Hash& hash) const {
    Bytes value;
    auto found = m_snapshot->get(Table::BlockNumbers, hash, value);
    if (!found)
        return fail(std::move(found.error()));
    if (!*found)
        return std::nullopt;
    if (value.size() != NumberKey::kSize)
        return fail(corrupt_entry(Table::BlockNumbers, to_hex0x(hash)));
    return number_at(value);
}

StoreResult<StoredHeader> ChainView::header(std::uint64_t number) const {
    if (auto on_chain = check_on_chain(number); !on_chain)
        return fail(std::move(on_chain.error()));
    auto value = read_existing(*m_snapshot, Table::Blocks, number_key(number), block_name(number));
    if (!value)
        return fail(std::move(value.error()));
    auto header = decode_block_record(*value);
    if (!header)
        return fail(corrupt_entry(Table::Blocks, block_name(number)));
    return *std::move(header);
}

StoreResult<Hash> ChainView::hash_of(std::uint64_t number) const {
    auto found = header(number);
    if (!found)
        return fail(std::move(found.error()));
    return found->hash;
}

StoreResult<StoredBody> ChainView::body(std::uint64_t number) const {
    if (auto kept = check_body_kept(number); !kept)
        return fail(std::move(kept.error()));
    auto record = header(number);
    if (!record)
        return fail(std::move(record.error()));
    StoredBody out;
    for (std::uint32_t group = 0; group < group_count(record->txn_count); ++group) {
        auto txns = read_body_group(*m_snapshot, number, group);
        if (!txns)
            return fail(std::move(txns.error()));
        for (StoredTxn& txn : *txns) {
            out.transactions.push_back(std::move(txn.txn));
            out.senders.push_back(txn.sender);
        }
    }
    auto rest = read_existing(*m_snapshot, Table::Bodies, group_key(number, kBodyRest), block_name(number));
    if (!rest)
        return fail(std::move(rest.error()));
    if (out.transactions.size() != record->txn_count || !decode_body_rest(*rest, out))
        return fail(corrupt_entry(Table::Bodies, block_name(number)));
    return out;
}

StoreResult<std::vector<StoredReceipt>> ChainView::receipts(std::uint64_t number) const {
    if (auto kept = check_body_kept(number); !kept)
        return fail(std::move(kept.error()));
    auto record = header(number);
    if (!record)
        return fail(std::move(record.error()));
    std::vector<StoredReceipt> out;
    for (std::uint32_t group = 0; group < group_count(record->txn_count); ++group) {
        auto receipts = read_receipt_group(*m_snapshot, number, group, Blooms::Compute);
        if (!receipts)
            return fail(std::move(receipts.error()));
        std::move(receipts->begin(), receipts->end(), std::back_inserter(out));
    }
    return out;
}

StoreResult<std::optional<TxnPlace>> ChainView::find_transaction(const Hash& hash) const {
    Bytes value;
    auto found = m_snapshot->get(Table::Transactions, hash, value);
    if (!found)
        return fail(std::move(found.error()));
    if (!*found)
        return std::nullopt;
    if (value.size() != kTxnPlaceSize)
        return fail(corrupt_entry(Table::Transactions, to_hex0x(hash)));
    const auto index = static_cast<std::uint64_t>(load_be(BytesView(value).subspan(8)));
    return TxnPlace{number_at(value), index};
}

StoreResult<StoredTxn> ChainView::transaction(const TxnPlace& place) const {
    if (auto kept = check_body_kept(place.block); !kept)
        return fail(std::move(kept.error()));
    auto txns = read_body_group(*m_snapshot, place.block, group_of(place.index));
    if (!txns)
        return fail(std::move(txns.error()));
    const std::size_t at = place.index % kGroupSize;
    if (at >= txns->size())
        return store_fail(StoreErrorKind::NotFound,
                          block_name(place.block) + ": it has no transaction " + std::to_string(place.index));
    return std::move((*txns)[at]);
}

StoreResult<StoredReceipt> ChainView::receipt(const TxnPlace& place) const {
    if (auto kept = check_body_kept(place.block); !kept)
        return fail(std::move(kept.error()));
    auto receipts = read_receipt_group(*m_snapshot, place.block, group_of(place.index), Blooms::Compute);
    if (!receipts)
        return fail(std::move(receipts.error()));
    const std::size_t at = place.index % kGroupSize;
    if (at >= receipts->size())
        return store_fail(StoreErrorKind::NotFound,
                          block_name(place.block) + ": it has no receipt " + std::to_string(place.index));
    return std::move((*receipts)[at]);
}

// --- logs -----------------------------------------------------------------------------------------------

namespace {

StoreResult<std::uint64_t> count_terms(const LogQuery& query) {
    std::uint64_t terms = query.addresses.size();
    for (const auto& alternatives : query.topics)
        terms += alternatives.size();
    if (terms > kLogTermsMax || query.topics.size() > kTopicsMax)
        return store_fail(StoreErrorKind::LimitExceeded,
                          "log query: " + std::to_string(terms) + " addresses and topics in " +
                              std::to_string(query.topics.size()) + " positions; at most " +
                              std::to_string(kLogTermsMax) + " in " + std::to_string(kTopicsMax) +
                              ", so ask in parts");
    return terms;
}

// False if the visitor has had enough. `txns` ascend.
StoreResult<bool> visit_txns(const Snapshot& snapshot, const LogQuery& query, std::uint64_t block,
                             std::span<const std::uint32_t> txns, const LogVisitor& visit) {
    std::optional<std::uint32_t> read_group;
    std::vector<StoredReceipt> receipts;
    for (const std::uint32_t txn : txns) {
        if (read_group != group_of(txn)) {
            auto group = read_receipt_group(snapshot, block, group_of(txn), Blooms::Leave);
            if (!group)
                return fail(std::move(group.error()));
            receipts = *std::move(group);
            read_group = group_of(txn);
        }
        if (txn % kGroupSize >= receipts.size())
            return fail(corrupt_entry(Table::LogIndex, block_name(block)));
        if (!visit_receipt(query, block, txn, receipts[txn % kGroupSize], visit))
            return false;
    }
    return true;
}

}  // namespace

StoreResult<void> ChainView::for_each_log(const LogQuery& query, const LogVisitor& visit) const {
    const auto terms = count_terms(query);
    if (!terms)
        return fail(terms.error());
    if (!m_head || query.from_block > std::min(query.to_block, m_head->number))
        return {};
    if (auto kept = check_body_kept(query.from_block); !kept)
        return kept;
    LogQuery cut = query;
    cut.to_block = std::min(query.to_block, m_head->number);
    if (*terms == 0) {
        for (std::uint64_t block = cut.from_block; block <= cut.to_block; ++block) {
            auto record = header(block);
            if (!record)
                return fail(std::move(record.error()));
            std::vector<std::uint32_t> all(record->txn_count);
            for (std::size_t i = 0; i < all.size(); ++i)
                all[i] = static_cast<std::uint32_t>(i);
            auto more = visit_txns(*m_snapshot, cut, block, all, visit);
            if (!more)
                return fail(std::move(more.error()));
            if (!*more)
                return {};
        }
        return {};
    }
    LogCandidates candidates(*m_snapshot, cut);
    for (;;) {
        auto found = candidates.next();
        if (!found)
            return fail(std::move(found.error()));
        if (!*found)
            return {};
        auto more = visit_txns(*m_snapshot, cut, candidates.block(), candidates.txn_indexes(), visit);
        if (!more)
            return fail(std::move(more.error()));
        if (!*more)
            return {};
    }
}

// --- states ---------------------------------------------------------------------------------------------

StoreResult<std::unique_ptr<StoredState>> ChainView::state_at(std::uint64_t number) const {
    if (auto kept = check_state_kept(number); !kept)
        return fail(std::move(kept.error()));
    if (number == m_head->number)
        return make_stored_state(m_snapshot, std::nullopt);
    return make_stored_state(m_snapshot, number);
}

StoreResult<void> ChainView::check_state_kept(std::uint64_t number) const {
    if (auto on_chain = check_on_chain(number); !on_chain)
        return on_chain;
    if (number < m_oldest_state)
        return store_fail(StoreErrorKind::Pruned,
                          block_name(number) +
                              ": its state is pruned; the oldest that can be read is that of "
                              "block " +
                              std::to_string(m_oldest_state) + " (an archive node keeps all)");
    return {};
}

std::unique_ptr<StoredState> ChainView::latest_state() const {
    return make_stored_state(m_snapshot, std::nullopt);
}

StoreResult<std::optional<state::Account>> ChainView::account(const Address& address) const {
    return read_account(*m_snapshot, address);
}

StoreResult<u256> ChainView::storage(const Address& address, const u256& key) const {
    return read_storage(*m_snapshot, address, key);
}

StoreResult<std::optional<Bytes>> ChainView::code(const Hash& code_hash) const {
    if (code_hash == crypto::kEmptyKeccak)
        return Bytes{};
    Bytes value;
    auto found = m_snapshot->get(Table::Code, code_hash, value);
    if (!found)
        return fail(std::move(found.error()));
    return *found ? std::optional(std::move(value)) : std::nullopt;
}

StoreResult<state::StateChanges> ChainView::changes_back_to(std::uint64_t number,
                                                            std::uint64_t changes_max) const {
    auto past = state_at(number);
    if (!past)
        return fail(std::move(past.error()));
    state::StateChanges out;
    std::uint64_t changed = 0;
    for (std::uint64_t block = number + 1; block <= m_head->number; ++block) {
        auto changes = read_change_set(*m_snapshot, block);
        if (!changes)
            return fail(std::move(changes.error()));
        changed += changes->change_count();
        if (changed > changes_max)
            return store_fail(StoreErrorKind::LimitExceeded,
                              block_name(number) + ": more than " + std::to_string(changes_max) +
                                  " changes since would have to be taken back; ask for a later block");
        for (const ChangeSet::Entry& entry : changes->entries) {
            const auto [at, added] = out.accounts.try_emplace(entry.address);
            if (added)
                at->second.account = (*past)->account(entry.address);
            for (const u256& slot : entry.slots)
                if (const auto [to, first] = at->second.storage.try_emplace(slot); first)
                    to->second = (*past)->storage(entry.address, slot);
            for (const std::uint32_t page : entry.pages)
                if (const auto [to, first] = out.arenas[entry.address].try_emplace(page); first) {
                    StoredPage content;
                    if ((*past)->arena_page(entry.address, page, content.data()))
                        to->second = state::patch_of(content.data(), ~std::uint64_t{0});
                }
        }
    }
    if ((*past)->failure())
        return fail(*(*past)->failure());
    return out;
}

StoreResult<state::StateChanges> ChainView::undo_of(const state::StateChanges& changes) const {
    state::StateChanges out;
    for (const auto& [address, change] : changes.accounts) {
        state::AccountChange& undo = out.accounts[address];
        auto before = account(address);
        if (!before)
            return fail(std::move(before.error()));
        undo.account = *before;
        for (const auto& [slot, value] : change.storage) {
            auto was = storage(address, slot);
            if (!was)
                return fail(std::move(was.error()));
            undo.storage[slot] = *was;
        }
        if (change.account && !change.storage_cleared)
            continue;
        auto kept = for_each_slot(address, [&undo](const u256& slot, const u256& value) {
            undo.storage[slot] = value;
            return true;
        });
        if (!kept)
            return fail(std::move(kept.error()));
    }
    return out;
}

StoreResult<void> ChainView::for_each_account(
    const std::function<bool(const Address&, const state::Account&)>& visit) const {
    const auto cursor = m_snapshot->cursor(Table::Accounts);
    for (bool at = cursor->seek({}); at; at = cursor->next()) {
        const auto account = decode_account_value(cursor->value());
        if (cursor->key().size() != Address::kSize || !account)
            return fail(corrupt_entry(Table::Accounts, to_hex0x(cursor->key())));
        if (!visit(first_bytes<Address::kSize>(cursor->key()), *account))
            return {};
    }
    if (cursor->error())
        return fail(*cursor->error());
    return {};
}

StoreResult<void> ChainView::for_each_slot(const Address& address,
                                           const std::function<bool(const u256&, const u256&)>& visit) const {
    return store::for_each_slot(*m_snapshot, address, visit);
}

// The tries after that block, with changes of it to come.
StoreResult<void> ChainView::move_trie(StateTrie& trie, std::uint64_t number) const {
    auto back = changes_back_to(number, m_proof_changes_max);
    if (!back)
        return fail(std::move(back.error()));
    if (back->accounts.empty())
        return {};
    if (auto moved = trie.apply(*back); !moved)
        return fail(std::move(moved.error()));
    return {};
}

GetFunction ChainView::reader() const {
    return [snapshot = m_snapshot.get()](Table table, BytesView key, Bytes& out) {
        return snapshot->get(table, key, out);
    };
}

StoreResult<AccountProof> ChainView::prove(std::uint64_t number, const Address& address,
                                           std::span<const u256> slots) const {
    StateTrie trie(m_head->state_root, reader());
    if (auto moved = move_trie(trie, number); !moved)
        return fail(std::move(moved.error()));
    return trie.prove(address, slots);
}

StoreResult<Hash> ChainView::root_after(std::uint64_t number, const state::StateChanges& changes) const {
    StateTrie trie(m_head->state_root, reader());
    if (auto moved = move_trie(trie, number); !moved)
        return fail(std::move(moved.error()));
    auto update = trie.apply(changes);
    if (!update)
        return fail(std::move(update.error()));
    return (*update)->root;
}

}  // namespace meridian::store
