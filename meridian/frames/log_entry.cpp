#include <meridian/frames/crc32c.hpp>
#include <meridian/frames/log_entry.hpp>

#include <charconv>
#include <cstdio>

namespace meridian::frames {

namespace {

constexpr std::string_view kSegmentMagic = "MRDNFLOG";
constexpr std::uint32_t kEntryMagic = 0x3145464d;  // "MFE1"
constexpr std::uint8_t kEntryMagicFirst = 0x4d;
constexpr std::size_t kChecksumOffset = 12;
constexpr std::size_t kSearchWindow = 1u << 20;
static_assert(kSegmentHeaderSize == 104 && kEntryHeadSize == 16);

template <class T>
void store(std::uint8_t* at, T value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
        at[i] = static_cast<std::uint8_t>(value >> 8 * i);
}

template <class T>
T load(const std::uint8_t* at) {
    T value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i)
        value = static_cast<T>(value | static_cast<T>(at[i]) << 8 * i);
    return value;
}

// Of an entry's head: `entry` is at least the head and the record's prefix.
std::uint32_t head_checksum(BytesView entry, std::uint64_t salt) {
    std::uint8_t salted[8];
    store(salted, salt);
    return crc32c(entry.subspan(8, kEntryHeadSize - 8 + kRecordPrefixSize), crc32c(salted));
}

constexpr std::size_t kProbeSize = kEntryHeadSize + kRecordPrefixSize;

bool is_entry_head(BytesView entry, std::uint64_t salt) {
    return entry.size() >= kProbeSize && load<std::uint32_t>(entry.data()) == kEntryMagic &&
           load<std::uint32_t>(entry.data() + 4) == head_checksum(entry, salt);
}

Entry faulty(std::string fault) {
    Entry entry;
    entry.fault = std::move(fault);
    return entry;
}

}  // namespace

SegmentHeaderBytes encode_segment_header(const SegmentHeader& header) noexcept {
    SegmentHeaderBytes out;
    std::copy(kSegmentMagic.begin(), kSegmentMagic.end(), out.begin());
    store(out.data() + 8, kSegmentVersion);
    store(out.data() + 16, header.chain_id);
    store(out.data() + 24, header.first_number);
    store(out.data() + 32, header.salt);
    std::copy(header.genesis_hash.begin(), header.genesis_hash.end(), out.begin() + 40);
    std::copy(header.parent_hash.begin(), header.parent_hash.end(), out.begin() + 72);
    store(out.data() + kChecksumOffset, crc32c(BytesView(out).subspan(kChecksumOffset + 4)));
    return out;
}

Result<SegmentHeader, std::string> decode_segment_header(BytesView bytes) {
    if (bytes.size() < kSegmentHeaderSize)
        return fail("the file ends within its header: " + std::to_string(bytes.size()) + " bytes of " +
                    std::to_string(kSegmentHeaderSize));
    if (!equal(bytes.first(kSegmentMagic.size()), as_bytes(kSegmentMagic)))
        return fail(std::string("the magic is not that of a frame log"));
    const auto version = load<std::uint32_t>(bytes.data() + 8);
    if (version != kSegmentVersion)
        return fail("version " + std::to_string(version) + ", this program reads version " +
                    std::to_string(kSegmentVersion));
    const BytesView fields = bytes.subspan(kChecksumOffset + 4, kSegmentHeaderSize - kChecksumOffset - 4);
    if (load<std::uint32_t>(bytes.data() + kChecksumOffset) != crc32c(fields))
        return fail(std::string("the header's checksum does not match"));
    SegmentHeader header;
    header.chain_id = load<std::uint64_t>(bytes.data() + 16);
    header.first_number = load<std::uint64_t>(bytes.data() + 24);
    header.salt = load<std::uint64_t>(bytes.data() + 32);
    header.genesis_hash = first_bytes<32>(bytes.subspan(40));
    header.parent_hash = first_bytes<32>(bytes.subspan(72));
    return header;
}

