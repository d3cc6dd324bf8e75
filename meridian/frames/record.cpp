// The record: what the frame log stores and the feed sends.
//
//   0 length u32 · 4 CRC-32C u32 · 8 version u8 · 9 flags u8 · 10 header (204 bytes) · 214 signature (65)
//   279 section sizes 4 * u32 · 295 sections
//
// Numbers are little-endian.

#include <meridian/frames/codec.hpp>
#include <meridian/frames/crc32c.hpp>

#include <zstd.h>

#include <memory>

namespace meridian::frames {

namespace {

constexpr std::size_t kVersionOffset = 8;
constexpr std::size_t kFlagsOffset = 9;
constexpr std::size_t kHeaderOffset = 10;
constexpr std::size_t kHeaderSize = 5 * 8 + 4 + 5 * 32;
static_assert(kHeaderSize == 204 && kHeaderOffset + kHeaderSize + 65 + 4 * kSectionCount == kRecordHeadSize);

template <class T>
void store(std::uint8_t*& at, T value) {
    for (std::size_t i = 0; i < sizeof value; ++i)
        *at++ = static_cast<std::uint8_t>(value >> 8 * i);
}

template <std::size_t N>
void store(std::uint8_t*& at, const FixedBytes<N>& value) {
    at = std::copy(value.begin(), value.end(), at);
}

template <class T>
void load(const std::uint8_t*& at, T& value) {
    value = 0;
    for (std::size_t i = 0; i < sizeof value; ++i)
        value = static_cast<T>(value | static_cast<T>(*at++) << 8 * i);
}

template <std::size_t N>
void load(const std::uint8_t*& at, FixedBytes<N>& value) {
    std::copy_n(at, N, value.begin());
    at += N;
}

void store_header(std::uint8_t*& at, const FrameHeader& header) {
    store(at, header.chain_id);
    store(at, header.term);
    store(at, header.number);
    store(at, header.parent_hash);
    store(at, header.block_number);
    store(at, header.index);
    store(at, header.timestamp_us);
    store(at, header.base_hash);
    store(at, header.transactions_hash);
    store(at, header.receipts_hash);
    store(at, header.changes_hash);
}

FrameHeader load_header(const std::uint8_t*& at) {
    FrameHeader header;
    load(at, header.chain_id);
    load(at, header.term);
    load(at, header.number);
    load(at, header.parent_hash);
    load(at, header.block_number);
    load(at, header.index);
    load(at, header.timestamp_us);
    load(at, header.base_hash);
    load(at, header.transactions_hash);
    load(at, header.receipts_hash);
    load(at, header.changes_hash);
    return header;
}

struct FreeContext {
    void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
    void operator()(ZSTD_DCtx* context) const noexcept { ZSTD_freeDCtx(context); }
};

// Made once a thread: a context is larger than most frames.
ZSTD_CCtx* compressor() {
    thread_local const std::unique_ptr<ZSTD_CCtx, FreeContext> context(ZSTD_createCCtx());
    return context.get();
}

ZSTD_DCtx* decompressor() {
    thread_local const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
    return context.get();
}

// The sections as one zstd frame, in memory that the thread keeps up to kScratchKept bytes; empty where that
// does not help.
constexpr std::size_t kScratchKept = 4u << 20;
BytesView compressed(BytesView sections, std::unique_ptr<std::uint8_t[]>& large) {
    if (sections.size() < kCompressionThreshold)
        return {};
    thread_local std::unique_ptr<std::uint8_t[]> kept;
    const std::size_t bound = ZSTD_compressBound(sections.size());
    if (bound > kScratchKept)
        large = std::make_unique_for_overwrite<std::uint8_t[]>(bound);
    else if (kept == nullptr)
        kept = std::make_unique_for_overwrite<std::uint8_t[]>(kScratchKept);
    std::uint8_t* const out = bound > kScratchKept ? large.get() : kept.get();
    const std::size_t size =
        ZSTD_compressCCtx(compressor(), out, bound, sections.data(), sections.size(), kCompressionLevel);
    if (ZSTD_isError(size) != 0 || size >= sections.size())
        return {};
    return {out, size};
}

std::uint32_t load_u32(BytesView bytes) {
    const std::uint8_t* at = bytes.data();
    std::uint32_t value = 0;
    load(at, value);
    return value;
}

std::unexpected<CodecFailure> failure(CodecError error, std::string message) {
    return fail(CodecFailure{error, std::move(message)});
}

std::unexpected<CodecFailure> failure(CodecError error) {
    return failure(error, std::string(to_string(error)));
}

// Length, checksum, version and flags.
Result<void, CodecFailure> check_envelope(BytesView record) {
    const auto size = record_size(record);
    if (!size)
        return failure(size.error());
    if (!*size || **size > record.size())
        return failure(CodecError::TooShort, "record: " + std::to_string(record.size()) + " bytes of " +
                                                 std::to_string(size->value_or(kRecordHeadSize)));
    if (**size < record.size())
        return failure(CodecError::TrailingBytes);
    if (crc32c(record.subspan(kRecordPrefixSize)) != load_u32(record.subspan(4)))
        return failure(CodecError::Checksum);
    if (record[kVersionOffset] != kRecordVersion)
        return failure(CodecError::Version, "record: version " + std::to_string(record[kVersionOffset]) +
                                                ", this program reads version " +
                                                std::to_string(kRecordVersion));
    if ((record[kFlagsOffset] & ~kRecordZstd) != 0)
        return failure(CodecError::Flags,
                       "record: flags " + std::to_string(record[kFlagsOffset]) + " have a bit of no meaning");
    return {};
}

std::size_t total_of(const std::array<std::uint32_t, kSectionCount>& sizes) {
    std::size_t total = 0;
    for (const std::uint32_t size : sizes)
        total += size;
    return total;
}

// The stated sizes against the bound and against what is there.
Result<void, CodecFailure> check_sizes(const RecordView& view) {
    const std::size_t total = total_of(view.sizes);
    if (total > kSectionsSizeMax)
        return failure(CodecError::SectionsTooLarge, "record: sections of " + std::to_string(total) +
                                                         " bytes, at most " +
                                                         std::to_string(kSectionsSizeMax) + " are allowed");
    if (!view.compressed && total != view.payload.size())
        return failure(CodecError::SizeMismatch, "record: sections of " + std::to_string(total) +
                                                     " bytes stated, " + std::to_string(view.payload.size()) +
                                                     " there");
    if (view.compressed && ZSTD_getFrameContentSize(view.payload.data(), view.payload.size()) != total)
        return failure(CodecError::Compression);
    return {};
}

}  // namespace

std::string_view to_string(CodecError error) noexcept {
    switch (error) {
        case CodecError::TooShort:
            return "record: too short";
        case CodecError::TooLong:
            return "record: longer than a record may be";
        case CodecError::TrailingBytes:
            return "record: bytes after its end";
        case CodecError::Checksum:
            return "record: the checksum does not match";
        case CodecError::Version:
            return "record: unknown version";
        case CodecError::Flags:
            return "record: unknown flags";
        case CodecError::SectionsTooLarge:
            return "record: sections too large";
        case CodecError::SizeMismatch:
            return "record: section sizes do not match what is there";
        case CodecError::Compression:
            return "record: the sections are not a zstd frame of the size stated";
        case CodecError::Content:
            return "record: a section does not decode";
    }
    return "unknown";
}

Bytes encode_record(const SignedHeader& head, const Sections& sections) {
    std::unique_ptr<std::uint8_t[]> large;
    const BytesView smaller = compressed(sections.bytes, large);
    const BytesView payload = smaller.empty() ? BytesView(sections.bytes) : smaller;
    Bytes out;
    out.reserve(kRecordHeadSize + payload.size());
    out.resize(kRecordHeadSize);
    append(out, payload);
    std::uint8_t* at = out.data() + kVersionOffset;
    store(at, kRecordVersion);
    store(at, static_cast<std::uint8_t>(smaller.empty() ? 0 : kRecordZstd));
    store_header(at, head.header);
    store(at, head.signature);
    for (const std::uint32_t size : sections.sizes)
        store(at, size);
    at = out.data();
    store(at, static_cast<std::uint32_t>(out.size() - kRecordPrefixSize));
    store(at, crc32c(BytesView(out).subspan(kRecordPrefixSize)));
    return out;
}

Result<Bytes, EncodeError> encode_record(const Frame& frame) {
    const auto sections = encode_sections(frame.content);
    if (!sections)
        return fail(sections.error());
    return encode_record(frame.head, *sections);
}

Result<std::optional<std::size_t>, CodecError> record_size(BytesView bytes) noexcept {
    if (bytes.size() < 4)
        return std::nullopt;
    const std::size_t size = std::size_t{load_u32(bytes)} + kRecordPrefixSize;
    if (size < kRecordHeadSize)
        return fail(CodecError::TooShort);
    if (size > kRecordSizeMax)
        return fail(CodecError::TooLong);
    return size;
}

Result<RecordView, CodecFailure> peek(BytesView record) {
    if (auto checked = check_envelope(record); !checked)
        return fail(std::move(checked.error()));
    RecordView view;
    view.compressed = (record[kFlagsOffset] & kRecordZstd) != 0;
    const std::uint8_t* at = record.data() + kHeaderOffset;
    view.head.header = load_header(at);
    load(at, view.head.signature);
    for (std::uint32_t& size : view.sizes)
        load(at, size);
    view.head.hash = frame_hash(view.head.header);
    view.payload = record.subspan(kRecordHeadSize);
    if (auto checked = check_sizes(view); !checked)
        return fail(std::move(checked.error()));
    return view;
}

Result<Sections, CodecFailure> open_sections(const RecordView& record) {
    if (auto checked = check_sizes(record); !checked)
        return fail(std::move(checked.error()));
    Sections out;
    out.sizes = record.sizes;
    if (!record.compressed) {
        out.bytes = to_bytes(record.payload);
        return out;
    }
    out.bytes.resize(total_of(record.sizes));
    const std::size_t size = ZSTD_decompressDCtx(decompressor(), out.bytes.data(), out.bytes.size(),
                                                 record.payload.data(), record.payload.size());
    if (ZSTD_isError(size) != 0 || size != out.bytes.size())
        return failure(CodecError::Compression);
    return out;
}

Result<Frame, CodecFailure> decode_record(BytesView record) {
    const auto view = peek(record);
    if (!view)
        return fail(view.error());
    const auto sections = open_sections(*view);
    if (!sections)
        return fail(sections.error());
    auto content = decode_content(*sections);
    if (!content)
        return fail(std::move(content.error()));
    return Frame{view->head, *std::move(content)};
}

}  // namespace meridian::frames
