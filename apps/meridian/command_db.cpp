// meridian db: looks at the store of a node and its frame log, checks them, and tidies up.
#include "commands.hpp"
#include "number_option.hpp"
#include "store_tools.hpp"
#include "stored_log.hpp"

#include <meridian/store/state_walk.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <functional>
#include <memory>

namespace meridian::app {
namespace {

namespace json = boost::json;
using store::StoreErrorKind;

struct DbOptions {
    std::string folder;
    bool json = false;
    store::PruneLimits keep;
};

// What a subcommand found, for people and for programs.
struct Report {
    std::string text;
    json::object members;
    int exit_code = 0;
    std::string error;  // with another exit code: a sentence for stderr
};
using ReportResult = store::StoreResult<Report>;

std::string mib(std::uint64_t bytes) {
    char out[32];
    std::snprintf(out, sizeof out, "%.1f MiB", static_cast<double>(bytes) / (1 << 20));
    return out;
}

void describe_chain(Report& report, const store::ChainIdentity& identity, const store::ChainView& view) {
    report.members["chainId"] = identity.chain_id;
    report.members["genesisHash"] = to_hex0x(identity.genesis_hash);
    report.text += "Chain     " + std::to_string(identity.chain_id) + ", genesis " +
                   to_hex0x(identity.genesis_hash) + "\n";
    if (!view.head()) {
        report.text += "Head      none: the chain has no block\n";
        return;
    }
    const store::Head& head = *view.head();
    report.members["head"] = {
        {"number", head.number}, {"hash", to_hex0x(head.hash)}, {"stateRoot", to_hex0x(head.state_root)}};
    report.members["oldestHeader"] = view.oldest_header();
    report.members["oldestBody"] = view.oldest_body();
    report.members["oldestState"] = view.oldest_state();
    report.text += "Head      block " + std::to_string(head.number) + " " + to_hex0x(head.hash) + "\n";
    report.text += "State     " + to_hex0x(head.state_root) + "\n";
    report.text += "Kept      headers from " + std::to_string(view.oldest_header()) + ", bodies from " +
                   std::to_string(view.oldest_body()) + ", states from " +
                   std::to_string(view.oldest_state()) + "\n";
}

void describe_tables(Report& report, const store::DatabaseStats& stats) {
    report.members["path"] = stats.path;
    report.members["diskBytes"] = stats.disk_bytes;
    report.text += "Store     " + stats.path + ", " + mib(stats.disk_bytes) + "\n\n";
    report.text += "table             entries (estimate)          size\n";
    json::object tables;
    for (const store::TableStats& table : stats.tables) {
        const std::string name(store::name_of(table.table));
        tables[name] = {{"entries", table.entries}, {"bytes", table.size_bytes}};
        char line[96];
        std::snprintf(line, sizeof line, "%-16s  %18llu  %12s\n", name.c_str(),
                      static_cast<unsigned long long>(table.entries), mib(table.size_bytes).c_str());
        report.text += line;
    }
    report.members["tables"] = std::move(tables);
}

void describe_failure(Report& report, const frames::LogFailure& failure) {
    report.exit_code = kExitFailed;
    report.error = "frame log: " + failure.message;
    report.members["frameLog"] = {{"valid", false},
                                  {"fault", frames::to_string(failure.error)},
                                  {"file", failure.segment},
                                  {"offset", failure.offset},
                                  {"error", failure.message}};
}

// What the frame log beside the store holds; with `progress`, all of it is read.
void describe_log(Report& report, const DbOptions& options, const store::ChainIdentity& identity,
                  const store::ChainView& view, ProgressLine* progress) {
    const auto wanted = stored_log(options.folder, identity, view);
    report.members["frameLog"] = nullptr;
    if (!wanted)
        return;
    const auto log = frames::FrameLog::open(frames::posix_disk(), *wanted);
    if (!log)
        return describe_failure(report, log.error());
    if (progress != nullptr)
        if (const auto read = (*log)->check([&](std::uint64_t frame) {
                progress->show("frame log: up to frame " + std::to_string(frame));
            });
            !read)
            return describe_failure(report, read.error());
    report.members["frameLog"] = {{"valid", true},
                                  {"firstFrame", (*log)->first()},
                                  {"lastFrame", (*log)->last()},
                                  {"bytes", (*log)->size()}};
    report.text += "Frames    " + std::to_string((*log)->first()) + " to " + std::to_string((*log)->last()) +
                   " in the log, " + mib((*log)->size()) + "\n";
}

ReportResult inspect(const DbOptions& options) {
    auto database = open_stored_database(options.folder, StoreAccess::Look);
    if (!database)
        return fail(database.error());
    const auto identity = store::ChainStore::read_identity(**database);
    if (!identity)
        return fail(identity.error());
    const store::DatabaseStats stats = (*database)->stats();
    auto chain = store::ChainStore::open(*std::move(database), *identity);
    if (!chain)
        return fail(chain.error());
    const auto view = (*chain)->view();
    if (!view)
        return fail(view.error());
    Report out;
    describe_chain(out, *identity, *view);
    describe_log(out, options, *identity, *view, nullptr);
    describe_tables(out, stats);
    return out;
}

ReportResult check(const DbOptions& options) {
    ProgressLine progress;
    auto chain = open_stored_chain(options.folder);
    if (!chain)
        return fail(chain.error());
    const auto read = (*chain)->database().check([&](store::Table table, std::uint64_t entries) {
        progress.show("reading " + std::string(store::name_of(table)) + ": " + std::to_string(entries) +
                      " entries");
    });
    if (!read)
        return fail(read.error());
    const auto view = (*chain)->view();
    if (!view)
        return fail(view.error());
    const auto state = store::check_state(*view, [&](std::uint64_t accounts, std::uint64_t slots) {
        progress.show("state: " + std::to_string(accounts) + " accounts, " + std::to_string(slots) +
                      " slots");
        return true;
    });
    if (!state)
        return fail(state.error());
    Report out;
    out.members = {
        {"valid", true}, {"accounts", state->accounts}, {"slots", state->slots}, {"trieNodes", state->nodes}};
    describe_chain(out, (*chain)->identity(), *view);
    describe_log(out, options, (*chain)->identity(), *view, &progress);
    if (out.exit_code != 0)
        out.members["valid"] = false;
    out.text += "Valid: " + std::to_string(state->accounts) + " accounts, " + std::to_string(state->slots) +
                " slots and " + std::to_string(state->nodes) + " nodes of tries agree with the head's root" +
                (out.exit_code == 0 ? "\n" : "; the frame log is not\n");
    return out;
}

ReportResult compact(const DbOptions& options) {
    auto database = open_stored_database(options.folder, StoreAccess::Change);
    if (!database)
        return fail(database.error());
    const std::uint64_t before = (*database)->stats().disk_bytes;
    std::fprintf(stderr, "compacting %s\n", mib(before).c_str());
    if (const auto done = (*database)->compact(); !done)
        return fail(done.error());
    const std::uint64_t after = (*database)->stats().disk_bytes;
    Report out;
    out.members = {{"diskBytesBefore", before}, {"diskBytes", after}};
    out.text = mib(before) + " before, " + mib(after) + " now\n";
    return out;
}

ReportResult prune(const DbOptions& options) {
    constexpr std::uint64_t kBlocksPerStep = 256;
    auto chain =
        open_stored_chain(options.folder, {.mode = store::HistoryMode::Pruned, .keep = options.keep});
    if (!chain)
        return fail(chain.error());
    ProgressLine progress;
    std::uint64_t states = 0, bodies = 0;
    for (bool done = false; !done;) {
        const auto step = (*chain)->prune_step(kBlocksPerStep);
        if (!step)
            return fail(step.error());
        states += step->states_removed;
        bodies += step->bodies_removed;
        done = step->done;
        progress.show(std::to_string(states) + " states and " + std::to_string(bodies) + " bodies removed");
    }
    if (const auto synced = (*chain)->database().sync(); !synced)
        return fail(synced.error());
    Report out;
    out.members = {{"statesRemoved", states}, {"bodiesRemoved", bodies}};
    out.text = std::to_string(states) + " states and " + std::to_string(bodies) +
               " bodies removed; `meridian db compact` gives their space back\n";
    return out;
}

// The operator gives up frames that were promised and that the log has no more.
ReportResult forget(const DbOptions& options) {
    const auto chain = open_stored_chain(options.folder);
    if (!chain)
        return fail(chain.error());
    const auto view = (*chain)->view();
    if (!view)
        return fail(view.error());
    auto wanted = stored_log(options.folder, (*chain)->identity(), *view);
    if (!wanted)
        return store::store_fail(StoreErrorKind::NotFound, options.folder + " has no frame log");
    Report out;
    const auto before = frames::FrameLog::open(frames::posix_disk(), *wanted);
    wanted->read_only = false;
    wanted->missing = frames::MissingFrames::Forgotten;
    const auto log = frames::FrameLog::open(frames::posix_disk(), *wanted);
    if (!log) {
        describe_failure(out, log.error());
        out.error += " (what is left of a log like that is in the way: move its segments out of " +
                     wanted->folder + " first)";
        return out;
    }
    out.members = {{"forgotten", !before}, {"lastFrame", (*log)->last()}};
    const std::string last = std::to_string((*log)->last());
    out.text = before ? "Nothing is missing: the log holds frames up to " + last + "\n"
                      : "The chain goes on behind frame " + last +
                            ". Whoever was shown a later one can convict the key that signed it, if that key "
                            "signs its number again: give a sequencer another key first (signer.key_file, "
                            "signer.predecessors, a higher frames.term). A replica gets the frames again\n";
    return out;
}

int run(const DbOptions& options, const std::function<ReportResult(const DbOptions&)>& work) {
    const auto report = work(options);
    if (report) {
        std::printf("%s",
                    options.json ? (json::serialize(report->members) + "\n").c_str() : report->text.c_str());
        if (report->exit_code != 0)
            std::fprintf(stderr, "meridian db: %s\n", report->error.c_str());
        return report->exit_code;
    }
    const store::StoreError& error = report.error();
    std::fprintf(stderr, "meridian db: %s\n", error.message.c_str());
    if (options.json)
        std::printf("%s\n", json::serialize(json::object{{"error", error.message},
                                                         {"kind", store::to_string(error.kind)}})
                                .c_str());
    return error.kind == StoreErrorKind::NotFound ? kExitUsage : kExitFailed;
}

}  // namespace

void add_db_command(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("db", "Look at, check, compact or prune what a node keeps: store and frame log");
    command->require_subcommand(1);
    command->footer(kExitCodes);
    auto options = std::make_shared<DbOptions>();
    const auto add = [&](const char* name, const char* text, ReportResult (*work)(const DbOptions&)) {
        CLI::App* sub = command->add_subcommand(name, text);
        sub->add_option("FOLDER", options->folder, "Data folder of a node (node.data_dir)")->required();
        sub->add_flag("--json", options->json, "Print one JSON object");
        sub->callback([options, work, &exit_code] { exit_code = run(*options, work); });
        return sub;
    };
    add("inspect", "Print chain, head, what is kept, and the size of each table; also while a node runs",
        inspect);
    add("check",
        "Read everything: checksums, state against tries against the head's root, code against its hash, "
        "every frame in the log",
        check);
    add("forget", "Give up frames that were promised and that the log has lost, so that a node starts again",
        forget);
    add("compact", "Give back the space of what was erased or overwritten", compact);
    CLI::App* pruning = add("prune", "Remove states and bodies that are older than asked for", prune);
    const auto number = [&](const char* name, std::uint64_t& value, const char* text) {
        pruning->add_option(name, value, text)->capture_default_str()->transform(whole_number(1));
    };
    number("--state-blocks", options->keep.state_blocks, "States to keep, in blocks before the head");
    number("--body-blocks", options->keep.body_blocks, "Transactions and receipts to keep, in blocks");
}

}  // namespace meridian::app
