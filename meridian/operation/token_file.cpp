#include <meridian/operation/token_file.hpp>

#include <meridian/base/hex.hpp>

#include <openssl/crypto.h>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace meridian::operation {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kTokenLengthMin = 32;
constexpr std::size_t kFileBytesMax = 4'096;

// Closes a file descriptor.
class Descriptor {
public:
    explicit Descriptor(int fd) : m_fd(fd) {}
    ~Descriptor() {
        if (m_fd >= 0)
            ::close(m_fd);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const noexcept { return m_fd; }

private:
    int m_fd;
};

std::unexpected<std::string> failure(const std::string& what, const std::string& path) {
    return fail("cannot " + what + " the admin token " + path + ": " + std::strerror(errno));
}

Result<std::string, std::string> make_token(const std::string& path) {
    std::array<std::uint8_t, kTokenBytes> random;
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
        return failure("draw", path);
    const std::string token = to_hex(random);
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    const std::string line = token + "\n";
    if (file.get() < 0)
        return failure("make", path);
    if (::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
        return failure("write", path);
    return token;
}

Result<std::string, std::string> read_token(const Descriptor& file, const std::string& path) {
    struct stat info{};
    if (::fstat(file.get(), &info) != 0)
        return failure("look at", path);
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return fail("the admin token " + path + " can be read by others than its owner; run: chmod 600 " +
                    path);
    std::array<char, kFileBytesMax> buffer;
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0)
        return failure("read", path);
    std::string_view text(buffer.data(), static_cast<std::size_t>(count));
    constexpr std::string_view kBlank = " \t\r\n";
    const auto first = text.find_first_not_of(kBlank);
    text =
        first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
    if (text.size() < kTokenLengthMin)
        return fail("the admin token in " + path +
                    " has less than 32 characters; remove the file to get a new one");
    return std::string(text);
}

}  // namespace

Result<std::string, std::string> load_or_make_token(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() >= 0)
        return read_token(file, path);
    if (errno != ENOENT)
        return failure("open", path);
    return make_token(path);
}

bool authorized(std::string_view authorization, std::string_view token) {
    constexpr std::string_view kScheme = "Bearer ";
    // The scheme's name has no case (RFC 7235).
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    if (!std::ranges::equal(authorization.substr(0, kScheme.size()), kScheme, {}, lower, lower))
        return false;
    authorization.remove_prefix(kScheme.size());
    return authorization.size() == token.size() &&
           CRYPTO_memcmp(authorization.data(), token.data(), token.size()) == 0;
}

}  // namespace meridian::operation
