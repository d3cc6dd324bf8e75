// Snapshots: the state after one block in a folder of files that can be copied, checked and restored.
//
// manifest           what is in it and the hash of each chunk, under a hash of its own
// 000000.chunk ...   entries of the store's tables, 4 MiB each before compression, as zstd frames
//
// In it: the state (accounts, slots, code, pages of arenas), the last headers (BLOCKHASH reads 256), the
// head's transactions and receipts. Not in it: tries and trees, which are computed anew and have to give the
// state root of the head's header, older blocks, and history. So a restored store goes on from the head, and
// its past begins there.
#pragma once

#include <meridian/store/state_walk.hpp>

#include <filesystem>

namespace meridian::store {

inline constexpr std::uint64_t kSnapshotVersion = 1;
inline constexpr std::size_t kChunkBytes = std::size_t{4} << 20;
// A chunk holds one entry at least, however large: bodies and receipts come in groups of 32.
inline constexpr std::size_t kChunkBytesMax = std::size_t{1} << 28;
inline constexpr std::size_t kChunkCountMax = std::size_t{1} << 20;
inline constexpr std::uint64_t kSnapshotHeaders = 257;

struct ChunkInfo {
    Hash hash;  // keccak256 of the file
    std::uint64_t file_bytes = 0;
    std::uint64_t raw_bytes = 0;  // decompressed

    friend bool operator==(const ChunkInfo&, const ChunkInfo&) = default;
};

struct Manifest {
    ChainIdentity identity;
    Head head;
    std::uint64_t accounts = 0;
    std::uint64_t slots = 0;
    std::uint64_t codes = 0;
    Bytes note;
    std::vector<ChunkInfo> chunks;

    friend bool operator==(const Manifest&, const Manifest&) = default;
};

Bytes encode_manifest(const Manifest& manifest);
// Corrupt or WrongFormat; the message says what is wrong, without the file's name.
StoreResult<Manifest> decode_manifest(BytesView bytes);

struct SnapshotEntry {
    Table table;
    BytesView key;
    BytesView value;
};
// The entries of a decompressed chunk; every one has a table that snapshots hold, a key of its table's size
// and a value that its table's readers accept.
StoreResult<std::vector<SnapshotEntry>> decode_chunk(BytesView raw);

enum class SnapshotStage : std::uint8_t { Entries, Tries, Done };

struct SnapshotProgress {
    SnapshotStage stage = SnapshotStage::Entries;
    std::uint64_t chunks = 0;
    std::uint64_t accounts = 0;
    std::uint64_t slots = 0;
    std::uint64_t raw_bytes = 0;
};
// Returning false stops the work; what was written is of no use then.
using SnapshotCallback = std::function<bool(const SnapshotProgress&)>;

// Writes the snapshot of the view's head into a folder that is empty or not there yet. The manifest comes
// last, so a folder without one is no snapshot. Errors: Invalid (the folder holds something, or the state was
// altered by hand after the head), NotFound (an empty store), DiskFull, Io.
StoreResult<Manifest> export_snapshot(const ChainView& view, const ChainIdentity& identity,
                                      const std::filesystem::path& folder, const SnapshotCallback& progress,
                                      std::size_t chunk_bytes = kChunkBytes);

StoreResult<Manifest> read_manifest(const std::filesystem::path& folder);
// Compares every chunk with the manifest; Corrupt names the first file that differs.
StoreResult<void> check_snapshot_files(const std::filesystem::path& folder, const Manifest& manifest);

struct RestoreOptions {
    // The block that the snapshot has to be of, from a source that is trusted; empty: any.
    std::optional<Hash> head_hash;
    SnapshotCallback progress;
    WalkLimits walk = {};
};

// Fills a database without a chain. The head is written last and synced: a restore that was broken off leaves
// a database that the next one starts over with. Errors: Invalid (the database holds a chain), WrongChain,
// Corrupt, which names the chunk, or says that the tries give another root than the header.
StoreResult<Manifest> restore_snapshot(const std::filesystem::path& folder, Database& database,
                                       const ChainIdentity& identity, const RestoreOptions& options);

}  // namespace meridian::store
