#include <meridian/node/dev_chain.hpp>
#include <meridian/node/genesis_store.hpp>
#include <meridian/store/log_index.hpp>

#include <algorithm>

namespace meridian::node {
namespace {

using chain::BlockFailure;
using evm::Revision;

constexpr std::uint64_t kDevDifficulty = 0x20000;  // before Paris

chain::BlockFailure missing_state() {
    return {chain::BlockError::MissingState, {}, {}, "the parent's state cannot be read"};
}

// For receipts before Byzantium: roots amid a block on top of the state with root `parent`.
class PreviewRoot final : public chain::IntermediateRoot {
public:
    PreviewRoot(StateStore& store, const Hash& parent) : m_store(store), m_parent(parent) {}
    Hash root_after(const state::StateChanges& changes) override {
        ScratchNodes scratch(m_store.nodes());
        return m_store.preview(m_parent, changes, scratch).value_or(Hash{});
    }

private:
    StateStore& m_store;
    Hash m_parent;
};

ChainFailure unreadable() {
    return {"the state cannot be read"};
}

// One that the store has committed.
class DevState final : public ChainState {
public:
    DevState(StateStore& store, const Hash& root) : m_store(store), m_root(root), m_state(store.open(root)) {}

    std::optional<state::Account> account(const Address& address) override {
        return m_state->account(address);
    }
    u256 storage(const Address& address, const u256& key) override { return m_state->storage(address, key); }
    bool has_storage(const Address& address) override { return m_state->has_storage(address); }
    BytesView code(const Hash& code_hash) override { return m_state->code(code_hash); }
    state::StateError error() const noexcept override { return m_state->error(); }

    ChainResult<store::AccountProof> prove(const Address& address, std::span<const u256> slots) override {
        store::AccountProof out;
        out.account = m_state->account(address);
        auto nodes = m_state->account_proof(address);
        const auto storage_root = m_state->storage_root(address);
        if (!nodes || !storage_root)
            return fail(unreadable());
        out.nodes = *std::move(nodes);
        out.storage_root = *storage_root;
        for (const u256& slot : slots) {
            auto proof = m_state->storage_proof(address, slot);
            if (!proof)
                return fail(unreadable());
            out.slots.push_back({slot, m_state->storage(address, slot), *std::move(proof)});
        }
        return out;
    }

