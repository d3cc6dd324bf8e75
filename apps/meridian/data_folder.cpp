#include "data_folder.hpp"

#include <meridian/base/hex.hpp>

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace meridian::app {
namespace {

constexpr std::size_t kSecretTextMax = 128;  // bytes of the file

std::unexpected<std::string> failure(const std::string& what, const std::string& path) {
    return fail("cannot " + what + " " + path + ": " + std::strerror(errno));
}

Result<void, std::string> write_new(const std::string& path, const std::string& text, mode_t mode) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (file < 0)
        return failure("create", path);
    const bool written =
        ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
    ::close(file);
    if (!written)
        return failure("write", path);
    return {};
}

// What a folder's node was; empty if nobody knows. Before the role was noted, each had a key of its own.
std::string former_role(const std::string& folder) {
    std::ifstream file(folder + "/role");
    std::string role;
    if (file && std::getline(file, role))
        return role;
    std::error_code ignored;
    const bool sequencer = std::filesystem::exists(folder + "/sequencer.key", ignored);
    const bool replica = std::filesystem::exists(folder + "/replica.key", ignored);
    return sequencer == replica ? "" : sequencer ? "sequencer" : "replica";
}

}  // namespace

Result<void, std::string> check_role(const std::string& folder, const std::string& role, bool change) {
    const std::string before = former_role(folder);
    if (!before.empty() && before != role && !change)
        return fail(folder + " is the folder of a " + before + ", and node.role is " + role +
                    ": start it with --role " + before + ", or with --change-role if it shall be a " + role +
                    " from now on");
    const std::string path = folder + "/role";
    std::error_code ignored;
    if (before == role && std::filesystem::exists(path, ignored))
        return {};
    const std::string fresh = path + ".new";
    std::filesystem::remove(fresh, ignored);
    if (auto written = write_new(fresh, role + "\n", 0644); !written)
        return written;
    if (std::rename(fresh.c_str(), path.c_str()) != 0)
        return failure("rename", fresh);
    return {};
}

std::uint64_t random_number() {
    std::uint64_t out = 0;
    RAND_bytes(reinterpret_cast<unsigned char*>(&out), sizeof(out));
    return out;
}

Result<void, std::string> make_folder(const std::string& path) {
    std::error_code ec;
    std::filesystem::create_directories(path, ec);
    if (ec)
        return fail("cannot make the folder " + path + ": " + ec.message());
    return {};
}

Result<Hash, std::string> load_or_make_secret(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno != ENOENT)
        return failure("open", path);
    if (file < 0) {
        Hash secret;
        if (RAND_bytes(secret.bytes.data(), static_cast<int>(secret.bytes.size())) != 1)
            return fail("the system gives no random bytes for " + path);
        if (auto written = write_new(path, to_hex0x(secret) + "\n", 0600); !written)
            return fail(std::move(written.error()));
        return secret;
    }
    struct stat status{};
    std::array<char, kSecretTextMax> text{};
    const bool open_to_others = ::fstat(file, &status) != 0 || (status.st_mode & 077) != 0;
    const ssize_t size = ::read(file, text.data(), text.size());
    ::close(file);
    if (open_to_others)
        return fail(path + " may be read by others than its owner; run: chmod 600 " + path);
    std::string_view content(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    while (!content.empty() && (content.back() == '\n' || content.back() == '\r' || content.back() == ' '))
        content.remove_suffix(1);
    if (content.starts_with("0x"))
        content.remove_prefix(2);
    const auto bytes = from_hex(content);
    if (!bytes || bytes->size() != 32)
        return fail(path + ": want a key of 64 hexadecimal digits");
    Hash out;
    std::copy(bytes->begin(), bytes->end(), out.bytes.begin());
    return out;
}

}  // namespace meridian::app
