#include <meridian/base/assert.hpp>
#include <meridian/node/dev_chain.hpp>
#include <meridian/node/genesis_store.hpp>
#include <meridian/node/stored_block_state.hpp>
#include <meridian/sequencer/executed_block.hpp>
#include <meridian/store/memory_database.hpp>

#include <algorithm>

namespace meridian::node {
namespace {

using chain::BlockFailure;
using evm::Revision;

constexpr std::uint64_t kDevDifficulty = 0x20000;  // before Paris
// Transactions in the blocks that are kept for the next question, and what an empty block counts.
constexpr std::size_t kTxnsKept = 200'000;
constexpr std::size_t kEmptyWeight = 64;

BlockFailure missing_state(std::string why) {
    return {chain::BlockError::MissingState, {}, {}, std::move(why)};
}

// For receipts before Byzantium: roots amid a block on top of the head.
class PreviewRoot final : public chain::IntermediateRoot {
public:
    explicit PreviewRoot(const DevChain& chain) : m_chain(chain) {}
    Hash root_after(const state::StateChanges& changes) override {
        return m_chain.preview_root(changes).value_or(Hash{});
    }

private:
    const DevChain& m_chain;
};

// A developer may ask for any state that there was.
store::StoreResult<std::unique_ptr<store::ChainStore>> open_archive(std::unique_ptr<store::Database> database,
                                                                    const Genesis& genesis) {
    return open_store(std::move(database), genesis, {.mode = store::HistoryMode::Archive});
}

std::unique_ptr<store::ChainStore> open_in_memory(const Genesis& genesis) {
    auto opened = open_archive(std::make_unique<store::MemoryDatabase>(), genesis);
    MERIDIAN_ASSERT(opened.has_value());
    return *std::move(opened);
}

std::size_t weight(const ExecutedBlock& block) {
    return kEmptyWeight + block.txn_hashes.size();
}

}  // namespace

DevChain::DevChain(const Genesis& genesis, ChainOptions options, std::unique_ptr<store::ChainStore> store)
    : m_genesis(genesis),
      m_config(genesis.config),
      m_options(std::move(options)),
      m_store(std::move(store)),
      m_read(kTxnsKept),
      m_pool(m_options.pool) {
    m_mining = m_options.mining;
    m_settings.coinbase = genesis.header.coinbase;
}

DevChain::DevChain(const Genesis& genesis, ChainOptions options)
    : DevChain(genesis, std::move(options), open_in_memory(genesis)) {
    const auto begun = go_on();
    MERIDIAN_ASSERT(begun.has_value());
}

store::StoreResult<std::unique_ptr<DevChain>> DevChain::open(const Genesis& genesis, ChainOptions options,
                                                             std::unique_ptr<store::Database> database) {
    auto store = open_archive(std::move(database), genesis);
    if (!store)
        return fail(std::move(store.error()));
    std::unique_ptr<DevChain> out(new DevChain(genesis, std::move(options), *std::move(store)));
    if (auto begun = out->go_on(); !begun)
        return fail(std::move(begun.error()));
    return out;
}

// Where the store's chain ends, this one begins.
store::StoreResult<void> DevChain::go_on() {
    auto trie = m_store->open_trie();
    if (!trie)
        return fail(std::move(trie.error()));
    m_trie = *std::move(trie);
    if (auto read = read_head(); !read)
        return read;
    if (auto found = find_merge(); !found)
        return found;
    m_settings.gas_limit = m_head->header().gas_limit;
    if (m_head->number() > 0)
        follow_time(m_head->header().timestamp);
    return {};
}

store::StoreResult<void> DevChain::read_head(BlockPtr block) {
    auto view = m_store->view();
    if (!view)
        return fail(std::move(view.error()));
    if (!block) {
        auto read = sequencer::read_block(*view, view->head()->number);
        if (!read)
            return fail(std::move(read.error()));
        block = *std::move(read);
    }
    m_view = *std::move(view);
    m_state = m_view->latest_state();
    m_head = std::move(block);
    m_read.add(m_head->hash, m_head, weight(*m_head));
    return {};
}

// --- the chain ------------------------------------------------------------------------------------------

ChainResult<BlockPtr> DevChain::block(std::uint64_t number) {
    if (number == m_head->number())
        return m_head;
    if (number > m_head->number())
        return BlockPtr{};
    const auto hash = m_view->hash_of(number);
    if (!hash)
        return fail(ChainFailure{hash.error().message});
    if (BlockPtr known = m_read.find(*hash))
        return known;
    auto read = or_failure(sequencer::read_block(*m_view, number));
    if (read)
        m_read.add(*hash, *read, weight(**read));
    return read;
}

ChainResult<BlockPtr> DevChain::block(const Hash& hash) {
    const auto number = m_view->number_of(hash);
    if (!number)
        return fail(ChainFailure{number.error().message});
    return *number ? block(**number) : ChainResult<BlockPtr>(BlockPtr{});
}

ChainResult<std::optional<TxnLocation>> DevChain::find_transaction(const Hash& hash) {
    const auto place = m_view->find_transaction(hash);
    if (!place)
        return fail(ChainFailure{place.error().message});
    if (!*place)
        return std::optional<TxnLocation>{};
    auto holder = block((*place)->block);
    if (!holder)
        return fail(std::move(holder.error()));
    return std::optional(TxnLocation{*std::move(holder), (*place)->index});
}

ChainResult<void> DevChain::for_each_log(const store::LogQuery& query, const store::LogVisitor& visit) {
    return or_failure(m_view->for_each_log(query, visit));
}

Hash DevChain::block_hash(std::uint64_t number) {
    return number <= m_head->number() ? m_view->hash_of(number).value_or(Hash{}) : Hash{};
}

ChainResult<std::unique_ptr<ChainState>> DevChain::state_after(std::uint64_t number) {
    auto state = m_view->state_at(number);
    if (!state)
        return fail(ChainFailure{state.error().message});
    return std::make_unique<StoredBlockState>(*m_view, *std::move(state), number);
}

std::uint64_t DevChain::account_nonce(const Address& address) {
    return m_state->account(address).value_or(state::Account{}).nonce;
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

// --- blocks ---------------------------------------------------------------------------------------------

std::uint64_t DevChain::now() const {
    const auto seconds = static_cast<std::int64_t>(clock());
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, seconds + m_settings.time_offset));
}

