// What lies in a node's data folder beside store and log: secrets, readable by their owner alone.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>

#include <string>

namespace meridian::app {

std::uint64_t random_number();

// Makes the folder and those above it. The error is a sentence with the path.
Result<void, std::string> make_folder(const std::string& path);

// Holds a node's role against the one that the folder's node had before, which it remembers; the first is
// noted, and with `change` any. The error is a sentence with both and the remedy.
Result<void, std::string> check_role(const std::string& folder, const std::string& role, bool change);

// 32 bytes in hexadecimal, drawn and written (mode 0600) if the file is not there. A file that others may
// read is refused.
Result<Hash, std::string> load_or_make_secret(const std::string& path);

}  // namespace meridian::app
