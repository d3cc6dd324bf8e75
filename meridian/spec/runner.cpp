#include <meridian/spec/runner.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/evm/code_cache.hpp>
#include <meridian/spec/blockchain_test.hpp>
#include <meridian/spec/progress.hpp>
#include <meridian/spec/small_tests.hpp>
#include <meridian/spec/state_test.hpp>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <mutex>
#include <thread>

namespace meridian::spec {
namespace {

namespace fs = std::filesystem;

struct TestFile {
    std::string path;
    std::uintmax_t size = 0;
    bool named = false;  // given by the user, not found in a folder
};

bool has(const Json& test, std::string_view name) {
    return test.as_object().contains({name.data(), name.size()});
}

CaseKind kind_of(const Json& test) {
    if (!test.is_object())
        return CaseKind::Unknown;
    if (has(test, "blocks") && has(test, "lastblockhash"))
        return CaseKind::Blockchain;
    if (has(test, "engineNewPayloads"))
        return CaseKind::Engine;
    if (has(test, "transaction") && has(test, "post"))
        return CaseKind::State;
    if (has(test, "exec") && has(test, "pre"))
        return CaseKind::Vm;
    if (has(test, "txbytes") && has(test, "result"))
        return CaseKind::Transaction;
    if (has(test, "in") && has(test, "out"))
        return CaseKind::Rlp;
    if (has(test, "in") && has(test, "root"))
        return CaseKind::Trie;
    if (has(test, "in") && has(test, "tests"))
        return CaseKind::TrieOrder;
    if (has(test, "currentDifficulty") && has(test, "parentDifficulty"))
        return CaseKind::Difficulty;
    if (has(test, "seq") && has(test, "term"))
        return CaseKind::HexPrefix;
    return CaseKind::Unknown;
}

void run_case(CaseKind kind, const Json& test, const std::string& file, CaseContext& context) {
    switch (kind) {
        case CaseKind::State:
            return run_state_test(test, context);
        case CaseKind::Vm:
            return run_vm_test(test, context);
        case CaseKind::Blockchain:
            return run_blockchain_test(test, context);
        case CaseKind::Transaction:
            return run_transaction_test(test, context);
        case CaseKind::Rlp:
            return run_rlp_test(test, context);
        case CaseKind::Trie:
            return run_trie_test(test, file.find("ecure") != std::string::npos, context);
        case CaseKind::TrieOrder:
            return run_trie_order_test(test, context);
        case CaseKind::Difficulty:
            return run_difficulty_test(test, file, context);
        case CaseKind::HexPrefix:
            return run_hex_prefix_test(test, context);
        case CaseKind::Engine:
            if (context.begin({}))
                context.skip("payloads of the Engine API are covered by the blockchain tests they come from");
            return;
        case CaseKind::Unknown:
            return;
    }
}

// Input that cannot be used is a failed case, whose file and test are known as far as it could be read.
CaseReport unusable(const std::string& path, std::string_view test, const InputError& error) {
    CaseReport out;
    out.file = path;
    out.name = test;
    out.outcome = Outcome::Failed;
    std::string_view field = error.field;
    // The path to the field begins with the test's name, which the report has already.
    if (!test.empty() && field.starts_with(test)) {
        field.remove_prefix(test.size());
        field.remove_prefix(field.starts_with('/') ? 1 : 0);
    }
    out.reason = field.empty() ? error.reason : std::string(field) + ": " + error.reason;
    return out;
}

std::vector<CaseReport> run_file(const TestFile& file, const RunOptions& options, const RunSettings& settings,
                                 evm::CodeCache& code_cache) {
    const auto document = Document::load(file.path);
    if (!document)
        return {unusable(file.path, {}, document.error())};
    bool any = false;
    auto reports = run_document(*document, options.kinds, settings, code_cache, any);
    if (!any && file.named)
        return {unusable(file.path, {},
                         {InputError::Kind::Field, file.path, {}, "holds no test that this command runs"})};
    return reports;
}

// Folders are searched for *.json, in the order of their paths.
Result<std::vector<TestFile>, InputError> find_files(const std::vector<std::string>& paths) {
    std::vector<TestFile> out;
    for (const std::string& path : paths) {
        std::error_code code;
        if (!fs::exists(path, code))
            return fail(InputError{InputError::Kind::Io, path, {}, "no such file or folder"});
        if (!fs::is_directory(path, code)) {
            out.push_back({path, fs::file_size(path, code), true});
            continue;
        }
        const std::size_t before = out.size();
        for (fs::recursive_directory_iterator it(path, code), end; it != end && !code; it.increment(code))
            if (it->is_regular_file(code) && it->path().extension() == ".json")
                out.push_back({it->path().string(), it->file_size(code), false});
        if (code)
            return fail(InputError{InputError::Kind::Io, path, {}, "cannot be searched: " + code.message()});
        if (out.size() == before)
            return fail(InputError{InputError::Kind::Io, path, {}, "holds no .json file"});
        std::sort(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(),
                  [](const TestFile& a, const TestFile& b) { return a.path < b.path; });
    }
    return out;
}

void count(Summary& summary, const CaseReport& report) {
    switch (report.outcome) {
        case Outcome::Passed:
            ++summary.passed;
            return;
        case Outcome::Failed:
            ++summary.failed;
            return;
        case Outcome::Skipped:
            ++summary.skipped;
            return;
    }
}

void print_json(const std::vector<std::vector<CaseReport>>& results) {
    bool first = true;
    std::fputs("[", stdout);
    for (const std::vector<CaseReport>& reports : results)
        for (const CaseReport& report : reports) {
            boost::json::object item{
                {"file", report.file}, {"name", report.name}, {"pass", report.outcome != Outcome::Failed}};
            if (report.outcome == Outcome::Skipped)
                item["skipped"] = true;
            if (report.state_root)
                item["stateRoot"] = to_hex0x(*report.state_root);
            item["fork"] = report.fork;
            if (!report.reason.empty())
                item["error"] = report.reason;
            std::fprintf(stdout, "%s\n%s", first ? "" : ",", boost::json::serialize(item).c_str());
            first = false;
        }
    std::fputs("\n]\n", stdout);
}

void print_failures(const std::vector<CaseReport>& reports) {
    for (const CaseReport& report : reports)
        if (report.outcome == Outcome::Failed)
            std::fprintf(stdout, "FAIL %s: %s\n", report.id().c_str(), report.reason.c_str());
}

// Shares the files out among threads, large ones first, so that no thread is left with one at the end.
std::vector<std::vector<CaseReport>> run_files(const std::vector<TestFile>& files,
                                               const RunOptions& options) {
    std::vector<std::size_t> order(files.size());
    for (std::size_t i = 0; i < order.size(); ++i)
        order[i] = i;
    const auto cost = [&](std::size_t i) {
        // A folder of both suites whose small files run for long.
        const bool slow = files[i].path.find("stTimeConsuming") != std::string::npos;
        return slow ? std::numeric_limits<std::uintmax_t>::max() : files[i].size;
    };
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return cost(a) != cost(b) ? cost(a) > cost(b) : a < b; });
    const RunSettings settings{options.filter, options.run_excluded ? nullptr : &Exclusions::built_in(),
                               options.trace};
    std::vector<std::vector<CaseReport>> results(files.size());
    std::atomic<std::size_t> next = 0;
    std::mutex mutex;
    Progress progress(files.size());
    Summary summary;
    const auto work = [&] {
        auto cache = std::make_unique<evm::CodeCache>();
        for (std::size_t done = 1;; ++done) {
            const std::size_t i = next.fetch_add(1);
            if (i >= order.size())
                return;
            std::vector<CaseReport> reports = run_file(files[order[i]], options, settings, *cache);
            // Tests share little code, so that a cache that only grew would be waste.
            if (done % 64 == 0)
                cache = std::make_unique<evm::CodeCache>();
            const std::lock_guard lock(mutex);
            for (const CaseReport& report : reports)
                count(summary, report);
            if (!options.json)
                print_failures(reports);
            results[order[i]] = std::move(reports);
            progress.advance(summary.text());
        }
    };
    const unsigned wanted =
        options.jobs != 0 ? options.jobs : std::max(1u, std::thread::hardware_concurrency());
    const std::size_t jobs = options.trace ? 1 : std::min<std::size_t>(wanted, files.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i < jobs; ++i)
        threads.emplace_back(work);
    work();
    for (std::thread& thread : threads)
        thread.join();
    return results;
}

}  // namespace

