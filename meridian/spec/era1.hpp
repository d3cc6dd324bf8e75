// Era1 files: 8192 blocks of the proof-of-work era with their receipts, as clients exchange history.
// https://github.com/ethereum/go-ethereum/blob/master/internal/era/era.go, and e2store's specification.
//
// An entry is a type (2 bytes), a length (4) and two zero bytes, little-endian, then its content. A file
// holds a version, for each block its header, body and receipts in Snappy's framing format and its total
// difficulty, then the accumulator, a Merkle root over all blocks, and the index of the blocks' positions.
#pragma once

#include <meridian/base/bytes.hpp>
#include <meridian/base/result.hpp>
#include <meridian/base/u256.hpp>

#include <string>
#include <vector>

namespace meridian::spec {

inline constexpr std::size_t kEra1BlocksMax = 8192;
// Of one entry, uncompressed.
inline constexpr std::size_t kEra1EntryMax = std::size_t{1} << 27;

struct Era1Error {
    std::size_t offset = 0;  // of the entry that is at fault, from the beginning of the file
    std::string reason;

    std::string text() const { return "byte " + std::to_string(offset) + ": " + reason; }
};

// RLP, not yet decoded.
struct Era1Block {
    Bytes header;
    Bytes body;      // [transactions, ommers]
    Bytes receipts;  // a list
    u256 total_difficulty;
};

// What follows the blocks.
struct Era1Trailer {
    Hash accumulator;
    std::uint64_t first_number = 0;
    std::uint64_t blocks = 0;
};

// Reads block by block. Every length, checksum and position is checked.
class Era1Reader {
public:
    // The file outlives the reader.
    explicit Era1Reader(BytesView file) : m_file(file), m_rest(file) {}

    // False when all blocks have been read; then trailer() is valid.
    Result<bool, Era1Error> next(Era1Block& out);
    const Era1Trailer& trailer() const noexcept { return m_trailer; }

private:
    struct Entry {
        std::uint16_t type = 0;
        std::size_t offset = 0;
        BytesView content;
    };

    Result<Entry, Era1Error> read_entry();
    Result<Bytes, Era1Error> read_compressed(std::uint16_t type, const char* what);
    Result<void, Era1Error> read_block(const Entry& header, Era1Block& out);
    Result<void, Era1Error> read_trailer(const Entry& accumulator);
    Result<void, Era1Error> check_index(const Entry& index);

    BytesView m_file;
    BytesView m_rest;
    bool m_started = false;
    std::vector<std::size_t> m_positions;  // of the blocks
    Era1Trailer m_trailer;
};

// Snappy's framing format, whose chunks carry a CRC-32C each.
// https://github.com/google/snappy/blob/main/framing_format.txt
Result<Bytes, std::string> snappy_unframe(BytesView framed, std::size_t size_max);
// The same, made, for tests: of stored chunks.
Bytes snappy_frame(BytesView content);

// What an era's blocks add up to: the SSZ hash tree root of List[HeaderRecord, 8192], where a record is a
// block's hash and its total difficulty.
class Era1Accumulator {
public:
    // Precondition: fewer than kEra1BlocksMax blocks so far.
    void add(const Hash& block_hash, const u256& total_difficulty);
    Hash root() const;

private:
    std::vector<Hash> m_leaves;
};

}  // namespace meridian::spec
