#include <meridian/spec/era1.hpp>

#include <meridian/base/assert.hpp>
#include <meridian/crypto/accelerator.hpp>

#include <boost/crc.hpp>

#include <snappy.h>

namespace meridian::spec {
namespace {

constexpr std::uint16_t kVersion = 0x3265;
constexpr std::uint16_t kHeader = 0x03;
constexpr std::uint16_t kBody = 0x04;
constexpr std::uint16_t kReceipts = 0x05;
constexpr std::uint16_t kTotalDifficulty = 0x06;
constexpr std::uint16_t kAccumulator = 0x07;
constexpr std::uint16_t kIndex = 0x3266;
constexpr std::size_t kEntryHeaderSize = 8;

// Snappy's framing format.
constexpr std::uint8_t kCompressedChunk = 0x00;
constexpr std::uint8_t kStoredChunk = 0x01;
constexpr std::uint8_t kFirstSkippable = 0x80;
constexpr std::uint8_t kStreamIdentifier = 0xff;
constexpr std::size_t kChunkHeaderSize = 4;
constexpr std::size_t kChecksumSize = 4;
constexpr std::size_t kChunkContentMax = 65536;
constexpr std::string_view kIdentifier = "sNaPpY";

std::uint64_t little_endian(BytesView bytes) {
    std::uint64_t out = 0;
    for (std::size_t i = bytes.size(); i-- > 0;)
        out = out << 8 | bytes[i];
    return out;
}

void append_little_endian(Bytes& out, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
        out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

// CRC-32C, rotated and offset as the framing format wants it.
std::uint32_t masked_checksum(BytesView content) {
    boost::crc_optimal<32, 0x1edc6f41, 0xffffffff, 0xffffffff, true, true> crc;
    crc.process_bytes(content.data(), content.size());
    const std::uint32_t sum = crc.checksum();
    return (sum >> 15 | sum << 17) + 0xa282ead8u;
}

const char* as_chars(const std::uint8_t* bytes) {
    return reinterpret_cast<const char*>(bytes);
}

// Appends a data chunk's content, whose checksum stands before it.
Result<void, std::string> append_chunk(Bytes& out, std::uint8_t type, BytesView chunk, std::size_t size_max) {
    if (chunk.size() < kChecksumSize)
        return fail(std::string("a Snappy chunk too short for its checksum"));
    const std::uint64_t checksum = little_endian(chunk.first(kChecksumSize));
    const BytesView stored = chunk.subspan(kChecksumSize);
    std::size_t size = stored.size();
    if (type == kCompressedChunk &&
        !snappy::GetUncompressedLength(as_chars(stored.data()), stored.size(), &size))
        return fail(std::string("a Snappy chunk without a length"));
    if (size > kChunkContentMax)
        return fail(std::string("a Snappy chunk of more than 65536 bytes"));
    const std::size_t before = out.size();
    if (size > size_max - before)
        return fail("more than " + std::to_string(size_max) + " bytes, uncompressed");
    out.resize(before + size);
    const std::span<std::uint8_t> content = std::span(out).subspan(before);
    if (type == kStoredChunk)
        std::copy(stored.begin(), stored.end(), content.begin());
    else if (!snappy::RawUncompress(as_chars(stored.data()), stored.size(),
                                    reinterpret_cast<char*>(content.data())))
        return fail(std::string("a corrupt Snappy chunk"));
    if (masked_checksum(content) != checksum)
        return fail(std::string("the checksum of a Snappy chunk does not fit its content"));
    return {};
}

Hash hash_pair(const Hash& left, const Hash& right) {
    Bytes both = to_bytes(left);
    append(both, right);
    return crypto::accelerator().sha256(both);
}

Hash little_endian_hash(const u256& value) {
    Hash out = to_hash(value);
    std::reverse(out.bytes.begin(), out.bytes.end());
    return out;
}

}  // namespace

Result<Bytes, std::string> snappy_unframe(BytesView framed, std::size_t size_max) {
    Bytes out;
    bool identified = false;
    while (!framed.empty()) {
        if (framed.size() < kChunkHeaderSize)
            return fail(std::string("ends within a Snappy chunk's header"));
        const std::uint8_t type = framed[0];
        const std::size_t size = little_endian(framed.subspan(1, 3));
        framed = framed.subspan(kChunkHeaderSize);
        if (size > framed.size())
            return fail(std::string("ends within a Snappy chunk"));
        const BytesView chunk = framed.first(size);
        framed = framed.subspan(size);
        if (type == kStreamIdentifier) {
            if (!equal(chunk, as_bytes(kIdentifier)))
                return fail(std::string("a wrong Snappy stream identifier"));
            identified = true;
        } else if (!identified) {
            return fail(std::string("no Snappy stream identifier"));
        } else if (type == kCompressedChunk || type == kStoredChunk) {
            if (auto appended = append_chunk(out, type, chunk, size_max); !appended)
                return fail(appended.error());
        } else if (type < kFirstSkippable) {
            return fail("a Snappy chunk of unknown type " + std::to_string(type));
        }
    }
    if (!identified)
        return fail(std::string("no Snappy stream identifier"));
    return out;
}

Bytes snappy_frame(BytesView content) {
    Bytes out{kStreamIdentifier};
    append_little_endian(out, kIdentifier.size(), 3);
    append(out, as_bytes(kIdentifier));
    while (!content.empty()) {
        const BytesView part = content.first(std::min(content.size(), kChunkContentMax));
        out.push_back(kStoredChunk);
        append_little_endian(out, part.size() + kChecksumSize, 3);
        append_little_endian(out, masked_checksum(part), kChecksumSize);
        append(out, part);
        content = content.subspan(part.size());
    }
    return out;
}

void Era1Accumulator::add(const Hash& block_hash, const u256& total_difficulty) {
    MERIDIAN_ASSERT(m_leaves.size() < kEra1BlocksMax);
    m_leaves.push_back(hash_pair(block_hash, little_endian_hash(total_difficulty)));
}

Hash Era1Accumulator::root() const {
    std::vector<Hash> level = m_leaves;
    Hash padding{};  // the root of an empty subtree of the level
    for (std::size_t width = kEra1BlocksMax; width > 1; width /= 2) {
        if (level.size() % 2 != 0)
            level.push_back(padding);
        for (std::size_t i = 0; i < level.size() / 2; ++i)
            level[i] = hash_pair(level[2 * i], level[2 * i + 1]);
        level.resize(level.size() / 2);
        padding = hash_pair(padding, padding);
    }
    return hash_pair(level.empty() ? padding : level[0], little_endian_hash(m_leaves.size()));
}

Result<Era1Reader::Entry, Era1Error> Era1Reader::read_entry() {
    const std::size_t offset = m_file.size() - m_rest.size();
    if (m_rest.size() < kEntryHeaderSize)
        return fail(Era1Error{offset, "the file ends within an entry's header"});
    const auto type = static_cast<std::uint16_t>(little_endian(m_rest.first(2)));
    const std::uint64_t size = little_endian(m_rest.subspan(2, 4));
    if (little_endian(m_rest.subspan(6, 2)) != 0)
        return fail(Era1Error{offset, "the reserved bytes of an entry's header are not zero"});
    if (size > m_rest.size() - kEntryHeaderSize)
        return fail(Era1Error{offset, "the file ends within an entry"});
    const Entry out{type, offset, m_rest.subspan(kEntryHeaderSize, size)};
    m_rest = m_rest.subspan(kEntryHeaderSize + size);
    return out;
}

Result<Bytes, Era1Error> Era1Reader::read_compressed(std::uint16_t type, const char* what) {
    const auto entry = read_entry();
    if (!entry)
        return fail(entry.error());
    if (entry->type != type)
        return fail(Era1Error{entry->offset, std::string("expected ") + what});
    auto content = snappy_unframe(entry->content, kEra1EntryMax);
    if (!content)
        return fail(Era1Error{entry->offset, std::string(what) + ": " + content.error()});
    return std::move(*content);
}

Result<void, Era1Error> Era1Reader::read_block(const Entry& header, Era1Block& out) {
    if (m_positions.size() == kEra1BlocksMax)
        return fail(Era1Error{header.offset, "more than 8192 blocks"});
    m_positions.push_back(header.offset);
    auto content = snappy_unframe(header.content, kEra1EntryMax);
    if (!content)
        return fail(Era1Error{header.offset, "a header: " + content.error()});
    out.header = std::move(*content);
    auto body = read_compressed(kBody, "a body");
    if (!body)
        return fail(body.error());
    out.body = std::move(*body);
    auto receipts = read_compressed(kReceipts, "receipts");
    if (!receipts)
        return fail(receipts.error());
    out.receipts = std::move(*receipts);
    const auto difficulty = read_entry();
    if (!difficulty)
        return fail(difficulty.error());
    if (difficulty->type != kTotalDifficulty || difficulty->content.size() != 32)
        return fail(Era1Error{difficulty->offset, "expected a total difficulty of 32 bytes"});
    Hash number = first_bytes<32>(difficulty->content);
    std::reverse(number.bytes.begin(), number.bytes.end());
    out.total_difficulty = from_hash(number);
    return {};
}

Result<void, Era1Error> Era1Reader::check_index(const Entry& index) {
    const BytesView content = index.content;
    const std::size_t count = m_positions.size();
    if (content.size() != 16 + 8 * count)
        return fail(
            Era1Error{index.offset, "an index not of the file's " + std::to_string(count) + " blocks"});
    if (little_endian(content.last(8)) != count)
        return fail(Era1Error{index.offset, "the index's count is not that of the blocks"});
    m_trailer.first_number = little_endian(content.first(8));
    m_trailer.blocks = count;
    // Positions are relative to the index's own, and wrap.
    for (std::size_t i = 0; i < count; ++i)
        if (little_endian(content.subspan(8 + 8 * i, 8)) + index.offset != m_positions[i])
            return fail(Era1Error{index.offset, "the index's position of block " + std::to_string(i) +
                                                    " of the file is wrong"});
    return {};
}

Result<void, Era1Error> Era1Reader::read_trailer(const Entry& accumulator) {
    if (accumulator.content.size() != 32)
        return fail(Era1Error{accumulator.offset, "an accumulator is of 32 bytes"});
    m_trailer.accumulator = first_bytes<32>(accumulator.content);
    const auto index = read_entry();
    if (!index)
        return fail(index.error());
    if (index->type != kIndex)
        return fail(Era1Error{index->offset, "expected the index of the blocks"});
    if (!m_rest.empty())
        return fail(Era1Error{m_file.size() - m_rest.size(), "bytes after the index"});
    return check_index(*index);
}

Result<bool, Era1Error> Era1Reader::next(Era1Block& out) {
    if (!m_started) {
        const auto version = read_entry();
        if (!version || version->type != kVersion || !version->content.empty())
            return fail(Era1Error{0, "no era1 file: it does not begin with a version"});
        m_started = true;
    }
    const auto entry = read_entry();
    if (!entry)
        return fail(entry.error());
    if (entry->type == kHeader) {
        if (auto read = read_block(*entry, out); !read)
            return fail(read.error());
        return true;
    }
    if (entry->type != kAccumulator)
        return fail(Era1Error{entry->offset, "an entry of unknown type " + std::to_string(entry->type)});
    if (auto read = read_trailer(*entry); !read)
        return fail(read.error());
    return false;
}

}  // namespace meridian::spec
