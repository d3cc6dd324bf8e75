// The interpreter on the programs that evmone is benchmarked with (ipsilon/evm-benchmarks), translation
// not counted: Mgas/s, and how many times as fast as evmone's baseline interpreter.
//
// The peer's times were measured once, beside libsecp256k1's public key recovery; that yardstick is
// measured again here, between the cases, and scales the peer's times to the machine as it is now.
// Times are CPU time, the fastest of several rounds for ours and for the yardstick.
//
// Every program is first run in both shapes of the interpreter: status, gas and output must agree, and the
// gas be what the peer uses.
// Usage: evm_bench [--data DIR] [--run FILTER] [--seconds S]
#include "arguments.hpp"

#include <meridian/base/hex.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/evm/code_cache.hpp>
#include <meridian/evm/evm.hpp>
#include <meridian/state/memory_state.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <time.h>

namespace {

using namespace meridian;
namespace json = boost::json;

// evmone baseline, g++ 12.2 -march=x86-64-v3. Its gas for a program counts where it is ours; snailtracer
// uses storage, which the peer's benchmark does not keep.
struct Peer {
    const char* name;
    std::int64_t gas;  // intrinsic gas apart; 0 if not known
    double mgas_per_s;
    std::int64_t our_gas = 0;  // where it differs: with real storage

