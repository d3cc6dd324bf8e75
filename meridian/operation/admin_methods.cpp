#include <meridian/operation/admin_methods.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/store/snapshot.hpp>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace meridian::operation {
namespace {

constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info", "warn", "error", "off"};

AdminResult status(const AdminParts& parts) {
    const auto view = parts.store.view();
    if (!view)
        return fail(view.error().message);
    const store::DatabaseStats stats = parts.store.database().stats();
    json::object stored{{"diskBytes", stats.disk_bytes},
                        {"memoryBytes", stats.memory_bytes},
                        {"oldestBody", view->oldest_body()},
                        {"oldestState", view->oldest_state()}};
    if (view->head())
        stored["head"] = {{"number", view->head()->number}, {"hash", to_hex0x(view->head()->hash)}};
    json::array reasons;
    for (const Reason& reason : parts.health.reasons())
        reasons.push_back({{"code", reason.code}, {"message", reason.message}});
    json::object out{{"ready", reasons.empty()},
                     {"reasons", std::move(reasons)},
                     {"chainId", parts.store.identity().chain_id},
                     {"genesisHash", to_hex0x(parts.store.identity().genesis_hash)},
                     {"store", std::move(stored)},
                     {"job", parts.jobs.status()}};
    if (parts.status)
        for (auto& [name, value] : parts.status())
            out[name] = value;
    return out;
}

AdminResult set_log_level(const json::array& params) {
    const json::string* level = params.size() == 1 ? params[0].if_string() : nullptr;
    const std::string word = level != nullptr ? std::string(*level) : "";
    if (std::find(kLevels.begin(), kLevels.end(), word) == kLevels.end())
        return fail(std::string("want [level], one of trace, debug, info, warn, error, off"));
    const auto before = spdlog::level::to_string_view(spdlog::get_level());
    const std::string was(before.data(), before.size());
    spdlog::set_level(spdlog::level::from_str(word));
    return json::object{{"before", was == "warning" ? "warn" : was}, {"now", word}};
}

AdminResult prune(store::ChainStore& store, const AdminJobs::Progress& progress) {
    constexpr std::uint64_t kBlocksPerStep = 64;
    std::uint64_t states = 0, bodies = 0;
    for (;;) {
        const auto step = store.prune_step(kBlocksPerStep);
        if (!step)
            return fail(step.error().message);
        states += step->states_removed;
        bodies += step->bodies_removed;
        if (step->done)
            return json::object{{"statesRemoved", states}, {"bodiesRemoved", bodies}};
        if (!progress(std::to_string(states) + " states and " + std::to_string(bodies) + " bodies removed"))
            return fail(std::string("stopped"));
    }
}

AdminResult compact(store::ChainStore& store) {
    const std::uint64_t before = store.database().stats().disk_bytes;
    if (const auto done = store.database().compact(); !done)
        return fail(done.error().message);
    return json::object{{"diskBytesBefore", before}, {"diskBytes", store.database().stats().disk_bytes}};
}

bool is_folder_name(std::string_view name) {
    constexpr std::size_t kLengthMax = 100;
    return !name.empty() && name.size() <= kLengthMax && name[0] != '.' &&
           std::all_of(name.begin(), name.end(), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
           });
}

AdminResult snapshot(const AdminParts& parts, const json::array& params) {
    const auto view = parts.store.view();
    if (!view)
        return fail(view.error().message);
    std::string name = "block-" + std::to_string(view->head() ? view->head()->number : 0);
    if (!params.empty()) {
        const json::string* given = params[0].if_string();
        name = given != nullptr ? std::string(*given) : "";
        if (params.size() > 1 || !is_folder_name(name))
            return fail(std::string("want [] or [name]: letters, digits, '-', '_' and '.', as \"monday\""));
    }
    const std::filesystem::path folder = parts.snapshot_folder / name;
    return parts.jobs.start("admin_snapshot",
                            [view = *view, identity = parts.store.identity(),
                             folder](const AdminJobs::Progress& progress) -> AdminResult {
                                const auto manifest = store::export_snapshot(
                                    view, identity, folder, [&](const store::SnapshotProgress& done) {
                                        return progress(std::to_string(done.accounts) + " accounts, " +
                                                        std::to_string(done.chunks) + " chunks");
                                    });
                                if (!manifest)
                                    return fail(manifest.error().message);
                                return json::object{{"folder", folder.string()},
                                                    {"block", manifest->head.number},
                                                    {"hash", to_hex0x(manifest->head.hash)},
                                                    {"accounts", manifest->accounts},
                                                    {"chunks", manifest->chunks.size()}};
                            });
}

AdminHandler without_params(std::function<AdminResult()> handler) {
    return [handler = std::move(handler)](const json::array& params) -> AdminResult {
        if (!params.empty())
            return fail(std::string("takes no parameters"));
        return handler();
    };
}

}  // namespace

void add_admin_methods(Admin& admin, const AdminParts& parts) {
    admin.add("admin_status", {"[]", "Readiness, the store, the pipeline, and the last job.",
                               without_params([parts] { return status(parts); })});
    admin.add("admin_setLogLevel", {"[level]", "Changes what is logged, until the end of the process.",
                                    [](const json::array& params) { return set_log_level(params); }});
    admin.add(
        "admin_prune",
        {"[]", "Removes at once what is older than the store's mode keeps; a job.", without_params([parts] {
             return parts.jobs.start("admin_prune", [&store = parts.store](const auto& progress) {
                 return prune(store, progress);
             });
         })});
    admin.add("admin_compact",
              {"[]", "Gives back the space of what was erased; a job.", without_params([parts] {
                   return parts.jobs.start("admin_compact",
                                           [&store = parts.store](const auto&) { return compact(store); });
               })});
    admin.add("admin_snapshot", {"[name]", "Writes a snapshot of the stored head; a job.",
                                 [parts](const json::array& params) { return snapshot(parts, params); }});
    admin.add("admin_drain",
              {"[]", "Ends the node as SIGTERM does.", without_params([parts]() -> AdminResult {
                   parts.drain();
                   return json::object{{"draining", true}};
               })});
}

}  // namespace meridian::operation
