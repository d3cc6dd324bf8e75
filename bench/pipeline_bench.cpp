// The sequencer's pipeline on one machine: transfers from submission to a durable frame, against what
// signature recovery alone allows on the same cores in the same run.
//
//   pipeline_bench [--run TEXT] [--transfers N] [--accounts N] [--folder DIR]
//
// Recovery is measured twice: with the batch that the ingress uses, and with libsecp256k1 one by one. The log
// and the store are real ones, with fsync, in a temporary folder.
#include <meridian/chain/transaction.hpp>
#include <meridian/crypto/accelerator.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/crypto/secp256k1_recover.hpp>
#include <meridian/node/genesis_store.hpp>
#include <meridian/sequencer/pipeline.hpp>
#include <meridian/store/rocks_database.hpp>

#include "arguments.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <thread>

namespace meridian {
namespace {

using Clock = std::chrono::steady_clock;
using bench::wants;

constexpr const char* kSingleRow = "recovery alone, libsecp256k1 one by one, all cores";
constexpr const char* kBatchedRow = "recovery alone, in batches, all cores";
constexpr const char* kTransfersRow = "transfers, submission to durable frame, flat out";
constexpr const char* kLatencyRow = "the same at half that rate, latency";

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Options {
    std::size_t transfers = 100'000;
    std::size_t accounts = 2'000;
    std::string folder;
};

Hash secret(std::size_t number) {
    Hash out;
    out.bytes[0] = 1;
    out.bytes[30] = static_cast<std::uint8_t>(number >> 8);
    out.bytes[31] = static_cast<std::uint8_t>(number);
    out.bytes[29] = static_cast<std::uint8_t>(number >> 16);
    return out;
}

Bytes transfer(const Hash& key, const Address& to, std::uint64_t nonce, std::uint64_t chain_id) {
    chain::Transaction txn;
    txn.type = chain::TxnType::DynamicFee;
    txn.chain_id = chain_id;
    txn.nonce = nonce;
    txn.gas_limit = 21'000;
    txn.max_fee_per_gas = 1'000'000'000'000;
    txn.to = to;
    txn.value = 1;
    const auto signature = crypto::secp256k1::sign(chain::signing_hash(txn), key);
    txn.v = signature->recovery_id;
    txn.r = from_hash(signature->r);
    txn.s = from_hash(signature->s);
    return chain::encode(txn);
}

std::vector<crypto::secp256k1::RecoverRequest> requests_of(const std::vector<Bytes>& envelopes) {
    std::vector<crypto::secp256k1::RecoverRequest> out;
    for (const Bytes& envelope : envelopes) {
        const auto signature = *chain::sender_signature(*chain::decode_transaction(envelope));
        out.push_back({signature.digest, signature.r, signature.s, signature.parity});
    }
    return out;
}

// Recoveries a second with every core.
template <class Work>
double rate_on_all_cores(std::size_t count, Work&& work) {
    const std::size_t threads = std::max(1u, std::thread::hardware_concurrency());
    const auto begin = Clock::now();
    std::vector<std::thread> running;
    for (std::size_t t = 0; t < threads; ++t)
        running.emplace_back([&, t] { work(count * t / threads, count * (t + 1) / threads); });
    for (std::thread& thread : running)
        thread.join();
    return static_cast<double>(count) / seconds_since(begin);
}

class Latencies final : public sequencer::PipelineListener {
public:
    void on_frame(const sequencer::PublishedFramePtr& frame) override {
        using namespace std::chrono;
        const auto now = static_cast<std::uint64_t>(
            duration_cast<microseconds>(system_clock::now().time_since_epoch()).count());
        for (const auto& txn : frame->content->txns)
            m_us.push_back(now - std::min(now, txn->arrived_us));
        m_seen += frame->content->txns.size();
        ++m_frames;
    }
    void on_block(const sequencer::ExecutedBlockPtr&) override { ++m_blocks; }
    void on_pending(const sequencer::PooledTxnPtr&) override {}
    void on_rejected(const sequencer::PooledTxnPtr&, chain::TxnError) override { ++m_seen; }

