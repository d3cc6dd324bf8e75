#include <meridian/store/snapshot.hpp>

#include <meridian/module/stored_tree.hpp>
#include <meridian/store/arena_restore.hpp>
#include <meridian/store/block_writes.hpp>
#include <meridian/store/log_index.hpp>
#include <meridian/store/record_codec.hpp>
#include <meridian/store/snapshot_format.hpp>
#include <meridian/store/stored_state.hpp>

#include <zstd.h>

#include <fstream>

namespace meridian::store {
namespace {

constexpr int kCompressionLevel = 3;
constexpr std::string_view kManifestName = "manifest";
constexpr std::uint64_t kManifestBytesMax = std::uint64_t{128} << 20;

std::string chunk_name(std::size_t index) {
    std::string digits = std::to_string(index);
    return std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits + ".chunk";
}

StoreError file_error(StoreErrorKind kind, const std::filesystem::path& path, std::string_view what) {
    return {kind, "snapshot " + path.string() + ": " + std::string(what)};
}

StoreResult<void> write_file(const std::filesystem::path& path, BytesView bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out)
        return fail(file_error(errno == ENOSPC ? StoreErrorKind::DiskFull : StoreErrorKind::Io, path,
                               "cannot be written; check space and rights of its folder"));
    return {};
}

StoreResult<Bytes> read_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
    std::error_code error;
    const std::uint64_t size = std::filesystem::file_size(path, error);
    if (error)
        return fail(file_error(StoreErrorKind::NotFound, path, "missing; copy the snapshot anew"));
    if (size > bytes_max)
        return fail(file_error(StoreErrorKind::Corrupt, path,
                               std::to_string(size) + " bytes; at most " + std::to_string(bytes_max)));
    Bytes out(size);
    std::ifstream in(path, std::ios::binary);
    if (!in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(size)))
        return fail(file_error(StoreErrorKind::Io, path, "cannot be read"));
    return out;
}

// --- export ---------------------------------------------------------------------------------------------

class Exporter {
public:
    Exporter(const ChainView& view, const std::filesystem::path& folder, const SnapshotCallback& progress,
             std::size_t chunk_bytes)
        : m_view(view), m_folder(folder), m_progress(progress), m_chunk_bytes(chunk_bytes) {}

    StoreResult<Manifest> run(const ChainIdentity& identity);

private:
    StoreResult<void> add_range(Table table, BytesView first, BytesView end);
    StoreResult<void> add(Table table, BytesView key, BytesView value);
    StoreResult<void> flush();

    const ChainView& m_view;
    const std::filesystem::path& m_folder;
    const SnapshotCallback& m_progress;
    std::size_t m_chunk_bytes;
    Manifest m_manifest;
    SnapshotProgress m_done;
    Bytes m_chunk;
};

StoreResult<void> Exporter::add(Table table, BytesView key, BytesView value) {
    if (!m_chunk.empty() && m_chunk.size() + key.size() + value.size() > m_chunk_bytes)
        if (auto flushed = flush(); !flushed)
            return flushed;
    append_entry(m_chunk, table, key, value);
    m_manifest.accounts += table == Table::Accounts;
    m_manifest.slots += table == Table::Storage;
    m_manifest.codes += table == Table::Code;
    return {};
}

StoreResult<void> Exporter::flush() {
    Bytes file(ZSTD_compressBound(m_chunk.size()));
    const std::size_t size =
        ZSTD_compress(file.data(), file.size(), m_chunk.data(), m_chunk.size(), kCompressionLevel);
    const auto path = m_folder / chunk_name(m_manifest.chunks.size());
    if (ZSTD_isError(size) != 0)
        return fail(file_error(StoreErrorKind::Io, path, ZSTD_getErrorName(size)));
    file.resize(size);
    if (auto written = write_file(path, file); !written)
        return written;
    m_manifest.chunks.push_back({crypto::keccak256(file), file.size(), m_chunk.size()});
    m_done.chunks = m_manifest.chunks.size();
    m_done.accounts = m_manifest.accounts;
    m_done.slots = m_manifest.slots;
    m_done.raw_bytes += m_chunk.size();
    m_chunk.clear();
    if (m_progress && !m_progress(m_done))
        return fail(file_error(StoreErrorKind::Invalid, m_folder, "export stopped by the caller"));
    return {};
}

// An empty `end`: to the end of the table.
StoreResult<void> Exporter::add_range(Table table, BytesView first, BytesView end) {
    const auto cursor = m_view.snapshot().cursor(table);
    for (bool at = cursor->seek(first); at; at = cursor->next()) {
        const BytesView key = cursor->key();
        if (!end.empty() && !std::lexicographical_compare(key.begin(), key.end(), end.begin(), end.end()))
            break;
        // What is computed from pages is computed anew.
        if (table == Table::ArenaPages && module::is_tree_page(page_at(key)))
            continue;
        if (auto added = add(table, key, cursor->value()); !added)
            return added;
    }
    if (cursor->error())
        return fail(*cursor->error());
    return {};
}

