// A block executed over a state of which a stranger chose every node: whatever stands in the tries, reading
// and writing them gives values or a named error.
//
// The nodes are those of a small real state, changed as the input says; what commits to a changed node is
// changed along, so that execution reaches it. Input, for each change: which node, how (overwrite a byte, cut
// the end off, remove the node, insert a byte), position, value.
#include <meridian/base/assert.hpp>
#include <meridian/chain/chain_fixture.hpp>
#include <meridian/evm/evm_fixture.hpp>
#include <meridian/state/trie_state.hpp>

#include <algorithm>
#include <map>

namespace meridian::chain {
namespace {

using namespace testing;
using evm::Op;
using evm::testing::Program;

constexpr std::size_t kChangesMax = 16;

// Reads and writes storage, of others too, creates, pays and destroys.
Program busy_contract() {
    Program out;
    out.push(0).add(Op::Sload).push(1).add(Op::Sload).add(Op::Add).push(2).add(Op::Sstore);
    out.sstore(0, 0).sstore(1, 7).sstore(9, 9);
    out.push(kCoinbase).add(Op::Extcodesize).push(3).add(Op::Sstore);
    out.push(kSender).add(Op::Balance).push(4).add(Op::Sstore);
    out.push(kCoinbase).add(Op::Extcodehash).push(5).add(Op::Sstore);
    out.call(Op::Call, kCoinbase, 50000, 1).call(Op::Delegatecall, kCoinbase, 50000);
    out.create(Program().add(Op::Stop).deployment(), 1);
    return out.push(kSender).add(Op::Selfdestruct);
}

class Nodes {
public:
    Nodes() {
        state::MemoryState state;
        state.set_balance(kSender, kEther);
        state.set_code(kContract, busy_contract().code());
        state.set_balance(kContract, 1000);
        state.set_code(kCoinbase, Program().sstore(1, 2).push(3).add(Op::Sload).code());
        for (std::uint64_t i = 0; i < 12; ++i) {
            state.set_storage(kContract, i, i + 1);
            state.set_storage(kCoinbase, i, u256::max() - i);
            state.set_balance(to_address(u256{i + 1}), i);
        }
        m_root = state.root();
        for (auto trie :
             {state.account_trie(), state.storage_trie(kContract), state.storage_trie(kCoinbase)}) {
            static_cast<void>(trie.root());
            trie.for_each_new_node(
                [this](const Hash& hash, BytesView rlp) { m_nodes[hash] = to_bytes(rlp); });
        }
        for (const auto& [hash, code] : state.codes())
            codes.add(code);
    }

    // `change` has four bytes.
    void apply(BytesView change) {
        if (m_nodes.empty())
            return;
        auto node = m_nodes.begin();
        std::advance(node, change[0] % m_nodes.size());
        const Hash old_hash = node->first;
        Bytes bytes = node->second;
        const std::size_t at = change[2] % (bytes.size() + 1);
        m_nodes.erase(node);
        switch (change[1] & 3) {
            case 0:
                if (at < bytes.size())
                    bytes[at] = change[3];
                break;
            case 1:
                bytes.resize(at);
                break;
            case 2:
                return;
            default:
                bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), change[3]);
        }
        replace(old_hash, std::move(bytes));
    }

    const Hash& root() const noexcept { return m_root; }
    trie::MemoryNodeStore store() const {
        trie::MemoryNodeStore out;
        for (const auto& [hash, node] : m_nodes)
            out.add(node);
        return out;
    }
    state::MemoryCodeStore codes;

private:
    // Puts a node in the place of another, in all that commit to it as well. Recursion is bounded by the
    // tries' height: no node can commit to itself.
    void replace(const Hash& old_hash, Bytes node) {
        const Hash hash = crypto::keccak256(node);
        m_nodes[hash] = std::move(node);
        if (hash == old_hash)
            return;
        if (m_root == old_hash)
            m_root = hash;
        while (auto parent = take_parent(old_hash)) {
            const auto found =
                std::search(parent->second.begin(), parent->second.end(), old_hash.begin(), old_hash.end());
            std::copy(hash.begin(), hash.end(), found);
            replace(parent->first, std::move(parent->second));
        }
    }

    // Some node that commits to `hash`, no longer among the others.
    std::optional<std::pair<Hash, Bytes>> take_parent(const Hash& hash) {
        for (auto it = m_nodes.begin(); it != m_nodes.end(); ++it) {
            const Bytes& node = it->second;
            if (std::search(node.begin(), node.end(), hash.begin(), hash.end()) == node.end())
                continue;
            std::pair<Hash, Bytes> out = *it;
            m_nodes.erase(it);
            return out;
        }
        return std::nullopt;
    }

    std::map<Hash, Bytes> m_nodes;
    Hash m_root;
};

// Whether both transactions and the writing of what they changed went through.
bool execute_over(state::TrieState& parent, trie::NodeReader& nodes, state::CodeReader& codes,
                  const Hash& root) {
    BlockFixture fixture(evm::Revision::Prague);
    state::State state(parent);
    evm::CodeCache cache;
    NoHashes hashes;
    BlockExecutor executor(fixture.config, fixture.header, state, ExecutionEnvironment{cache, hashes});
    const bool started = executor.start().has_value();
    Transaction txn;
    txn.max_fee_per_gas = txn.max_priority_fee_per_gas = 10;
    txn.gas_limit = 1000000;
    txn.to = kContract;
    txn.access_list = {{kCoinbase, {to_hash(u256{3})}}};
    int executed = 0;
    for (; txn.nonce < 2; ++txn.nonce)
        executed += executor.execute(txn, kSender).has_value();
    const state::StateChanges changes = state.changes();
    const bool complete = state.error() == state::StateError::None;
    MERIDIAN_ASSERT(!started || complete || parent.error() != state::StateError::None);
    const auto finished = executor.finish({}, std::vector<Withdrawal>{{1, 2, kSender, 3}});
    MERIDIAN_ASSERT(complete || !finished);
    if (!complete)
        return false;
    // A fresh reader of the same nodes: what execution did not ask for may be broken still.
    state::TrieState after(root, nodes, codes);
    trie::MemoryNodeStore sink;
    return after.apply(changes, &sink).has_value() && executed == 2;
}

}  // namespace
}  // namespace meridian::chain

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace meridian;
    using namespace meridian::chain;
    static const Nodes kNodes;
    Nodes nodes = kNodes;
    BytesView input(data, std::min(size, 4 * kChangesMax));
    for (; input.size() >= 4; input = input.subspan(4))
        nodes.apply(input.first(4));
    trie::MemoryNodeStore store = nodes.store();
    state::TrieState parent(nodes.root(), store, nodes.codes);
    const bool done = execute_over(parent, store, nodes.codes, nodes.root());
    MERIDIAN_ASSERT(done || size >= 4);
    for (const Address& address : {testing::kSender, testing::kContract, testing::kCoinbase}) {
        static_cast<void>(parent.account_proof(address));
        static_cast<void>(parent.storage_proof(address, 1));
    }
    return 0;
}
