// Manifests and chunks of snapshots from any bytes. A manifest's hash is put right half of the time, so that
// what lies behind it is reached.
#include <meridian/base/assert.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/store/snapshot.hpp>
#include <meridian/store/snapshot_format.hpp>

using namespace meridian;
using namespace meridian::store;

namespace {

void check_manifest(BytesView input) {
    if (const auto manifest = decode_manifest(input)) {
        MERIDIAN_ASSERT(equal(encode_manifest(*manifest), input));
        MERIDIAN_ASSERT(manifest->chunks.size() <= kChunkCountMax);
    }
}

void check_chunk(BytesView input) {
    const auto entries = decode_chunk(input);
    if (!entries)
        return;
    Bytes again;
    for (const SnapshotEntry& entry : *entries)
        append_entry(again, entry.table, entry.key, entry.value);
    MERIDIAN_ASSERT(equal(again, input));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const BytesView input(data + 1, size - 1);
    if (data[0] % 3 == 0) {
        check_manifest(input);
    } else if (data[0] % 3 == 1) {
        Bytes hashed = to_bytes(input);
        append(hashed, crypto::keccak256(input));
        check_manifest(hashed);
    } else {
        check_chunk(input);
    }
    return 0;
}
