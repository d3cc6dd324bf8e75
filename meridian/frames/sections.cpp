// Sections as RLP, straight from the executor's structures. Two passes: lengths, which also hold every count
// against its bound, then bytes into one buffer of exactly that size.

#include <meridian/base/assert.hpp>
#include <meridian/crypto/keccak.hpp>
#include <meridian/frames/codec.hpp>
#include <meridian/rlp/encode.hpp>

namespace meridian::frames {

namespace {

constexpr std::size_t kHashLength = 33;
constexpr std::size_t kAddressLength = 21;

// --- state changes -----------------------------------------------------------------------------------------

std::size_t account_payload(const std::optional<state::Account>& account) {
    if (!account)
        return 0;
    return rlp::length_of_uint(account->nonce) + rlp::length_of_u256(account->balance) +
           (account->has_code() ? kHashLength : 0);
}

std::size_t storage_payload(const std::map<u256, u256>& storage) {
    std::size_t size = 0;
    for (const auto& [key, value] : storage)
        size += rlp::length_of_u256(key) + rlp::length_of_u256(value);
    return size;
}

std::size_t change_payload(const state::AccountChange& change) {
    return kAddressLength + rlp::length_of_list(account_payload(change.account)) + 1 +
           rlp::length_of_list(storage_payload(change.storage));
}

std::size_t contents_size(const state::PagePatch& patch) {
    return patch.contents.size() * state::kArenaLineSize;
}

std::size_t patch_payload(std::uint32_t page, const state::PagePatch& patch) {
    return rlp::length_of_uint(page) + rlp::length_of_uint(patch.lines) +
           rlp::length_of_list(contents_size(patch));  // a string's length is a list's from two bytes on
}

std::size_t pages_payload(const state::ArenaPatch& pages) {
    std::size_t size = 0;
    for (const auto& [page, patch] : pages)
        size += rlp::length_of_list(patch_payload(page, patch));
    return size;
}

std::size_t arena_payload(const state::ArenaPatch& pages) {
    return kAddressLength + rlp::length_of_list(pages_payload(pages));
}

// Lengths of a list of changes and what counts against its bound, from one walk through the maps.
struct ChangesSize {
    std::size_t accounts = 0;  // payloads, bytes
    std::size_t codes = 0;
    std::size_t arenas = 0;
    std::size_t entries = 0;

