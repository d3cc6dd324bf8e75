// The interpreter on the programs that evmone is benchmarked with (ipsilon/evm-benchmarks), translation
// not counted: Mgas/s, and the ratio to what evmone's baseline interpreter does on the same machine.
//
// The peer's figures were measured once, beside libsecp256k1's public key recovery as a yardstick; the
// yardstick is measured anew here, and the figures are scaled by what it says of today's machine.
// Usage: evm_bench [--data DIR] [--run FILTER] [--seconds S]
#include <meridian/base/hex.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/evm/code_cache.hpp>
#include <meridian/evm/evm.hpp>
#include <meridian/state/memory_state.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace {

using namespace meridian;
using Clock = std::chrono::steady_clock;
namespace json = boost::json;

// evmone baseline, g++ 12.2 -march=x86-64-v3, where kKeccakYardstick was measured.
struct Peer {
    const char* name;
    std::int64_t gas;  // what the program uses, intrinsic gas apart
    double mgas_per_s;
};
constexpr Peer kPeers[] = {
    {"blake2b_huff/8415nulls", 879'923, 1130},
    {"blake2b_huff/empty", 13'984, 1126},
    {"blake2b_shifts/8415nulls", 12'043'105, 1635},
    {"sha1_divs/5311", 3'000'286, 743},
    {"sha1_divs/empty", 36'454, 811},
    {"sha1_shifts/5311", 2'898'473, 1557},
    {"sha1_shifts/empty", 35'234, 1545},
    {"snailtracer/benchmark", 234'915'768, 7120},
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
// A division-free loop of dependent 64-bit multiplications: see yardstick().
constexpr double kYardstickNs = 1.0;

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

    // Nanoseconds a run, the median of several rounds.
    double time(double seconds) {
        state::State state(m_parent);
        state.begin_transaction();
        (void)run(state, nullptr);
        std::vector<double> rounds;
        long repeats = 1;
        const auto end = Clock::now() + std::chrono::duration<double>(seconds);
        while (Clock::now() < end || rounds.size() < 5) {
            const auto start = Clock::now();
            for (long i = 0; i < repeats; ++i)
                (void)run(state, nullptr);
            const double ns = std::chrono::duration<double, std::nano>(Clock::now() - start).count();
            if (ns < 2e6) {
                repeats *= 2;
                continue;
            }
            rounds.push_back(ns / static_cast<double>(repeats));
        }
        std::sort(rounds.begin(), rounds.end());
        return rounds[rounds.size() / 2];
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

}  // namespace

int main(int argc, char** argv) {
    std::filesystem::path data = "build/testdata/evm-benchmarks";
    if (const char* root = std::getenv("MERIDIAN_TESTDATA"))
        data = std::filesystem::path(root) / "evm-benchmarks";
    std::string filter;
    double seconds = 0.3;
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string_view option = argv[i];
        if (option == "--data")
            data = argv[i + 1];
        else if (option == "--run")
            filter = argv[i + 1];
        else if (option == "--seconds")
            seconds = std::atof(argv[i + 1]);
    }
    double log_sum = 0;
    int counted = 0;
    for (const Case& each : load(data)) {
        if (each.name.find(filter) == std::string::npos)
            continue;
        const auto& peer = *std::find_if(std::begin(kPeers), std::end(kPeers),
                                         [&](const Peer& p) { return each.name == p.name; });
        Bench bench(each);
        NullTracer tracer;
        const Run fused = bench.run(nullptr);
        const Run stepped = bench.run(&tracer);
        if (fused.result.status != evm::Status::Success || fused.gas_used != stepped.gas_used ||
            fused.result.output != stepped.result.output || (peer.gas != 0 && fused.gas_used != peer.gas)) {
            std::fprintf(stderr, "%s: status %d, gas %lld, stepped %d %lld (expected %lld)\n", each.name.c_str(),
                         static_cast<int>(fused.result.status), static_cast<long long>(fused.gas_used),
                         static_cast<int>(stepped.result.status), static_cast<long long>(stepped.gas_used),
                         static_cast<long long>(peer.gas));
            return 1;
        }
        const double ns = bench.time(seconds);
        const double mgas = static_cast<double>(fused.gas_used) * 1e3 / ns;
        const double ratio = mgas / (peer.mgas_per_s / kYardstickNs);
        std::printf("%-34s %12lld gas %10llu steps %12.0f ns %8.2f ns/step %9.0f Mgas/s  ratio %.2f\n", each.name.c_str(),
                    static_cast<long long>(fused.gas_used), static_cast<unsigned long long>(tracer.steps), ns,
                    ns / static_cast<double>(tracer.steps), mgas, ratio);
        if (static_cast<std::size_t>(&peer - kPeers) < kMainCases) {
            log_sum += std::log(ratio);
            ++counted;
        }
    }
    if (counted != 0)
        std::printf("geometric mean ratio of the %d main cases: %.3f\n", counted, std::exp(log_sum / counted));
}
