// The bytes of manifests and chunks. Both come from elsewhere: nothing in them is believed.
#include <meridian/module/layout.hpp>
#include <meridian/store/record_codec.hpp>
#include <meridian/store/snapshot.hpp>
#include <meridian/store/snapshot_format.hpp>

#include <meridian/rlp/decode.hpp>
#include <meridian/rlp/encode.hpp>

namespace meridian::store {
namespace {

constexpr std::string_view kMagic = "meridian snapshot";
// Table 1, size of the key 2, size of the value 4.
constexpr std::size_t kEntryHead = 7;

StoreError malformed(std::string_view what) {
    return {StoreErrorKind::Corrupt, "malformed: " + std::string(what)};
}

std::uint32_t read_size(const std::uint8_t* in, int bytes) noexcept {
    std::uint32_t out = 0;
    for (int i = 0; i < bytes; ++i)
        out = out << 8 | in[i];
    return out;
}

bool is_body_rest(BytesView key) noexcept {
    return load_be(key.last(4)) == u256{kBodyRest};
}

bool is_valid_body(BytesView key, BytesView value) {
    StoredBody rest;
    return is_body_rest(key) ? decode_body_rest(value, rest) : decode_body_group(value).has_value();
}

// Whether an entry is what the store itself would have written there.
bool is_valid(const SnapshotEntry& entry) {
    const auto& [table, key, value] = entry;
    switch (table) {
        case Table::Accounts:
            return key.size() == Address::kSize && decode_account_value(value).has_value();
        case Table::Storage:
            return key.size() == StorageKey::kSize && !value.empty() && decode_slot_value(value).has_value();
        case Table::Code:
            return key.size() == Hash::kSize && crypto::keccak256(value) == first_bytes<32>(key);
        case Table::Blocks: {
            const auto record = decode_block_record(value);
            return record && key.size() == NumberKey::kSize && record->header.number == number_at(key) &&
                   chain::header_hash(record->header) == record->hash;
        }
        case Table::Bodies:
            return key.size() == GroupKey::kSize && is_valid_body(key, value);
        case Table::Receipts:
            return key.size() == GroupKey::kSize && decode_receipt_group(value, Blooms::Leave).has_value();
        case Table::ArenaPages:
            return key.size() == ArenaPageKey::kSize && page_at(key) < module::kPagesMax && !value.empty() &&
                   value.size() <= module::kPageSize && value.back() != 0;
        default:
            return false;
    }
}

}  // namespace

Bytes encode_manifest(const Manifest& manifest) {
    rlp::ListBuilder chunks;
    for (const ChunkInfo& chunk : manifest.chunks)
        chunks.list(rlp::ListBuilder().bytes(chunk.hash).uint(chunk.file_bytes).uint(chunk.raw_bytes));
    Bytes out = rlp::ListBuilder()
                    .bytes(as_bytes(kMagic))
                    .uint(kSnapshotVersion)
                    .bytes(manifest.identity.genesis_hash)
                    .uint(manifest.identity.chain_id)
                    .uint(manifest.head.number)
                    .bytes(manifest.head.hash)
                    .bytes(manifest.head.state_root)
                    .uint(manifest.accounts)
                    .uint(manifest.slots)
                    .uint(manifest.codes)
                    .bytes(manifest.note)
                    .list(chunks)
                    .build();
    append(out, crypto::keccak256(out));
    return out;
}

StoreResult<Manifest> decode_manifest(BytesView bytes) {
    const auto item = rlp::next(bytes);
    if (!item || !item->is_list)
        return fail(malformed("not a manifest of a snapshot"));
    rlp::ListReader reader(item->payload);
    if (!equal(reader.bytes(), as_bytes(kMagic)))
        return fail(malformed("not a manifest of a snapshot"));
    const std::uint64_t version = reader.uint64();
    if (reader.ok() && version != kSnapshotVersion)
        return store_fail(StoreErrorKind::WrongFormat, "its version is " + std::to_string(version) +
                                                           ", this program reads " +
                                                           std::to_string(kSnapshotVersion));
    if (!equal(bytes, crypto::keccak256(item->raw)))
        return fail(malformed("its hash does not agree with its content"));
    Manifest out;
    out.identity.genesis_hash = reader.fixed<32>();
    out.identity.chain_id = reader.uint64();
    out.head.number = reader.uint64();
    out.head.hash = reader.fixed<32>();
    out.head.state_root = reader.fixed<32>();
    out.accounts = reader.uint64();
    out.slots = reader.uint64();
    out.codes = reader.uint64();
    out.note = to_bytes(reader.bytes());
    rlp::ListReader chunks(reader.list());
    while (!chunks.at_end()) {
        rlp::ListReader chunk(chunks.list());
        const ChunkInfo info{chunk.fixed<32>(), chunk.uint64(), chunk.uint64()};
        if (!chunk.finish() || info.raw_bytes > kChunkBytesMax || out.chunks.size() >= kChunkCountMax)
            return fail(malformed("chunk " + std::to_string(out.chunks.size())));
        out.chunks.push_back(info);
    }
    reader.adopt(chunks);
    if (!reader.finish())
        return fail(malformed("a field of the manifest"));
    return out;
}

void append_entry(Bytes& out, Table table, BytesView key, BytesView value) {
    const std::size_t sizes[2] = {key.size(), value.size()};
    out.push_back(static_cast<std::uint8_t>(table));
    for (int shift = 8; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(sizes[0] >> shift));
    for (int shift = 24; shift >= 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(sizes[1] >> shift));
    append(out, key);
    append(out, value);
}

StoreResult<std::vector<SnapshotEntry>> decode_chunk(BytesView raw) {
    std::vector<SnapshotEntry> out;
    while (!raw.empty()) {
        const std::string name = "entry " + std::to_string(out.size());
        if (raw.size() < kEntryHead || raw[0] >= kTableCount)
            return fail(malformed(name));
        const std::size_t key_size = read_size(raw.data() + 1, 2);
        const std::size_t value_size = read_size(raw.data() + 3, 4);
        if (raw.size() - kEntryHead < key_size || raw.size() - kEntryHead - key_size < value_size)
            return fail(malformed(name + ": it is cut off"));
        const SnapshotEntry entry{static_cast<Table>(raw[0]), raw.subspan(kEntryHead, key_size),
                                  raw.subspan(kEntryHead + key_size, value_size)};
        if (!is_valid(entry))
            return fail(malformed(name + " of " + std::string(name_of(entry.table))));
        out.push_back(entry);
        raw = raw.subspan(kEntryHead + key_size + value_size);
    }
    return out;
}

}  // namespace meridian::store
