// The frame log's disk with a clock beside it: how long flushes take, and how much is written.
#pragma once

#include <meridian/frames/disk.hpp>
#include <meridian/metrics/metrics.hpp>

namespace meridian::operation {

inline constexpr metrics::Metric kLogSync{"meridian_log_sync_seconds", metrics::Kind::Histogram,
                                          "Time of one flush of the frame log to the disk."};
inline constexpr metrics::Metric kLogWritten{"meridian_log_written_bytes_total", metrics::Kind::Counter,
                                             "Bytes written to the frame log."};
inline constexpr metrics::Metric kLogErrors{"meridian_log_errors_total", metrics::Kind::Counter,
                                            "Writes, flushes and reads of the frame log that failed."};

class MeteredDisk final : public frames::Disk {
public:
    // The disk outlives this, and this outlives the files.
    explicit MeteredDisk(frames::Disk& disk);

    frames::IoResult<std::unique_ptr<frames::File>> open(const std::string& path,
                                                         frames::OpenMode mode) override;
    frames::IoResult<std::unique_ptr<frames::File>> create(const std::string& path) override;
    frames::IoResult<std::vector<std::string>> list(const std::string& folder) override;
    frames::IoResult<void> remove(const std::string& path) override;
    frames::IoResult<void> rename(const std::string& from, const std::string& to) override;
    frames::IoResult<void> sync_directory(const std::string& folder) override;
    frames::IoResult<void> make_directory(const std::string& folder) override;
    frames::IoResult<std::unique_ptr<frames::DiskLock>> lock(const std::string& path) override;

    // What was read did not check; what the disk itself refuses counts by itself. From any thread.
    void count_read_failure() noexcept { m_counts.errors.add(); }
    void collect(metrics::Page& page) const;

    struct Counts {
        Counts();
        metrics::Histogram sync_us;
        metrics::Counter written_bytes;
        metrics::Counter errors;
    };

private:
    frames::IoResult<std::unique_ptr<frames::File>> metered(
        frames::IoResult<std::unique_ptr<frames::File>> file);

    frames::Disk& m_disk;
    Counts m_counts;
};

}  // namespace meridian::operation
