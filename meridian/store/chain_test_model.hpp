// Test support: random blocks, and the chain as naive maps hold it.
#pragma once

#include <meridian/state/memory_state.hpp>
#include <meridian/store/chain_store.hpp>

#include <gtest/gtest.h>

#include <bit>
#include <random>

namespace meridian::store {

inline Address test_address(std::uint64_t i) {
    return to_address(u256{i} * 0x9e3779b97f4a7c15u + 1);
}

// What a block brings, kept by value.
struct TestBlock {
    chain::Block block;
    Hash hash;
    std::vector<chain::Receipt> receipts;
    std::vector<Hash> txn_hashes;
    std::vector<Address> senders;
    state::StateChanges changes;
    Bytes note;

    BlockCommit commit(TrieUpdate& trie) const {
        return {.block = block,
                .hash = hash,
                .total_difficulty = u256{block.header.number} + 1,
                .size_bytes = 100 + block.header.number,
                .receipts = receipts,
                .txn_hashes = txn_hashes,
                .senders = senders,
                .changes = changes,
                .trie = trie,
                .note = note};
    }
};

class ChainModel {
public:
    explicit ChainModel(std::uint64_t seed) : m_random(seed) { append(make_genesis()); }

    const std::vector<TestBlock>& blocks() const { return m_blocks; }
    const TestBlock& head() const { return m_blocks.back(); }
    // After block i, with alterations by hand.
    state::MemoryState& state(std::size_t i) { return m_states.at(i); }
    ChainIdentity identity() const { return {m_blocks[0].hash, 1234321}; }
    std::uint64_t below(std::uint64_t limit) { return m_random() % limit; }

    // Makes the next block and appends it.
    const TestBlock& mine() {
        append(make_block());
        return head();
    }
    // Changes the state after the head by hand.
    state::StateChanges alter() {
        state::StateChanges changes = random_changes(2);
        m_states.back().apply(changes);
        return changes;
    }
    void truncate(std::size_t count) {
        m_blocks.resize(count);
        m_states.resize(count);
    }

    std::vector<LogMatch> find_logs(const LogQuery& query) const {
        std::vector<LogMatch> out;
        for (std::uint64_t b = query.from_block; b <= query.to_block && b < m_blocks.size(); ++b) {
            std::uint64_t index = 0;
            for (std::size_t t = 0; t < m_blocks[b].receipts.size(); ++t)
                for (const state::Log& log : m_blocks[b].receipts[t].logs) {
                    if (is_match(query, log))
                        out.push_back({b, t, index, log});
                    ++index;
                }
        }
        return out;
    }
    LogQuery random_query() {
        LogQuery out;
        out.from_block = below(m_blocks.size());
        out.to_block = out.from_block + below(m_blocks.size());
        for (std::uint64_t i = below(3); i > 0; --i)
            out.addresses.push_back(test_address(below(kAddresses)));
        for (std::uint64_t i = below(4); i > 0; --i) {
            auto& topics = out.topics.emplace_back();
            for (std::uint64_t j = below(3); j > 0; --j)
                topics.push_back(to_hash(u256{below(kTopics)}));
        }
        return out;
    }

    static constexpr std::uint64_t kAddresses = 14;
    static constexpr std::uint64_t kSlots = 24;
    static constexpr std::uint64_t kTopics = 5;

private:
    static bool is_match(const LogQuery& query, const state::Log& log) {
        bool out = query.addresses.empty();
        for (const Address& address : query.addresses)
            out = out || address == log.address;
        if (query.topics.size() > log.topics.size())
            return false;
        for (std::size_t i = 0; i < query.topics.size(); ++i) {
            bool any = query.topics[i].empty();
            for (const Hash& topic : query.topics[i])
                any = any || topic == log.topics[i];
            out = out && any;
        }
        return out;
    }

    void append(TestBlock block) {
        state::MemoryState state = m_states.empty() ? state::MemoryState{} : m_states.back();
        state.apply(block.changes);
        chain::Header& header = block.block.header;
        header.state_root = state.root();
        header.transactions_root = chain::transactions_root(block.block.transactions);
        header.receipts_root = chain::receipts_root(block.receipts);
        header.ommers_hash = chain::ommers_hash(block.block.ommers);
        if (block.block.withdrawals) {
            header.base_fee = 7;
            header.withdrawals_root = chain::withdrawals_root(*block.block.withdrawals);
        }
        block.hash = chain::header_hash(block.block.header);
        m_states.push_back(std::move(state));
        m_blocks.push_back(std::move(block));
    }

    TestBlock make_genesis() {
        TestBlock out;
        for (std::uint64_t i = 0; i < 6; ++i) {
            auto& change = out.changes.accounts[test_address(i)];
            change.account =
                state::Account{.nonce = i, .balance = u256{1} << (i * 40), .code_hash = crypto::kEmptyKeccak};
            change.storage[i] = i + 1;
        }
        return out;
    }

