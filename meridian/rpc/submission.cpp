#include <meridian/rpc/submission.hpp>

#include <meridian/rpc/block_reference.hpp>
#include <meridian/rpc/format.hpp>
#include <meridian/rpc/raw_transaction.hpp>

namespace meridian::rpc {
namespace {

using node::SubmitError;
using node::SubmitOutcome;
using node::Submitted;

// From the pool's thread to the chain's.
struct Outcome {
    std::mutex mutex;
    std::optional<SubmitOutcome> value;
    bool awaited = false;  // by a Later that has to be woken
};

// A failure in geth's words, which differ where the encoding is at fault.
[[noreturn]] void refuse_submission(const Bytes& envelope, const node::SubmitFailure& failure,
                                    ErrorCode code) {
    if (failure.error == SubmitError::Malformed)
        if (const auto txn = chain::decode_pooled_transaction(envelope); !txn)
            throw RpcError(code, describe_raw_failure(envelope, txn.error()));
    throw RpcError(code, failure.message);
}

// Waits for the pool's answer.
class SubmitLater : public Later {
public:
    SubmitLater(Service& service, Bytes envelope, ClientId client)
        : m_service(service),
          m_client(client),
          m_ticket(service.waiting().admit(client)),
          m_envelope(std::move(envelope)),
          m_outcome(std::make_shared<Outcome>()) {}

    // Once, before anything else.
    void start(std::uint64_t limit_ms) {
        const auto done = [outcome = m_outcome, mailbox = m_service.mailbox(),
                           later = weak_from_this()](SubmitOutcome value) {
            {
                const std::lock_guard lock(outcome->mutex);
                outcome->value = std::move(value);
                if (!outcome->awaited)
                    return;
            }
            mailbox->post([later] {
                if (const LaterPtr waiting = later.lock())
                    waiting->wake();
            });
        };
        m_service.chain().submit(m_envelope, done, m_client);
        const std::lock_guard lock(m_outcome->mutex);
        if (m_outcome->value)
            return;
        m_outcome->awaited = true;
        wait();
        limit(limit_ms);
    }

protected:
    // Nothing if there is none yet, and time is up.
    std::optional<SubmitOutcome> outcome() const {
        const std::lock_guard lock(m_outcome->mutex);
        return m_outcome->value;
    }
    // The pool's, or an error.
    Submitted submitted() const {
        const auto result = outcome();
        if (!result)
            throw RpcError(ErrorCode::TimedOut, "the node is busy: the transaction is not checked yet");
        if (!*result)
            refuse_submission(m_envelope, result->error(), ErrorCode::Default);
        return **result;
    }
    void limit(std::uint64_t limit_ms) {
        if (!std::exchange(m_limited, true))
            m_service.waiting().add(shared_from_this(), m_start + std::chrono::milliseconds(limit_ms));
    }
    Service& service() const noexcept { return m_service; }
    const Bytes& envelope() const noexcept { return m_envelope; }

private:
    Service& m_service;
    ClientId m_client;
    WaitingRoom::Ticket m_ticket;
    Bytes m_envelope;
    std::shared_ptr<Outcome> m_outcome;
    WaitingRoom::Clock::time_point m_start = WaitingRoom::Clock::now();
    bool m_limited = false;
};

// Of eth_sendRawTransaction: a pool that takes longer is stuck.
constexpr std::uint64_t kPoolMs = 30'000;

class PlainLater final : public SubmitLater {
public:
    PlainLater(const Call& call, Bytes envelope, json::value (*answer)(const Submitted&))
        : SubmitLater(call.service, std::move(envelope), call.client), m_answer(answer) {}