    std::size_t seen() const { return m_seen; }
    std::size_t frames() const { return m_frames; }
    // Only when the pipeline stands still.
    std::uint64_t quantile(double q) {
        if (m_us.empty())
            return 0;
        const auto at = static_cast<std::size_t>(q * static_cast<double>(m_us.size() - 1));
        std::nth_element(m_us.begin(), m_us.begin() + static_cast<std::ptrdiff_t>(at), m_us.end());
        return m_us[at];
    }
    void forget() { m_us.clear(); }

private:
    std::atomic<std::size_t> m_seen = 0;
    std::atomic<std::size_t> m_frames = 0;
    std::atomic<std::size_t> m_blocks = 0;
    std::vector<std::uint64_t> m_us;
};

// A node from which nothing comes for that long is stuck: said, and the end.
constexpr double kStuckSeconds = 10;

[[noreturn]] void give_up(const sequencer::Pipeline& node, std::size_t seen, std::size_t count) {
    const sequencer::PipelineStatus status = node.status();
    std::fprintf(
        stderr,
        "pipeline_bench: stuck with %zu of %zu transfers: frame %llu, block %llu, sealed %llu, stored "
        "%llu, pool %zu (executable %zu), ingress %zu, publisher %zu, committer %zu, rejected %llu, "
        "fault: %s\n",
        seen, count, static_cast<unsigned long long>(status.frame),
        static_cast<unsigned long long>(status.block), static_cast<unsigned long long>(status.sealed_block),
        static_cast<unsigned long long>(status.stored_block), status.pool_txns, status.pool_executable,
        status.ingress_waiting, status.publisher_waiting, status.committer_waiting,
        static_cast<unsigned long long>(status.rejected_txns),
        status.fault.empty() ? "none" : status.fault.c_str());
    std::_Exit(1);
}

std::atomic<std::size_t> refused_count = 0;

void wait_for(const sequencer::Pipeline& node, const Latencies& latencies, std::size_t count) {
    std::size_t seen = latencies.seen();
    for (auto since = Clock::now(); seen < count;) {
        std::this_thread::sleep_for(std::chrono::microseconds(200));
        const std::size_t now = latencies.seen();
        if (now != seen)
            since = Clock::now();
        seen = now;
        if (seconds_since(since) > kStuckSeconds) {
            std::fprintf(stderr, "pipeline_bench: %zu submissions were refused\n", refused_count.load());
            give_up(node, seen, count);
        }
    }
}

// Submits from `first` on, at `rate` a second (zero: as fast as it goes), trying again while the node is
// busy.
void submit_all(sequencer::Pipeline& node, const std::vector<Bytes>& envelopes, std::size_t first,
                std::size_t last, double rate) {
    const auto begin = Clock::now();
    for (std::size_t i = first; i < last; ++i) {
        if (rate > 0)
            while (seconds_since(begin) * rate < static_cast<double>(i - first))
                std::this_thread::sleep_for(std::chrono::microseconds(100));
        for (const auto since = Clock::now(); node.busy();) {
            std::this_thread::sleep_for(std::chrono::microseconds(200));
            if (seconds_since(since) > kStuckSeconds)
                give_up(node, i, last);
        }
        node.submit(envelopes[i], [](const sequencer::SubmitResult& result) {
            if (!result && ++refused_count < 5)
                std::fprintf(stderr, "pipeline_bench: refused: %s\n", result.error().message.c_str());
        });
    }
}

// Who sends, to whom, and the signed transfers.
struct Load {
    node::Genesis genesis;
    std::vector<Bytes> envelopes;
};

Load make_load(const Options& options) {
    std::vector<Hash> keys;
    std::vector<node::DevAccount> accounts;
    for (std::size_t i = 0; i < options.accounts; ++i) {
        keys.push_back(secret(i + 1));
        accounts.push_back(
            {.address = *crypto::secp256k1::address_of(keys.back()), .private_key = keys.back()});
    }
    node::DevGenesisOptions genesis;
    genesis.gas_limit = sequencer::ExecutorOptions{}.block_gas_max;
    genesis.balance = u256{1} << 90;
    genesis.timestamp = static_cast<std::uint64_t>(std::time(nullptr)) - 2;
    Load out{node::dev_genesis(genesis, accounts), std::vector<Bytes>(options.transfers)};
    const std::uint64_t chain_id = out.genesis.config.chain_id;
    rate_on_all_cores(options.transfers, [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i)
            out.envelopes[i] =
                transfer(keys[i % keys.size()], accounts[(i * 7 + 1) % accounts.size()].address,
                         i / keys.size(), chain_id);
    });
    return out;
}

// Recoveries a second on all cores.
struct Recovery {
    double batched = 0;
    double single = 0;
};

Recovery measure_recovery(const std::vector<Bytes>& envelopes) {
    const auto requests = requests_of(envelopes);
    std::vector<std::optional<Address>> signers(requests.size());
    Recovery out;
    out.batched = rate_on_all_cores(requests.size(), [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; i += crypto::secp256k1::kRecoverBatch) {
            const std::size_t count = std::min(crypto::secp256k1::kRecoverBatch, to - i);
            crypto::secp256k1::recover_batch(std::span(requests).subspan(i, count),
                                             std::span(signers).subspan(i, count));
        }
    });
    out.single = rate_on_all_cores(requests.size() / 4, [&](std::size_t from, std::size_t to) {
        for (std::size_t i = from; i < to; ++i)
            signers[i] = crypto::accelerator().ecrecover(requests[i].digest, requests[i].r, requests[i].s,
                                                         requests[i].parity);
    });
    return out;
}

