#include <meridian/sequencer/conversion.hpp>

#include <meridian/base/hex.hpp>
#include <meridian/crypto/secp256k1_recover.hpp>

namespace meridian::sequencer {
namespace {

using crypto::secp256k1::RecoverRequest;

// All at once, which is cheaper than one after the other.
Result<void, std::string> recover_senders(std::vector<std::shared_ptr<PooledTxn>>& txns) {
    std::vector<RecoverRequest> requests;
    std::vector<PooledTxn*> signers;
    for (const auto& pooled : txns) {
        if (pooled->txn.type == chain::TxnType::Deposit) {
            pooled->sender = pooled->txn.from;
            continue;
        }
        const auto signature = chain::sender_signature(pooled->txn);
        if (!signature)
            return fail(std::string("a transaction has no valid signature"));
        requests.push_back({signature->digest, signature->r, signature->s, signature->parity});
        signers.push_back(pooled.get());
    }
    std::vector<std::optional<Address>> recovered(requests.size());
    crypto::secp256k1::recover_batch(requests, std::span(recovered));
    for (std::size_t i = 0; i < signers.size(); ++i) {
        if (!recovered[i])
            return fail(std::string("a transaction has no valid signature"));
        signers[i]->sender = *recovered[i];
    }
    return {};
}

Result<std::vector<PooledTxnPtr>, std::string> decode_transactions(std::vector<frames::Segment> segments,
                                                                   std::uint64_t timestamp_us) {
    std::vector<std::shared_ptr<PooledTxn>> out;
    for (frames::Segment& segment : segments) {
        if (segment.lane != frames::kEvmLane)
            return fail("lane " + std::to_string(segment.lane) + " is unknown");
        for (Bytes& envelope : segment.transactions) {
            auto txn = chain::decode_transaction(envelope);
            if (!txn)
                return fail("a transaction does not decode: " + txn.error().field + ": " +
                            txn.error().reason);
            auto pooled = std::make_shared<PooledTxn>();
            pooled->hash = crypto::keccak256(envelope);
            pooled->txn = *std::move(txn);
            pooled->envelope = std::move(envelope);
            pooled->arrived_us = timestamp_us;
            out.push_back(std::move(pooled));
        }
    }
    if (auto recovered = recover_senders(out); !recovered)
        return fail(std::move(recovered.error()));
    return std::vector<PooledTxnPtr>(out.begin(), out.end());
}

bool same_change(const state::AccountChange& a, const state::AccountChange& b) {
    return a.account == b.account && a.storage_cleared == b.storage_cleared && a.storage == b.storage;
}

std::string differing_receipt(const SealedFrame& executed, const FollowedFrame& signed_frame) {
    for (std::size_t i = 0; i < executed.receipts.size() && i < signed_frame.receipts.size(); ++i)
        if (frames::frame_receipt(executed.receipts[i]) != signed_frame.receipts[i])
            return " (first that of transaction " + to_hex0x(executed.txns[i]->hash) + ")";
    return " (their number)";
}

}  // namespace

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
    const auto view = frames::peek(record);
    if (!view)
        return fail(view.error().message);
    const auto sections = frames::open_sections(*view);
    if (!sections)
        return fail(sections.error().message);
    return decode_followed(view->head, *sections);
}

Result<FollowedFrame, std::string> decode_followed(const frames::SignedHeader& head,
                                                   const frames::Sections& sections) {
    const frames::FrameHeader& header = head.header;
    const auto describe = [&](std::string_view why) {
        return fail("frame " + std::to_string(header.number) + ": " + std::string(why));
    };
    auto content = frames::decode_content(sections);
    if (!content)
        return describe(content.error().message);
    FollowedFrame out{.head = head, .frame = {}, .receipts = {}, .changes = {}};
    SealedFrame& frame = out.frame;
    frame.number = header.number;
    frame.block_number = header.block_number;
    frame.index = header.index;
    frame.timestamp_us = header.timestamp_us;
    if (content->base)
        frame.opening = Opening{frames::header_of(*content->base, header.block_number),
                                std::move(content->base->parent_closing)};
    auto txns = decode_transactions(std::move(content->segments), header.timestamp_us);
    if (!txns)
        return describe(txns.error());
    frame.txns = *std::move(txns);
    out.receipts = std::move(content->receipts);
    out.changes = std::move(content->changes);
    return out;
}

// --- comparing --------------------------------------------------------------------------------------------

namespace {
std::string differing_arena(const state::StateChanges& here, const state::StateChanges& there) {
    const auto differs = [](const auto& some, const auto& others) -> std::optional<Address> {
        for (const auto& [module, pages] : some)
            if (const auto other = others.find(module); other == others.end() || other->second != pages)
                return module;
        return std::nullopt;
    };
    const auto module = differs(here.arenas, there.arenas);
    return "module " + to_hex0x(module ? *module : *differs(there.arenas, here.arenas));
}
}  // namespace

std::string first_difference(const state::StateChanges& here, const state::StateChanges& there) {
    auto a = here.accounts.begin(), b = there.accounts.begin();
    while (a != here.accounts.end() && b != there.accounts.end() && a->first == b->first &&
           same_change(a->second, b->second)) {
        ++a;
        ++b;
    }
    if (a == here.accounts.end() && b == there.accounts.end()) {
        if (here.code != there.code)
            return "new code";
        return here.arenas == there.arenas ? "" : "the pages of " + differing_arena(here, there);
    }
    const bool only_here = b == there.accounts.end() || (a != here.accounts.end() && a->first < b->first);
    const bool only_there = !only_here && (a == here.accounts.end() || b->first < a->first);
    const std::string address = to_hex0x(only_there ? b->first : a->first);
    if (only_here)
        return "account " + address + " is changed here only";
    return "account " + address + (only_there ? " is not changed here" : " is changed in another way here");
}

Result<void, std::string> compare(const SealedFrame& executed, const FollowedFrame& signed_frame) {
    const frames::FrameHeader& header = signed_frame.head.header;
    const auto sections = encode_sections(executed);
    frames::FrameHeader own = header;
    if (sections)
        frames::commit_sections(own, *sections);
    std::string differs;
    const auto hold = [&](const Hash& a, const Hash& b, const std::string& what) {
        if (a != b)
            differs += (differs.empty() ? "" : ", ") + what;
    };
    if (!sections)
        differs = frames::to_string(sections.error());
    hold(own.base_hash, header.base_hash, "the block's base");
    hold(own.transactions_hash, header.transactions_hash, "transactions");
    if (own.receipts_hash != header.receipts_hash)
        hold(own.receipts_hash, header.receipts_hash, "receipts" + differing_receipt(executed, signed_frame));
    if (own.changes_hash != header.changes_hash) {
        const std::string where = first_difference(executed.changes, signed_frame.changes);
        hold(own.changes_hash, header.changes_hash,
             "state changes" + (where.empty() ? "" : " (" + where + ")"));
    }
    if (differs.empty())
        return {};
    return fail("frame " + std::to_string(header.number) +
                ", executed again, differs from what was signed in: " + differs);
}

}  // namespace meridian::sequencer
