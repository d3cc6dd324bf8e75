// meridian snapshot: a chain's state in a folder of files, written, checked and made into a store again.
#include "commands.hpp"
#include "node_options.hpp"
#include "store_tools.hpp"

#include <meridian/node/genesis_store.hpp>
#include <meridian/store/memory_database.hpp>
#include <meridian/store/rocks_database.hpp>
#include <meridian/store/snapshot.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <cstdio>
#include <memory>

namespace meridian::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
using store::Manifest;
using store::StoreErrorKind;

struct SnapshotOptions {
    std::string data_folder;
    std::string folder;
    std::string genesis;
    std::string head_hash;
    bool json = false;
};

store::SnapshotCallback progress_of(ProgressLine& line) {
    return [&line](const store::SnapshotProgress& done) {
        line.show((done.stage == store::SnapshotStage::Tries ? "tries: " : "entries: ") +
                  std::to_string(done.accounts) + " accounts, " + std::to_string(done.slots) + " slots, " +
                  std::to_string(done.chunks) + " chunks");
        return true;
    };
}

void print(const SnapshotOptions& options, const char* what, const Manifest& manifest) {
    std::uint64_t bytes = 0;
    for (const store::ChunkInfo& chunk : manifest.chunks)
        bytes += chunk.file_bytes;
    if (options.json) {
        const json::object out{{"chainId", manifest.identity.chain_id},
                               {"genesisHash", to_hex0x(manifest.identity.genesis_hash)},
                               {"block", manifest.head.number},
                               {"hash", to_hex0x(manifest.head.hash)},
                               {"stateRoot", to_hex0x(manifest.head.state_root)},
                               {"accounts", manifest.accounts},
                               {"slots", manifest.slots},
                               {"codes", manifest.codes},
                               {"chunks", manifest.chunks.size()},
                               {"bytes", bytes}};
        std::printf("%s\n", json::serialize(out).c_str());
        return;
    }
    std::printf(
        "%s: chain %llu, block %llu %s\n%llu accounts, %llu slots, %llu contracts in %zu chunks, %.1f MiB\n",
        what, static_cast<unsigned long long>(manifest.identity.chain_id),
        static_cast<unsigned long long>(manifest.head.number), to_hex0x(manifest.head.hash).c_str(),
        static_cast<unsigned long long>(manifest.accounts), static_cast<unsigned long long>(manifest.slots),
        static_cast<unsigned long long>(manifest.codes), manifest.chunks.size(),
        static_cast<double>(bytes) / (1 << 20));
}

int refuse(const SnapshotOptions& options, const store::StoreError& error) {
    std::fprintf(stderr, "meridian snapshot: %s\n", error.message.c_str());
    if (options.json)
        std::printf("%s\n", json::serialize(json::object{{"error", error.message},
                                                         {"kind", store::to_string(error.kind)}})
                                .c_str());
    return error.kind == StoreErrorKind::NotFound ? kExitUsage : kExitFailed;
}

store::StoreResult<Manifest> run_export(const SnapshotOptions& options) {
    const auto chain = open_stored_chain(options.data_folder);
    if (!chain)
        return fail(chain.error());
    const auto view = (*chain)->view();
    if (!view)
        return fail(view.error());
    ProgressLine line;
    return store::export_snapshot(*view, (*chain)->identity(), options.folder, progress_of(line));
}

store::StoreResult<Manifest> run_check(const SnapshotOptions& options) {
    auto manifest = store::read_manifest(options.folder);
    if (!manifest)
        return manifest;
    if (const auto files = store::check_snapshot_files(options.folder, *manifest); !files)
        return fail(files.error());
    return manifest;
}

// The chain that the snapshot has to be of: the genesis file's, or the one that it says it is of.
store::StoreResult<store::ChainIdentity> wanted_identity(const SnapshotOptions& options) {
    const auto manifest = store::read_manifest(options.folder);
    if (!manifest)
        return fail(manifest.error());
    if (options.genesis.empty())
        return manifest->identity;
    const auto genesis = load_genesis(options.genesis);
    if (!genesis)
        return store::store_fail(StoreErrorKind::Invalid, genesis.error());
    const auto begun = node::open_store(std::make_unique<store::MemoryDatabase>(), *genesis);
    if (!begun)
        return fail(begun.error());
    return (*begun)->identity();
}

store::StoreResult<Manifest> run_restore(const SnapshotOptions& options) {
    const auto identity = wanted_identity(options);
    if (!identity)
        return fail(identity.error());
    store::RestoreOptions restore;
    if (!options.head_hash.empty())
        restore.head_hash = *fixed_from_hex<32>(options.head_hash);
    ProgressLine line;
    restore.progress = progress_of(line);
    const fs::path path = store_folder(options.data_folder);
    std::error_code error;
    fs::create_directories(path, error);
    if (error)
        return store::store_fail(StoreErrorKind::Io,
                                 "cannot make the folder " + path.string() + ": " + error.message());
    auto database = store::open_rocks({.path = path});
    if (!database)
        return fail(database.error());
    return store::restore_snapshot(options.folder, **database, *identity, restore);
}

std::string check_hash(std::string& text) {
    return text.starts_with("0x") && fixed_from_hex<32>(text) ? "" : "want 0x and 64 hexadecimal digits";
}

}  // namespace

void add_snapshot_command(CLI::App& app, int& exit_code) {
    CLI::App* command =
        app.add_subcommand("snapshot", "Export, check or restore a chain's state as a folder of files");
    command->require_subcommand(1);
    command->footer(kExitCodes);
    auto options = std::make_shared<SnapshotOptions>();
    const auto add = [&](const char* name, const char* text, const char* done,
                         store::StoreResult<Manifest> (*work)(const SnapshotOptions&)) {
        CLI::App* sub = command->add_subcommand(name, text);
        sub->add_flag("--json", options->json, "Print one JSON object");
        sub->callback([options, done, work, &exit_code] {
            const auto manifest = work(*options);
            exit_code = manifest ? 0 : refuse(*options, manifest.error());
            if (manifest)
                print(*options, done, *manifest);
        });
        return sub;
    };
    CLI::App* exporting = add("export",
                              "Write the state of the stored head; the node must not run (a running one has "
                              "admin_snapshot)",
                              "Exported", run_export);
    exporting->add_option("DATA", options->data_folder, "Data folder of a node (node.data_dir)")->required();
    exporting->add_option("FOLDER", options->folder, "Where to write: empty, or not there yet")->required();
    CLI::App* checking =
        add("check", "Compare every chunk with its hash; the state's root is checked by restore", "Whole",
            run_check);
    checking->add_option("FOLDER", options->folder, "The snapshot")->required();
    CLI::App* restoring =
        add("restore", "Make a store of it; its tries have to give the root of the head's header", "Restored",
            run_restore);
    restoring->add_option("FOLDER", options->folder, "The snapshot")->required();
    restoring->add_option("DATA", options->data_folder, "Data folder of a node, without a chain yet")
        ->required();
    restoring->add_option(
        "--genesis", options->genesis,
        "Genesis file of the chain that it has to be of (default: the chain that it names)");
    restoring
        ->add_option("--head-hash", options->head_hash,
                     "Block that it has to be of, from a source that you trust")
        ->check(CLI::Validator(check_hash, ""));
}

}  // namespace meridian::app
