#include <meridian/crypto/secp256k1_recover.hpp>
#include <meridian/sequencer/ingress.hpp>

namespace meridian::sequencer {
namespace {

using crypto::secp256k1::RecoverRequest;

constexpr std::uint64_t kSharedUs = 1'000'000;  // how long a client counts as not alone

SubmitFailure invalid_sender() {
    return {SubmitError::InvalidSignature, "invalid sender"};
}

SubmitFailure in_words(Pool::Refused refused, const chain::Transaction& txn) {
    switch (refused.error) {
        case PoolError::AlreadyKnown:
            return {SubmitError::AlreadyKnown, "already known"};
        case PoolError::ReplacementUnderpriced:
            return {SubmitError::ReplacementUnderpriced, "replacement transaction underpriced"};
        case PoolError::NonceTooLow:
            return {SubmitError::NonceTooLow, "nonce too low: next nonce " +
                                                  std::to_string(refused.expected_nonce) + ", tx nonce " +
                                                  std::to_string(txn.nonce)};
        case PoolError::NonceTooHigh:
            return {SubmitError::NonceTooHigh, "nonce too high: next nonce " +
                                                   std::to_string(refused.expected_nonce) + ", tx nonce " +
                                                   std::to_string(txn.nonce)};
        case PoolError::SenderFull:
            return {SubmitError::SenderFull, "account limit exceeded"};
        case PoolError::PoolFull:
        case PoolError::Outdated:
            break;
    }
    return {SubmitError::PoolFull, "txpool is full"};
}

}  // namespace

Ingress::Ingress(const IngressOptions& options, Doorbell* doorbell, Parts parts)
    : m_options(options), m_parts(std::move(parts)), m_doorbell(doorbell) {}

void Ingress::refuse(const SubmitCallback& done, SubmitFailure failure) {
    count(failure.error);
    done(fail(std::move(failure)));
}

void Ingress::submit(Bytes envelope, SubmitCallback done, ClientId client) {
    const std::size_t size = envelope.size();
    if (size > m_options.txn_bytes_max)
        return refuse(done, SubmitFailure{SubmitError::Malformed,
                                          "oversized data: transaction size " + std::to_string(size) +
                                              ", limit " + std::to_string(m_options.txn_bytes_max)});
    Submission submission{std::move(envelope), std::move(done), client};
    if (!enqueue(submission, client))
        return refuse(
            submission.done,
            SubmitFailure{SubmitError::Busy,
                          "the node is busy: more transactions arrive than can be checked; try again"});
    if (m_doorbell != nullptr)
        m_doorbell->ring();
}

// False if there is no room; the submission is untouched then.
bool Ingress::enqueue(Submission& submission, ClientId client) {
    const std::size_t size = submission.envelope.size();
    const std::lock_guard lock(m_mutex);
    const auto known = m_bytes_of_clients.find(client);
    const std::size_t own_bytes = known != m_bytes_of_clients.end() ? known->second : 0;
    if (m_queue.size() + m_queue.size_of(client) >= m_options.queue_max ||
        m_bytes + own_bytes + size > m_options.queue_bytes_max)
        return false;
    if (client != m_last_client)
        m_alone_from_us = m_parts.clock.steady_us() + kSharedUs;
    m_last_client = client;
    m_bytes += size;
    m_bytes_of_clients[client] += size;
    m_queue.push(client, std::move(submission));
    return true;
}

std::size_t Ingress::share() const {
    if (m_parts.clock.steady_us() >= m_alone_from_us)
        return m_options.batch;
    return std::max<std::size_t>(1, m_options.batch / 8);
}

std::vector<Ingress::Submission> Ingress::dequeue() {
    std::vector<Submission> out;
    std::unordered_map<ClientId, std::size_t> taken;
    const std::lock_guard lock(m_mutex);
    const std::size_t share_max = share();
    while (out.size() < m_options.batch) {
        auto next = m_queue.pop_if([&](ClientId client) { return taken[client] < share_max; });
        if (!next)
            break;
        ++taken[next->client];
        m_bytes -= next->envelope.size();
        m_bytes_of_clients[next->client] -= next->envelope.size();
        if (m_queue.size_of(next->client) == 0)
            m_bytes_of_clients.erase(next->client);
        out.push_back(*std::move(next));
    }
    return out;
}

Step Ingress::step() {
    auto submissions = dequeue();
    if (submissions.empty())
        return {};
    if (const std::string refusal = m_parts.refusal(); !refusal.empty()) {
        for (const Submission& submission : submissions)
            refuse(submission.done, SubmitFailure{SubmitError::Busy, refusal});
        return {true, kNever};
    }
    auto batch = decode(std::move(submissions));
    recover(batch);
    Moment moment = now();
    bool pooled = false;
    for (Decoded& one : batch) {
        auto result = pool(std::move(one.txn), moment);
        pooled |= result.has_value();
        if (!result)
            count(result.error().error);
        one.done(std::move(result));
    }
    if (pooled)
        m_parts.on_pooled();
    return {true, kNever};
}

// Answers those that do not decode.
std::vector<Ingress::Decoded> Ingress::decode(std::vector<Submission> submissions) {
    std::vector<Decoded> out;
    out.reserve(submissions.size());
    for (Submission& submission : submissions) {
        auto txn = chain::decode_pooled_transaction(submission.envelope);
        if (!txn) {
            refuse(submission.done,
                   SubmitFailure{SubmitError::Malformed, txn.error().field + ": " + txn.error().reason});
            continue;
        }
        auto pooled = std::make_shared<PooledTxn>();
        pooled->txn = *std::move(txn);
        pooled->envelope = std::move(submission.envelope);
        pooled->arrived_us = m_parts.clock.wall_us();
        out.push_back({std::move(pooled), std::move(submission.done)});
    }
    return out;
}

// Answers those without a valid signature.
void Ingress::recover(std::vector<Decoded>& batch) {
    const std::uint64_t chain_id = m_parts.config.chain_id;
    std::vector<RecoverRequest> requests;
    requests.reserve(batch.size());
    std::erase_if(batch, [&](Decoded& one) {
        const chain::Transaction& txn = one.txn->txn;
        if (txn.chain_id && *txn.chain_id != chain_id) {
            refuse(one.done,
                   SubmitFailure{SubmitError::WrongChainId, "invalid chain id for signer: have " +
                                                                std::to_string(*txn.chain_id) + " want " +
                                                                std::to_string(chain_id)});
            return true;
        }
        const auto signature = chain::sender_signature(txn);
        if (!signature) {
            refuse(one.done, invalid_sender());
            return true;
        }
        requests.push_back({signature->digest, signature->r, signature->s, signature->parity});
        return false;
    });
    std::vector<std::optional<Address>> signers(requests.size());
    crypto::secp256k1::recover_batch(requests, std::span(signers));
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (!signers[i]) {
            refuse(batch[i].done, invalid_sender());
            batch[i].done = nullptr;
            continue;
        }
        batch[i].txn->sender = *signers[i];
        batch[i].txn->hash = crypto::keccak256(batch[i].txn->envelope);
    }
    std::erase_if(batch, [](const Decoded& one) { return !one.done; });
}

