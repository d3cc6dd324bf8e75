// Signatures, and the rules that link a frame to the one before.

#include <meridian/crypto/accelerator.hpp>
#include <meridian/crypto/secp256k1.hpp>
#include <meridian/frames/codec.hpp>

namespace meridian::frames {

namespace {

using namespace literals;

// Half the order of secp256k1's group: a signature with a larger s has a twin with a smaller one.
constexpr Hash kLowSMax = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0"_hash;

std::unexpected<VerifyFailure> failure(VerifyError error, std::string message) {
    return fail(VerifyFailure{error, std::move(message)});
}

std::unexpected<VerifyFailure> differs(VerifyError error, std::string_view field, std::uint64_t got,
                                       const std::string& expected) {
    return failure(error, std::string(field) + ": " + std::to_string(got) + ", expected " + expected);
}

std::unexpected<VerifyFailure> differs(VerifyError error, std::string_view field, BytesView got,
                                       BytesView expected) {
    return failure(error, std::string(field) + ": " + to_hex0x(got) + ", expected " + to_hex0x(expected));
}

// The place of a frame among blocks. Before frame 1 there is only the way into block 1.
Result<void, VerifyFailure> check_place(const FrameHeader& header, const FrameTip& tip) {
    const bool opens = header.block_number == tip.block_number + 1;
    const bool goes_on = tip.number != 0 && header.block_number == tip.block_number;
    if (!opens && !goes_on)
        return differs(VerifyError::WrongBlockNumber, "block number", header.block_number,
                       (tip.number != 0 ? std::to_string(tip.block_number) + " or " : std::string()) +
                           std::to_string(tip.block_number + 1));
    const std::uint64_t index = opens ? 0 : std::uint64_t{tip.index} + 1;
    if (header.index != index)
        return differs(VerifyError::WrongIndex, "index", header.index, std::to_string(index));
    if (!opens && !header.base_hash.is_zero())
        return failure(VerifyError::UnexpectedBase,
                       "base hash: not zero in a frame with index " + std::to_string(header.index));
    return {};
}

}  // namespace

std::string_view to_string(VerifyError error) noexcept {
    switch (error) {
        case VerifyError::Malformed:
            return "malformed";
        case VerifyError::WrongChain:
            return "wrong chain";
        case VerifyError::WrongNumber:
            return "wrong number";
        case VerifyError::WrongParent:
            return "wrong parent";
        case VerifyError::TermDecreased:
            return "term decreased";
        case VerifyError::WrongBlockNumber:
            return "wrong block number";
        case VerifyError::WrongIndex:
            return "wrong index";
        case VerifyError::TimestampDecreased:
            return "timestamp decreased";
        case VerifyError::InvalidSignature:
            return "invalid signature";
        case VerifyError::WrongSigner:
            return "wrong signer";
        case VerifyError::MissingBase:
            return "missing base";
        case VerifyError::UnexpectedBase:
            return "unexpected base";
        case VerifyError::WrongBaseHash:
            return "wrong base hash";
        case VerifyError::WrongTransactionsHash:
            return "wrong transactions hash";
        case VerifyError::WrongReceiptsHash:
            return "wrong receipts hash";
        case VerifyError::WrongChangesHash:
            return "wrong changes hash";
    }
    return "unknown";
}

// --- signatures --------------------------------------------------------------------------------------------

std::optional<LocalSigner> LocalSigner::make(const Hash& private_key) noexcept {
    const auto address = crypto::secp256k1::address_of(private_key);
    if (!address)
        return std::nullopt;
    return LocalSigner(private_key, *address);
}

std::optional<FrameSignature> LocalSigner::sign(const Hash& hash) const noexcept {
    const auto signature = crypto::secp256k1::sign(hash, m_key);
    if (!signature)
        return std::nullopt;
    FrameSignature out;
    std::copy(signature->r.begin(), signature->r.end(), out.begin());
    std::copy(signature->s.begin(), signature->s.end(), out.begin() + 32);
    out[64] = signature->recovery_id;
    return out;
}

std::optional<SignedHeader> sign_header(const FrameHeader& header, const FrameSigner& signer) noexcept {
    SignedHeader out{header, frame_hash(header), {}};
    const auto signature = signer.sign(out.hash);
    if (!signature)
        return std::nullopt;
    out.signature = *signature;
    return out;
}

std::optional<Address> recover_signer(const SignedHeader& head) noexcept {
    const BytesView signature = head.signature;
    if (signature[64] > 1)
        return std::nullopt;
    return crypto::accelerator().ecrecover(head.hash, first_bytes<32>(signature),
                                           first_bytes<32>(signature.subspan(32)), signature[64]);
}

// --- the chain of frames -----------------------------------------------------------------------------------

FrameTip tip_of(const SignedHeader& head) noexcept {
    const FrameHeader& header = head.header;
    return {header.chain_id,     header.term,  header.number,      head.hash,
            header.block_number, header.index, header.timestamp_us};
}

FrameTip genesis_tip(std::uint64_t chain_id, const Hash& block_hash) noexcept {
    FrameTip tip;
    tip.chain_id = chain_id;
    tip.hash = block_hash;
    return tip;
}

Result<void, VerifyFailure> verify_link(const FrameHeader& header, const FrameTip& tip) {
    if (header.chain_id != tip.chain_id)
        return differs(VerifyError::WrongChain, "chain id", header.chain_id, std::to_string(tip.chain_id));
    if (header.number != tip.number + 1)
        return differs(VerifyError::WrongNumber, "number", header.number, std::to_string(tip.number + 1));
    if (header.parent_hash != tip.hash)
        return differs(VerifyError::WrongParent, "parent hash", header.parent_hash, tip.hash);
    if (header.term < tip.term)
        return differs(VerifyError::TermDecreased, "term", header.term,
                       "at least " + std::to_string(tip.term));
    if (header.timestamp_us < tip.timestamp_us)
        return differs(VerifyError::TimestampDecreased, "timestamp", header.timestamp_us,
                       "at least " + std::to_string(tip.timestamp_us));
    return check_place(header, tip);
}

Result<void, VerifyFailure> verify_head(const SignedHeader& head, const FrameTip& tip,
                                        const Address& sequencer) {
    if (auto linked = verify_link(head.header, tip); !linked)
        return linked;
    const auto signer = recover_signer(head);
    if (!signer)
        return failure(VerifyError::InvalidSignature, "signature: does not recover to an address");
    if (kLowSMax < first_bytes<32>(BytesView(head.signature).subspan(32)))
        return failure(VerifyError::InvalidSignature, "signature: s is in the upper half of the group order");
    if (*signer != sequencer)
        return differs(VerifyError::WrongSigner, "signer", *signer, sequencer);
    return {};
}

Result<void, VerifyFailure> verify_sections(const FrameHeader& header, const Sections& sections) {
    const bool opens_block = header.index == 0;
    if (opens_block && sections.sizes[0] == 0)
        return failure(VerifyError::MissingBase, "the first frame of a block has no base section");
    if (!opens_block && sections.sizes[0] != 0)
        return failure(VerifyError::UnexpectedBase,
                       "a base section in a frame that is not its block's first");
    FrameHeader actual;
    commit_sections(actual, sections);
    if (actual.base_hash != header.base_hash)
        return differs(VerifyError::WrongBaseHash, "base hash", header.base_hash, actual.base_hash);
    if (actual.transactions_hash != header.transactions_hash)
        return differs(VerifyError::WrongTransactionsHash, "transactions hash", header.transactions_hash,
                       actual.transactions_hash);
    if (actual.receipts_hash != header.receipts_hash)
        return differs(VerifyError::WrongReceiptsHash, "receipts hash", header.receipts_hash,
                       actual.receipts_hash);
    if (actual.changes_hash != header.changes_hash)
        return differs(VerifyError::WrongChangesHash, "changes hash", header.changes_hash,
                       actual.changes_hash);
    return {};
}

Result<VerifiedRecord, VerifyFailure> verify(BytesView record, const FrameTip& tip,
                                             const Address& sequencer) {
    const auto view = peek(record);
    if (!view)
        return failure(VerifyError::Malformed, view.error().message);
    if (auto verified = verify_head(view->head, tip, sequencer); !verified)
        return fail(std::move(verified.error()));
    auto sections = open_sections(*view);
    if (!sections)
        return failure(VerifyError::Malformed, sections.error().message);
    if (auto verified = verify_sections(view->head.header, *sections); !verified)
        return fail(std::move(verified.error()));
    return VerifiedRecord{view->head, *std::move(sections)};
}

}  // namespace meridian::frames
