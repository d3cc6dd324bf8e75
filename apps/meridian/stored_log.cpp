#include "stored_log.hpp"

#include "store_tools.hpp"

#include <meridian/sequencer/follower.hpp>

namespace meridian::app {

namespace fs = std::filesystem;

std::string frames_folder(const fs::path& data_folder) {
    return (data_folder / "frames").string();
}

std::optional<frames::LogOptions> stored_log(const fs::path& data_folder,
                                             const store::ChainIdentity& identity,
                                             const store::ChainView& view) {
    frames::LogOptions options;
    options.folder = frames_folder(data_folder);
    options.chain_id = identity.chain_id;
    options.genesis_hash = identity.genesis_hash;
    options.read_only = true;
    options = sequencer::follower_log(std::move(options), view);
    std::error_code ignored;
    const bool there =
        fs::is_directory(options.folder, ignored) || fs::exists(options.folder + ".mark", ignored);
    if (!there && (!fs::is_directory(store_folder(data_folder), ignored) || !options.begun))
        return std::nullopt;
    return options;
}

}  // namespace meridian::app
