#include "vector_files.hpp"

#include <meridian/base/assert.hpp>
#include <meridian/base/hex.hpp>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace meridian::spec {

namespace fs = std::filesystem;

fs::path testdata(const std::string& pack) {
    const char* root = std::getenv("MERIDIAN_TESTDATA");
    if (root == nullptr || *root == '\0')
        return {};
    fs::path folder = fs::path(root) / pack;
    return fs::is_directory(folder) ? folder : fs::path();
}

bool data_required() {
    const char* ci = std::getenv("CI");
    return ci != nullptr && std::string_view(ci) == "true";
}

std::string read_text(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    MERIDIAN_ASSERT(stream.good());
    return {std::istreambuf_iterator<char>(stream), {}};
}

boost::json::value read_json(const fs::path& file) {
    return boost::json::parse(read_text(file));
}

std::vector<fs::path> files_below(const fs::path& folder, const std::string& extension) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && entry.path().extension() == extension)
            files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

Bytes hex(std::string_view text) {
    auto bytes = from_hex(text);
    MERIDIAN_ASSERT(bytes.has_value());
    return std::move(*bytes);
}

}  // namespace meridian::spec
