#include "data_folder.hpp"

#include <meridian/base/hex.hpp>

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace meridian::app {
namespace {

constexpr std::size_t kSecretTextMax = 128;  // bytes of the file

std::unexpected<std::string> failure(const std::string& what, const std::string& path) {
    return fail("cannot " + what + " " + path + ": " + std::strerror(errno));
}

Result<void, std::string> write_secret(const std::string& path, const Hash& secret) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return failure("create", path);
    const std::string text = to_hex0x(secret) + "\n";
    const bool written =
        ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
    ::close(file);
    if (!written)
        return failure("write", path);
    return {};
}

}  // namespace

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
        if (auto written = write_secret(path, secret); !written)
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