Ingress::Moment Ingress::now() const {
    HeadPtr head = m_parts.live.head();
    auto state = m_parts.live.state_at(*head);
    return {std::move(head), std::move(state)};
}

// Frames go on appearing meanwhile: the moment is renewed when it is too old for the pool.
SubmitResult Ingress::pool(const PooledTxnPtr& txn, Moment& moment) {
    for (;;) {
        if (is_module(*txn)) {
            if (auto failure = check_module_transaction(txn->txn, txn->sender, *moment.state, m_parts.config,
                                                        m_parts.clock.wall_us() / 1'000'000))
                return fail(*std::move(failure));
            const auto added = m_parts.pool.add(txn, 0);
            if (!added)
                return fail(in_words(added.error(), txn->txn));
            if (m_parts.on_pending)
                m_parts.on_pending(txn);
            return Submitted{txn->hash, {}};
        }
        const state::Account account = moment.state->account(txn->sender).value_or(state::Account{});
        if (auto failure = check_transaction(txn->txn, txn->sender, account, m_parts.config,
                                             moment.head->block_number() + 1,
                                             m_parts.clock.wall_us() / 1'000'000, m_options.rules))
            return fail(*std::move(failure));
        const auto added = m_parts.pool.add(txn, account.nonce, moment.head->version);
        if (added) {
            if (m_parts.on_pending)
                m_parts.on_pending(txn);
            return Submitted{txn->hash, added->missing_nonce};
        }
        if (added.error().error != PoolError::Outdated)
            return fail(in_words(added.error(), txn->txn));
        moment = now();
    }
}

}  // namespace meridian::sequencer