BlockAttributes DevChain::next_attributes() {
    const chain::Header& parent = m_head->header();
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
    PreviewRoot intermediate(*this);
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
    if (m_state->failure())
        return fail(missing_state(m_state->failure()->message));
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

ChainResult<Hash> DevChain::preview_root(const state::StateChanges& changes) const {
    return or_failure(m_view->root_after(m_head->number(), changes));
}

ChainResult<PendingBlock> DevChain::pending() {
    const BlockAttributes attributes = next_attributes();
    auto built = assemble(attributes, ready_transactions(attributes));
    if (!built)
        return fail(ChainFailure{built.error().message});
    const auto root = preview_root(built->changes);
    if (!root)
        return fail(root.error());
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

Result<store::TrieUpdatePtr, BlockFailure> DevChain::advance(const state::StateChanges& changes) {
    auto update = m_trie->apply(changes);
    if (!update)
        return fail(missing_state(std::move(update.error().message)));
    return *std::move(update);
}

// If the store refuses, everything stays as it was.
Result<void, BlockFailure> DevChain::commit(const std::shared_ptr<ExecutedBlock>& block,
                                            const state::StateChanges& changes, store::TrieUpdate& update) {
    auto stored = m_store->commit_block({.block = block->block,
                                         .hash = block->hash,
                                         .total_difficulty = block->total_difficulty,
                                         .size_bytes = block->size_bytes,
                                         .receipts = block->receipts,
                                         .txn_hashes = block->txn_hashes,
                                         .senders = block->senders,
                                         .changes = changes,
                                         .trie = update},
                                        store::Durability::Buffered);
    if (stored)
        stored = read_head(block);
    if (stored)
        return {};
    m_trie->reset(m_view->head()->state_root);
    return fail(missing_state(std::move(stored.error().message)));
}

Result<BlockPtr, BlockFailure> DevChain::seal_next(const BlockAttributes& attributes,
                                                   std::span<const PooledTxnPtr> txns) {
    auto built = assemble(attributes, txns);
    if (!built)
        return fail(built.error());
    const auto update = advance(built->changes);
    if (!update)
        return fail(update.error());
    seal(*built->block, (*update)->root);
    if (auto stored = commit(built->block, built->changes, **update); !stored)
        return fail(std::move(stored.error()));
    follow_time(attributes.timestamp);
    m_settings.next_timestamp.reset();
    m_settings.next_base_fee.reset();
    m_settings.next_prev_randao.reset();
    clean_pool(*built->block, built->rejected);
    tell_sealed();
    return head();
}

// Drops what the block took or made obsolete, and what can never be executed.
void DevChain::clean_pool(const ExecutedBlock& block, const std::vector<RejectedTxn>& rejected) {
    for (const Address& sender : block.senders)
        m_pool.remove_below(sender, account_nonce(sender));
    for (std::size_t i = 0; i < block.txn_hashes.size(); ++i)
        if (block.block.transactions[i].type == chain::TxnType::Module)
            m_pool.remove(block.txn_hashes[i]);
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

// After a restart: the block whose parent reached the terminal total difficulty is found again.
store::StoreResult<void> DevChain::find_merge() {
    auto& paris = m_config.activation[static_cast<std::size_t>(Revision::Paris)];
    if (paris || !m_genesis.terminal_total_difficulty)
        return {};
    std::uint64_t first = 0;
    std::uint64_t end = m_head->number() + 1;
    while (first < end) {
        const std::uint64_t middle = first + (end - first) / 2;
        auto record = m_view->header(middle);
        if (!record)
            return fail(std::move(record.error()));
        if (record->total_difficulty >= *m_genesis.terminal_total_difficulty)
            end = middle;
        else
            first = middle + 1;
    }
    if (first < m_head->number())
        paris = first + 1;
    return {};
}

// A block's uncles may have parents up to seven blocks before it.
std::vector<chain::Block> DevChain::ancestors() {
    std::vector<chain::Block> out;
    for (std::uint64_t number = m_head->number() + 1; number-- > 0 && out.size() < 8;)
        if (const auto ancestor = block(number); ancestor && *ancestor)
            out.push_back((*ancestor)->block);
    return out;
}

Result<BlockPtr, BlockFailure> DevChain::import(chain::Block block) {
    activate_merge(block.header);
    const chain::Header& parent = m_head->header();
    if (block.header.parent_hash != m_head->hash)
        return fail(
            BlockFailure{chain::BlockError::UnknownParent,
                         {},
                         {},
                         "its parent is not the chain's head, block " + std::to_string(parent.number)});
    PreviewRoot intermediate(*this);
    auto outcome =
        chain::execute_block(m_config, parent, block, *m_state, {m_code_cache, *this, nullptr, &intermediate},
                             block.ommers.empty() ? std::vector<chain::Block>{} : ancestors());
    if (!outcome)
        return fail(outcome.error());
    const auto update = advance(outcome->changes);
    if (!update)
        return fail(update.error());
    if (const Hash& root = (*update)->root; root != block.header.state_root) {
        m_trie->reset(m_view->head()->state_root);
        return fail(BlockFailure{
            chain::BlockError::InvalidStateRoot,
            {},
            {},
            "state root is " + to_hex0x(root) + ", the header says " + to_hex0x(block.header.state_root)});
    }
    auto stored = std::make_shared<ExecutedBlock>();
    for (const chain::Transaction& txn : block.transactions) {
        stored->txn_hashes.push_back(chain::transaction_hash(txn));
        stored->senders.push_back(chain::recover_sender(txn, false).value_or(Address{}));
    }
    stored->receipts = std::move(outcome->receipts);
    stored->total_difficulty = m_head->total_difficulty + block.header.difficulty;
    stored->block = std::move(block);
    seal(*stored, (*update)->root);
    if (auto done = commit(stored, outcome->changes, **update); !done)
        return fail(std::move(done.error()));
    m_settings.gas_limit = stored->header().gas_limit;
    clean_pool(*stored, {});
    tell_sealed();
    return head();
}

}  // namespace meridian::node