StoreResult<Manifest> Exporter::run(const ChainIdentity& identity) {
    m_manifest.identity = identity;
    m_manifest.head = *m_view.head();
    m_manifest.note = m_view.note();
    const std::uint64_t head = m_manifest.head.number;
    const std::uint64_t first =
        std::max(head + 1 - std::min(head + 1, kSnapshotHeaders), m_view.oldest_header());
    const NumberKey after = number_key(head + 1);
    StoreResult<void> done = add_range(Table::Blocks, number_key(first), after);
    for (const Table table : {Table::Bodies, Table::Receipts})
        if (done && m_view.oldest_body() <= head)
            done = add_range(table, number_key(head), after);
    for (const Table table : {Table::Code, Table::Accounts, Table::Storage, Table::ArenaPages})
        if (done)
            done = add_range(table, {}, {});
    if (done)
        done = flush();
    if (done)
        done = write_file(m_folder / kManifestName, encode_manifest(m_manifest));
    if (!done)
        return fail(std::move(done.error()));
    return m_manifest;
}

// --- restore --------------------------------------------------------------------------------------------

StoreResult<Bytes> read_chunk(const std::filesystem::path& folder, const Manifest& manifest,
                              std::size_t index) {
    const ChunkInfo& info = manifest.chunks[index];
    const auto path = folder / chunk_name(index);
    auto file = read_file(path, kChunkBytesMax + (kChunkBytesMax >> 6));
    if (!file)
        return file;
    if (file->size() != info.file_bytes || crypto::keccak256(*file) != info.hash)
        return fail(file_error(StoreErrorKind::Corrupt, path,
                               "its bytes are not those that the manifest names; copy this file anew"));
    return file;
}

StoreResult<Bytes> decompress(const std::filesystem::path& path, BytesView file, std::uint64_t raw_bytes) {
    Bytes raw(raw_bytes);
    const std::size_t size = ZSTD_decompress(raw.data(), raw.size(), file.data(), file.size());
    if (ZSTD_isError(size) != 0 || size != raw_bytes)
        return fail(file_error(StoreErrorKind::Corrupt, path,
                               "it does not decompress to " + std::to_string(raw_bytes) +
                                   " bytes; the snapshot was not made by this program"));
    return raw;
}

StoreResult<void> prepare(Database& database) {
    auto identity = ChainStore::read_identity(database);
    if (identity)
        return store_fail(StoreErrorKind::Invalid,
                          "restore: the store holds a chain already; name an empty folder");
    if (identity.error().kind != StoreErrorKind::NotFound)
        return fail(std::move(identity.error()));
    WriteBatch batch;
    for (std::size_t i = 0; i < kTableCount; ++i)
        batch.erase_prefix(static_cast<Table>(i), {});
    return database.commit(batch, Durability::Buffered);
}

class Restorer {
public:
    Restorer(const std::filesystem::path& folder, Database& database, const Manifest& manifest,
             const RestoreOptions& options)
        : m_folder(folder), m_database(database), m_manifest(manifest), m_options(options) {}

    StoreResult<void> run();

private:
    StoreResult<void> load(std::size_t index);
    StoreResult<void> check_order(const SnapshotEntry& entry, const std::filesystem::path& path);
    StoreResult<StoredHeader> read_header(std::uint64_t number) const;
    StoreResult<std::uint64_t> check_headers(const StoredHeader& head) const;
    StoreResult<void> index_body(const StoredHeader& head, WriteBatch& batch) const;
    StoreResult<void> finish();
    StoreError differs(std::string_view what) const {
        return file_error(StoreErrorKind::Corrupt, m_folder,
                          std::string(what) + "; take the snapshot from another source");
    }
    bool report() const { return !m_options.progress || m_options.progress(m_done); }

    const std::filesystem::path& m_folder;
    Database& m_database;
    const Manifest& m_manifest;
    const RestoreOptions& m_options;
    SnapshotProgress m_done;
    std::uint64_t m_codes = 0;
    std::optional<Table> m_last_table;
    Bytes m_last_key;
};

// Keys ascend within a table, over all chunks: none comes twice.
StoreResult<void> Restorer::check_order(const SnapshotEntry& entry, const std::filesystem::path& path) {
    const bool ascends =
        m_last_table != entry.table || std::lexicographical_compare(m_last_key.begin(), m_last_key.end(),
                                                                    entry.key.begin(), entry.key.end());
    if (!ascends)
        return fail(file_error(StoreErrorKind::Corrupt, path, "its entries are out of order"));
    m_last_table = entry.table;
    m_last_key = to_bytes(entry.key);
    return {};
}