    explicit ChangesSize(const state::StateChanges& changes)
        : entries(changes.accounts.size() + changes.code.size()) {
        for (const auto& [address, change] : changes.accounts) {
            accounts += rlp::length_of_list(change_payload(change));
            entries += change.storage.size();
        }
        for (const auto& [hash, code] : changes.code)
            codes += rlp::length_of_bytes(code);
        for (const auto& [module, pages] : changes.arenas) {
            arenas += rlp::length_of_list(arena_payload(pages));
            for (const auto& [page, patch] : pages)
                entries += patch.contents.size();
        }
    }
    bool within_bounds() const { return entries <= kStateEntriesMax; }
    // A list of arenas that is empty is left out.
    std::size_t payload() const {
        return rlp::length_of_list(accounts) + rlp::length_of_list(codes) +
               (arenas == 0 ? 0 : rlp::length_of_list(arenas));
    }
};

void write_change(Bytes& out, const Address& address, const state::AccountChange& change) {
    rlp::encode_list_header(out, change_payload(change));
    rlp::encode_bytes(out, address);
    rlp::encode_list_header(out, account_payload(change.account));
    if (change.account) {
        rlp::encode_uint(out, change.account->nonce);
        rlp::encode_u256(out, change.account->balance);
        if (change.account->has_code())
            rlp::encode_bytes(out, change.account->code_hash);
    }
    rlp::encode_uint(out, change.storage_cleared ? 1 : 0);
    rlp::encode_list_header(out, storage_payload(change.storage));
    for (const auto& [key, value] : change.storage) {
        rlp::encode_u256(out, key);
        rlp::encode_u256(out, value);
    }
}

void write_arena(Bytes& out, const Address& module, const state::ArenaPatch& pages) {
    rlp::encode_list_header(out, arena_payload(pages));
    rlp::encode_bytes(out, module);
    rlp::encode_list_header(out, pages_payload(pages));
    for (const auto& [page, patch] : pages) {
        rlp::encode_list_header(out, patch_payload(page, patch));
        rlp::encode_uint(out, page);
        rlp::encode_uint(out, patch.lines);
        static_assert(sizeof(patch.contents[0]) == state::kArenaLineSize);
        rlp::encode_bytes(out, {patch.contents.front().data(), contents_size(patch)});
    }
}

void write_changes(Bytes& out, const state::StateChanges& changes, const ChangesSize& size) {
    rlp::encode_list_header(out, size.payload());
    rlp::encode_list_header(out, size.accounts);
    for (const auto& [address, change] : changes.accounts)
        write_change(out, address, change);
    rlp::encode_list_header(out, size.codes);
    for (const auto& [hash, code] : changes.code)
        rlp::encode_bytes(out, code);
    if (size.arenas == 0)
        return;
    rlp::encode_list_header(out, size.arenas);
    for (const auto& [module, pages] : changes.arenas)
        write_arena(out, module, pages);
}

// --- base --------------------------------------------------------------------------------------------------

// One per block: written by the list builder, which copies.
rlp::ListBuilder withdrawal_items(const std::vector<chain::Withdrawal>& withdrawals) {
    rlp::ListBuilder out;
    for (const chain::Withdrawal& withdrawal : withdrawals)
        out.encoded(chain::encode(withdrawal));
    return out;
}

Result<Bytes, EncodeError> encode_base(const BlockBase& base) {
    if (base.extra_data.size() > kExtraDataSizeMax)
        return fail(EncodeError::ExtraDataTooLarge);
    if (base.withdrawals && base.withdrawals->size() > kWithdrawalsMax)
        return fail(EncodeError::TooManyWithdrawals);
    const ChangesSize closing_size(base.parent_closing);
    if (!closing_size.within_bounds())
        return fail(EncodeError::TooManyStateEntries);
    const bool present[] = {base.base_fee.has_value(), base.withdrawals.has_value(),
                            base.excess_blob_gas.has_value(), base.parent_beacon_block_root.has_value()};
    if (!std::is_sorted(std::begin(present), std::end(present), std::greater<>()))
        return fail(EncodeError::FieldOrder);
    Bytes closing;
    write_changes(closing, base.parent_closing, closing_size);
    rlp::ListBuilder list;
    list.bytes(base.parent_hash).bytes(base.coinbase).number(base.difficulty).bytes(base.prev_randao);
    list.uint(base.timestamp).uint(base.gas_limit).bytes(base.extra_data).encoded(closing);
    if (base.base_fee)
        list.number(*base.base_fee);
    if (base.withdrawals)
        list.list(withdrawal_items(*base.withdrawals));
    if (base.excess_blob_gas)
        list.uint(*base.excess_blob_gas);
    if (base.parent_beacon_block_root)
        list.bytes(*base.parent_beacon_block_root);
    return list.build();
}

// --- transactions ------------------------------------------------------------------------------------------

// Envelopes of one segment, as Bytes or views.
template <class Envelopes>
std::size_t envelopes_payload(const Envelopes& envelopes) {
    std::size_t size = 0;
    for (const auto& envelope : envelopes)
        size += rlp::length_of_bytes(envelope);
    return size;
}

template <class SegmentType>
std::size_t segment_payload(const SegmentType& segment) {
    return rlp::length_of_uint(segment.lane) + rlp::length_of_list(envelopes_payload(segment.transactions));
}

template <class SegmentType>
std::size_t segments_payload(std::span<const SegmentType> segments) {
    std::size_t size = 0;
    for (const SegmentType& segment : segments)
        size += rlp::length_of_list(segment_payload(segment));
    return size;
}

template <class SegmentType>
void write_segments(Bytes& out, std::span<const SegmentType> segments, std::size_t payload) {
    rlp::encode_list_header(out, payload);
    for (const SegmentType& segment : segments) {
        const std::size_t envelopes = envelopes_payload(segment.transactions);
        rlp::encode_list_header(out, rlp::length_of_uint(segment.lane) + rlp::length_of_list(envelopes));
        rlp::encode_uint(out, segment.lane);
        rlp::encode_list_header(out, envelopes);
        for (const auto& envelope : segment.transactions)
            rlp::encode_bytes(out, envelope);
    }
}

// --- receipts: chain::Receipt or FrameReceipt
// ----------------------------------------------------------------

std::size_t log_payload(const state::Log& log) {
    return kAddressLength + rlp::length_of_list(log.topics.size() * kHashLength) +
           rlp::length_of_bytes(log.data);
}

std::size_t logs_payload(const std::vector<state::Log>& logs) {
    std::size_t size = 0;
    for (const state::Log& log : logs)
        size += rlp::length_of_list(log_payload(log));
    return size;
}

template <class ReceiptType>
std::size_t receipt_payload(const ReceiptType& receipt, std::size_t logs) {
    std::size_t size = rlp::length_of_uint(static_cast<std::uint8_t>(receipt.type)) +
                       (receipt.state_root ? kHashLength : 1) + rlp::length_of_uint(receipt.gas_used) +
                       rlp::length_of_list(logs);
    if (receipt.deposit_nonce)
        size += rlp::length_of_uint(*receipt.deposit_nonce);
    if (receipt.deposit_receipt_version)
        size += rlp::length_of_uint(*receipt.deposit_receipt_version);
    return size;
}

template <class ReceiptType>
std::size_t receipts_payload(std::span<const ReceiptType> receipts) {
    std::size_t size = 0;
    for (const ReceiptType& receipt : receipts)
        size += rlp::length_of_list(receipt_payload(receipt, logs_payload(receipt.logs)));
    return size;
}

void write_log(Bytes& out, const state::Log& log) {
    rlp::encode_list_header(out, log_payload(log));
    rlp::encode_bytes(out, log.address);
    rlp::encode_list_header(out, log.topics.size() * kHashLength);
    for (const Hash& topic : log.topics)
        rlp::encode_bytes(out, topic);
    rlp::encode_bytes(out, log.data);
}

template <class ReceiptType>
void write_receipts(Bytes& out, std::span<const ReceiptType> receipts, std::size_t payload) {
    rlp::encode_list_header(out, payload);
    for (const ReceiptType& receipt : receipts) {
        const std::size_t logs = logs_payload(receipt.logs);
        rlp::encode_list_header(out, receipt_payload(receipt, logs));
        rlp::encode_uint(out, static_cast<std::uint8_t>(receipt.type));
        if (receipt.state_root)
            rlp::encode_bytes(out, *receipt.state_root);
        else
            rlp::encode_uint(out, receipt.success ? 1 : 0);
        rlp::encode_uint(out, receipt.gas_used);
        rlp::encode_list_header(out, logs);
        for (const state::Log& log : receipt.logs)
            write_log(out, log);
        if (receipt.deposit_nonce)
            rlp::encode_uint(out, *receipt.deposit_nonce);
        if (receipt.deposit_receipt_version)
            rlp::encode_uint(out, *receipt.deposit_receipt_version);
    }
}

template <class ReceiptType>
std::optional<EncodeError> check_receipts(std::span<const ReceiptType> receipts) {
    std::size_t logs = 0;
    for (const ReceiptType& receipt : receipts) {
        logs += receipt.logs.size();
        if (receipt.deposit_receipt_version && !receipt.deposit_nonce)
            return EncodeError::FieldOrder;
        for (const state::Log& log : receipt.logs)
            if (log.topics.size() > kTopicsMax)
                return EncodeError::TooManyTopics;
    }
    if (logs > kLogsMax)
        return EncodeError::TooManyLogs;
    return std::nullopt;
}

// --- all four ----------------------------------------------------------------------------------------------

template <class SegmentType, class ReceiptType>
std::optional<EncodeError> check_counts(std::span<const SegmentType> segments,
                                        std::span<const ReceiptType> receipts) {
    if (segments.size() > kSegmentsMax)
        return EncodeError::TooManySegments;
    std::size_t transactions = 0;
    for (const SegmentType& segment : segments)
        transactions += segment.transactions.size();
    if (transactions > kTransactionsMax)
        return EncodeError::TooManyTransactions;
    if (receipts.size() != transactions)
        return EncodeError::ReceiptCount;
    return check_receipts(receipts);
}

template <class SegmentType, class ReceiptType>
Result<Sections, EncodeError> encode_parts(const BlockBase* base, std::span<const SegmentType> segments,
                                           std::span<const ReceiptType> receipts,
                                           const state::StateChanges& changes) {
    if (const auto error = check_counts(segments, receipts))
        return fail(*error);
    const ChangesSize changes_size(changes);
    if (!changes_size.within_bounds())
        return fail(EncodeError::TooManyStateEntries);
    Bytes base_bytes;
    if (base != nullptr) {
        auto encoded = encode_base(*base);
        if (!encoded)
            return fail(encoded.error());
        base_bytes = *std::move(encoded);
    }
    const std::size_t segments_size = segments_payload(segments);
    const std::size_t receipts_size = receipts_payload(receipts);
    const std::array<std::size_t, kSectionCount> sizes{base_bytes.size(), rlp::length_of_list(segments_size),
                                                       rlp::length_of_list(receipts_size),
                                                       rlp::length_of_list(changes_size.payload())};
    const std::size_t total = sizes[0] + sizes[1] + sizes[2] + sizes[3];
    if (total > kSectionsSizeMax)
        return fail(EncodeError::SectionsTooLarge);
    Sections out;
    std::copy(sizes.begin(), sizes.end(), out.sizes.begin());
    out.bytes.reserve(total);
    append(out.bytes, base_bytes);
    write_segments(out.bytes, segments, segments_size);
    write_receipts(out.bytes, receipts, receipts_size);
    write_changes(out.bytes, changes, changes_size);
    MERIDIAN_ASSERT(out.bytes.size() == total);
    return out;
}

}  // namespace

std::string_view to_string(Section section) noexcept {
    switch (section) {
        case Section::Base:
            return "base";
        case Section::Transactions:
            return "transactions";
        case Section::Receipts:
            return "receipts";
        case Section::Changes:
            return "changes";
    }
    return "unknown";
}

std::string_view to_string(EncodeError error) noexcept {
    switch (error) {
        case EncodeError::SectionsTooLarge:
            return "the sections exceed 32 MiB";
        case EncodeError::TooManyTransactions:
            return "more than 100000 transactions";
        case EncodeError::TooManySegments:
            return "more than 256 segments";
        case EncodeError::TooManyLogs:
            return "more than 1000000 logs";
        case EncodeError::TooManyTopics:
            return "a log with more than 4 topics";
        case EncodeError::TooManyStateEntries:
            return "more than 1000000 accounts, slots and codes changed";
        case EncodeError::ExtraDataTooLarge:
            return "extra data of more than 1024 bytes";
        case EncodeError::TooManyWithdrawals:
            return "more than 1024 withdrawals";
        case EncodeError::ReceiptCount:
            return "not one receipt for each transaction";
        case EncodeError::FieldOrder:
            return "an optional field without the one before it";
    }
    return "unknown";
}

BytesView Sections::operator[](Section section) const noexcept {
    const auto index = static_cast<std::size_t>(section);
    std::size_t offset = 0;
    for (std::size_t i = 0; i < index; ++i)
        offset += sizes[i];
    return BytesView(bytes).subspan(offset, sizes[index]);
}

Result<Sections, EncodeError> encode_sections(const ContentView& content) {
    return encode_parts(content.base, content.segments, content.receipts, content.changes);
}

Result<Sections, EncodeError> encode_sections(const FrameContent& content) {
    return encode_parts(content.base ? &*content.base : nullptr, std::span<const Segment>(content.segments),
                        std::span<const FrameReceipt>(content.receipts), content.changes);
}

void commit_sections(FrameHeader& header, const Sections& sections) noexcept {
    std::array<BytesView, kSectionCount> inputs;
    for (std::size_t i = 0; i < kSectionCount; ++i)
        inputs[i] = sections[static_cast<Section>(i)];
    std::array<Hash, kSectionCount> hashes;
    crypto::keccak256_batch(inputs, hashes);  // side by side where the processor can
    header.base_hash = inputs[0].empty() ? Hash{} : hashes[0];
    header.transactions_hash = hashes[1];
    header.receipts_hash = hashes[2];
    header.changes_hash = hashes[3];
}

}  // namespace meridian::frames