    ChainResult<Hash> root_after(const state::StateChanges& changes) override {
        ScratchNodes scratch(m_store.nodes());
        const auto root = m_store.preview(m_root, changes, scratch);
        if (!root)
            return fail(unreadable());
        return *root;
    }

private:
    StateStore& m_store;
    Hash m_root;
    std::unique_ptr<state::TrieState> m_state;
};

}  // namespace

DevChain::DevChain(const Genesis& genesis, ChainOptions options)
    : m_genesis(genesis), m_config(genesis.config), m_options(std::move(options)), m_pool(m_options.pool) {
    m_mining = m_options.mining;
    m_settings.gas_limit = genesis.header.gas_limit;
    m_settings.coinbase = genesis.header.coinbase;
    const Hash root = write_genesis_state();
    auto block = std::make_shared<ExecutedBlock>();
    block->block.header = genesis.header;
    if (genesis.header.withdrawals_root)
        block->block.withdrawals.emplace();
    block->total_difficulty = genesis.header.difficulty;
    seal(*block, root);
    append(std::move(block), root);
}

Hash DevChain::write_genesis_state() {
    const state::StateChanges changes = genesis_changes(m_genesis);
    m_state = m_store.open(trie::kEmptyRoot);
    return m_store.commit(*m_state, changes).value_or(trie::kEmptyRoot);
}

// --- the chain ------------------------------------------------------------------------------------------

ChainResult<BlockPtr> DevChain::block(std::uint64_t number) {
    return number < m_blocks.size() ? m_blocks[number] : nullptr;
}

ChainResult<BlockPtr> DevChain::block(const Hash& hash) {
    const auto found = m_number_of.find(hash);
    return found != m_number_of.end() ? m_blocks[found->second] : nullptr;
}

ChainResult<std::optional<TxnLocation>> DevChain::find_transaction(const Hash& hash) {
    const auto found = m_txn_places.find(hash);
    if (found == m_txn_places.end())
        return std::nullopt;
    return TxnLocation{m_blocks[found->second.first], found->second.second};
}

ChainResult<void> DevChain::for_each_log(const store::LogQuery& query, const store::LogVisitor& visit) {
    for (std::uint64_t number = query.from_block; number < m_blocks.size() && number <= query.to_block;
         ++number) {
        const ExecutedBlock& block = *m_blocks[number];
        if (!store::may_match(query, block.header().bloom))
            continue;
        std::uint64_t log_index = 0;
        for (std::size_t i = 0; i < block.receipts.size(); ++i)
            for (const state::Log& log : block.receipts[i].logs)
                if (const std::uint64_t at = log_index++;
                    store::matches(query, log) && !visit({number, i, at, log}))
                    return {};
    }
    return {};
}

Hash DevChain::block_hash(std::uint64_t number) {
    return number < m_blocks.size() ? m_blocks[number]->hash : Hash{};
}

ChainResult<std::unique_ptr<ChainState>> DevChain::state_after(std::uint64_t number) {
    if (number >= m_roots.size())
        return fail(ChainFailure{"there is no block " + std::to_string(number)});
    return std::make_unique<DevState>(m_store, m_roots[number]);
}

std::uint64_t DevChain::account_nonce(const Address& address) {
    return m_state->account(address).value_or(state::Account{}).nonce;
}

void DevChain::append(BlockPtr block, const Hash& root) {
    const std::uint64_t number = m_blocks.size();
    m_number_of[block->hash] = number;
    for (std::size_t i = 0; i < block->txn_hashes.size(); ++i)
        m_txn_places[block->txn_hashes[i]] = {number, i};
    m_blocks.push_back(std::move(block));
    m_roots.push_back(root);
}

void DevChain::tell_sealed() {
    if (m_listener == nullptr)
        return;
    const BlockPtr sealed = head();
    m_listener->on_block(sealed);
    m_listener->on_head(sealed->txn_hashes);
}

void DevChain::tell_head(std::span<const Hash> txns) {
    if (m_listener != nullptr)
        m_listener->on_head(txns);
}

void DevChain::truncate(std::size_t block_count, const Hash& root) {
    while (m_blocks.size() > block_count) {
        m_number_of.erase(m_blocks.back()->hash);
        for (const Hash& hash : m_blocks.back()->txn_hashes)
            m_txn_places.erase(hash);
        m_blocks.pop_back();
        m_roots.pop_back();
    }
    m_roots.back() = root;
    m_state = m_store.open(root);
    if (m_listener != nullptr)
        m_listener->on_wound_back(head()->number());
    tell_head({});
}

// --- blocks ---------------------------------------------------------------------------------------------

std::uint64_t DevChain::now() const {
    const auto seconds = static_cast<std::int64_t>(clock());
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, seconds + m_settings.time_offset));
}

BlockAttributes DevChain::next_attributes() {
    const chain::Header& parent = m_blocks.back()->header();
    BlockAttributes out;
    if (m_settings.next_timestamp)
        out.timestamp = *m_settings.next_timestamp;
    else if (m_settings.timestamp_interval)
        out.timestamp = parent.timestamp + *m_settings.timestamp_interval;
    else
        out.timestamp = std::max(now(), parent.timestamp + 1);
    out.coinbase = m_settings.coinbase;
    out.gas_limit = m_settings.gas_limit;
    out.base_fee = m_settings.next_base_fee;
    // Deterministic, so that a test that depends on it behaves the same each time.
    out.prev_randao = m_settings.next_prev_randao.value_or(crypto::keccak256(head()->hash));
    return out;
}

chain::Header DevChain::make_header(const chain::Header& parent, const BlockAttributes& attributes) const {
    return chain::next_header(m_config, parent, chain::header_hash(parent), attributes, kDevDifficulty);
}

Result<AssembledBlock, BlockFailure> DevChain::assemble(const BlockAttributes& attributes,
                                                        std::span<const PooledTxnPtr> txns) {
    AssembledBlock out;
    out.block = std::make_shared<ExecutedBlock>();
    chain::Block& block = out.block->block;
    block.header = make_header(head()->header(), attributes);
    if (block.header.withdrawals_root)
        block.withdrawals = attributes.withdrawals;
    state::State state(*m_state);
    PreviewRoot intermediate(m_store, m_roots.back());
    chain::ExecutionEnvironment environment{m_code_cache, *this, nullptr, &intermediate};
    // An impersonated sender may be a contract.
    environment.skipped_checks.sender_code = true;
    chain::BlockExecutor executor(m_config, block.header, state, environment);
    if (auto started = executor.start(); !started)
        return fail(started.error());
    for (const PooledTxnPtr& entry : txns) {
        const auto outcome = executor.execute(entry->txn, entry->sender);
        if (!outcome) {
            out.rejected.push_back({entry->hash, outcome.error()});
            continue;
        }
        block.transactions.push_back(entry->txn);
        out.block->txn_hashes.push_back(entry->hash);
        out.block->senders.push_back(entry->sender);
    }
    auto finished = executor.finish({}, block.withdrawals);
    if (!finished)
        return fail(finished.error());
    if (m_state->error() != state::StateError::None)
        return fail(missing_state());
    chain::Header& header = block.header;
    header.gas_used = finished->gas_used;
    header.bloom = finished->bloom;
    header.transactions_root = chain::transactions_root(block.transactions);
    header.receipts_root = chain::receipts_root(finished->receipts);
    header.requests_hash = finished->requests_hash;
    if (header.blob_gas_used)
        header.blob_gas_used = finished->blob_gas_used;
    out.block->receipts = std::move(finished->receipts);
    out.block->total_difficulty = head()->total_difficulty + header.difficulty;
    out.changes = std::move(finished->changes);
    out.requests = std::move(finished->requests);
    return out;
}