StoreResult<void> Restorer::load(std::size_t index) {
    const auto path = m_folder / chunk_name(index);
    auto file = read_chunk(m_folder, m_manifest, index);
    if (!file)
        return fail(std::move(file.error()));
    auto raw = decompress(path, *file, m_manifest.chunks[index].raw_bytes);
    if (!raw)
        return fail(std::move(raw.error()));
    const auto entries = decode_chunk(*raw);
    if (!entries)
        return fail(file_error(entries.error().kind, path, entries.error().message));
    WriteBatch batch;
    for (const SnapshotEntry& entry : *entries) {
        if (auto ordered = check_order(entry, path); !ordered)
            return ordered;
        batch.put(entry.table, entry.key, entry.value);
        m_done.accounts += entry.table == Table::Accounts;
        m_done.slots += entry.table == Table::Storage;
        m_codes += entry.table == Table::Code;
        if (entry.table == Table::Blocks)
            batch.put(Table::BlockNumbers, decode_block_record(entry.value)->hash, entry.key);
    }
    m_done.chunks = index + 1;
    m_done.raw_bytes += raw->size();
    return m_database.commit(batch, Durability::Buffered);
}

StoreResult<void> Restorer::run() {
    const StoreError stopped = file_error(StoreErrorKind::Invalid, m_folder, "restore stopped by the caller");
    for (std::size_t i = 0; i < m_manifest.chunks.size(); ++i) {
        if (auto loaded = load(i); !loaded)
            return loaded;
        if (!report())
            return fail(stopped);
    }
    if (m_done.accounts != m_manifest.accounts || m_done.slots != m_manifest.slots ||
        m_codes != m_manifest.codes)
        return fail(differs("its chunks do not hold as many entries as the manifest says"));
    m_done.stage = SnapshotStage::Tries;
    const auto progress = [this](std::uint64_t accounts, std::uint64_t slots) {
        m_done.accounts = accounts;
        m_done.slots = slots;
        return report();
    };
    auto root = rebuild_tries(m_database, progress, m_options.walk);
    if (!root)
        return fail(std::move(root.error()));
    if (*root != m_manifest.head.state_root)
        return fail(differs("its state has the root " + to_hex0x(*root) + ", its head says " +
                            to_hex0x(m_manifest.head.state_root)));
    if (auto rebuilt = rebuild_arenas(m_database); !rebuilt)
        return rebuilt;
    return finish();
}

StoreResult<StoredHeader> Restorer::read_header(std::uint64_t number) const {
    Bytes value;
    auto found = m_database.get(Table::Blocks, number_key(number), value);
    if (!found)
        return fail(std::move(found.error()));
    auto header = *found ? decode_block_record(value) : std::nullopt;
    if (!header)
        return fail(differs("the header of block " + std::to_string(number) + " is missing"));
    return *std::move(header);
}

// Each header names the one before it. Gives the number of the oldest.
StoreResult<std::uint64_t> Restorer::check_headers(const StoredHeader& head) const {
    const Hash& expected = m_options.head_hash.value_or(m_manifest.head.hash);
    if (head.hash != expected || head.hash != m_manifest.head.hash)
        return fail(differs("its head is " + to_hex0x(head.hash) + ", not " + to_hex0x(expected)));
    if (head.header.state_root != m_manifest.head.state_root || head.state_root != m_manifest.head.state_root)
        return fail(differs("the header of its head does not name its state"));
    const std::uint64_t count = std::min(head.header.number + 1, kSnapshotHeaders);
    StoredHeader child = head;
    for (std::uint64_t i = 1; i < count; ++i) {
        auto parent = read_header(child.header.number - 1);
        // A store that was restored lately itself has fewer.
        if (!parent)
            return child.header.number;
        if (parent->hash != child.header.parent_hash)
            return fail(
                differs("block " + std::to_string(parent->header.number) + " is not the parent of the next"));
        child = *std::move(parent);
    }
    if (child.header.number == 0 && child.hash != m_manifest.identity.genesis_hash)
        return fail(differs("its block 0 is not the genesis"));
    return child.header.number;
}

