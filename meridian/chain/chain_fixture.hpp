// For tests: a block over a state in memory, and who takes part in it.
#pragma once

#include <meridian/base/hex.hpp>
#include <meridian/chain/executor.hpp>
#include <meridian/evm/code_cache.hpp>
#include <meridian/state/memory_state.hpp>

namespace meridian::chain::testing {

inline constexpr Address kSender = "0x1000000000000000000000000000000000000001"_address;
inline constexpr Address kContract = "0x2000000000000000000000000000000000000002"_address;
inline constexpr Address kCoinbase = "0x3000000000000000000000000000000000000003"_address;
inline constexpr u256 kEther = 1000000000000000000_u256;

class NoHashes final : public evm::BlockHashSource {
public:
    Hash block_hash(std::uint64_t) override { return {}; }
};

// Set everything that is public before the first use of executor() or state().
struct BlockFixture {
    explicit BlockFixture(evm::Revision revision, std::uint64_t chain_id = 1)
        : config(ChainConfig::all_from_genesis(revision, chain_id)) {
        parent.set_balance(kSender, kEther);
        header.number = 1;
        header.timestamp = 1000;
        header.gas_limit = 30000000;
        header.coinbase = kCoinbase;
        if (revision >= evm::Revision::London)
            header.base_fee = u256{10};
        if (revision >= evm::Revision::Cancun)
            header.excess_blob_gas = 0;
    }

    BlockExecutor& executor() {
        if (!m_executor) {
            m_state.emplace(parent);
            ExecutionEnvironment environment{m_cache, m_hashes};
            environment.interrupt = interrupt;
            m_executor.emplace(config, header, *m_state, environment);
        }
        return *m_executor;
    }
    Result<TxnOutcome, TxnError> execute(const Transaction& txn) { return executor().execute(txn, kSender); }
    state::State& state() {
        static_cast<void>(executor());
        return *m_state;
    }

    ChainConfig config;
    Header header;
    state::MemoryState parent;
    const evm::Interrupt* interrupt = nullptr;

private:
    evm::CodeCache m_cache;
    NoHashes m_hashes;
    std::optional<state::State> m_state;
    std::optional<BlockExecutor> m_executor;
};

}  // namespace meridian::chain::testing
