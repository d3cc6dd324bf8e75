#include <meridian/sequencer/conversion.hpp>

namespace meridian::sequencer {

Result<frames::Sections, frames::EncodeError> encode_sections(const SealedFrame& frame) {
    std::vector<BytesView> envelopes;
    envelopes.reserve(frame.txns.size());
    for (const PooledTxnPtr& txn : frame.txns)
        envelopes.emplace_back(txn->envelope);
    const frames::SegmentView segment{frames::kEvmLane, envelopes};
    const std::span<const frames::SegmentView> segments(&segment, envelopes.empty() ? 0 : 1);
    std::optional<frames::BlockBase> base;
    if (frame.opening) {
        const bool withdrawals = frame.opening->header.withdrawals_root.has_value();
        base = frames::base_of(frame.opening->header,
                               withdrawals ? std::optional(std::vector<chain::Withdrawal>{}) : std::nullopt);
        base->parent_closing = frame.opening->parent_closing;
    }
    return frames::encode_sections(
        frames::ContentView{base ? &*base : nullptr, segments, frame.receipts, frame.changes});
}

Result<FollowedFrame, std::string> decode_followed(BytesView record) {
    auto decoded = frames::decode_record(record);
    if (!decoded)
        return fail(std::move(decoded.error().message));
    FollowedFrame out{.head = decoded->head, .frame = {}};
    const frames::FrameHeader& header = decoded->head.header;
    const auto describe = [&](std::string_view why) {
        return fail("frame " + std::to_string(header.number) + ": " + std::string(why));
    };
    SealedFrame& frame = out.frame;
    frame.number = header.number;
    frame.block_number = header.block_number;
    frame.index = header.index;
    frame.timestamp_us = header.timestamp_us;
    if (decoded->content.base)
        frame.opening = Opening{frames::header_of(*decoded->content.base, header.block_number),
                                std::move(decoded->content.base->parent_closing)};
    for (frames::Segment& segment : decoded->content.segments) {
        if (segment.lane != frames::kEvmLane)
            return describe("lane " + std::to_string(segment.lane) + " is unknown");
        for (Bytes& envelope : segment.transactions) {
            auto txn = chain::decode_transaction(envelope);
            if (!txn)
                return describe("a transaction does not decode: " + txn.error().field + ": " +
                                txn.error().reason);
            const auto sender = chain::recover_sender(*txn);
            if (!sender)
                return describe("a transaction has no valid signature");
            auto pooled = std::make_shared<PooledTxn>();
            pooled->hash = crypto::keccak256(envelope);
            pooled->txn = *std::move(txn);
            pooled->envelope = std::move(envelope);
            pooled->sender = *sender;
            pooled->arrived_us = header.timestamp_us;
            frame.txns.push_back(std::move(pooled));
        }
    }
    return out;
}

Result<void, std::string> compare(const SealedFrame& executed, const frames::FrameHeader& header) {
    const auto sections = encode_sections(executed);
    frames::FrameHeader own = header;
    if (sections)
        frames::commit_sections(own, *sections);
    std::string differs;
    const auto hold = [&](const Hash& a, const Hash& b, const char* what) {
        if (a != b)
            differs += (differs.empty() ? "" : ", ") + std::string(what);
    };
    if (!sections)
        differs = frames::to_string(sections.error());
    hold(own.base_hash, header.base_hash, "the block's base");
    hold(own.transactions_hash, header.transactions_hash, "transactions");
    hold(own.receipts_hash, header.receipts_hash, "receipts");
    hold(own.changes_hash, header.changes_hash, "state changes");
    if (differs.empty())
        return {};
    return fail("frame " + std::to_string(header.number) +
                ", executed again, differs from what was signed in: " + differs);
}

}  // namespace meridian::sequencer
