// The admin methods that every node has: status, log level, the store's upkeep, and the node's end.
#pragma once

#include <meridian/operation/admin.hpp>
#include <meridian/operation/health.hpp>
#include <meridian/store/chain_store.hpp>

#include <filesystem>

namespace meridian::operation {

// All outlive the Admin.
struct AdminParts {
    const Health& health;
    AdminJobs& jobs;
    store::ChainStore& store;
    std::filesystem::path snapshot_folder;  // each snapshot in a folder of its own in it
    // Members of admin_status beside those of the store: the pipeline's, the feed's. May be empty.
    std::function<json::object()> status;
    // Ends the node as SIGTERM does.
    std::function<void()> drain;
};

// admin_status, admin_setLogLevel, admin_prune, admin_compact, admin_snapshot, admin_drain.
void add_admin_methods(Admin& admin, const AdminParts& parts);

}  // namespace meridian::operation
