#include <meridian/node/genesis_store.hpp>

#include <meridian/module/module.hpp>

namespace meridian::node {

state::StateChanges genesis_changes(const Genesis& genesis) {
    state::StateChanges changes;
    for (const auto& [address, from] : genesis.alloc) {
        state::AccountChange& to = changes.accounts[address];
        to.account = state::Account{from.nonce, from.balance, crypto::keccak256(from.code)};
        to.storage = from.storage;
        if (!from.code.empty())
            changes.code[to.account->code_hash] = from.code;
    }
    if (genesis.config.modules)
        if (auto modules = module::genesis_of(*genesis.config.modules))
            state::append(changes, *modules);
    return changes;
}

store::StoreResult<std::unique_ptr<store::ChainStore>> open_store(std::unique_ptr<store::Database> database,
                                                                  const Genesis& genesis,
                                                                  const store::ChainStoreOptions& options) {
    const state::StateChanges changes = genesis_changes(genesis);
    // The root is computed beside the store, as what is in there may not be the genesis any more.
    store::StateTrie trie(trie::kEmptyRoot,
                          [](store::Table, BytesView, Bytes&) -> store::StoreResult<bool> { return false; });
    const auto update = trie.apply(changes);
    if (!update)
        return fail(update.error());
    chain::Block block;
    block.header = genesis.header;
    block.header.state_root = (*update)->root;
    if (block.header.withdrawals_root)
        block.withdrawals.emplace();
    const Hash hash = chain::header_hash(block.header);
    auto opened = store::ChainStore::open(std::move(database), {hash, genesis.config.chain_id}, options);
    if (!opened)
        return opened;
    const auto view = (*opened)->view();
    if (!view)
        return fail(view.error());
    if (view->head())
        return opened;
    const auto committed = (*opened)->commit_block({.block = block,
                                                    .hash = hash,
                                                    .total_difficulty = block.header.difficulty,
                                                    .size_bytes = chain::encode(block).size(),
                                                    .receipts = {},
                                                    .txn_hashes = {},
                                                    .senders = {},
                                                    .changes = changes,
                                                    .trie = **update},
                                                   store::Durability::Sync);
    if (!committed)
        return fail(committed.error());
    return opened;
}

}  // namespace meridian::node
