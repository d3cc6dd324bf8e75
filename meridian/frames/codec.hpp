// Frames as bytes: the four sections (RLP), and the record around them, the one encoding that the frame log
// and the feed share. docs/frames.md specifies both.
//
// Decoding takes hostile bytes: every size and count is checked against the bounds of frame.hpp before memory
// is taken. Thread-safe; compression contexts are kept per thread.
#pragma once

#include <meridian/frames/frame.hpp>

#include <array>
#include <string>

namespace meridian::frames {

// --- sections ---------------------------------------------------------------------------------------------

enum class Section : std::uint8_t { Base, Transactions, Receipts, Changes };
inline constexpr std::size_t kSectionCount = 4;
std::string_view to_string(Section section) noexcept;

// The four sections in one buffer, in the order of the enumeration. Base is empty unless index is 0.
struct Sections {
    Bytes bytes;
    std::array<std::uint32_t, kSectionCount> sizes{};

    BytesView operator[](Section section) const noexcept;
};

// A frame's content by reference, as the executor holds it: nothing is copied but into the encoding.
struct SegmentView {
    std::uint8_t lane = kEvmLane;
    std::span<const BytesView> transactions;  // EIP-2718 envelopes
};
struct ContentView {
    const BlockBase* base = nullptr;  // null unless index is 0
    std::span<const SegmentView> segments;
    std::span<const chain::Receipt> receipts;  // type, success, state root, gas used, logs, deposit fields
    const state::StateChanges& changes;
};

// A bound of frame.hpp that the content exceeds, or a count that does not fit.
enum class [[nodiscard]] EncodeError : std::uint8_t {
    SectionsTooLarge,
    TooManyTransactions,
    TooManySegments,
    TooManyLogs,
    TooManyTopics,
    TooManyStateEntries,
    ExtraDataTooLarge,
    TooManyWithdrawals,
    ReceiptCount,  // not one receipt a transaction
    FieldOrder,    // an optional field without the one before it
};
std::string_view to_string(EncodeError error) noexcept;

Result<Sections, EncodeError> encode_sections(const ContentView& content);
Result<Sections, EncodeError> encode_sections(const FrameContent& content);
// Sets the header's four hashes to those of the sections.
void commit_sections(FrameHeader& header, const Sections& sections) noexcept;

// --- signing ----------------------------------------------------------------------------------------------

// The sequencer's key. Thread-safe.
class FrameSigner {
public:
    virtual ~FrameSigner() = default;
    virtual const Address& address() const noexcept = 0;
    // Empty if the key cannot be used just now (a remote signer that does not answer).
    virtual std::optional<FrameSignature> sign(const Hash& hash) const noexcept = 0;
};

// A key in this process's memory.
class LocalSigner final : public FrameSigner {
public:
    // Empty for a key of zero or not below the group order.
    static std::optional<LocalSigner> make(const Hash& private_key) noexcept;
    const Address& address() const noexcept override { return m_address; }
    std::optional<FrameSignature> sign(const Hash& hash) const noexcept override;

private:
    LocalSigner(const Hash& key, const Address& address) : m_key(key), m_address(address) {}

