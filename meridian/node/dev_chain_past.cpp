// How a DevChain is altered by hand, and goes back.
#include <meridian/node/dev_chain.hpp>
#include <meridian/node/genesis_store.hpp>

#include <algorithm>
#include <ranges>

namespace meridian::node {

void DevChain::set_mining(const MiningMode& mode) {
    m_mining = mode;
    if (m_listener != nullptr)
        m_listener->on_mining_mode();
}

// --- alterations ----------------------------------------------------------------------------------------

store::StoreResult<void> DevChain::write_alteration(const state::StateChanges& changes) {
    auto update = m_trie->apply(changes);
    if (!update)
        return fail(std::move(update.error()));
    auto done = m_store->alter_head(changes, **update, store::Durability::Buffered);
    if (!done)
        m_trie->reset(m_view->head()->state_root);
    return done;
}

ChainResult<void> DevChain::alter(const state::StateChanges& changes) {
    auto undo = m_view->undo_of(changes);
    if (!undo)
        return fail(ChainFailure{std::move(undo.error().message)});
    auto done = write_alteration(changes);
    if (done)
        done = read_head(m_head);
    if (!done)
        return fail(ChainFailure{std::move(done.error().message)});
    if (!m_snapshots.empty())
        m_alterations.push_back({m_alteration_count, m_head->number(), *std::move(undo)});
    ++m_alteration_count;
    tell_head({});
    return {};
}

// --- back -----------------------------------------------------------------------------------------------

std::uint64_t DevChain::snapshot() {
    m_snapshots.push_back(
        {++m_last_snapshot, m_head->number(), m_alteration_count, m_settings, m_pool, clock()});
    return m_last_snapshot;
}

store::StoreResult<void> DevChain::wind_back(std::uint64_t block, std::uint64_t alterations) {
    auto done = m_store->rewind_to(block, {}, store::Durability::Buffered);
    if (done)
        done = read_head();
    m_trie->reset(m_view->head()->state_root);
    // Those of later blocks went with their blocks.
    std::erase_if(m_alterations, [block](const Alteration& a) { return a.block > block; });
    while (done && !m_alterations.empty() && m_alterations.back().sequence >= alterations) {
        done = write_alteration(m_alterations.back().undo);
        if (done)
            m_alterations.pop_back();
        if (done)
            done = read_head(m_head);
    }
    if (m_listener != nullptr)
        m_listener->on_wound_back(m_head->number());
    tell_head({});
    return done;
}

ChainResult<bool> DevChain::revert(std::uint64_t snapshot_id) {
    const auto found = std::ranges::find(m_snapshots, snapshot_id, &Snapshot::id);
    if (found == m_snapshots.end())
        return false;
    if (auto done = wind_back(found->head, found->alterations); !done)
        return fail(ChainFailure{std::move(done.error().message)});
    ChainSettings settings = found->settings;
    settings.timestamp_interval = m_settings.timestamp_interval;
    settings.next_base_fee = m_settings.next_base_fee;
    settings.coinbase = m_settings.coinbase;
    settings.min_gas_price = m_settings.min_gas_price;
    settings.impersonated = std::move(m_settings.impersonated);
    settings.impersonate_all = m_settings.impersonate_all;
    m_settings = std::move(settings);
    // The chain's time goes on from the moment of the snapshot.
    const auto passed = static_cast<std::int64_t>(clock() - found->clock);
    m_settings.time_offset -= passed;
    m_pool = found->pool;
    m_snapshots.erase(found, m_snapshots.end());
    if (m_snapshots.empty())
        m_alterations.clear();
    return true;
}

ChainResult<void> DevChain::rollback(std::uint64_t depth) {
    const std::uint64_t block = m_head->number() - depth;
    std::erase_if(m_snapshots, [block](const Snapshot& s) { return s.head > block; });
    std::vector<BlockPtr> removed;
    for (std::uint64_t number = m_head->number(); number > block; --number) {
        const auto gone = this->block(number);
        if (!gone)
            return fail(gone.error());
        removed.push_back(*gone);
    }
    if (auto done = wind_back(block, m_alteration_count); !done)
        return fail(ChainFailure{std::move(done.error().message)});
    if (m_listener != nullptr)
        m_listener->on_removed(removed);
    return {};
}

ChainResult<void> DevChain::reorganise(const std::vector<std::vector<PooledTxnPtr>>& txns) {
    std::vector<BlockPtr> old;
    for (std::size_t i = txns.size(); i-- > 0;) {
        const auto replaced = block(m_head->number() - i);
        if (!replaced)
            return fail(replaced.error());
        old.push_back(*replaced);
    }
    if (auto done = rollback(txns.size()); !done)
        return done;
    for (std::size_t i = 0; i < txns.size(); ++i) {
        BlockAttributes attributes = next_attributes();
        attributes.timestamp = old[i]->header().timestamp;
        // Other than in the block that was there, so that this is another one even without transactions.
        attributes.prev_randao = crypto::keccak256(old[i]->hash);
        if (const auto sealed = seal_next(attributes, txns[i]); !sealed)
            return fail(ChainFailure{sealed.error().message});
    }
    return {};
}

// What was altered by hand after the genesis is not in its history, so it is looked for.
store::StoreResult<void> DevChain::restore_genesis_state() {
    if (m_view->head()->state_root == m_head->header().state_root)
        return {};
    state::StateChanges changes = genesis_changes(m_genesis);
    for (auto& [address, change] : changes.accounts)
        change.storage_cleared = true;
    auto listed = m_view->for_each_account([&changes](const Address& address, const state::Account&) {
        changes.accounts.try_emplace(address);
        return true;
    });
    if (!listed)
        return listed;
    if (auto done = write_alteration(changes); !done)
        return done;
    return read_head(m_head);
}

ChainResult<void> DevChain::reset() {
    auto done = wind_back(0, m_alteration_count);
    if (done)
        done = restore_genesis_state();
    if (!done)
        return fail(ChainFailure{std::move(done.error().message)});
    m_snapshots.clear();
    m_alterations.clear();
    m_pool.clear();
    m_settings = ChainSettings{};
    m_settings.gas_limit = m_genesis.header.gas_limit;
    m_settings.coinbase = m_genesis.header.coinbase;
    tell_head({});
    return {};
}

}  // namespace meridian::node
