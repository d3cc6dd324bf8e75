#include "store_tools.hpp"

#include <meridian/store/rocks_database.hpp>

#include <cstdio>

namespace meridian::app {

namespace fs = std::filesystem;
using store::StoreErrorKind;

fs::path store_folder(const fs::path& data_folder) {
    return data_folder / "store";
}

store::StoreResult<std::unique_ptr<store::Database>> open_stored_database(const fs::path& folder,
                                                                          StoreAccess access) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored))
        return store::store_fail(
            StoreErrorKind::NotFound,
            folder.string() + " is no folder; name the data folder of a node (node.data_dir)");
    const fs::path inner = store_folder(folder);
    const fs::path path = fs::is_directory(inner, ignored) ? inner : folder;
    // The engine would make its files in any folder that it is asked to open.
    if (!fs::exists(path / "CURRENT", ignored))
        return store::store_fail(
            StoreErrorKind::NotFound,
            "there is no store in " + folder.string() + "; name the data folder of a node (node.data_dir)");
    auto database =
        store::open_rocks({.path = path, .create = false, .read_only = access == StoreAccess::Look});
    if (!database && database.error().kind == StoreErrorKind::Locked)
        return store::store_fail(StoreErrorKind::Locked,
                                 database.error().message +
                                     " (a running node does this itself: admin_snapshot, admin_compact, "
                                     "admin_prune on its admin port)");
    return database;
}

store::StoreResult<std::unique_ptr<store::ChainStore>> open_stored_chain(
    const fs::path& folder, const store::ChainStoreOptions& options) {
    auto database = open_stored_database(folder, StoreAccess::Change);
    if (!database)
        return fail(database.error());
    const auto identity = store::ChainStore::read_identity(**database);
    if (!identity)
        return fail(identity.error());
    return store::ChainStore::open(*std::move(database), *identity, options);
}

void ProgressLine::show(const std::string& words) {
    const auto now = std::chrono::steady_clock::now();
    if (now - m_last < std::chrono::seconds(1))
        return;
    m_last = now;
    std::fprintf(stderr, "%s\n", words.c_str());
}

}  // namespace meridian::app
