// A disk in memory that forgets: a crash keeps what was synced, and of the rest any sectors, in any mixture.
// Also fills up and fails on demand.
#pragma once

#include <meridian/frames/disk.hpp>
#include <meridian/frames/frame_fixture.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <set>

namespace meridian::frames::testing {

class MemoryDisk final : public Disk {
public:
    static constexpr std::size_t kSectorSize = 512;

    struct Inode {
        Bytes bytes;
        Bytes durable;
    };
    using InodePtr = std::shared_ptr<Inode>;
    using Names = std::map<std::string, InodePtr>;

    // --- what a test does to the disk ---
    // Every file and name not synced survives in part, as `random` decides.
    void crash(Random& random) {
        const std::lock_guard lock(m_mutex);
        // In the order of paths, so that a seed repeats.
        std::set<InodePtr> done;
        for (const Names* names : {&m_names, &m_durable_names})
            for (const auto& [path, inode] : *names)
                if (done.insert(inode).second)
                    tear(*inode, random);
        Names after = m_durable_names;
        for (const auto& [path, inode] : m_names)
            if (!m_durable_names.contains(path) && random.chance(50))
                after[path] = inode;
        for (const auto& [path, inode] : m_durable_names)
            if (!m_names.contains(path) && random.chance(50))
                after.erase(path);
        m_names = m_durable_names = after;
        m_locks.clear();
        room = ~std::uint64_t{0};
        failing_syncs = false;
    }
    // As it was when it was new.
    void clear() {
        const std::lock_guard lock(m_mutex);
        m_names.clear();
        m_durable_names.clear();
        m_locks.clear();
        room = ~std::uint64_t{0};
        failing_syncs = false;
    }
    // The process ends, the machine goes on.
    void kill() {
        const std::lock_guard lock(m_mutex);
        m_locks.clear();
    }
    Bytes& content(const std::string& path) { return m_names.at(path)->bytes; }
    bool contains(const std::string& path) const { return m_names.contains(path); }
    void put(const std::string& path, Bytes bytes) {
        m_names[path] = std::make_shared<Inode>(Inode{bytes, bytes});
        m_durable_names[path] = m_names[path];
    }
    Names contents() const {
        Names out;
        for (const auto& [path, inode] : m_names)
            out[path] = std::make_shared<Inode>(*inode);
        return out;
    }
    static bool same(const Names& a, const Names& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
            return x.first == y.first && x.second->bytes == y.second->bytes;
        });
    }

    std::uint64_t room = ~std::uint64_t{0};  // bytes that can still be appended
    bool failing_syncs = false;
    std::uint64_t sync_count = 0;
    std::atomic<int> open_files = 0;

    // --- Disk ---
    IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode) override {
        const std::lock_guard lock(m_mutex);
        const auto found = m_names.find(path);
        if (found == m_names.end())
            return fail(IoError{IoCode::NotFound, path, "cannot open " + path});
        return std::make_unique<MemoryFile>(*this, found->second, path);
    }
    IoResult<std::unique_ptr<File>> create(const std::string& path) override {
        const std::lock_guard lock(m_mutex);
        if (m_names.contains(path))
            return fail(IoError{IoCode::AlreadyExists, path, "cannot create " + path});
        if (room == 0)
            return fail(IoError{IoCode::NoSpace, path, "cannot create " + path});
        m_names[path] = std::make_shared<Inode>();
        return std::make_unique<MemoryFile>(*this, m_names[path], path);
    }
    IoResult<std::vector<std::string>> list(const std::string& folder) override {
        const std::lock_guard lock(m_mutex);
        std::vector<std::string> names;
        for (const auto& [path, inode] : m_names)
            if (path.starts_with(folder + "/"))
                names.push_back(path.substr(folder.size() + 1));
        return names;
    }
    IoResult<void> remove(const std::string& path) override {
        const std::lock_guard lock(m_mutex);
        if (m_names.erase(path) == 0)
            return fail(IoError{IoCode::NotFound, path, "cannot remove " + path});
        return {};
    }
    IoResult<void> rename(const std::string& from, const std::string& to) override {
        const std::lock_guard lock(m_mutex);
        const auto found = m_names.find(from);
        if (found == m_names.end())
            return fail(IoError{IoCode::NotFound, from, "cannot rename " + from});
        m_names[to] = found->second;
        m_names.erase(from);
        return {};
    }
    IoResult<void> sync_directory(const std::string&) override {
        const std::lock_guard lock(m_mutex);
        if (failing_syncs)
            return fail(IoError{IoCode::Failed, "", "cannot flush the folder"});
        m_durable_names = m_names;
        return {};
    }
    IoResult<void> make_directory(const std::string&) override { return {}; }
    IoResult<std::unique_ptr<DiskLock>> lock(const std::string& path) override {
        const std::lock_guard guard(m_mutex);
        if (!m_locks.insert(path).second)
            return fail(IoError{IoCode::Busy, path, "cannot lock " + path});
        return std::make_unique<MemoryLock>(*this, path);
    }

