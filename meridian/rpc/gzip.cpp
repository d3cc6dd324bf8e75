#include <meridian/rpc/gzip.hpp>

#include <meridian/base/assert.hpp>

#include <zlib.h>

namespace meridian::rpc {
namespace {

constexpr int kWindowBits = 15 + 16;  // the largest window, with gzip's header
constexpr int kMemoryLevel = 8;       // the library's default
constexpr std::size_t kChunkBytes = 1 << 16;

z_stream stream_over(BytesView input) {
    z_stream out{};
    // The library reads only, whatever the type says.
    out.next_in = const_cast<Bytef*>(input.data());
    out.avail_in = static_cast<uInt>(input.size());
    return out;
}

}  // namespace

bool is_gzip(BytesView data) noexcept {
    return data.size() >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

Bytes gzip(BytesView plain) {
    z_stream stream = stream_over(plain);
    int status = deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBits, kMemoryLevel,
                              Z_DEFAULT_STRATEGY);
    MERIDIAN_ASSERT(status == Z_OK);
    Bytes out(deflateBound(&stream, static_cast<uLong>(plain.size())));
    stream.next_out = out.data();
    stream.avail_out = static_cast<uInt>(out.size());
    status = deflate(&stream, Z_FINISH);
    MERIDIAN_ASSERT(status == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}

Result<Bytes, std::string> gunzip(BytesView packed, std::size_t bytes_max) {
    z_stream stream = stream_over(packed);
    if (inflateInit2(&stream, kWindowBits) != Z_OK)
        return fail(std::string("not gzip"));
    Bytes out;
    int status = Z_OK;
    while (status == Z_OK && out.size() <= bytes_max) {
        const std::size_t size = out.size();
        out.resize(size + kChunkBytes);
        stream.next_out = out.data() + size;
        stream.avail_out = kChunkBytes;
        status = inflate(&stream, Z_NO_FLUSH);
        out.resize(size + kChunkBytes - stream.avail_out);
    }
    inflateEnd(&stream);
    if (out.size() > bytes_max)
        return fail("more than " + std::to_string(bytes_max) + " bytes");
    if (status != Z_STREAM_END)
        return fail(std::string("broken or cut off gzip"));
    return out;
}

}  // namespace meridian::rpc