std::vector<PooledTxnPtr> DevChain::ready_transactions(const BlockAttributes& attributes) {
    if (m_pool.size() == 0)
        return {};
    const chain::Header header = make_header(head()->header(), attributes);
    return m_pool.ready([this](const Address& a) { return account_nonce(a); },
                        header.base_fee.value_or(u256{}));
}

void DevChain::seal(ExecutedBlock& block, const Hash& state_root) {
    block.block.header.state_root = state_root;
    block.hash = chain::header_hash(block.block.header);
    block.size_bytes = chain::encode(block.block).size();
}

Result<Hash, state::StateError> DevChain::preview_root(const state::StateChanges& changes) {
    ScratchNodes scratch(m_store.nodes());
    return m_store.preview(m_roots.back(), changes, scratch);
}

ChainResult<PendingBlock> DevChain::pending() {
    const BlockAttributes attributes = next_attributes();
    auto built = assemble(attributes, ready_transactions(attributes));
    if (!built)
        return fail(ChainFailure{built.error().message});
    const auto root = preview_root(built->changes);
    if (!root)
        return fail(unreadable());
    seal(*built->block, *root);
    return PendingBlock{built->block, std::move(built->changes)};
}

// Time goes on from where it was set to, and never behind the head: blocks made within one second are a
// second apart, and what a client adds to the time counts from the last of them.
void DevChain::follow_time(std::uint64_t timestamp) {
    if (m_settings.timestamp_interval || (!m_settings.next_timestamp && timestamp <= now()))
        return;
    m_settings.time_offset = static_cast<std::int64_t>(timestamp) - static_cast<std::int64_t>(clock());
}

Result<BlockPtr, BlockFailure> DevChain::mine() {
    const BlockAttributes attributes = next_attributes();
    return seal_next(attributes, ready_transactions(attributes));
}

Result<BlockPtr, BlockFailure> DevChain::seal_next(const BlockAttributes& attributes,
                                                   std::span<const PooledTxnPtr> txns) {
    auto built = assemble(attributes, txns);
    if (!built)
        return fail(built.error());
    const auto root = m_store.commit(*m_state, built->changes);
    if (!root) {
        m_state = m_store.open(m_roots.back());
        return fail(missing_state());
    }
    seal(*built->block, *root);
    follow_time(attributes.timestamp);
    m_settings.next_timestamp.reset();
    m_settings.next_base_fee.reset();
    m_settings.next_prev_randao.reset();
    append(built->block, *root);
    clean_pool(*built->block, built->rejected);
    tell_sealed();
    return head();
}

// Drops what the block took or made obsolete, and what can never be executed.
void DevChain::clean_pool(const ExecutedBlock& block, const std::vector<RejectedTxn>& rejected) {
    for (const Address& sender : block.senders)
        m_pool.remove_below(sender, account_nonce(sender));
    for (const RejectedTxn& txn : rejected) {
        const bool may_fit_later = txn.error == chain::TxnError::GasAllowanceExceeded ||
                                   txn.error == chain::TxnError::InsufficientMaxFeePerGas ||
                                   txn.error == chain::TxnError::InsufficientMaxFeePerBlobGas ||
                                   txn.error == chain::TxnError::Type3TxBlobCountExceeded ||
                                   txn.error == chain::TxnError::Type3TxMaxBlobGasAllowanceExceeded ||
                                   txn.error == chain::TxnError::NonceMismatchTooHigh;
        if (!may_fit_later)
            m_pool.remove(txn.hash);
    }
}

// Proof of work ends with the block that reaches the terminal total difficulty.
void DevChain::activate_merge(const chain::Header& header) {
    auto& paris = m_config.activation[static_cast<std::size_t>(Revision::Paris)];
    if (!paris && m_genesis.terminal_total_difficulty &&
        head()->total_difficulty >= *m_genesis.terminal_total_difficulty)
        paris = header.number;
}

