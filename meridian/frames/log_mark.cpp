#include <meridian/base/hex.hpp>
#include <meridian/frames/crc32c.hpp>
#include <meridian/frames/log_mark.hpp>
#include <meridian/frames/log_segment.hpp>

namespace meridian::frames {

namespace {

constexpr std::string_view kMagic = "MRDNMARK";
constexpr std::uint32_t kVersion = 1;
// Magic, version, checksum of the rest; chain id, genesis, first frame of the newest segment, last frame.
constexpr std::size_t kHeaderSize = 8 + 4 + 4 + 8 + 32 + 8 + 8;
// Then one for each later note: last frame, and its checksum behind the header's.
constexpr std::size_t kNoteSize = 8 + 4;
// The file is made anew beyond it.
constexpr std::uint64_t kSizeMax = 4u << 20;

template <class T>
void put(Bytes& out, T value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
        out.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

std::uint64_t number_at(BytesView bytes, std::size_t offset, std::size_t size = 8) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i)
        value |= std::uint64_t{bytes[offset + i]} << 8 * i;
    return value;
}

Bytes encode_note(std::uint64_t last, std::uint32_t header_checksum) {
    Bytes out;
    put(out, last);
    put(out, crc32c(out, header_checksum));
    return out;
}

std::string folder_above(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

LogMarkFile::LogMarkFile(Disk& disk, const LogOptions& options)
    : m_disk(disk),
      m_path(options.folder + ".mark"),
      m_name(m_path.substr(m_path.rfind('/') + 1)),
      m_chain_id(options.chain_id),
      m_genesis_hash(options.genesis_hash) {}

LogResult<LogMark> LogMarkFile::decode(BytesView bytes) const {
    if (bytes.size() < kHeaderSize || !equal(bytes.first(kMagic.size()), as_bytes(kMagic)) ||
        number_at(bytes, 8, 4) != kVersion ||
        number_at(bytes, 12, 4) != crc32c(bytes.subspan(16, kHeaderSize - 16)))
        return failure_at(LogError::WrongHeader, m_name, 0,
                          "does not check; it notes how far the frame log has come. If the log is whole, "
                          "`meridian db forget` makes it anew");
    if (number_at(bytes, 16) != m_chain_id ||
        !equal(bytes.subspan(24, 32), BytesView(m_genesis_hash.begin(), m_genesis_hash.size())))
        return failure_at(LogError::WrongChain, m_name, 16,
                          "of chain " + std::to_string(number_at(bytes, 16)) + " with the genesis " +
                              to_hex0x(bytes.subspan(24, 32)) + ", this is chain " +
                              std::to_string(m_chain_id) + " with the genesis " + to_hex0x(m_genesis_hash));
    LogMark mark{number_at(bytes, 56), number_at(bytes, 64)};
    const auto checksum = static_cast<std::uint32_t>(number_at(bytes, 12, 4));
    // A crash leaves any of the notes, or parts of them.
    for (std::size_t at = kHeaderSize; at + kNoteSize <= bytes.size(); at += kNoteSize)
        if (number_at(bytes, at + 8, 4) == crc32c(bytes.subspan(at, 8), checksum))
            mark.last = std::max(mark.last, number_at(bytes, at));
    return mark;
}

Bytes LogMarkFile::encode(const LogMark& mark) const {
    Bytes rest;
    put(rest, m_chain_id);
    append(rest, BytesView(m_genesis_hash.begin(), m_genesis_hash.size()));
    put(rest, mark.segment_first);
    put(rest, mark.last);
    Bytes out = to_bytes(as_bytes(kMagic));
    put(out, kVersion);
    put(out, crc32c(rest));
    append(out, rest);
    return out;
}

LogResult<void> LogMarkFile::read() {
    m_mark.reset();
    m_file.reset();
    const auto file = m_disk.open(m_path, OpenMode::Read);
    if (!file && file.error().code == IoCode::NotFound)
        return {};
    if (!file)
        return fail(io_failure(m_name, file.error()));
    Bytes bytes(static_cast<std::size_t>(kSizeMax + kHeaderSize));
    const auto got = (*file)->read_at(0, bytes);
    if (!got)
        return fail(io_failure(m_name, got.error()));
    auto mark = decode(BytesView(bytes).first(*got));
    if (!mark)
        return fail(std::move(mark.error()));
    m_mark = *mark;
    return {};
}

LogResult<void> LogMarkFile::replace(const LogMark& mark) {
    const std::string fresh = m_path + ".new";
    // Left behind by a crash.
    if (auto removed = m_disk.remove(fresh); !removed && removed.error().code != IoCode::NotFound)
        return fail(io_failure(m_name, removed.error()));
    auto file = m_disk.create(fresh);
    if (!file)
        return fail(io_failure(m_name, file.error()));
    const Bytes bytes = encode(mark);
    auto done = (*file)->append(bytes);
    if (done)
        done = (*file)->sync();
    if (done)
        done = m_disk.rename(fresh, m_path);
    if (!done)
        return fail(io_failure(m_name, done.error()));
    m_mark = mark;
    m_file = *std::move(file);
    m_size = bytes.size();
    m_checksum = static_cast<std::uint32_t>(number_at(bytes, 12, 4));
    if (auto synced = m_disk.sync_directory(folder_above(m_path)); !synced)
        return fail(io_failure(m_name, synced.error()));
    return {};
}

void LogMarkFile::advance(std::uint64_t last) {
    if (m_file == nullptr || !m_mark || last <= m_mark->last)
        return;
    if (m_size >= kSizeMax) {
        [[maybe_unused]] const auto renewed = replace({m_mark->segment_first, last});
        return;
    }
    const Bytes note = encode_note(last, m_checksum);
    if (m_file->append(note)) {
        m_mark->last = last;
        m_size += note.size();
    } else if (!m_file->truncate(m_size)) {
        m_file.reset();  // until the next segment makes it anew
    }
}

}  // namespace meridian::frames