    TestBlock make_block() {
        TestBlock out;
        chain::Header& header = out.block.header;
        header.number = m_blocks.size();
        header.parent_hash = head().hash;
        header.timestamp = 1000 + header.number;
        header.extra_data = Bytes(8, static_cast<std::uint8_t>(below(256)));
        if (below(3) == 0)
            out.block.withdrawals = std::vector<chain::Withdrawal>(below(3), {1, 2, test_address(1), 3});
        if (below(6) == 0)
            out.block.ommers.push_back(m_blocks[0].block.header);
        const std::uint64_t txns = below(10) == 0 ? 40 + below(40) : below(5);
        for (std::uint64_t i = 0; i < txns; ++i)
            add_txn(out);
        out.note = Bytes(below(20), static_cast<std::uint8_t>(header.number));
        out.changes = random_changes(8);
        if (arenas)
            add_pages(out.changes);
        return out;
    }

    // Of arenas that are nothing but bytes.
    void add_pages(state::StateChanges& out) {
        for (std::uint64_t i = below(6); i > 0; --i) {
            const std::uint64_t lines = m_random() & m_random() & m_random();
            state::PagePatch patch{.lines = lines | 1, .contents = {}};
            for (int line = std::popcount(patch.lines); line > 0; --line)
                patch.contents.emplace_back().bytes.fill(static_cast<std::uint8_t>(below(3)));
            out.arenas[test_address(below(kModules))][test_page(below(kPages))] = std::move(patch);
        }
    }

    void add_txn(TestBlock& out) {
        chain::Transaction txn;
        txn.type = below(2) == 0 ? chain::TxnType::Legacy : chain::TxnType::DynamicFee;
        if (txn.type == chain::TxnType::DynamicFee)
            txn.chain_id = 1;
        txn.nonce = ++m_nonce;
        txn.to = test_address(below(kAddresses));
        txn.data = Bytes(below(50), 7);
        // Development chains take transactions without a signature.
        if (txn.type == chain::TxnType::Legacy && below(4) != 0)
            txn.v = 27 + below(2);
        txn.r = txn.v;
        txn.s = txn.v;
        out.txn_hashes.push_back(chain::transaction_hash(txn));
        out.senders.push_back(test_address(below(kAddresses)));
        out.block.transactions.push_back(txn);
        chain::Receipt receipt;
        receipt.type = txn.type;
        receipt.success = below(2) == 0;
        receipt.cumulative_gas_used = 21000 * out.senders.size();
        receipt.gas_used = below(100000);
        receipt.effective_gas_price = u256{below(1000)} << 100;
        if (below(4) == 0)
            receipt.contract_address = test_address(below(kAddresses));
        if (below(4) == 0)
            receipt.deposit_nonce = below(2);
        for (std::uint64_t i = below(4); i > 0; --i) {
            state::Log& log = receipt.logs.emplace_back();
            log.address = test_address(below(kAddresses));
            for (std::uint64_t t = below(5); t > 0; --t)
                log.topics.push_back(to_hash(u256{below(kTopics)}));
            log.data = Bytes(below(80), 9);
        }
        receipt.bloom = chain::bloom_of(receipt.logs);
        out.receipts.push_back(std::move(receipt));
    }

    state::StateChanges random_changes(std::uint64_t accounts_max) {
        state::StateChanges out;
        const state::MemoryState& now = m_states.back();
        for (std::uint64_t i = below(accounts_max + 1); i > 0; --i) {
            const Address address = test_address(below(kAddresses));
            const auto old = now.accounts().find(address);
            state::AccountChange change;
            if (old != now.accounts().end() && below(6) == 0) {
                out.accounts[address] = change;
                continue;
            }
            change.account = old != now.accounts().end() ? old->second.account : state::Account{};
            change.account->nonce += below(3);
            if (below(2) == 0)
                change.account->balance = u256{m_random()} << (8 * below(20));
            change.storage_cleared = below(8) == 0 || old == now.accounts().end();
            if (below(4) == 0) {
                const Bytes code(1 + below(50), static_cast<std::uint8_t>(below(4)));
                change.account->code_hash = crypto::keccak256(code);
                out.code[change.account->code_hash] = code;
            }
            for (std::uint64_t s = below(6); s > 0; --s) {
                const u256 slot = below(kSlots);
                const u256 value = below(3) == 0 ? u256{} : u256{1 + below(300)};
                change.storage[slot] = value;
            }
            out.accounts[address] = std::move(change);
        }
        return out;
    }

public:
    static constexpr std::uint64_t kModules = 3;
    static constexpr std::uint64_t kPages = 4;
    static std::uint32_t test_page(std::uint64_t i) { return static_cast<std::uint32_t>(i % 2 << 31 | i); }
    bool arenas = false;  // whether blocks change pages

private:
    std::mt19937_64 m_random;
    std::vector<TestBlock> m_blocks;
    std::vector<state::MemoryState> m_states;
    std::uint64_t m_nonce = 0;
};

}  // namespace meridian::store
