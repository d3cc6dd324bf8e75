#include <meridian/crypto/keccak.hpp>
#include <meridian/frames/evidence.hpp>

namespace meridian::frames {

namespace {

constexpr std::size_t kSignedWords = 14;
static_assert(kEvidenceSize == 2 * kSignedWords * 32);

// Eleven fields (the preimage without its type hash), r, s, v.
void write_signed(std::span<std::uint8_t> out, const SignedHeader& head) {
    const HeaderPreimage preimage = header_preimage(head.header);
    const BytesView fields = BytesView(preimage).subspan(32);
    auto at = std::copy(fields.begin(), fields.end(), out.begin());
    at = std::copy_n(head.signature.begin(), 64, at);
    const Hash v = to_hash(u256{27u + head.signature[64]});
    std::copy(v.begin(), v.end(), at);
}

}  // namespace

std::string_view to_string(EvidenceError error) noexcept {
    switch (error) {
        case EvidenceError::DifferentChains:
            return "the frames are of different chains";
        case EvidenceError::DifferentNumbers:
            return "the frames have different numbers";
        case EvidenceError::SameFrame:
            return "both are the same frame";
        case EvidenceError::InvalidSignature:
            return "a signature does not recover to an address";
        case EvidenceError::DifferentSigners:
            return "the frames were signed by different keys";
    }
    return "unknown";
}

Result<Evidence, EvidenceError> check_evidence(const SignedHeader& a, const SignedHeader& b) {
    if (a.header.chain_id != b.header.chain_id)
        return fail(EvidenceError::DifferentChains);
    if (a.header.number != b.header.number)
        return fail(EvidenceError::DifferentNumbers);
    SignedHeader first = a;
    SignedHeader second = b;
    first.hash = frame_hash(a.header);
    second.hash = frame_hash(b.header);
    if (first.hash == second.hash)
        return fail(EvidenceError::SameFrame);
    const auto signer = recover_signer(first);
    const auto other = recover_signer(second);
    if (!signer || !other)
        return fail(EvidenceError::InvalidSignature);
    if (*signer != *other)
        return fail(EvidenceError::DifferentSigners);
    return Evidence{*signer, first, second};
}

FixedBytes<kEvidenceSize> evidence_argument(const Evidence& evidence) noexcept {
    FixedBytes<kEvidenceSize> out;
    const std::span<std::uint8_t> words(out.bytes);
    write_signed(words.first(kSignedWords * 32), evidence.first);
    write_signed(words.subspan(kSignedWords * 32), evidence.second);
    return out;
}

Bytes evidence_calldata(const Evidence& evidence) {
    Bytes out = to_bytes(BytesView(crypto::keccak256(as_bytes("submitEquivocation(bytes)"))).first(4));
    append(out, to_hash(32));
    append(out, to_hash(kEvidenceSize));
    append(out, evidence_argument(evidence));
    return out;
}

}  // namespace meridian::frames
