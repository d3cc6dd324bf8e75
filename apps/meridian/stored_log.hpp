// The frame log in a data folder as commands see it.
#pragma once

#include <meridian/frames/frame_log.hpp>
#include <meridian/store/chain_store.hpp>

#include <filesystem>
#include <optional>
#include <string>

namespace meridian::app {

// Where a data folder keeps its frame log.
std::string frames_folder(const std::filesystem::path& data_folder);

// To look at the log beside a store, held against what the store says of it. Empty: the folder has none and
// needs none, as that of a development chain, or of a store alone.
std::optional<frames::LogOptions> stored_log(const std::filesystem::path& data_folder,
                                             const store::ChainIdentity& identity,
                                             const store::ChainView& view);

}  // namespace meridian::app
