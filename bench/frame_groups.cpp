#include "frame_groups.hpp"

#include <meridian/frames/frame_fixture.hpp>
#include <meridian/frames/frame_log.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace meridian::bench {
namespace {

using namespace frames;

constexpr const char* kFolder = "frames_bench.tmp";
constexpr std::size_t kGroups = 240;
constexpr std::size_t kGroupsOfATurn = 20;

template <class T>
T require(Result<T, LogFailure> result) {
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message.c_str());
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>)
        return *std::move(result);
}

// Passes everything on; of a file beside the log only the beginning is written.
class FileWithoutNotes final : public File {
public:
    explicit FileWithoutNotes(std::unique_ptr<File> file) : m_file(std::move(file)) {}
    IoResult<void> append(BytesView bytes) override {
        return std::exchange(m_begun, true) ? IoResult<void>{} : m_file->append(bytes);
    }
    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
        return m_file->read_at(offset, out);
    }
    IoResult<std::uint64_t> size() const override { return m_file->size(); }
    IoResult<void> truncate(std::uint64_t size) override { return m_file->truncate(size); }
    IoResult<void> sync() override { return m_file->sync(); }
    const std::string& path() const noexcept override { return m_file->path(); }

private:
    std::unique_ptr<File> m_file;
    bool m_begun = false;
};

// A file whose blocks are written, with zeros, before anything is appended.
class FileOfZeros final : public File {
public:
    FileOfZeros(std::unique_ptr<File> file, std::uint64_t size)
        : m_file(std::move(file)), m_descriptor(::open(m_file->path().c_str(), O_RDWR | O_CLOEXEC)) {
        const Bytes zeros(1u << 20);
        for (std::uint64_t at = 0; at < size; at += zeros.size())
            if (!m_file->append(zeros))
                std::exit(1);
        if (m_descriptor < 0 || ::fsync(m_descriptor) != 0)
            std::exit(1);
    }
    ~FileOfZeros() override { ::close(m_descriptor); }
    IoResult<void> append(BytesView bytes) override {
        if (::pwrite(m_descriptor, bytes.data(), bytes.size(), static_cast<off_t>(m_size)) !=
            static_cast<ssize_t>(bytes.size()))
            return fail(IoError{IoCode::Failed, path(), "cannot write to " + path()});
        m_size += bytes.size();
        return {};
    }
    IoResult<std::size_t> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
        const std::uint64_t left = m_size - std::min(m_size, offset);
        return m_file->read_at(offset, out.first(std::min<std::uint64_t>(out.size(), left)));
    }
    IoResult<std::uint64_t> size() const override { return m_size; }
    IoResult<void> truncate(std::uint64_t size) override {
        m_size = size;
        return {};
    }
    IoResult<void> sync() override { return m_file->sync(); }
    const std::string& path() const noexcept override { return m_file->path(); }

private:
    std::unique_ptr<File> m_file;
    int m_descriptor;
    std::uint64_t m_size = 0;
};

enum class Kind { AsItIs, WithoutNotes, Prepared };

class BenchDisk final : public Disk {
public:
    BenchDisk(Kind kind, std::uint64_t size) : m_kind(kind), m_size(size) {}
    IoResult<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
        return posix_disk().open(path, mode);
    }
    IoResult<std::unique_ptr<File>> create(const std::string& path) override {
        auto file = posix_disk().create(path);
        if (!file || m_kind == Kind::AsItIs)
            return file;
        const bool is_note = path.find(".mark") != std::string::npos;
        if (m_kind == Kind::WithoutNotes && is_note)
            return std::make_unique<FileWithoutNotes>(*std::move(file));
        if (m_kind == Kind::Prepared && !is_note)
            return std::make_unique<FileOfZeros>(*std::move(file), m_size);
        return file;
    }
    IoResult<std::vector<std::string>> list(const std::string& folder) override {
        return posix_disk().list(folder);
    }
    IoResult<void> remove(const std::string& path) override { return posix_disk().remove(path); }
    IoResult<void> rename(const std::string& from, const std::string& to) override {
        return posix_disk().rename(from, to);
    }
    IoResult<void> sync_directory(const std::string& folder) override {
        return posix_disk().sync_directory(folder);
    }
    IoResult<void> make_directory(const std::string& folder) override {
        return posix_disk().make_directory(folder);
    }
    IoResult<std::unique_ptr<DiskLock>> lock(const std::string& path) override {
        return posix_disk().lock(path);
    }

private:
    Kind m_kind;
    std::uint64_t m_size;
};

struct Contestant {
    const char* name;
    BenchDisk disk;
    std::unique_ptr<FrameLog> log = nullptr;
    std::vector<double> us = {};

    double percentile(double part) {
        const auto at = us.begin() + static_cast<std::ptrdiff_t>(part * static_cast<double>(us.size() - 1));
        std::nth_element(us.begin(), at, us.end());
        return *at;
    }
};

// By turns of some groups, the first of which is not counted: it also flushes what the others left behind.
void take_turns(std::span<Contestant> contestants, const std::vector<Bytes>& records) {
    for (std::size_t first = 0; first < records.size(); first += kGroupsOfATurn)
        for (Contestant& one : contestants)
            for (std::size_t i = first; i < std::min(first + kGroupsOfATurn, records.size()); ++i) {
                const auto start = std::chrono::steady_clock::now();
                require(one.log->append(records[i], i + 1));
                require(one.log->sync());
                const std::chrono::duration<double, std::micro> taken =
                    std::chrono::steady_clock::now() - start;
                if (i > first)
                    one.us.push_back(taken.count());
            }
}

void run(std::size_t transactions) {
    frames::testing::FrameMaker maker(1);
    std::vector<Bytes> records;
    std::uint64_t size = 0;
    for (std::size_t i = 0; i < kGroups; ++i)
        size += records.emplace_back(maker.next(transactions)).size();
    Contestant contestants[] = {{"as it is", {Kind::AsItIs, 0}},
                                {"without notes in frames.mark", {Kind::WithoutNotes, 0}},
                                {"segment written beforehand", {Kind::Prepared, size + (1u << 20)}}};
    for (std::size_t i = 0; i < std::size(contestants); ++i) {
        LogOptions options;
        options.folder = std::string(kFolder) + "/" + std::to_string(i) + "/frames";
        options.chain_id = frames::testing::kChainId;
        options.genesis_hash = frames::testing::kGenesisHash;
        contestants[i].log = require(FrameLog::open(contestants[i].disk, options));
    }
    take_turns(contestants, records);
    std::printf("durable groups of one frame of %zu transactions, %llu bytes\n", transactions,
                static_cast<unsigned long long>(size / kGroups));
    const double own = contestants[0].percentile(0.5);
    for (Contestant& one : contestants)
        std::printf("  %-30s p50 %8.1f us   p90 %8.1f us   p50 against as it is %.2f\n", one.name,
                    one.percentile(0.5), one.percentile(0.9), one.percentile(0.5) / own);
}

}  // namespace

void run_groups() {
    for (const std::size_t transactions : {10u, 500u}) {
        std::filesystem::remove_all(kFolder);
        std::filesystem::create_directory(kFolder);
        run(transactions);
        std::filesystem::remove_all(kFolder);
    }
}

}  // namespace meridian::bench
