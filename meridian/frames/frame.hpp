// A frame: what the sequencer promises every few milliseconds. Numbered without gaps, chained by hash and
// signed; rootless. The specification is docs/frames.md.
//
// The header is signed; it commits to four sections by the Keccak-256 of their bytes. The sections hold what
// fixes the block (first frame of a block only), transactions, receipts, and state changes.
#pragma once

#include <meridian/chain/block.hpp>
#include <meridian/state/account.hpp>

#include <span>

namespace meridian::frames {

// --- bounds -----------------------------------------------------------------------------------------------

// The four sections together, uncompressed. Whoever seals frames has to stay below these: encode_sections()
// refuses what decoding would.
inline constexpr std::size_t kSectionsSizeMax = 32u << 20;  // bytes
inline constexpr std::size_t kTransactionsMax = 100'000;    // a frame
inline constexpr std::size_t kSegmentsMax = 256;            // a frame
inline constexpr std::size_t kLogsMax = 1'000'000;          // a frame
inline constexpr std::size_t kTopicsMax = 4;                // a log
inline constexpr std::size_t kStateEntriesMax =
    1'000'000;  // accounts, slots and codes together, a list of changes
inline constexpr std::size_t kExtraDataSizeMax = 1024;  // bytes
inline constexpr std::size_t kWithdrawalsMax = 1024;    // a block

// --- header -----------------------------------------------------------------------------------------------

inline constexpr std::string_view kHeaderType =
    "MeridianFrame(uint64 chainId,uint64 term,uint64 number,bytes32 parentHash,uint64 blockNumber,uint32 "
    "index,"
    "uint64 timestampUs,bytes32 baseHash,bytes32 transactionsHash,bytes32 receiptsHash,bytes32 changesHash)";

struct FrameHeader {
    std::uint64_t chain_id = 0;
    // The sequencer's term, a fencing token: a successor's is higher, and it never decreases along the chain.
    // Zero on a chain with a single sequencer.
    std::uint64_t term = 0;
    std::uint64_t number = 0;  // gapless from 1, across blocks
    Hash parent_hash;          // of frame number - 1; of frame 1: the hash of block 0
    std::uint64_t block_number = 0;
    std::uint32_t index = 0;         // within the block, from 0
    std::uint64_t timestamp_us = 0;  // microseconds since the epoch, never decreasing
    Hash base_hash;                  // zero unless index is 0
    Hash transactions_hash;
    Hash receipts_hash;
    Hash changes_hash;

    friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

// abi.encode(keccak256(kHeaderType), every field in order): twelve words of 32 bytes.
inline constexpr std::size_t kHeaderWords = 12;
using HeaderPreimage = FixedBytes<32 * kHeaderWords>;
HeaderPreimage header_preimage(const FrameHeader& header) noexcept;
// Keccak-256 of the preimage: what is signed, and what the next frame names as its parent.
Hash frame_hash(const FrameHeader& header) noexcept;

// r, s, and the parity of the nonce point's y (0 or 1).
using FrameSignature = FixedBytes<65>;

struct SignedHeader {
    FrameHeader header;
    Hash hash;  // always frame_hash(header)
    FrameSignature signature;

    friend bool operator==(const SignedHeader&, const SignedHeader&) = default;
};

// --- content ----------------------------------------------------------------------------------------------

// What fixes a block before its first transaction.
struct BlockBase {
    Hash parent_hash;  // of the block before
    Address coinbase;
    u256 difficulty;  // zero from Paris on
    Hash prev_randao;
    std::uint64_t timestamp = 0;  // seconds
    std::uint64_t gas_limit = 0;
    Bytes extra_data;
    // Each needs those before it: London, Shanghai, Cancun, Cancun.
    std::optional<u256> base_fee;
    std::optional<std::vector<chain::Withdrawal>> withdrawals;
    std::optional<std::uint64_t> excess_blob_gas;
    std::optional<Hash> parent_beacon_block_root;
    // What closing the block before changed after its last transaction (withdrawals, the requests' system
    // calls), so that its root can be checked by those who apply changes without executing.
    state::StateChanges parent_closing;
};

// The header of the block as it is known before its first transaction: roots, bloom, gas used and requests
// are left at their defaults; blob gas used is zero where there is an excess.
chain::Header header_of(const BlockBase& base, std::uint64_t block_number);
// The inverse: takes what header_of() gives; parent_closing is left empty.
BlockBase base_of(const chain::Header& header,
                  const std::optional<std::vector<chain::Withdrawal>>& withdrawals);

inline constexpr std::uint8_t kEvmLane = 0;

// Transactions of one lane, in order.
struct Segment {
    std::uint8_t lane = kEvmLane;
    std::vector<Bytes> transactions;  // EIP-2718 envelopes

    friend bool operator==(const Segment&, const Segment&) = default;
};

// A receipt without what transactions and the receipts before it determine (see rebuild_receipts).
struct FrameReceipt {
    chain::TxnType type = chain::TxnType::Legacy;
    bool success = false;
    std::optional<Hash> state_root;  // before Byzantium, in place of the status
    std::uint64_t gas_used = 0;
    std::vector<state::Log> logs;
    std::optional<std::uint64_t> deposit_nonce;
    std::optional<std::uint64_t> deposit_receipt_version;

    friend bool operator==(const FrameReceipt&, const FrameReceipt&) = default;
};

struct FrameContent {
    std::optional<BlockBase> base;  // present exactly if index is 0
    std::vector<Segment> segments;
    std::vector<FrameReceipt> receipts;  // one a transaction, in the order of the segments
    state::StateChanges changes;

    std::size_t transaction_count() const noexcept;
};

struct Frame {
    SignedHeader head;
    FrameContent content;
};

// --- receipts as the chain knows them
// -------------------------------------------------------------------------

enum class [[nodiscard]] RebuildError : std::uint8_t {
    CountMismatch,  // receipts, transactions and senders differ in number
    TypeMismatch,   // a receipt's type is not its transaction's
    GasOverflow,    // the sum of gas does not fit 64 bits
};
std::string_view to_string(RebuildError error) noexcept;

// Adds cumulative gas, bloom, contract address, effective gas price and blob gas. `gas_used_before` is what
// the block had used before this frame; `base_fee` the block's (zero before London). The price of a deposit
// is zero, and its contract's address is known only where the receipt has the nonce (Regolith on).
Result<std::vector<chain::Receipt>, RebuildError> rebuild_receipts(std::span<const FrameReceipt> receipts,
                                                                   std::span<const chain::Transaction> txns,
                                                                   std::span<const Address> senders,
                                                                   const u256& base_fee,
                                                                   std::uint64_t gas_used_before);
// What a frame keeps of a receipt.
FrameReceipt frame_receipt(const chain::Receipt& receipt);

}  // namespace meridian::frames
