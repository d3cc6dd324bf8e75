// The store under our own access pattern: random reads, blocks with roots, history and indexes, a query over
// a million logs, pruning, proofs, a snapshot and the way back from it.
//
// store_bench [ACCOUNTS [CHANGES_PER_BLOCK [BLOCKS]]]: 200,000, 5,000 and 20 unless told; a block has as many
// logs as changes.
#include <meridian/store/chain_store.hpp>
#include <meridian/store/rocks_database.hpp>
#include <meridian/store/snapshot.hpp>

#include <meridian/base/assert.hpp>

#include "interleaved.hpp"

#include <charconv>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <unistd.h>

using namespace meridian;
using namespace meridian::store;

namespace {

struct Size {
    std::uint64_t accounts = 200'000;
    std::uint64_t changes = 5'000;
    std::uint64_t blocks = 20;
};

double seconds() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double>(now).count();
}

// Of this process, all threads.
double cpu_seconds() {
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <class T>
T take(StoreResult<T> result) {
    if (!result) {
        std::fprintf(stderr, "store_bench: %s\n", result.error().message.c_str());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>)
        return *std::move(result);
}

std::uint64_t mixed(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

Address address_of(std::uint64_t i) {
    return to_address(u256{mixed(i + 1), mixed(i + 2), mixed(i + 3), 0});
}

// A chain whose blocks transfer: each change is an account, each second one a transaction with two logs.
class Chain {
public:
    Chain(const std::filesystem::path& folder, const Size& size) : m_size(size) {
        chain::Block genesis;
        state::StateChanges changes;
        for (std::uint64_t i = 0; i < size.accounts; ++i)
            changes.accounts[address_of(i)].account = state::Account{.nonce = 0, .balance = u256{1} << 60};
        StateTrie empty(trie::kEmptyRoot, [](Table, BytesView, Bytes&) { return StoreResult<bool>(false); });
        const auto update = take(empty.apply(changes));
        genesis.header.state_root = update->root;
        m_head = genesis.header;
        identity = {chain::header_hash(m_head), 1};
        store = take(ChainStore::open(
            take(open_rocks({.path = folder})), identity,
            {.mode = HistoryMode::Pruned, .keep = {.state_blocks = 4, .body_blocks = 100'000}}));
        take(store->commit_block({.block = genesis,
                                  .hash = identity.genesis_hash,
                                  .total_difficulty = {},
                                  .receipts = {},
                                  .txn_hashes = {},
                                  .senders = {},
                                  .changes = changes,
                                  .trie = *update},
                                 Durability::Sync));
        trie = take(store->open_trie());
    }

    void mine() {
        chain::Block block;
        std::vector<chain::Receipt> receipts;
        std::vector<Hash> hashes;
        std::vector<Address> senders;
        const state::StateChanges changes = make(block, receipts, hashes, senders);
        const double start = cpu_seconds();
        const auto update = take(trie->apply(changes));
        root_s.push_back(cpu_seconds() - start);
        block.header.state_root = update->root;
        block.header.transactions_root = chain::transactions_root(block.transactions);
        block.header.receipts_root = chain::receipts_root(receipts);
        const Hash hash = chain::header_hash(block.header);
        const double rooted = cpu_seconds();
        take(store->commit_block({.block = block,
                                  .hash = hash,
                                  .total_difficulty = {},
                                  .receipts = receipts,
                                  .txn_hashes = hashes,
                                  .senders = senders,
                                  .changes = changes,
                                  .trie = *update},
                                 Durability::Sync));
        commit_s.push_back(cpu_seconds() - rooted);
        m_head = block.header;
    }

    ChainIdentity identity;
    std::unique_ptr<ChainStore> store;
    std::unique_ptr<StateTrie> trie;
    std::vector<double> root_s;
    std::vector<double> commit_s;

private:
    state::StateChanges make(chain::Block& block, std::vector<chain::Receipt>& receipts,
                             std::vector<Hash>& hashes, std::vector<Address>& senders) {
        block.header.number = m_head.number + 1;
        block.header.parent_hash = chain::header_hash(m_head);
        state::StateChanges changes;
        while (changes.accounts.size() < m_size.changes)
            changes.accounts[address_of(mixed(++m_drawn) % m_size.accounts)].account =
                state::Account{.nonce = block.header.number, .balance = m_drawn};
        for (std::uint64_t i = 0; i < m_size.changes / 2; ++i) {
            chain::Transaction txn;
            txn.v = 27;
            txn.r = txn.s = u256::max() - ++m_txns;
            txn.to = address_of(mixed(m_txns) % m_size.accounts);
            senders.push_back(*txn.to);
            hashes.push_back(chain::transaction_hash(txn));
            chain::Receipt& receipt = receipts.emplace_back();
            for (std::uint64_t log = 0; log < 2; ++log)
                receipt.logs.push_back(
                    {address_of(1), {to_hash(1), to_hash(mixed(m_txns) % 10'000)}, Bytes(32, 1)});
            receipt.bloom = chain::bloom_of(receipt.logs);
            block.transactions.push_back(std::move(txn));
        }
        return changes;
    }

    Size m_size;
    chain::Header m_head;
    std::uint64_t m_drawn = 0;
    std::uint64_t m_txns = 0;
};

double median_ms(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2] * 1e3;
}

template <class Function>
void timed(const char* what, Function&& function) {
    const double start = seconds();
    const double cpu_start = cpu_seconds();
    const std::string said = function();
    std::printf("%-28s CPU %9.1f ms, wall %9.1f ms: %s\n", what, (cpu_seconds() - cpu_start) * 1e3,
                (seconds() - start) * 1e3, said.c_str());
    std::fflush(stdout);
}

void read_accounts(const ChainStore& store, const Size& size) {
    const ChainView view = take(store.view());
    std::uint64_t i = 0;
    const double found = bench::time_ns(
        [&] { MERIDIAN_ASSERT(take(view.account(address_of(mixed(++i) % size.accounts))).has_value()); },
        100'000);
    const double absent = bench::time_ns(
        [&] { MERIDIAN_ASSERT(!take(view.account(address_of(size.accounts + ++i)))); }, 100'000);
    std::printf("read an account %.2f us, an absent one %.2f us (CPU)\n", found / 1e3, absent / 1e3);
}

// All blocks, all logs of the one contract: by a topic that one log in ten thousand has.
std::string find_rare_logs(const ChainStore& store) {
    const ChainView view = take(store.view());
    LogQuery query{
        .from_block = 0, .to_block = ~0ull, .addresses = {address_of(1)}, .topics = {{}, {to_hash(7)}}};
    std::uint64_t found = 0;
    take(view.for_each_log(query, [&](const LogMatch&) { return ++found > 0; }));
    return std::to_string(found) + " found";
}

std::string find_all_logs(const ChainStore& store) {
    const ChainView view = take(store.view());
    LogQuery query{.from_block = 0, .to_block = ~0ull, .addresses = {address_of(1)}, .topics = {}};
    std::uint64_t found = 0;
    take(view.for_each_log(query, [&](const LogMatch&) { return ++found > 0; }));
    return std::to_string(found) + " found";
}

std::string prune(ChainStore& store) {
    PruneProgress step;
    std::uint64_t states = 0;
    for (; !step.done; states += step.states_removed)
        step = take(store.prune_step(1));
    return std::to_string(states) + " blocks";
}

void measure(const std::filesystem::path& folder, const Size& size) {
    const double start = seconds();
    Chain chain(folder / "db", size);
    std::printf("%llu accounts written with their trie in %.1f s\n",
                static_cast<unsigned long long>(size.accounts), seconds() - start);
    for (std::uint64_t i = 0; i < size.blocks; ++i)
        chain.mine();
    std::printf(
        "a block of %llu changes and %llu logs: root %.1f ms, synced commit %.1f ms (CPU of all threads, "
        "medians)\n",
        static_cast<unsigned long long>(size.changes), static_cast<unsigned long long>(size.changes),
        median_ms(chain.root_s), median_ms(chain.commit_s));
    read_accounts(*chain.store, size);
    timed("find one log in 10,000", [&] { return find_rare_logs(*chain.store); });
    timed("find all logs of a contract", [&] { return find_all_logs(*chain.store); });
    timed("proof at the head", [&] {
        const ChainView view = take(chain.store->view());
        return std::to_string(take(view.prove(size.blocks, address_of(5), {})).nodes.size()) + " nodes";
    });
    timed("proof 3 blocks back", [&] {
        const ChainView view = take(chain.store->view());
        return std::to_string(take(view.prove(size.blocks - 3, address_of(5), {})).nodes.size()) + " nodes";
    });
    timed("prune the history", [&] { return prune(*chain.store); });
    timed("export a snapshot", [&] {
        const auto manifest =
            take(export_snapshot(take(chain.store->view()), chain.identity, folder / "s", {}));
        return std::to_string(manifest.chunks.size()) + " chunks";
    });
    timed("restore it", [&] {
        const auto database = take(open_rocks({.path = folder / "restored"}));
        take(restore_snapshot(folder / "s", *database, chain.identity, {}));
        return std::string("root agrees");
    });
    const DatabaseStats stats = chain.store->database().stats();
    std::printf("on disk %.1f MiB, caches and buffers %.1f MiB, trie in memory %.1f MiB\n",
                static_cast<double>(stats.disk_bytes) / 1048576,
                static_cast<double>(stats.memory_bytes) / 1048576,
                static_cast<double>(chain.trie->used_bytes()) / 1048576);
}

}  // namespace

int main(int count, char** arguments) {
    Size size;
    std::uint64_t* const fields[] = {&size.accounts, &size.changes, &size.blocks};
    for (int i = 1; i < count && i <= 3; ++i) {
        const std::string_view text = arguments[i];
        // tools/ci hands the options of Google Benchmark to every benchmark.
        if (!text.starts_with("--"))
            std::from_chars(text.data(), text.data() + text.size(), *fields[i - 1]);
    }
    const auto folder =
        std::filesystem::temp_directory_path() / ("meridian.bench." + std::to_string(getpid()));
    std::filesystem::create_directories(folder);
    measure(folder, size);
    std::filesystem::remove_all(folder);
}
