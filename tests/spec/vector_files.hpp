// Where third-party test data is, and how its files are read. Data is named by the environment variable
// MERIDIAN_TESTDATA; without it a suite skips, except with CI=true, where missing data is a failure.
#pragma once

#include <meridian/base/bytes.hpp>

#include <boost/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace meridian::spec {

// The folder of a pack, or an empty path if there is no such data.
std::filesystem::path testdata(const std::string& pack);
// Whether missing data has to fail instead of skip.
bool data_required();

std::string read_text(const std::filesystem::path& file);
boost::json::value read_json(const std::filesystem::path& file);
// Files below `folder` with the extension, sorted.
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder,
                                               const std::string& extension);
// Hexadecimal text of a trusted file; aborts the test program if it is not.
Bytes hex(std::string_view text);

}  // namespace meridian::spec

// Leaves the test if the pack is not there.
#define MERIDIAN_REQUIRE_TESTDATA(folder)                               \
    do {                                                                \
        if ((folder).empty()) {                                         \
            if (meridian::spec::data_required())                        \
                FAIL() << "test data missing: set MERIDIAN_TESTDATA";   \
            GTEST_SKIP() << "test data missing: set MERIDIAN_TESTDATA"; \
        }                                                               \
    } while (false)