    double ns() const { return static_cast<double>(gas) * 1e3 / mgas_per_s; }
};
constexpr Peer kPeers[] = {
    {"blake2b_huff/8415nulls", 879'923, 1130},
    {"blake2b_huff/empty", 13'984, 1126},
    {"blake2b_shifts/8415nulls", 12'043'105, 1635},
    {"sha1_divs/5311", 3'000'286, 743},
    {"sha1_divs/empty", 36'454, 811},
    {"sha1_shifts/5311", 2'898'473, 1557},
    {"sha1_shifts/empty", 35'234, 1545},
    {"snailtracer/benchmark", 234'915'768, 7120, 165'962'868},
    {"structarray_alloc/nfts_rank", 1'737'676, 5065},
    {"swap_math/insufficient_liquidity", 2'232, 1518},
    {"swap_math/received", 3'505, 1486},
    {"swap_math/spent", 3'179, 1566},
    {"weierstrudel/1", 47'561, 252},
    {"weierstrudel/15", 598'273, 314},
    {"JUMPDEST_n0/empty", 527'598, 1462},
    {"jump_around/empty", 49'153, 2703},
    {"loop_with_many_jumpdests/empty", 7'987'882, 1478},
    {"memory_grow_mload/by1", 0, 1764},
    {"memory_grow_mload/by16", 0, 1634},
    {"memory_grow_mload/by32", 0, 1830},
    {"memory_grow_mload/nogrow", 0, 1789},
    {"memory_grow_mstore/by1", 0, 1474},
    {"memory_grow_mstore/by16", 0, 1732},
    {"memory_grow_mstore/by32", 0, 2096},
    {"memory_grow_mstore/nogrow", 0, 1468},
    {"signextend/one", 96'066, 2692},
    {"signextend/zero", 96'066, 2676},
};
constexpr std::size_t kMainCases = 14;
// Public key recoveries a second when the peer was measured.
constexpr double kPeerRecoveries = 22'500;

double cpu_ns() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

// How much slower than then a public key recovery is now.
double yardstick() {
    Hash digest;
    digest[0] = 1;
    const auto signature = crypto::secp256k1::sign(digest, digest);
    double best = 1e12;
    for (int round = 0; round < 20; ++round) {
        const double start = cpu_ns();
        for (int i = 0; i < 20; ++i)
            if (!crypto::secp256k1::recover(digest, signature->r, signature->s, signature->recovery_id)
                     .has_value())
                std::exit(2);
        best = std::min(best, (cpu_ns() - start) / 20);
    }
    return best * kPeerRecoveries / 1e9;
}

struct Case {
    std::string name;
    Bytes code;
    Bytes input;
    std::int64_t gas_limit = 0;
};

struct Run {
    evm::CallResult result;
    std::int64_t gas_used = 0;
};

class NullTracer final : public evm::Tracer {
public:
    void on_enter(const evm::Message&, BytesView) override {}
    void on_exit(const evm::Message&, const evm::CallResult&) override {}
    void on_step(const evm::Step& step) override { steps += step.opcode != 0; }
    void on_selfdestruct(const Address&, const Address&, const u256&) override {}
    void on_log(const state::Log&) override {}

    std::uint64_t steps = 0;
};

class Bench {
public:
    explicit Bench(const Case& program) : m_case(program) {
        m_address[0] = 0xbe;
        m_sender[0] = 0xa9;
        m_parent.set_code(m_address, program.code);
        m_parent.set_balance(m_sender, 1'000'000'000);
    }

    Run run(evm::Tracer* tracer) {
        state::State state(m_parent);
        state.begin_transaction();
        return run(state, tracer);
    }

    // Nanoseconds a run.
    double time(double seconds) {
        state::State state(m_parent);
        state.begin_transaction();
        (void)run(state, nullptr);
        double best = 1e18;
        long repeats = 1;
        const double end = cpu_ns() + seconds * 1e9;
        while (cpu_ns() < end) {
            const double start = cpu_ns();
            for (long i = 0; i < repeats; ++i)
                (void)run(state, nullptr);
            const double ns = cpu_ns() - start;
            best = std::min(best, ns / static_cast<double>(repeats));
            if (ns < 1e6)
                repeats *= 2;
        }
        return best;
    }

private:
    Run run(state::State& state, evm::Tracer* tracer) {
        evm::Evm evm(evm::Revision::London, state, m_block, m_txn, m_cache, tracer);
        evm::Message message;
        message.gas = m_case.gas_limit;
        message.recipient = message.code_address = m_address;
        message.sender = m_sender;
        message.input = m_case.input;
        Run out{evm.execute(message), 0};
        out.gas_used = message.gas - out.result.gas_left;
        return out;
    }

    const Case& m_case;
    Address m_address;
    Address m_sender;
    state::MemoryState m_parent;
    evm::CodeCache m_cache;
    evm::BlockContext m_block;
    evm::TxnContext m_txn;
};

Bytes hex_field(const json::value& value) {
    const auto bytes = from_hex(std::string_view{value.as_string()});
    if (!bytes.has_value()) {
        std::fprintf(stderr, "not hexadecimal: %.40s\n", value.as_string().c_str());
        std::exit(2);
    }
    return *bytes;
}

void load_file(const std::filesystem::path& path, std::vector<Case>& out) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    const json::value root = json::parse(text.str());
    for (const auto& [name, test] : root.as_object()) {
        const auto& txn = test.at("transaction");
        const auto& labels = test.at("_info").at("labels");
        const Bytes code = hex_field(test.at("pre").at(txn.at("to").as_string()).at("code"));
        const auto& inputs = txn.at("data").as_array();
        for (std::size_t i = 0; i < inputs.size(); ++i)
            out.push_back({std::string(name) + "/" + labels.at(std::to_string(i)).as_string().c_str(), code,
                           hex_field(inputs[i]), 1'000'000'000});
    }
}

std::vector<Case> load(const std::filesystem::path& root) {
    std::vector<Case> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root))
        if (entry.path().extension() == ".json")
            load_file(entry.path(), found);
    std::vector<Case> out;
    for (const Peer& peer : kPeers)
        for (Case& each : found)
            if (each.name == peer.name)
                out.push_back(std::move(each));
    return out;
}

const Peer& peer_of(const Case& program) {
    return *std::find_if(std::begin(kPeers), std::end(kPeers),
                         [&](const Peer& peer) { return program.name == peer.name; });
}

// False, with a message, if the two shapes of the interpreter disagree or gas is not what it should be.
bool verify(const Case& program, Bench& bench, std::int64_t& gas, std::uint64_t& steps) {
    const Peer& peer = peer_of(program);
    NullTracer tracer;
    const Run fused = bench.run(nullptr);
    const Run stepped = bench.run(&tracer);
    const std::int64_t expected = peer.our_gas != 0 ? peer.our_gas : peer.gas;
    gas = fused.gas_used;
    steps = tracer.steps;
    if (fused.result.status == evm::Status::Success && stepped.result.status == evm::Status::Success &&
        fused.gas_used == stepped.gas_used && fused.result.output == stepped.result.output &&
        (expected == 0 || gas == expected))
        return true;
    std::fprintf(stderr, "%s: gas %lld, stepped %lld, expected %lld\n", program.name.c_str(),
                 static_cast<long long>(fused.gas_used), static_cast<long long>(stepped.gas_used),
                 static_cast<long long>(expected));
    return false;
}

int run_cases(const std::vector<Case>& programs, const std::string& filter, double seconds) {
    std::vector<std::pair<double, std::string>> ratios;
    double log_sum = 0;
    int counted = 0;
    std::printf("%-34s %11s %12s %8s %10s %10s %6s\n", "program", "gas", "ns", "ns/instr", "Mgas/s",
                "peer's ns", "ratio");
    for (const Case& program : programs) {
        if (program.name.find(filter) == std::string::npos)
            continue;
        Bench bench(program);
        std::int64_t gas = 0;
        std::uint64_t steps = 0;
        if (!verify(program, bench, gas, steps))
            return 1;
        const Peer& peer = peer_of(program);
        const double slowdown = yardstick();
        const double ns = bench.time(seconds);
        const double peer_ns =
            (peer.gas != 0 ? peer.ns() : static_cast<double>(gas) * 1e3 / peer.mgas_per_s) * slowdown;
        std::printf("%-34s %11lld %12.0f %8.2f %10.0f %10.0f %6.2f\n", program.name.c_str(),
                    static_cast<long long>(gas), ns, ns / static_cast<double>(steps),
                    static_cast<double>(gas) * 1e3 / ns, peer_ns, peer_ns / ns);
        if (static_cast<std::size_t>(&peer - kPeers) >= kMainCases)
            continue;
        log_sum += std::log(peer_ns / ns);
        ratios.emplace_back(peer_ns / ns, program.name);
        ++counted;
    }
    std::sort(ratios.begin(), ratios.end());
    if (counted == 0)
        return 0;
    std::printf("slowest against the peer:");
    for (std::size_t i = 0; i < std::min<std::size_t>(5, ratios.size()); ++i)
        std::printf(" %s %.2f", ratios[i].second.c_str(), ratios[i].first);
    std::printf("\ngeometric mean of the %d main cases: %.3f times evmone's baseline\n", counted,
                std::exp(log_sum / counted));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    std::filesystem::path data = "build/testdata/evm-benchmarks";
    if (const char* root = std::getenv("MERIDIAN_TESTDATA"))
        data = std::filesystem::path(root) / "evm-benchmarks";
    double seconds = 0.3;
    const auto take = [&](std::string_view option, const char* value) {
        if (option == "--data")
            data = value;
        else if (option == "--seconds")
            seconds = std::atof(value);
        return option == "--data" || option == "--seconds";
    };
    meridian::bench::read_arguments(argc, argv, take,
                                    "  --data DIR  the programs (default: evm-benchmarks of the test data)\n"
                                    "  --seconds S time for each (default: 0.3)\n");
    return run_cases(load(data), std::string(meridian::bench::row_filter), seconds);
}
