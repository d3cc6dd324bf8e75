// Chains for tests that are a development chain but in one respect.
#pragma once

#include <meridian/rpc/test_node.hpp>

namespace meridian::rpc {

class ForwardingChain : public node::Chain {
public:
    explicit ForwardingChain(node::Chain& chain) : m_chain(chain) {}

    const chain::ChainConfig& config() const noexcept override { return m_chain.config(); }
    const node::Genesis& genesis() const noexcept override { return m_chain.genesis(); }
    evm::CodeCache& code_cache() noexcept override { return m_chain.code_cache(); }
    void refresh() override { m_chain.refresh(); }
    void set_listener(node::ChainListener* listener) override { m_chain.set_listener(listener); }
    void set_wakeup(std::function<void()> wakeup) override { m_chain.set_wakeup(std::move(wakeup)); }
    node::BlockPtr head() override { return m_chain.head(); }
    node::BlockPtr sealed_head() override { return m_chain.sealed_head(); }
    node::ChainResult<node::BlockPtr> block(std::uint64_t number) override { return m_chain.block(number); }
    node::ChainResult<node::BlockPtr> block(const Hash& hash) override { return m_chain.block(hash); }
    node::ChainResult<std::optional<node::TxnLocation>> find_transaction(const Hash& hash) override {
        return m_chain.find_transaction(hash);
    }
    node::ChainResult<std::unique_ptr<node::ChainState>> state_after(std::uint64_t number) override {
        return m_chain.state_after(number);
    }
    state::StateReader& head_state() override { return m_chain.head_state(); }
    evm::BlockHashSource& block_hashes() noexcept override { return m_chain.block_hashes(); }
    std::uint64_t provable_number() override { return m_chain.provable_number(); }
    node::ChainResult<void> for_each_log(const store::LogQuery& query,
                                         const store::LogVisitor& visit) override {
        return m_chain.for_each_log(query, visit);
    }
    sequencer::Pool::BySender pool_content() override { return m_chain.pool_content(); }
    node::PooledTxnPtr find_pooled(const Hash& hash) override { return m_chain.find_pooled(hash); }
    std::size_t pool_size() override { return m_chain.pool_size(); }
    std::uint64_t next_nonce(const Address& sender) override { return m_chain.next_nonce(sender); }
    void submit(Bytes envelope, std::function<void(node::SubmitOutcome)> done, ClientId client) override {
        m_chain.submit(std::move(envelope), std::move(done), client);
    }
    std::uint64_t oldest_block() override { return m_chain.oldest_block(); }

protected:
    node::Chain& m_chain;
};

// Answers submissions when it is told to, on whatever thread that is.
class SlowChain final : public ForwardingChain {
public:
    using ForwardingChain::ForwardingChain;
    void submit(Bytes envelope, std::function<void(node::SubmitOutcome)> done, ClientId) override {
        m_submissions.emplace_back(std::move(envelope), std::move(done));
    }
    std::size_t waiting() const { return m_submissions.size(); }
    // The outcome is the development chain's.
    void answer_last() {
        auto [envelope, done] = std::move(m_submissions.back());
        m_submissions.pop_back();
        m_chain.submit(std::move(envelope), std::move(done), kNobody);
    }

private:
    std::vector<std::pair<Bytes, std::function<void(node::SubmitOutcome)>>> m_submissions;
};

// The newest block is open: it has no hash.
class OpenChain final : public ForwardingChain {
public:
    using ForwardingChain::ForwardingChain;
    node::BlockPtr head() override {
        auto out = std::make_shared<sequencer::ExecutedBlock>(*m_chain.head());
        out->hash = {};
        out->block.header.state_root = {};
        return out;
    }
    node::BlockPtr sealed_head() override { return *m_chain.block(m_chain.head()->number() - 1); }
    node::ChainResult<node::BlockPtr> block(std::uint64_t number) override {
        return number == m_chain.head()->number() ? head() : *m_chain.block(number);
    }
    node::ChainResult<node::BlockPtr> block(const Hash& hash) override {
        return hash == m_chain.head()->hash ? nullptr : *m_chain.block(hash);
    }
    node::ChainResult<std::optional<node::TxnLocation>> find_transaction(const Hash& hash) override {
        auto found = m_chain.find_transaction(hash);
        if (found && *found && (*found)->block->number() == m_chain.head()->number())
            (*found)->block = head();
        return found;
    }
    std::uint64_t provable_number() override { return m_chain.head()->number() - 1; }
};

// Cannot read the blocks from one number on, nor any state but that of the head.
class DamagedChain final : public ForwardingChain {
public:
    using ForwardingChain::ForwardingChain;
    node::ChainResult<node::BlockPtr> block(std::uint64_t number) override {
        if (number < m_damaged_from)
            return m_chain.block(number);
        ++m_failed_reads;
        return fail(node::ChainFailure{"store /secret/place: block checksum mismatch"});
    }
    // As states do: what cannot be read is absent.
    state::StateReader& head_state() override {
        m_failed_reads += m_state_is_damaged;
        return m_chain.head_state();
    }
    std::uint64_t failed_reads() const override { return m_failed_reads; }

    std::uint64_t m_damaged_from = ~std::uint64_t{0};
    bool m_state_is_damaged = false;

private:
    std::uint64_t m_failed_reads = 0;
};

}  // namespace meridian::rpc