Result<BlockPtr, BlockFailure> DevChain::import(chain::Block block) {
    activate_merge(block.header);
    const chain::Header& parent = m_blocks.back()->header();
    if (block.header.parent_hash != head()->hash)
        return fail(
            BlockFailure{chain::BlockError::UnknownParent,
                         {},
                         {},
                         "its parent is not the chain's head, block " + std::to_string(parent.number)});
    std::vector<chain::Block> ancestors;
    if (!block.ommers.empty())
        for (std::size_t i = m_blocks.size(); i-- > 0 && ancestors.size() < 8;)
            ancestors.push_back(m_blocks[i]->block);
    PreviewRoot intermediate(m_store, m_roots.back());
    auto outcome = chain::execute_block(m_config, parent, block, *m_state,
                                        {m_code_cache, *this, nullptr, &intermediate}, ancestors);
    if (!outcome)
        return fail(outcome.error());
    auto stored = std::make_shared<ExecutedBlock>();
    const auto root = m_store.commit(*m_state, outcome->changes);
    if (!root || *root != block.header.state_root) {
        m_state = m_store.open(m_roots.back());
        if (!root)
            return fail(missing_state());
        return fail(BlockFailure{
            chain::BlockError::InvalidStateRoot,
            {},
            {},
            "state root is " + to_hex0x(*root) + ", the header says " + to_hex0x(block.header.state_root)});
    }
    for (const chain::Transaction& txn : block.transactions) {
        stored->txn_hashes.push_back(chain::transaction_hash(txn));
        stored->senders.push_back(chain::recover_sender(txn, false).value_or(Address{}));
    }
    stored->receipts = std::move(outcome->receipts);
    stored->total_difficulty = head()->total_difficulty + block.header.difficulty;
    stored->block = std::move(block);
    seal(*stored, *root);
    m_settings.gas_limit = stored->header().gas_limit;
    append(stored, *root);
    clean_pool(*stored, {});
    tell_sealed();
    return head();
}

// --- development ----------------------------------------------------------------------------------------

void DevChain::set_mining(const MiningMode& mode) {
    m_mining = mode;
    if (m_listener != nullptr)
        m_listener->on_mining_mode();
}

Result<void, state::StateError> DevChain::alter(const state::StateChanges& changes) {
    const auto root = m_store.commit(*m_state, changes);
    if (!root) {
        m_state = m_store.open(m_roots.back());
        return fail(root.error());
    }
    m_roots.back() = *root;
    tell_head({});
    return {};
}

std::uint64_t DevChain::snapshot() {
    m_snapshots.push_back({++m_last_snapshot, m_blocks.size(), m_roots.back(), m_settings, m_pool, clock()});
    return m_last_snapshot;
}

bool DevChain::revert(std::uint64_t snapshot_id) {
    const auto found = std::find_if(m_snapshots.begin(), m_snapshots.end(),
                                    [&](const Snapshot& s) { return s.id == snapshot_id; });
    if (found == m_snapshots.end())
        return false;
    truncate(found->block_count, found->root);
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
    return true;
}

void DevChain::rollback(std::uint64_t depth) {
    const std::size_t count = m_blocks.size() - static_cast<std::size_t>(depth);
    std::erase_if(m_snapshots, [&](const Snapshot& s) { return s.block_count > count; });
    const std::vector<BlockPtr> removed(m_blocks.rbegin(),
                                        m_blocks.rbegin() + static_cast<std::ptrdiff_t>(depth));
    truncate(count, m_roots[count - 1]);
    if (m_listener != nullptr)
        m_listener->on_removed(removed);
}

Result<void, BlockFailure> DevChain::reorganise(const std::vector<std::vector<PooledTxnPtr>>& txns) {
    const std::vector<BlockPtr> old(m_blocks.end() - static_cast<std::ptrdiff_t>(txns.size()),
                                    m_blocks.end());
    rollback(txns.size());
    for (std::size_t i = 0; i < txns.size(); ++i) {
        BlockAttributes attributes = next_attributes();
        attributes.timestamp = old[i]->header().timestamp;
        // Other than in the block that was there, so that this is another one even without transactions.
        attributes.prev_randao = crypto::keccak256(old[i]->hash);
        if (const auto sealed = seal_next(attributes, txns[i]); !sealed)
            return fail(sealed.error());
    }
    return {};
}

void DevChain::reset() {
    truncate(1, m_blocks.front()->header().state_root);
    m_snapshots.clear();
    m_pool.clear();
    m_settings = ChainSettings{};
    m_settings.gas_limit = m_genesis.header.gas_limit;
    m_settings.coinbase = m_genesis.header.coinbase;
}

}  // namespace meridian::node
