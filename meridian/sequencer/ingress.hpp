// Where transactions come in: decoded, their senders recovered many at a time, checked against the newest
// state and put into the pool. Any number of threads may run step(); what one submits is answered in any
// order.
//
// Clients have turns: one that submits more than can be checked waits for itself. It may have as much in the
// queue as is still free, so that there is room for others whatever it does. What others submit does not wait
// behind a whole batch of it either, nor in one.
#pragma once

#include <meridian/base/fair_queue.hpp>
#include <meridian/sequencer/bounded_queue.hpp>
#include <meridian/sequencer/live_chain.hpp>
#include <meridian/sequencer/stage.hpp>
#include <meridian/sequencer/submitted.hpp>

#include <array>
#include <atomic>

namespace meridian::sequencer {

struct IngressOptions {
    std::size_t queue_max = 20'000;           // submissions; one client: half, if nobody else is there
    std::size_t queue_bytes_max = 64u << 20;  // the same
    std::size_t txn_bytes_max = 128u << 10;   // as geth
    std::size_t batch = 64;  // of one client an eighth, if others were there in the last second
    AdmissionRules rules;
};

class Ingress final : public Stage {
public:
    struct Parts {
        const chain::ChainConfig& config;
        Clock& clock;
        LiveChain& live;
        Pool& pool;
        // There is something new in the pool.
        std::function<void()> on_pooled;
        std::function<void(const PooledTxnPtr&)> on_pending;  // may be null
        // A sentence if the node takes no transactions just now; empty if it does.
        std::function<std::string()> refusal;
    };
    Ingress(const IngressOptions& options, Doorbell* doorbell, Parts parts);

    // Thread-safe. The callback is called exactly once, at once if the node is busy.
    void submit(Bytes envelope, SubmitCallback done, ClientId client = kNobody);
    std::string_view name() const noexcept override { return "ingress"; }
    Step step() override;
    std::size_t waiting() const {
        const std::lock_guard lock(m_mutex);
        return m_queue.size();
    }
    // Since the start, by SubmitError.
    std::array<std::uint64_t, kSubmitErrorCount> refused() const {
        std::array<std::uint64_t, kSubmitErrorCount> out;
        for (std::size_t i = 0; i < out.size(); ++i)
            out[i] = m_refused[i].load(std::memory_order_relaxed);
        return out;
    }
    const IngressOptions& options() const noexcept { return m_options; }

private:
    struct Submission {
        Bytes envelope;
        SubmitCallback done;
        ClientId client = kNobody;
    };
    struct Decoded {
        std::shared_ptr<PooledTxn> txn;
        SubmitCallback done;
    };

    bool enqueue(Submission& submission, ClientId client);
    // Of a batch, for one client.
    std::size_t share() const;
    std::vector<Submission> dequeue();
    void count(SubmitError error) noexcept {
        m_refused[static_cast<std::size_t>(error)].fetch_add(1, std::memory_order_relaxed);
    }
    void refuse(const SubmitCallback& done, SubmitFailure failure);
    std::vector<Decoded> decode(std::vector<Submission> submissions);
    void recover(std::vector<Decoded>& batch);
    // The state of one moment.
    struct Moment {
        HeadPtr head;
        std::unique_ptr<HeadState> state;
    };
    Moment now() const;
    SubmitResult pool(const PooledTxnPtr& txn, Moment& moment);

    IngressOptions m_options;
    std::array<std::atomic<std::uint64_t>, kSubmitErrorCount> m_refused{};
    Parts m_parts;
    Doorbell* m_doorbell;
    mutable std::mutex m_mutex;  // of the members below
    FairQueue<Submission> m_queue;
    std::size_t m_bytes = 0;                                       // in it
    std::unordered_map<ClientId, std::size_t> m_bytes_of_clients;  // the same
    ClientId m_last_client = kNobody;
    std::uint64_t m_alone_from_us = 0;  // when the last of the others' submissions is so long ago
};

}  // namespace meridian::sequencer
