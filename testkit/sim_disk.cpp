#include "testkit/sim_disk.hpp"

#include <algorithm>

namespace meridian::testkit {

using frames::IoCode;
using frames::IoError;
using frames::IoResult;

namespace {

std::unexpected<IoError> io_fail(IoCode code, const std::string& path, const char* why) {
    return fail(IoError{code, path, "cannot use " + path + ": " + why});
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

}  // namespace

struct SimDisk::Inode {
    Bytes bytes;    // as the process reads them
    Bytes durable;  // as of the last sync
};

class SimDisk::SimFile final : public frames::File {
public:
    SimFile(SimDisk& disk, std::string path, InodePtr inode, bool writable)
        : m_disk(disk), m_path(std::move(path)), m_inode(std::move(inode)), m_writable(writable) {}

    IoResult<void> append(BytesView bytes) override {
        if (!m_writable)
            return io_fail(IoCode::PermissionDenied, m_path, "it was opened for reading");
        const bool crash = m_disk.count_operation();
        std::size_t count = crash ? bytes.size() / 2 : bytes.size();
        if (m_disk.m_free_bytes)
            count = static_cast<std::size_t>(std::min<std::uint64_t>(count, *m_disk.m_free_bytes));
        m_inode->bytes.insert(m_inode->bytes.end(), bytes.begin(), bytes.begin() + static_cast<long>(count));
        if (m_disk.m_free_bytes)
            *m_disk.m_free_bytes -= count;
        if (crash)
            throw SimCrash{};
        if (count < bytes.size())
            return io_fail(IoCode::NoSpace, m_path, "no space left on the disk");
        return {};
    }
    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
        const Bytes& bytes = m_inode->bytes;
        if (offset >= bytes.size())
            return std::size_t{0};
        const std::size_t count = std::min<std::size_t>(out.size(), bytes.size() - offset);
        std::copy_n(bytes.begin() + static_cast<long>(offset), count, out.begin());
        return count;
    }
    IoResult<std::uint64_t> size() const override { return m_inode->bytes.size(); }
    IoResult<void> truncate(std::uint64_t size) override {
        if (m_disk.count_operation())
            throw SimCrash{};
        if (m_disk.m_free_bytes)
            *m_disk.m_free_bytes += m_inode->bytes.size() - size;
        m_inode->bytes.resize(size);
        return {};
    }
    IoResult<void> sync() override {
        if (m_disk.count_operation())
            throw SimCrash{};
        m_inode->durable = m_inode->bytes;
        return {};
    }
    const std::string& path() const noexcept override { return m_path; }

private:
    SimDisk& m_disk;
    std::string m_path;
    InodePtr m_inode;
    bool m_writable;
};

SimDisk::SimDisk() = default;
SimDisk::~SimDisk() = default;

bool SimDisk::count_operation() {
    const std::uint64_t number = m_operations++;
    if (m_crash_at != number)
        return false;
    m_crash_at.reset();
    return true;
}

IoResult<std::unique_ptr<frames::File>> SimDisk::open(const std::string& path, frames::OpenMode mode) {
    const auto found = m_names.find(path);
    if (found == m_names.end())
        return io_fail(IoCode::NotFound, path, "no such file");
    return std::make_unique<SimFile>(*this, path, found->second, mode == frames::OpenMode::ReadWrite);
}

IoResult<std::unique_ptr<frames::File>> SimDisk::create(const std::string& path) {
    if (m_names.contains(path))
        return io_fail(IoCode::AlreadyExists, path, "it exists");
    if (count_operation())
        throw SimCrash{};
    const auto inode = std::make_shared<Inode>();
    m_names.emplace(path, inode);
    return std::make_unique<SimFile>(*this, path, inode, true);
}

IoResult<std::vector<std::string>> SimDisk::list(const std::string& folder) {
    std::vector<std::string> out;
    for (const auto& [path, inode] : m_names)
        if (folder_of(path) == folder)
            out.push_back(path.substr(folder.size() + 1));
    return out;
}

IoResult<void> SimDisk::remove(const std::string& path) {
    if (count_operation())
        throw SimCrash{};
    if (m_names.erase(path) == 0)
        return io_fail(IoCode::NotFound, path, "no such file");
    return {};
}

IoResult<void> SimDisk::rename(const std::string& from, const std::string& to) {
    if (count_operation())
        throw SimCrash{};
    const auto found = m_names.find(from);
    if (found == m_names.end())
        return io_fail(IoCode::NotFound, from, "no such file");
    m_names[to] = found->second;
    m_names.erase(from);
    return {};
}

IoResult<void> SimDisk::sync_directory(const std::string& folder) {
    if (count_operation())
        throw SimCrash{};
    std::erase_if(m_durable_names, [&](const auto& entry) { return folder_of(entry.first) == folder; });
    for (const auto& [path, inode] : m_names)
        if (folder_of(path) == folder)
            m_durable_names.emplace(path, inode);
    return {};
}

IoResult<void> SimDisk::make_directory(const std::string&) {
    return {};
}

IoResult<std::unique_ptr<frames::DiskLock>> SimDisk::lock(const std::string& path) {
    class Lock final : public frames::DiskLock {
    public:
        Lock(SimDisk& disk, std::string path)
            : m_disk(disk), m_path(std::move(path)), m_epoch(disk.m_lock_epoch) {}
        ~Lock() override {
            if (m_epoch == m_disk.m_lock_epoch)
                m_disk.m_locked.erase(m_path);
        }

    private:
        SimDisk& m_disk;
        std::string m_path;
        std::uint64_t m_epoch;
    };
    if (!m_locked.emplace(path, true).second)
        return io_fail(IoCode::Busy, path, "another process holds it");
    return std::make_unique<Lock>(*this, path);
}

void SimDisk::end_process() {
    m_locked.clear();
    ++m_lock_epoch;
    m_crash_at.reset();
}

void SimDisk::crash(std::mt19937_64& random) {
    end_process();
    // A name that was made, removed or changed without a sync of its folder is as before or as now.
    Names names;
    for (const auto& [path, inode] : m_durable_names) {
        const auto now = m_names.find(path);
        const bool same = now != m_names.end() && now->second == inode;
        if (same || random() % 2 == 0)
            names.emplace(path, inode);
        else if (now != m_names.end())
            names.emplace(path, now->second);
    }
    for (const auto& [path, inode] : m_names)
        if (!m_durable_names.contains(path) && random() % 2 == 0)
            names.emplace(path, inode);
    m_names = names;
    m_durable_names = std::move(names);
    // Of unsynced bytes any sectors are there or not (zeros, or what stood there), and the size is between.
    for (const auto& [path, inode] : m_names) {
        Bytes& now = inode->bytes;
        Bytes after = inode->durable;
        const std::size_t low = std::min(after.size(), now.size());
        const std::size_t high = std::max(after.size(), now.size());
        after.resize(low + (high > low ? random() % (high - low + 1) : 0));
        for (std::size_t at = 0; at < after.size(); at += kSectorSize) {
            const std::size_t end = std::min({at + kSectorSize, after.size(), now.size()});
            if (random() % 2 == 0)
                for (std::size_t i = at; i < end; ++i)
                    after[i] = now[i];
        }
        now = after;
        inode->durable = std::move(after);
    }
}

Bytes* SimDisk::content(const std::string& path) {
    const auto found = m_names.find(path);
    return found != m_names.end() ? &found->second->bytes : nullptr;
}

}  // namespace meridian::testkit
