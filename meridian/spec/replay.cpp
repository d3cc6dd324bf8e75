#include <meridian/spec/replay.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/evm/code_cache.hpp>
#include <meridian/spec/pattern.hpp>
#include <meridian/spec/progress.hpp>
#include <meridian/spec/runner.hpp>

#include <boost/json/serialize.hpp>

#include <chrono>
#include <cstdio>

namespace meridian::spec {
namespace {

using chain::Header;
using evm::Revision;

// OP Stack predeploy whose storage root stands in the header from Isthmus on.
constexpr Address kMessagePasser =
    literals::operator""_address("4200000000000000000000000000000000000016", 40);

// The root after a transaction, from the tries as they were before the block.
class TrieIntermediateRoot final : public chain::IntermediateRoot {
public:
    explicit TrieIntermediateRoot(ReplayCase& source) : m_source(source) {}
    Hash root_after(const state::StateChanges& changes) override {
        state::TrieState state(m_source.pre_root, m_source.nodes, m_source.codes);
        return state.apply(changes).value_or(Hash{});
    }

private:
    ReplayCase& m_source;
};

struct Execution {
    std::string failure;
    chain::BlockOutcome outcome;
};

std::string describe(const chain::BlockFailure& failure) {
    std::string out(chain::name(failure.error));
    if (failure.txn_error)
        out += ": " + std::string(chain::name(*failure.txn_error));
    if (failure.txn_index)
        out += " at transaction " + std::to_string(*failure.txn_index);
    return failure.message.empty() ? out : out + ": " + failure.message;
}

Execution execute(ReplayCase& block, state::StateReader& reader, evm::CodeCache& cache,
                  chain::IntermediateRoot* intermediate_root) {
    Execution out;
    state::State state(reader);
    const chain::ExecutionEnvironment environment{
        .code_cache = cache, .block_hashes = block.block_hashes, .intermediate_root = intermediate_root};
    const Header& header = block.block.header;
    chain::BlockExecutor executor(block.config, header, state, environment);
    if (auto started = executor.start(); !started) {
        out.failure = describe(started.error());
        return out;
    }
    const bool homestead = executor.revision() >= Revision::Homestead;
    for (std::size_t i = 0; i < block.block.transactions.size(); ++i) {
        const chain::Transaction& txn = block.block.transactions[i];
        const auto sender = chain::recover_sender(txn, homestead);
        const auto result = sender ? executor.execute(txn, *sender) : fail(sender.error());
        if (!result) {
            out.failure =
                "transaction " + std::to_string(i) + ": " + std::string(chain::name(result.error()));
            return out;
        }
    }
    auto finished = executor.finish(block.block.ommers, block.block.withdrawals);
    if (finished)
        out.outcome = std::move(*finished);
    else
        out.failure = describe(finished.error());
    return out;
}

std::string differs(std::string_view what, const std::string& expected, const std::string& actual) {
    return expected == actual ? "" : std::string(what) + ": expected " + expected + ", got " + actual;
}

// The recorded header against what the block's own content says.
std::string check_content(const ReplayCase& block) {
    const Header& header = block.block.header;
    if (auto r = differs("block hash", to_hex0x(block.hash), to_hex0x(chain::header_hash(header)));
        !r.empty())
        return r;
    if (auto r = differs("transactions root", to_hex0x(header.transactions_root),
                         to_hex0x(chain::transactions_root(block.block.transactions)));
        !r.empty())
        return r;
    if (header.withdrawals_root && block.block.withdrawals)
        if (auto r = differs("withdrawals root", to_hex0x(*header.withdrawals_root),
                             to_hex0x(chain::withdrawals_root(*block.block.withdrawals)));
            !r.empty())
            return r;
    if (!block.parent)
        return {};
    const auto valid = chain::validate_header(block.config, *block.parent, header);
    return valid ? "" : describe(valid.error());
}

std::string check_outcome(const ReplayCase& block, const chain::BlockOutcome& outcome) {
    const Header& header = block.block.header;
    const Revision revision = block.config.revision(header.number, header.timestamp);
    if (auto r = differs("gas used", std::to_string(header.gas_used), std::to_string(outcome.gas_used));
        !r.empty())
        return r;
    if (auto r = differs("logs bloom", to_hex0x(header.bloom), to_hex0x(outcome.bloom)); !r.empty())
        return r;
    // Receipts before Byzantium hold state roots, which need the whole state or its tries.
    if (revision >= Revision::Byzantium || block.accounts == nullptr)
        if (auto r = differs("receipts root", to_hex0x(header.receipts_root),
                             to_hex0x(chain::receipts_root(outcome.receipts)));
            !r.empty())
            return r;
    if (header.requests_hash)
        return differs("requests hash", to_hex0x(*header.requests_hash),
                       to_hex0x(outcome.requests_hash.value_or(Hash{})));
    return {};
}

// Completes the header of an OP block from its execution.
void seal(ReplayCase& block, const chain::BlockOutcome& outcome, const Hash& state_root,
          state::TrieState& state) {
    Header& header = block.block.header;
    header.state_root = state_root;
    header.transactions_root = chain::transactions_root(block.block.transactions);
    header.receipts_root = chain::receipts_root(outcome.receipts);
    header.bloom = outcome.bloom;
    header.gas_used = outcome.gas_used;
    header.withdrawals_root = chain::withdrawals_root({});
    if (block.config.op->isthmus_time && header.timestamp >= *block.config.op->isthmus_time) {
        header.withdrawals_root = state.storage_root(kMessagePasser).value_or(Hash{});
        header.requests_hash = outcome.requests_hash;
    }
}

struct BlockResult {
    std::string failure;
    std::uint64_t gas = 0;
    double seconds = 0;
};

std::string check_post_state(ReplayCase& block, state::TrieState& state, const chain::BlockOutcome& outcome) {
    const auto root = state.apply(outcome.changes);
    if (!root)
        return "the recorded proofs do not suffice for the post-state root";
    if (block.sealed)
        return differs("post-state root", to_hex0x(block.block.header.state_root), to_hex0x(*root));
    seal(block, outcome, *root, state);
    return check_content(block);
}

BlockResult replay(ReplayCase& block, unsigned repeat) {
    BlockResult out;
    if (!block.sealed)
        block.block.header.base_fee =
            chain::next_base_fee(block.config, *block.parent, block.block.header.timestamp);
    else if (out.failure = check_content(block); !out.failure.empty())
        return out;
    evm::CodeCache cache;
    TrieIntermediateRoot intermediate(block);
    const bool early =
        block.config.revision(block.block.header.number, block.block.header.timestamp) < Revision::Byzantium;
    for (unsigned i = 0; i < repeat; ++i) {
        std::optional<state::TrieState> trie;
        if (block.accounts == nullptr)
            trie.emplace(block.pre_root, block.nodes, block.codes);
        state::StateReader& reader = trie ? static_cast<state::StateReader&>(*trie) : *block.accounts;
        const auto start = std::chrono::steady_clock::now();
        Execution execution = execute(block, reader, cache, trie && early ? &intermediate : nullptr);
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
        out.failure = std::move(execution.failure);
        if (out.failure.empty() && reader.error() != state::StateError::None)
            out.failure = "the recorded state lacks what the block reads";
        if (out.failure.empty() && block.sealed)
            out.failure = check_outcome(block, execution.outcome);
        if (out.failure.empty() && trie)
            out.failure = check_post_state(block, *trie, execution.outcome);
        if (!out.failure.empty())
            return out;
        out.gas += execution.outcome.gas_used;
        out.seconds += taken.count();
    }
    return out;
}

double mgas_per_second(std::uint64_t gas, double seconds) {
    return seconds > 0 ? static_cast<double>(gas) / seconds / 1e6 : 0;
}

struct Totals {
    Summary summary;
    std::uint64_t gas = 0;
    double seconds = 0;
    boost::json::array results;
};

struct SourceResult {
    BlockResult block;
    std::string skipped;
    bool nothing = false;  // neither a block nor anything that looks like one
};

SourceResult run_source(const ReplaySource& source, unsigned repeat) {
    SourceResult out;
    if (source.check) {
        ReplayCheck check = source.check();
        out.block.failure = std::move(check.failure);
        out.skipped = std::move(check.skipped);
        return out;
    }
    auto loaded = source.load();
    if (!loaded) {
        const InputError& error = loaded.error();
        out.block.failure = error.field.empty() ? error.reason : error.field + ": " + error.reason;
    } else if (loaded->block != nullptr) {
        out.block = replay(*loaded->block, repeat);
    } else {
        out.skipped = std::move(loaded->skipped);
        out.nothing = out.skipped.empty();
    }
    return out;
}

void report_json(const std::string& name, const SourceResult& result, Totals& totals) {
    const BlockResult& block = result.block;
    boost::json::object out{{"name", name}, {"pass", block.failure.empty()}};
    if (!result.skipped.empty()) {
        out["skipped"] = true;
        out["error"] = result.skipped;
    } else if (!block.failure.empty()) {
        out["error"] = block.failure;
    } else if (block.gas != 0) {
        out["gasUsed"] = block.gas;
        out["mgasPerSecond"] = mgas_per_second(block.gas, block.seconds);
    }
    totals.results.push_back(std::move(out));
}

void report(const std::string& name, const SourceResult& result, const ReplayOptions& options,
            Totals& totals) {
    if (result.nothing)
        return;
    const std::string& failure = result.block.failure;
    totals.gas += result.block.gas;
    totals.seconds += result.block.seconds;
    if (!result.skipped.empty())
        ++totals.summary.skipped;
    else
        ++(failure.empty() ? totals.summary.passed : totals.summary.failed);
    if (options.json)
        report_json(name, result, totals);
    else if (!result.skipped.empty())
        std::printf("SKIP %s: %s\n", name.c_str(), result.skipped.c_str());
    else if (!failure.empty())
        std::printf("FAIL %s: %s\n", name.c_str(), failure.c_str());
}

}  // namespace

int run_replay(const ReplayOptions& options) {
    std::vector<ReplaySource> sources;
    for (const std::string& path : options.paths) {
        auto found = find_replay_sources(path, options);
        if (!found) {
            std::fprintf(stderr, "meridian: %s\n", found.error().text().c_str());
            return kExitBadInput;
        }
        for (ReplaySource& source : *found)
            if (options.filter.empty() || matches(options.filter, source.name))
                sources.push_back(std::move(source));
    }
    Totals totals;
    {
        Progress progress(sources.size());
        for (const ReplaySource& source : sources) {
            report(source.name, run_source(source, options.repeat), options, totals);
            progress.advance(totals.summary.text());
        }
    }
    if (options.json)
        std::printf("%s\n", boost::json::serialize(totals.results).c_str());
    std::FILE* out = options.json ? stderr : stdout;
    std::fprintf(out, "%.1f Mgas/s (%llu gas in %.3f s)\n", mgas_per_second(totals.gas, totals.seconds),
                 static_cast<unsigned long long>(totals.gas), totals.seconds);
    return conclude(totals.summary, options.filter, options.json);
}

}  // namespace meridian::spec