std::string segment_name(std::uint64_t first_number) {
    char name[40];
    std::snprintf(name, sizeof name, "frames-%020llu.log", static_cast<unsigned long long>(first_number));
    return name;
}

std::optional<std::uint64_t> parse_segment_name(std::string_view name) {
    constexpr std::string_view kPrefix = "frames-";
    constexpr std::size_t kDigits = 20;
    if (!name.starts_with(kPrefix) || !name.ends_with(".log") || name.size() != kPrefix.size() + kDigits + 4)
        return std::nullopt;
    std::uint64_t number = 0;
    const char* const first = name.data() + kPrefix.size();
    const auto [end, error] = std::from_chars(first, first + kDigits, number);
    if (error != std::errc() || end != first + kDigits)
        return std::nullopt;
    return number;
}

void write_entry_head(std::span<std::uint8_t> entry, std::uint64_t salt,
                      std::uint64_t durable_size) noexcept {
    store(entry.data(), kEntryMagic);
    store(entry.data() + 8, durable_size);
    store(entry.data() + 4, head_checksum(entry, salt));
}

IoResult<BytesView> WindowReader::view(std::uint64_t offset, std::size_t size, std::uint64_t end) {
    if (offset >= end)
        return BytesView{};
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, end - offset));
    const bool inside = offset >= m_start && offset - m_start + size <= m_window.size();
    if (!inside) {
        const std::size_t wanted = std::max(size, m_window_size);
        m_window.resize(static_cast<std::size_t>(std::min<std::uint64_t>(wanted, end - offset)));
        m_start = offset;
        const auto got = m_file->read_at(offset, m_window);
        m_window.resize(got ? *got : 0);
        if (!got)
            return fail(got.error());
    }
    const BytesView from = BytesView(m_window).subspan(static_cast<std::size_t>(offset - m_start));
    return from.first(std::min(size, from.size()));
}

IoResult<Entry> read_entry(WindowReader& reader, std::uint64_t offset, std::uint64_t end,
                           std::uint64_t salt) {
    const auto head = reader.view(offset, kProbeSize, end);
    if (!head)
        return fail(head.error());
    if (head->size() < kProbeSize)
        return faulty("the file ends within an entry's head");
    if (!is_entry_head(*head, salt))
        return faulty("an entry's head does not check");
    Entry entry;
    entry.durable_size = load<std::uint64_t>(head->data() + 8);
    const auto size = record_size(head->subspan(kEntryHeadSize));
    if (!size)
        return faulty(std::string(to_string(size.error())));
    const auto record = reader.view(offset + kEntryHeadSize, **size, end);
    if (!record)
        return fail(record.error());
    if (record->size() < **size)
        return faulty("the file ends within a record");
    if (crc32c(record->subspan(kRecordPrefixSize)) != load<std::uint32_t>(record->data() + 4))
        return faulty(std::string(to_string(CodecError::Checksum)));
    entry.record = *record;
    entry.next = offset + kEntryHeadSize + **size;
    return entry;
}

IoResult<std::optional<std::uint64_t>> find_later_entry(const File& file, std::uint64_t offset,
                                                        std::uint64_t end, std::uint64_t salt) {
    WindowReader search(file, kSearchWindow);
    WindowReader reader(file);
    for (std::uint64_t at = offset + 1; at < end;) {
        const auto window = search.view(at, kSearchWindow, end);
        if (!window)
            return fail(window.error());
        if (window->size() < kProbeSize)
            break;
        // The window's last bytes are looked at again, as a head may begin in them.
        const std::size_t starts = window->size() - kProbeSize + 1;
        for (std::size_t i = 0; i < starts; ++i) {
            if ((*window)[i] != kEntryMagicFirst || !is_entry_head(window->subspan(i), salt))
                continue;
            const auto entry = read_entry(reader, at + i, end, salt);
            if (!entry)
                return fail(entry.error());
            if (entry->fault.empty() && entry->durable_size > offset)
                return at + i;
        }
        at += starts;
    }
    return std::nullopt;
}

}  // namespace meridian::frames
