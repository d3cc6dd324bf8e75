// What `db` and `snapshot` share: finding a node's store, progress on stderr, refusals.
#pragma once

#include <meridian/base/hex.hpp>
#include <meridian/store/chain_store.hpp>

#include <chrono>
#include <filesystem>
#include <string>

namespace meridian::app {

enum class StoreAccess : std::uint8_t {
    Look,    // takes no lock, writes nothing: also while a node runs
    Change,  // nobody else may have it open
};

// The store in a data folder of a node, or in the folder itself. The error is a sentence with path and
// remedy.
store::StoreResult<std::unique_ptr<store::Database>> open_stored_database(const std::filesystem::path& folder,
                                                                          StoreAccess access);

// The same as a chain; `options` say what is kept.
store::StoreResult<std::unique_ptr<store::ChainStore>> open_stored_chain(
    const std::filesystem::path& folder, const store::ChainStoreOptions& options = {});

// Where a data folder keeps its store.
std::filesystem::path store_folder(const std::filesystem::path& data_folder);

// Writes a line to stderr, at most one a second.
class ProgressLine {
public:
    void show(const std::string& words);

private:
    std::chrono::steady_clock::time_point m_last = std::chrono::steady_clock::now();
};

}  // namespace meridian::app