// Three quarters flat out, the rest at half of that rate, for the latencies. Gives the rate.
double drive(sequencer::Pipeline& node, Latencies& latencies, const std::vector<Bytes>& envelopes) {
    const std::size_t flat_out = envelopes.size() * 3 / 4;
    const auto begin = Clock::now();
    submit_all(node, envelopes, 0, flat_out, 0);
    wait_for(node, latencies, flat_out);
    const double rate = static_cast<double>(flat_out) / seconds_since(begin);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    latencies.forget();
    submit_all(node, envelopes, flat_out, envelopes.size(), rate / 2);
    wait_for(node, latencies, envelopes.size());
    return rate;
}

void print_recovery(const Recovery& recovery) {
    if (wants(kSingleRow))
        std::printf("%-58s %12.0f /s\n", kSingleRow, recovery.single);
    if (wants(kBatchedRow))
        std::printf("%-58s %12.0f /s   %.2f of libsecp256k1\n", kBatchedRow, recovery.batched,
                    recovery.batched / recovery.single);
}

void print_pipeline(const Recovery& recovery, double rate, Latencies& latencies) {
    if (wants(kTransfersRow))
        std::printf("%-58s %12.0f /s   %.2f of libsecp256k1's recovery, %.2f of the batched\n", kTransfersRow,
                    rate, rate / recovery.single, rate / recovery.batched);
    if (wants(kLatencyRow))
        std::printf("%-58s p50 %llu us, p99 %llu us, p99.9 %llu us\n", kLatencyRow,
                    static_cast<unsigned long long>(latencies.quantile(0.5)),
                    static_cast<unsigned long long>(latencies.quantile(0.99)),
                    static_cast<unsigned long long>(latencies.quantile(0.999)));
    std::printf("%zu frames\n", latencies.frames());
}

int run(const Options& options) {
    const bool pipeline = wants(kTransfersRow) || wants(kLatencyRow);
    if (!pipeline && !wants(kSingleRow) && !wants(kBatchedRow))
        return 0;
    const Load load = make_load(options);
    const Recovery recovery = measure_recovery(load.envelopes);
    print_recovery(recovery);
    if (!pipeline)
        return 0;
    store::RocksOptions store_options;
    store_options.path = options.folder + "/store";
    auto database = store::open_rocks(store_options);
    if (!database) {
        std::fprintf(stderr, "pipeline_bench: %s\n", database.error().message.c_str());
        return 1;
    }
    auto store = *node::open_store(*std::move(database), load.genesis);
    frames::LogOptions log_options;
    log_options.folder = options.folder + "/frames";
    log_options.chain_id = load.genesis.config.chain_id;
    log_options.genesis_hash = store->identity().genesis_hash;
    auto log = frames::FrameLog::open(frames::posix_disk(), log_options);
    if (!log) {
        std::fprintf(stderr, "pipeline_bench: %s\n", log.error().message.c_str());
        return 1;
    }
    const auto signer = *frames::LocalSigner::make(secret(1u << 20));
    sequencer::SystemClock clock;
    Latencies latencies;
    sequencer::PipelineOptions pipeline_options;
    pipeline_options.ingress_threads = std::max(1u, std::thread::hardware_concurrency());
    auto node = sequencer::Pipeline::open(pipeline_options,
                                          {load.genesis.config, clock, *store, **log, signer, &latencies});
    if (!node) {
        std::fprintf(stderr, "pipeline_bench: %s\n", node.error().c_str());
        return 1;
    }
    (*node)->run();
    const double rate = drive(**node, latencies, load.envelopes);
    (*node)->stop();
    print_pipeline(recovery, rate, latencies);
    return 0;
}

}  // namespace
}  // namespace meridian

int main(int argc, char** argv) {
    meridian::Options options;
    const auto take = [&](std::string_view name, const char* value) {
        if (name == "--transfers")
            options.transfers = std::strtoull(value, nullptr, 10);
        else if (name == "--accounts")
            options.accounts = std::strtoull(value, nullptr, 10);
        else if (name == "--folder")
            options.folder = value;
        else
            return false;
        return true;
    };
    meridian::bench::read_arguments(argc, argv, take,
                                    "  --transfers N   signed and submitted (100000)\n"
                                    "  --accounts N    that send them (2000)\n"
                                    "  --folder DIR    for log and store (default: a temporary one)\n");
    const bool temporary = options.folder.empty();
    if (temporary) {
        std::string pattern = std::filesystem::temp_directory_path() / "meridian-bench-XXXXXX";
        options.folder = mkdtemp(pattern.data());
    }
    const int status = meridian::run(options);
    if (temporary)
        std::filesystem::remove_all(options.folder);
    return status;
}