std::vector<CaseReport> run_document(const Document& document, const std::vector<CaseKind>& kinds,
                                     const RunSettings& settings, evm::CodeCache& code_cache, bool& any) {
    const std::string& path = document.name();
    CaseContext context(settings, code_cache, path);
    const auto* tests = document.root().if_object();
    if (tests == nullptr)
        return {};
    for (const auto& item : *tests) {
        const CaseKind kind = kind_of(item.value());
        if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
            continue;
        any = true;
        context.set_test({item.key().data(), item.key().size()});
        try {
            run_case(kind, item.value(), path, context);
        } catch (const FieldFailure& failure) {
            context.reports().push_back(unusable(path, context.test(), document.error(failure)));
        }
    }
    return std::move(context.reports());
}

std::string Summary::text() const {
    return std::to_string(passed) + " passed, " + std::to_string(failed) + " failed, " +
           std::to_string(skipped) + " skipped";
}

int conclude(const Summary& summary, const std::string& filter, bool json) {
    const bool nothing = summary.passed + summary.failed + summary.skipped == 0;
    if (nothing && !filter.empty())
        std::fprintf(stderr, "meridian: --run '%s' selects no case\n", filter.c_str());
    else if (nothing)
        std::fprintf(stderr, "meridian: no case was found\n");
    std::fprintf(json ? stderr : stdout, "%s\n", summary.text().c_str());
    if (nothing)
        return kExitBadInput;
    return summary.failed == 0 ? kExitPassed : kExitFailed;
}

int run_suites(const RunOptions& options) {
    const auto files = find_files(options.paths);
    if (!files) {
        std::fprintf(stderr, "meridian: %s\n", files.error().text().c_str());
        return kExitBadInput;
    }
    const std::vector<std::vector<CaseReport>> results = run_files(*files, options);
    Summary summary;
    for (const std::vector<CaseReport>& reports : results)
        for (const CaseReport& report : reports)
            count(summary, report);
    if (options.json)
        print_json(results);
    return conclude(summary, options.filter, options.json);
}

}  // namespace meridian::spec