private:
    class MemoryFile final : public File {
    public:
        MemoryFile(MemoryDisk& disk, InodePtr inode, std::string path)
            : m_disk(disk), m_inode(std::move(inode)), m_path(std::move(path)) {
            ++m_disk.open_files;
        }
        MemoryFile(const MemoryFile&) = delete;
        MemoryFile& operator=(const MemoryFile&) = delete;
        ~MemoryFile() override { --m_disk.open_files; }
        IoResult<void> append(BytesView bytes) override {
            const std::lock_guard lock(m_disk.m_mutex);
            const std::size_t size =
                static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), m_disk.room));
            m_disk.room -= size;
            meridian::append(m_inode->bytes, bytes.first(size));
            if (size < bytes.size())
                return fail(IoError{IoCode::NoSpace, m_path, "cannot write to " + m_path + ": no space"});
            return {};
        }
        IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
            const std::lock_guard lock(m_disk.m_mutex);
            const Bytes& bytes = m_inode->bytes;
            if (offset >= bytes.size())
                return 0;
            const std::size_t size = std::min<std::size_t>(out.size(), bytes.size() - offset);
            std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), size, out.begin());
            return size;
        }
        IoResult<std::uint64_t> size() const override {
            const std::lock_guard lock(m_disk.m_mutex);
            return m_inode->bytes.size();
        }
        IoResult<void> truncate(std::uint64_t size) override {
            const std::lock_guard lock(m_disk.m_mutex);
            m_inode->bytes.resize(size);
            return {};
        }
        IoResult<void> sync() override {
            const std::lock_guard lock(m_disk.m_mutex);
            if (m_disk.failing_syncs)
                return fail(IoError{IoCode::Failed, m_path, "cannot flush " + m_path});
            ++m_disk.sync_count;
            m_inode->durable = m_inode->bytes;
            return {};
        }
        const std::string& path() const noexcept override { return m_path; }

    private:
        MemoryDisk& m_disk;
        InodePtr m_inode;
        std::string m_path;
    };

    class MemoryLock final : public DiskLock {
    public:
        MemoryLock(MemoryDisk& disk, std::string path) : m_disk(disk), m_path(std::move(path)) {}
        ~MemoryLock() override {
            const std::lock_guard lock(m_disk.m_mutex);
            m_disk.m_locks.erase(m_path);
        }

    private:
        MemoryDisk& m_disk;
        std::string m_path;
    };

    // The size is somewhere between the durable one and the last; sectors are old, new, or not written.
    static void tear(Inode& inode, Random& random) {
        const std::size_t low = std::min(inode.bytes.size(), inode.durable.size());
        const std::size_t high = std::max(inode.bytes.size(), inode.durable.size());
        const std::uint64_t choice = random.below(3);
        const std::size_t size = choice == 0   ? inode.durable.size()
                                 : choice == 1 ? inode.bytes.size()
                                               : low + random.below(high - low + 1);
        Bytes after(size);
        for (std::size_t start = 0; start < size; start += kSectorSize) {
            const Bytes& from = random.chance(50) ? inode.bytes : inode.durable;
            for (std::size_t i = start; i < std::min(size, start + kSectorSize); ++i)
                after[i] = i < from.size() ? from[i] : 0;
        }
        // What was synced and not changed since is there, whatever was drawn.
        for (std::size_t i = 0; i < std::min(low, size); ++i)
            if (inode.bytes[i] == inode.durable[i])
                after[i] = inode.durable[i];
        inode.bytes = inode.durable = after;
    }

    std::mutex m_mutex;
    Names m_names;
    Names m_durable_names;
    std::set<std::string> m_locks;
};

}  // namespace meridian::frames::testing