    Hash m_key;
    Address m_address;
};

// Hashes and signs. Empty if the signer gives no signature.
std::optional<SignedHeader> sign_header(const FrameHeader& header, const FrameSigner& signer) noexcept;
// Who signed; empty if the signature is invalid. Accepts what Solidity's ecrecover accepts (either s).
std::optional<Address> recover_signer(const SignedHeader& head) noexcept;

// --- record -----------------------------------------------------------------------------------------------

inline constexpr std::uint8_t kRecordVersion = 1;
inline constexpr std::uint8_t kRecordZstd = 1;  // flag: the sections are one zstd frame
// Sections below this size are not compressed.
inline constexpr std::size_t kCompressionThreshold = 512;  // bytes
inline constexpr int kCompressionLevel = 1;

// Length and checksum; what is left of a record is `length` bytes.
inline constexpr std::size_t kRecordPrefixSize = 8;
// Everything before the sections: prefix, version, flags, header, signature, section sizes.
inline constexpr std::size_t kRecordHeadSize = kRecordPrefixSize + 2 + 204 + 65 + 4 * kSectionCount;
inline constexpr std::size_t kRecordSizeMax = kRecordHeadSize + kSectionsSizeMax;
static_assert(kRecordHeadSize == 295);

enum class [[nodiscard]] CodecError : std::uint8_t {
    TooShort,          // less than a record's head, or less than its length says
    TooLong,           // the length exceeds kRecordSizeMax
    TrailingBytes,     // bytes after the record
    Checksum,          // CRC-32C
    Version,           // not kRecordVersion
    Flags,             // a flag of no meaning
    SectionsTooLarge,  // the sizes exceed kSectionsSizeMax
    SizeMismatch,      // the sizes do not sum to what is there
    Compression,       // not a zstd frame of the stated size
    Content,           // a section does not decode; the message says which and where
};
std::string_view to_string(CodecError error) noexcept;

struct CodecFailure {
    CodecError error;
    std::string message;  // names section and field
};

// Compresses where that helps.
Bytes encode_record(const SignedHeader& head, const Sections& sections);
// Of a whole frame; the hashes in its header have to be those of its content.
Result<Bytes, EncodeError> encode_record(const Frame& frame);

// The size of the record at the front of `bytes`, from its first four bytes on. Empty while there are fewer;
// TooLong or TooShort if no record has that size. Whoever reads a stream asks this before taking memory.
Result<std::optional<std::size_t>, CodecError> record_size(BytesView bytes) noexcept;

// Exactly one record, its checksum compared, its sections left as they are.
struct RecordView {
    SignedHeader head;
    bool compressed = false;
    std::array<std::uint32_t, kSectionCount> sizes{};  // uncompressed
    BytesView payload;                                 // into the record
};
Result<RecordView, CodecFailure> peek(BytesView record);
// Decompresses. Takes at most kSectionsSizeMax bytes of memory beyond the compression library's own.
Result<Sections, CodecFailure> open_sections(const RecordView& record);
// Does not compare hashes: that is verify()'s.
Result<FrameContent, CodecFailure> decode_content(const Sections& sections);
Result<Frame, CodecFailure> decode_record(BytesView record);

// --- verification -----------------------------------------------------------------------------------------

// Where a chain of frames has come to: what the next header is held against.
struct FrameTip {
    std::uint64_t chain_id = 0;
    std::uint64_t term = 0;
    std::uint64_t number = 0;  // zero: before frame 1
    Hash hash;
    std::uint64_t block_number = 0;
    std::uint32_t index = 0;
    std::uint64_t timestamp_us = 0;

    friend bool operator==(const FrameTip&, const FrameTip&) = default;
};
FrameTip tip_of(const SignedHeader& head) noexcept;
// Before frame 1: `block_hash` is that of block 0.
FrameTip genesis_tip(std::uint64_t chain_id, const Hash& block_hash) noexcept;

enum class [[nodiscard]] VerifyError : std::uint8_t {
    Malformed,  // the record or its sections do not decode
    WrongChain,
    WrongNumber,
    WrongParent,
    TermDecreased,
    WrongBlockNumber,    // neither the tip's nor the one after
    WrongIndex,          // not the next within the block, or not 0 at a block's beginning
    TimestampDecreased,  // before the tip's
    InvalidSignature,    // does not recover, or s is in the upper half of the group order
    WrongSigner,
    MissingBase,     // index 0 without a base section
    UnexpectedBase,  // a base section, or its hash, where index is not 0
    WrongBaseHash,
    WrongTransactionsHash,
    WrongReceiptsHash,
    WrongChangesHash,
};
std::string_view to_string(VerifyError error) noexcept;

struct VerifyFailure {
    VerifyError error;
    std::string message;  // with the values that differ
};

// The rules between a frame and the one before, without signature and sections.
Result<void, VerifyFailure> verify_link(const FrameHeader& header, const FrameTip& tip);
// The above, and that `sequencer` signed.
Result<void, VerifyFailure> verify_head(const SignedHeader& head, const FrameTip& tip,
                                        const Address& sequencer);
// That these are the sections that the header commits to.
Result<void, VerifyFailure> verify_sections(const FrameHeader& header, const Sections& sections);

struct VerifiedRecord {
    SignedHeader head;
    Sections sections;  // decode with decode_content()
};
// All of it: a record from anywhere.
Result<VerifiedRecord, VerifyFailure> verify(BytesView record, const FrameTip& tip, const Address& sequencer);

}  // namespace meridian::frames
