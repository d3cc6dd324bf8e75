#include <meridian/operation/metered_disk.hpp>

#include <meridian/operation/stopwatch.hpp>

namespace meridian::operation {
namespace {

using frames::IoResult;

class MeteredFile final : public frames::File {
public:
    MeteredFile(std::unique_ptr<frames::File> file, MeteredDisk::Counts& counts)
        : m_file(std::move(file)), m_counts(counts) {}

    IoResult<void> append(BytesView bytes) override {
        m_counts.written_bytes.add(bytes.size());
        return counted(m_file->append(bytes));
    }
    IoResult<void> sync() override {
        const Stopwatch time;
        auto out = m_file->sync();
        m_counts.sync_us.observe(time.us());
        return counted(std::move(out));
    }
    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
        return m_file->read_at(offset, out);
    }
    IoResult<std::uint64_t> size() const override { return m_file->size(); }
    IoResult<void> truncate(std::uint64_t size) override { return m_file->truncate(size); }
    const std::string& path() const noexcept override { return m_file->path(); }

private:
    IoResult<void> counted(IoResult<void> result) {
        if (!result)
            m_counts.errors.add();
        return result;
    }

    std::unique_ptr<frames::File> m_file;
    MeteredDisk::Counts& m_counts;
};

}  // namespace

MeteredDisk::Counts::Counts() : sync_us(metrics::duration_bounds_us(), 1e-6) {}
MeteredDisk::MeteredDisk(frames::Disk& disk) : m_disk(disk) {}

IoResult<std::unique_ptr<frames::File>> MeteredDisk::metered(IoResult<std::unique_ptr<frames::File>> file) {
    if (!file)
        return file;
    return std::make_unique<MeteredFile>(*std::move(file), m_counts);
}

IoResult<std::unique_ptr<frames::File>> MeteredDisk::open(const std::string& path, frames::OpenMode mode) {
    return metered(m_disk.open(path, mode));
}
IoResult<std::unique_ptr<frames::File>> MeteredDisk::create(const std::string& path) {
    return metered(m_disk.create(path));
}
IoResult<std::vector<std::string>> MeteredDisk::list(const std::string& folder) {
    return m_disk.list(folder);
}
IoResult<void> MeteredDisk::remove(const std::string& path) {
    return m_disk.remove(path);
}
IoResult<void> MeteredDisk::rename(const std::string& from, const std::string& to) {
    return m_disk.rename(from, to);
}
IoResult<void> MeteredDisk::sync_directory(const std::string& folder) {
    return m_disk.sync_directory(folder);
}
IoResult<void> MeteredDisk::make_directory(const std::string& folder) {
    return m_disk.make_directory(folder);
}
IoResult<std::unique_ptr<frames::DiskLock>> MeteredDisk::lock(const std::string& path) {
    return m_disk.lock(path);
}

void MeteredDisk::collect(metrics::Page& page) const {
    page.add(kLogSync, m_counts.sync_us);
    page.add(kLogWritten, m_counts.written_bytes);
    page.add(kLogErrors, m_counts.errors);
}

}  // namespace meridian::operation