// The head's transactions and receipts have to be those that its header commits to.
StoreResult<void> Restorer::index_body(const StoredHeader& head, WriteBatch& batch) const {
    ChainView view = ChainStore::view_of(m_database.snapshot(), m_manifest.head);
    auto body = view.body(head.header.number);
    auto stored = view.receipts(head.header.number);
    if (!body || !stored)
        return fail(body ? std::move(stored.error()) : std::move(body.error()));
    std::vector<chain::Receipt> receipts;
    for (StoredReceipt& receipt : *stored)
        receipts.push_back(std::move(receipt.receipt));
    const auto& header = head.header;
    if (chain::transactions_root(body->transactions) != header.transactions_root ||
        chain::receipts_root(receipts) != header.receipts_root ||
        chain::ommers_hash(body->ommers) != header.ommers_hash ||
        body->withdrawals.has_value() != header.withdrawals_root.has_value() ||
        (body->withdrawals && chain::withdrawals_root(*body->withdrawals) != *header.withdrawals_root))
        return fail(differs("the transactions or receipts of its head are not those of its header"));
    std::vector<Hash> hashes;
    for (const chain::Transaction& txn : body->transactions)
        hashes.push_back(chain::transaction_hash(txn));
    write_indexes(header.number, hashes, receipts, batch);
    return {};
}

StoreResult<void> Restorer::finish() {
    auto head = read_header(m_manifest.head.number);
    if (!head)
        return fail(std::move(head.error()));
    auto oldest_header = check_headers(*head);
    if (!oldest_header)
        return fail(std::move(oldest_header.error()));
    Bytes ignored;
    auto has_body = m_database.get(Table::Bodies, group_key(m_manifest.head.number, kBodyRest), ignored);
    if (!has_body)
        return fail(std::move(has_body.error()));
    WriteBatch batch;
    if (*has_body)
        if (auto indexed = index_body(*head, batch); !indexed)
            return indexed;
    auto done = ChainStore::adopt(m_database, m_manifest.identity,
                                  {.head = m_manifest.head,
                                   .oldest_header = *oldest_header,
                                   .oldest_body = m_manifest.head.number + (*has_body ? 0 : 1),
                                   .note = m_manifest.note},
                                  std::move(batch));
    if (!done)
        return done;
    m_done.stage = SnapshotStage::Done;
    static_cast<void>(report());
    return {};
}

}  // namespace

StoreResult<Manifest> export_snapshot(const ChainView& view, const ChainIdentity& identity,
                                      const std::filesystem::path& folder, const SnapshotCallback& progress,
                                      std::size_t chunk_bytes) {
    std::error_code error;
    if (!view.head())
        return fail(file_error(StoreErrorKind::NotFound, folder, "the store is empty: nothing to export"));
    auto head = view.header(view.head()->number);
    if (!head)
        return fail(std::move(head.error()));
    if (head->header.state_root != head->state_root)
        return fail(file_error(StoreErrorKind::Invalid, folder,
                               "the state was altered by hand after the last block; make a block first"));
    std::filesystem::create_directories(folder, error);
    if (error || !std::filesystem::is_empty(folder, error) || error)
        return fail(
            file_error(StoreErrorKind::Invalid, folder,
                       error ? error.message() + "; check the rights" : "not empty; name a new folder"));
    return Exporter(view, folder, progress, chunk_bytes).run(identity);
}

StoreResult<Manifest> read_manifest(const std::filesystem::path& folder) {
    const auto path = folder / kManifestName;
    auto bytes = read_file(path, kManifestBytesMax);
    if (!bytes)
        return fail(std::move(bytes.error()));
    auto manifest = decode_manifest(*bytes);
    if (!manifest)
        return fail(file_error(manifest.error().kind, path, manifest.error().message));
    return manifest;
}

StoreResult<Manifest> restore_snapshot(const std::filesystem::path& folder, Database& database,
                                       const ChainIdentity& identity, const RestoreOptions& options) {
    auto manifest = read_manifest(folder);
    if (!manifest)
        return manifest;
    if (manifest->identity != identity)
        return fail(file_error(StoreErrorKind::WrongChain, folder,
                               "it is of chain " + std::to_string(manifest->identity.chain_id) +
                                   " with genesis " + to_hex0x(manifest->identity.genesis_hash) +
                                   "; take one of chain " + std::to_string(identity.chain_id) +
                                   " with genesis " + to_hex0x(identity.genesis_hash)));
    if (auto prepared = prepare(database); !prepared)
        return fail(std::move(prepared.error()));
    if (auto restored = Restorer(folder, database, *manifest, options).run(); !restored)
        return fail(std::move(restored.error()));
    return manifest;
}

StoreResult<void> check_snapshot_files(const std::filesystem::path& folder, const Manifest& manifest) {
    for (std::size_t i = 0; i < manifest.chunks.size(); ++i)
        if (auto chunk = read_chunk(folder, manifest, i); !chunk)
            return fail(std::move(chunk.error()));
    return {};
}

}  // namespace meridian::store
