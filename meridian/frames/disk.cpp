// The machine's disk through POSIX calls.

#include <meridian/frames/disk.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace meridian::frames {

namespace {

IoCode code_of(int error) {
    switch (error) {
        case ENOENT:
            return IoCode::NotFound;
        case EEXIST:
            return IoCode::AlreadyExists;
        case ENOSPC:
        case EDQUOT:
        case EFBIG:
            return IoCode::NoSpace;
        case EACCES:
        case EPERM:
        case EROFS:
            return IoCode::PermissionDenied;
        case EWOULDBLOCK:
            return IoCode::Busy;
        case ENOTDIR:
        case EISDIR:
            return IoCode::NotAFolder;
        case EMFILE:
        case ENFILE:
        case ENOMEM:
            return IoCode::Exhausted;
        default:
            return IoCode::Failed;
    }
}

std::unexpected<IoError> io_failure(std::string_view action, const std::string& path, int error) {
    return fail(
        IoError{code_of(error), path,
                "cannot " + std::string(action) + " " + path + ": " + std::system_category().message(error)});
}

// Calls again what a signal interrupted.
template <class Call>
auto uninterrupted(Call&& call) {
    for (;;) {
        const auto result = call();
        if (result >= 0 || errno != EINTR)
            return result;
    }
}

// An open descriptor.
class Descriptor {
public:
    explicit Descriptor(int number) noexcept : m_number(number) {}
    Descriptor(Descriptor&& other) noexcept : m_number(std::exchange(other.m_number, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor() {
        if (m_number >= 0)
            ::close(m_number);
    }

    bool valid() const noexcept { return m_number >= 0; }
    int number() const noexcept { return m_number; }

private:
    int m_number;
};

Descriptor open_descriptor(const std::string& path, int flags) {
    return Descriptor(uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0644); }));
}

class PosixFile final : public File {
public:
    PosixFile(std::string path, Descriptor descriptor)
        : m_path(std::move(path)), m_descriptor(std::move(descriptor)) {}

    IoResult<void> append(BytesView bytes) override {
        while (!bytes.empty()) {
            const ssize_t written =
                uninterrupted([&] { return ::write(m_descriptor.number(), bytes.data(), bytes.size()); });
            if (written < 0)
                return io_failure("write to", m_path, errno);
            bytes = bytes.subspan(static_cast<std::size_t>(written));
        }
        return {};
    }

    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
        std::size_t done = 0;
        while (done < out.size()) {
            const ssize_t got = uninterrupted([&] {
                return ::pread(m_descriptor.number(), out.data() + done, out.size() - done,
                               static_cast<off_t>(offset + done));
            });
            if (got < 0)
                return io_failure("read", m_path, errno);
            if (got == 0)
                break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    IoResult<std::uint64_t> size() const override {
        struct stat status{};
        if (::fstat(m_descriptor.number(), &status) != 0)
            return io_failure("look at", m_path, errno);
        return static_cast<std::uint64_t>(status.st_size);
    }

    IoResult<void> truncate(std::uint64_t size) override {
        if (uninterrupted([&] { return ::ftruncate(m_descriptor.number(), static_cast<off_t>(size)); }) != 0)
            return io_failure("truncate", m_path, errno);
        return {};
    }

    IoResult<void> sync() override {
        if (uninterrupted([&] { return ::fdatasync(m_descriptor.number()); }) != 0)
            return io_failure("flush", m_path, errno);
        return {};
    }

    const std::string& path() const noexcept override { return m_path; }

private:
    std::string m_path;
    Descriptor m_descriptor;
};

class PosixLock final : public DiskLock {
public:
    explicit PosixLock(Descriptor descriptor) : m_descriptor(std::move(descriptor)) {}

private:
    Descriptor m_descriptor;
};

class PosixDisk final : public Disk {
public:
    IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
        const int flags = mode == OpenMode::Read ? O_RDONLY : O_RDWR | O_APPEND;
        return wrap("open", path, open_descriptor(path, flags));
    }

    IoResult<std::unique_ptr<File>> create(const std::string& path) override {
        return wrap("create", path, open_descriptor(path, O_RDWR | O_APPEND | O_CREAT | O_EXCL));
    }

    IoResult<std::vector<std::string>> list(const std::string& folder) override {
        std::error_code error;
        std::filesystem::directory_iterator entry(folder, error);
        std::vector<std::string> names;
        for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
            if (entry->is_regular_file(error))
                names.push_back(entry->path().filename().string());
        if (error)
            return io_failure("list", folder, error.value());
        std::sort(names.begin(), names.end());
        return names;
    }

    IoResult<void> remove(const std::string& path) override {
        if (::unlink(path.c_str()) != 0)
            return io_failure("remove", path, errno);
        return {};
    }

    IoResult<void> rename(const std::string& from, const std::string& to) override {
        if (::rename(from.c_str(), to.c_str()) != 0)
            return io_failure("rename", from, errno);
        return {};
    }

    IoResult<void> sync_directory(const std::string& folder) override {
        const Descriptor descriptor = open_descriptor(folder, O_RDONLY | O_DIRECTORY);
        if (!descriptor.valid())
            return io_failure("open the folder", folder, errno);
        if (uninterrupted([&] { return ::fsync(descriptor.number()); }) != 0)
            return io_failure("flush the folder", folder, errno);
        return {};
    }

    IoResult<void> make_directory(const std::string& folder) override {
        const std::filesystem::path path(folder);
        std::filesystem::path above;
        for (const auto& part : path) {
            const std::filesystem::path made = above / part;
            if (!part.empty() && ::mkdir(made.c_str(), 0755) == 0) {
                if (auto synced = sync_directory(above.empty() ? "." : above.string()); !synced)
                    return synced;
            } else if (!part.empty() && errno != EEXIST && errno != EROFS && errno != EISDIR) {
                return io_failure("create the folder", made.string(), errno);
            }
            above = made;
        }
        if (std::error_code error; !std::filesystem::is_directory(path, error))
            return io_failure("create the folder", folder, error ? error.value() : ENOTDIR);
        return {};
    }

    IoResult<std::unique_ptr<DiskLock>> lock(const std::string& path) override {
        Descriptor descriptor = open_descriptor(path, O_RDWR | O_CREAT);
        if (!descriptor.valid())
            return io_failure("open", path, errno);
        if (uninterrupted([&] { return ::flock(descriptor.number(), LOCK_EX | LOCK_NB); }) != 0)
            return io_failure("lock", path, errno);
        return std::make_unique<PosixLock>(std::move(descriptor));
    }

private:
    static IoResult<std::unique_ptr<File>> wrap(std::string_view action, const std::string& path,
                                                Descriptor descriptor) {
        if (!descriptor.valid())
            return io_failure(action, path, errno);
        return std::make_unique<PosixFile>(path, std::move(descriptor));
    }
};

}  // namespace

Disk& posix_disk() noexcept {
    static PosixDisk disk;
    return disk;
}

}  // namespace meridian::frames
