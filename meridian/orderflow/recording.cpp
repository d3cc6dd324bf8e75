#include <meridian/orderflow/recording.hpp>

#include <memory>

#include <zstd.h>

namespace meridian::orderflow {

namespace {

constexpr std::uint8_t kZstdMagic[] = {0x28, 0xb5, 0x2f, 0xfd};

bool is_zstd(BytesView file) {
    return file.size() >= sizeof(kZstdMagic) &&
           std::equal(std::begin(kZstdMagic), std::end(kZstdMagic), file.begin());
}

struct FreeStream {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
};

// All frames of the file, one behind the other.
Result<Bytes, ReadError> decompress(BytesView file) {
    const std::unique_ptr<ZSTD_DStream, FreeStream> stream(ZSTD_createDStream());
    Bytes out;
    Bytes chunk(ZSTD_DStreamOutSize());
    ZSTD_inBuffer input{file.data(), file.size(), 0};
    std::size_t state = 0;
    while (input.pos < input.size || state != 0) {
        ZSTD_outBuffer output{chunk.data(), chunk.size(), 0};
        const std::size_t at = input.pos;
        state = ZSTD_decompressStream(stream.get(), &output, &input);
        if (ZSTD_isError(state) != 0)
            return fail(ReadError{at, std::string("not whole zstd data: ") + ZSTD_getErrorName(state)});
        if (input.pos == at && output.pos == 0)
            return fail(ReadError{at, "the zstd data ends within a frame: the file is cut off"});
        if (out.size() + output.pos > kRecordingBytesMax)
            return fail(ReadError{at, "more than 2 GiB of content: split the recording"});
        out.insert(out.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(output.pos));
    }
    return out;
}

}  // namespace

std::optional<Format> format_from(std::string_view name) {
    if (name == "dbn")
        return Format::Dbn;
    if (name == "itch")
        return Format::Itch;
    if (name == "lobster")
        return Format::Lobster;
    return std::nullopt;
}

Result<Recording, ReadError> read_recording(Format format, BytesView file, const ReadOptions& options) {
    if (file.size() > kRecordingBytesMax)
        return fail(ReadError{0, "more than 2 GiB: split the recording"});
    Bytes content;
    if (is_zstd(file)) {
        Result<Bytes, ReadError> whole = decompress(file);
        if (!whole)
            return fail(whole.error());
        content = std::move(*whole);
        file = content;
    }
    switch (format) {
        case Format::Dbn:
            return read_dbn(file, options);
        case Format::Itch:
            return read_itch(file, options);
        case Format::Lobster:
            break;
    }
    return read_lobster(file);
}

}  // namespace meridian::orderflow