    std::optional<std::string> resume() override { return json::serialize(m_answer(submitted())); }

private:
    json::value (*m_answer)(const Submitted&);
};

std::optional<json::value> find_receipt(Service& service, const Hash& hash) {
    node::Chain& chain = service.chain();
    const auto place = available(chain.find_transaction(hash));
    if (!place)
        return std::nullopt;
    return format_receipt(*place->block, place->index, chain.config());
}

// A client's transactions are checked on several threads, so one may be through before the one in front of
// it, and connections carry them side by side: what is missing may be there in a moment.
constexpr std::chrono::milliseconds kGapGrace{100};

// Is over when it is ready.
class Grace final : public Later {
public:
    Grace() { wait(); }
    std::optional<std::string> resume() override { return std::nullopt; }
};

// Waits for the pool's answer, then for the receipt.
class ReceiptLater final : public SubmitLater {
public:
    ReceiptLater(const Call& call, Bytes envelope, const ReceiptWait& wait)
        : SubmitLater(call.service, std::move(envelope), call.client), m_wait(wait) {}

    // Of a transaction that the pool has already.
    ReceiptLater(const Call& call, const Hash& hash, const ReceiptWait& wait)
        : SubmitLater(call.service, {}, call.client), m_wait(wait), m_hash(hash) {}

    std::optional<std::string> resume() override {
        if (!m_hash)
            m_hash = accept();
        if (const auto receipt = find_receipt(service(), *m_hash))
            return json::serialize(*receipt);
        if (m_missing)
            await_missing();
        if (expired())
            throw m_wait.too_late(service(), *m_hash, m_wait.limit_ms);
        service().waiting().await_transaction(shared_from_this(), *m_hash);
        limit(m_wait.limit_ms);
        wait();
        return std::nullopt;
    }

private:
    Hash accept() {
        const auto result = outcome();
        if (result && !*result) {
            const bool busy =
                result->error().error == SubmitError::Busy || result->error().error == SubmitError::PoolFull;
            refuse_submission(envelope(), result->error(), busy ? ErrorCode::NotReady : ErrorCode::Default);
        }
        const Submitted done = submitted();
        if (m_wait.tell_gap)
            m_missing = done.missing_nonce;
        return done.hash;
    }
    // Throws once what is missing has not come in time.
    void await_missing() {
        if (!m_grace && !expired()) {
            m_grace = std::make_shared<Grace>();
            m_grace->set_waker([later = weak_from_this()] {
                if (const LaterPtr waiting = later.lock())
                    waiting->wake();
            });
            service().waiting().add(m_grace, WaitingRoom::Clock::now() + kGapGrace);
        } else if (expired() || m_grace->ready()) {
            const auto pooled = service().chain().find_pooled(*m_hash);
            if (pooled && service().chain().next_nonce(pooled->sender) <= *m_missing)
                throw RpcError(ErrorCode::NonceGap,
                               "the transaction waits for an earlier one: the next nonce is " +
                                   std::to_string(*m_missing),
                               quantity(*m_missing));
            m_missing.reset();
        }
    }

    ReceiptWait m_wait;
    std::optional<Hash> m_hash;
    std::optional<std::uint64_t> m_missing;
    LaterPtr m_grace;
};

}  // namespace

LaterPtr submit(const Call& call, Bytes envelope, json::value (*answer)(const Submitted& submitted)) {
    const auto later = std::make_shared<PlainLater>(call, std::move(envelope), answer);
    later->start(kPoolMs);
    return later;
}

LaterPtr submit_and_wait(const Call& call, Bytes envelope, const ReceiptWait& wait) {
    const auto later = std::make_shared<ReceiptLater>(call, std::move(envelope), wait);
    later->start(wait.limit_ms);
    return later;
}

LaterPtr await_receipt(const Call& call, const Hash& hash) {
    const ReceiptWait wait{call.service.limits().receipt_ms, false, receipt_timeout};
    return std::make_shared<ReceiptLater>(call, hash, wait);
}

RpcError receipt_timeout(Service& service, const Hash& hash, std::uint64_t limit_ms) {
    if (!service.chain().find_pooled(hash))
        return {ErrorCode::NotReady, "the transaction was dropped: it cannot be executed any more",
                hex_data(hash)};
    return {ErrorCode::ReceiptTimeout,
            "the transaction waits, and was not executed within " + format_duration(limit_ms),
            hex_data(hash)};
}

}  // namespace meridian::rpc
