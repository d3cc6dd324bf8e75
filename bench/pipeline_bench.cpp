// The sequencer's pipeline on one machine: transfers from submission to a durable frame, against what
// signature recovery alone allows on the same cores in the same run.
//
//   pipeline_bench [--run TEXT] [--transfers N] [--accounts N] [--state N] [--steady N] [--folder DIR]
//
// Recovery is measured twice: with the batch that the ingress uses, and with libsecp256k1 one by one. The log
// and the store are real ones, with fsync, in a temporary folder. The same is then measured on a state of N
// accounts more, drawn from which are the receivers.
#include <meridian/chain/transaction.hpp>
#include <meridian/crypto/accelerator.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/crypto/secp256k1_recover.hpp>
#include <meridian/node/genesis_store.hpp>
#include <meridian/sequencer/pipeline.hpp>
#include <meridian/store/block_writes.hpp>
#include <meridian/store/record_codec.hpp>
#include <meridian/store/rocks_database.hpp>
#include <meridian/store/state_walk.hpp>

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
constexpr const char* kFrameRow = "  a frame's group to the disk and back alone, fdatasync";
constexpr const char* kSteadyRow = "the same at a steady rate, latency";
constexpr const char* kLargeSteadyRow = "the same at that steady rate of a large state, latency";
constexpr const char* kLargeRow = "to accounts of a large state, flat out";
constexpr const char* kLargeLatencyRow = "the same at half that rate of a large state, latency";

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Options {
    std::size_t transfers = 100'000;
    std::size_t accounts = 2'000;
    std::uint64_t state = 1'000'000;
    std::size_t steady = 5'000;  // transfers a second
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
    struct Figures {
        std::uint64_t p50 = 0;
        std::uint64_t p99 = 0;
        std::uint64_t p999 = 0;
    };
    // In microseconds, since the last call. Only when the pipeline stands still.
    Figures take() {
        const Figures out{quantile(0.5), quantile(0.99), quantile(0.999)};
        m_us.clear();
        return out;
    }

private:
    std::uint64_t quantile(double q) {
        if (m_us.empty())
            return 0;
        const auto at = static_cast<std::size_t>(q * static_cast<double>(m_us.size() - 1));
        std::nth_element(m_us.begin(), m_us.begin() + static_cast<std::ptrdiff_t>(at), m_us.end());
        return m_us[at];
    }

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

// Of the accounts that only receive.
Address receiver(std::uint64_t number) {
    const Hash hash = crypto::keccak256(as_bytes("receiver " + std::to_string(number)));
    return first_bytes<Address::kSize>(hash);
}

// To the senders among themselves, or to `receivers` others.
Load make_load(const Options& options, std::uint64_t receivers) {
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
            out.envelopes[i] = transfer(keys[i % keys.size()],
                                        receivers == 0 ? accounts[(i * 7 + 1) % accounts.size()].address
                                                       : receiver(i * 0x9e3779b97f4a7c15u % receivers),
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

// Until what the load before left behind is in the store: the latencies are to be those of their own load.
void wait_until_stored(const sequencer::Pipeline& node) {
    for (const auto since = Clock::now(); seconds_since(since) < kStuckSeconds;) {
        const sequencer::PipelineStatus status = node.status();
        if (status.committer_waiting == 0 && status.stored_block + 1 >= status.block)
            return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

struct Outcome {
    double rate = 0;  // a second, flat out
    Latencies::Figures steady;
    Latencies::Figures half;
};

// An eighth of them at the steady rate, half flat out, and the rest at half of the rate that this gave.
Outcome drive(sequencer::Pipeline& node, Latencies& latencies, const std::vector<Bytes>& envelopes,
              std::size_t steady_rate) {
    const std::size_t steady = envelopes.size() / 8;
    const std::size_t flat_out = steady + envelopes.size() / 2;
    Outcome out;
    submit_all(node, envelopes, 0, steady, static_cast<double>(steady_rate));
    wait_for(node, latencies, steady);
    out.steady = latencies.take();
    wait_until_stored(node);
    const auto begin = Clock::now();
    submit_all(node, envelopes, steady, flat_out, 0);
    wait_for(node, latencies, flat_out);
    out.rate = static_cast<double>(flat_out - steady) / seconds_since(begin);
    wait_until_stored(node);
    static_cast<void>(latencies.take());
    submit_all(node, envelopes, flat_out, envelopes.size(), out.rate / 2);
    wait_for(node, latencies, envelopes.size());
    out.half = latencies.take();
    return out;
}

void print_recovery(const Recovery& recovery) {
    if (wants(kSingleRow))
        std::printf("%-58s %12.0f /s\n", kSingleRow, recovery.single);
    if (wants(kBatchedRow))
        std::printf("%-58s %12.0f /s   %.2f of libsecp256k1\n", kBatchedRow, recovery.batched,
                    recovery.batched / recovery.single);
}

void print_latency(const char* row, const Latencies::Figures& us) {
    std::printf("%-58s p50 %llu us, p99 %llu us, p99.9 %llu us\n", row,
                static_cast<unsigned long long>(us.p50), static_cast<unsigned long long>(us.p99),
                static_cast<unsigned long long>(us.p999));
}

template <class T>
T take(store::StoreResult<T> result) {
    if (!result) {
        std::fprintf(stderr, "pipeline_bench: %s\n", result.error().message.c_str());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>)
        return *std::move(result);
}

std::unique_ptr<store::Database> open_database(const std::string& folder) {
    store::RocksOptions options;
    options.path = folder + "/store";
    return take(store::open_rocks(options));
}

// A store whose block 0 has so many accounts that they are written in parts, and their tries made from them.
std::unique_ptr<store::ChainStore> make_large_store(const std::string& folder, const node::Genesis& genesis,
                                                    std::uint64_t receivers) {
    constexpr std::uint64_t kPart = 100'000;
    auto database = open_database(folder);
    state::StateChanges part = node::genesis_changes(genesis);
    for (std::uint64_t i = 0; i < receivers || !part.accounts.empty(); ++i) {
        if (i < receivers)
            part.accounts[receiver(i)].account = state::Account{.nonce = 0, .balance = 1};
        if (part.accounts.size() < kPart && i + 1 < receivers)
            continue;
        store::WriteBatch batch;
        for (const auto& [hash, code] : part.code)
            batch.put(store::Table::Code, hash, code);
        store::overwrite_state(std::exchange(part, {}), batch);
        take(database->commit(batch, store::Durability::Buffered));
        if (i >= receivers)
            break;
    }
    std::fprintf(stderr, "pipeline_bench: %llu accounts written, now their tries\n",
                 static_cast<unsigned long long>(receivers));
    chain::Block block;
    block.header = genesis.header;
    block.header.state_root =
        take(store::rebuild_tries(*database, [](std::uint64_t, std::uint64_t) { return true; }));
    if (block.header.withdrawals_root)
        block.withdrawals.emplace();
    const Hash hash = chain::header_hash(block.header);
    const store::ChainIdentity identity{hash, genesis.config.chain_id};
    store::WriteBatch batch;
    store::TrieUpdate update;
    store::write_block({.block = block,
                        .hash = hash,
                        .total_difficulty = block.header.difficulty,
                        .size_bytes = chain::encode(block).size(),
                        .receipts = {},
                        .txn_hashes = {},
                        .senders = {},
                        .changes = {},
                        .trie = update},
                       batch);
    // What making it left to be done in the background is not the load's.
    take(database->compact());
    take(store::ChainStore::adopt(
        *database, identity,
        {.head = {0, hash, block.header.state_root}, .oldest_header = 0, .oldest_body = 0, .note = {}},
        std::move(batch)));
    return take(store::ChainStore::open(std::move(database), identity));
}

Outcome run_pipeline(const std::string& folder, const Load& load, std::unique_ptr<store::ChainStore> store,
                     std::size_t steady_rate) {
    Latencies latencies;
    frames::LogOptions log_options;
    log_options.folder = folder + "/frames";
    log_options.chain_id = load.genesis.config.chain_id;
    log_options.genesis_hash = store->identity().genesis_hash;
    auto log = frames::FrameLog::open(frames::posix_disk(), log_options);
    if (!log) {
        std::fprintf(stderr, "pipeline_bench: %s\n", log.error().message.c_str());
        std::exit(1);
    }
    const auto signer = *frames::LocalSigner::make(secret(1u << 20));
    sequencer::SystemClock clock;
    sequencer::PipelineOptions pipeline_options;
    pipeline_options.ingress_threads = std::max(1u, std::thread::hardware_concurrency());
    auto node = sequencer::Pipeline::open(pipeline_options,
                                          {load.genesis.config, clock, *store, **log, signer, &latencies});
    if (!node) {
        std::fprintf(stderr, "pipeline_bench: %s\n", node.error().c_str());
        std::exit(1);
    }
    (*node)->run();
    const Outcome out = drive(**node, latencies, load.envelopes, steady_rate);
    (*node)->stop();
    return out;
}

// What no frame's latency can be below: the disk's own answer to a write of 8 KiB.
void print_disk(const std::string& folder) {
    constexpr int kWrites = 200;
    auto file = frames::posix_disk().create(folder + "/probe");
    const Bytes bytes(8192, 0x5a);
    std::vector<std::uint64_t> us;
    for (int i = 0; file && i < kWrites; ++i) {
        const auto begin = Clock::now();
        if (!(*file)->append(bytes) || !(*file)->sync())
            return;
        us.push_back(static_cast<std::uint64_t>(seconds_since(begin) * 1e6));
    }
    std::ranges::sort(us);
    if (!us.empty())
        std::printf("%-58s p50 %llu us, p99 %llu us\n", kFrameRow,
                    static_cast<unsigned long long>(us[us.size() / 2]),
                    static_cast<unsigned long long>(us[us.size() * 99 / 100]));
}

int run(const Options& options) {
    const bool pipeline = wants(kTransfersRow) || wants(kLatencyRow);
    const bool large = options.state != 0 && (wants(kLargeRow) || wants(kLargeLatencyRow));
    if (!pipeline && !large && !wants(kSingleRow) && !wants(kBatchedRow))
        return 0;
    const Load load = make_load(options, 0);
    const Recovery recovery = measure_recovery(load.envelopes);
    print_recovery(recovery);
    const auto print_rate = [&](const char* row, double rate) {
        std::printf("%-58s %12.0f /s   %.2f of libsecp256k1's recovery, %.2f of the batched\n", row, rate,
                    rate / recovery.single, rate / recovery.batched);
    };
    if (pipeline) {
        const Outcome out =
            run_pipeline(options.folder, load,
                         take(node::open_store(open_database(options.folder), load.genesis)), options.steady);
        print_rate(kTransfersRow, out.rate);
        print_latency(kLatencyRow, out.half);
        print_latency(kSteadyRow, out.steady);
        print_disk(options.folder);
    }
    if (large) {
        const std::string folder = options.folder + "/large";
        std::filesystem::create_directories(folder);
        const Load to_many = make_load(options, options.state);
        const Outcome out = run_pipeline(
            folder, to_many, make_large_store(folder, to_many.genesis, options.state), options.steady);
        print_rate(kLargeRow, out.rate);
        print_latency(kLargeLatencyRow, out.half);
        print_latency(kLargeSteadyRow, out.steady);
    }
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
        else if (name == "--state")
            options.state = std::strtoull(value, nullptr, 10);
        else if (name == "--steady")
            options.steady = std::strtoull(value, nullptr, 10);
        else if (name == "--folder")
            options.folder = value;
        else
            return false;
        return true;
    };
    meridian::bench::read_arguments(
        argc, argv, take,
        "  --transfers N   signed and submitted (100000)\n"
        "  --accounts N    that send them (2000)\n"
        "  --state N       accounts of the large state; 0: not measured (1000000)\n"
        "  --steady N      transfers a second of the steady rate, the same for both states (5000)\n"
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
