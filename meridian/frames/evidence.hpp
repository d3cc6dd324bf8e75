// Evidence that a sequencer broke its promise: two signed headers of one frame number with different hashes.
//
// It can be checked by anyone from the headers alone, and by a contract: evidence_calldata() is what one
// takes (docs/frames.md, evidence).
#pragma once

#include <meridian/frames/codec.hpp>

namespace meridian::frames {

struct Evidence {
    Address signer;
    SignedHeader first;
    SignedHeader second;

    std::uint64_t chain_id() const noexcept { return first.header.chain_id; }
    std::uint64_t number() const noexcept { return first.header.number; }
};

enum class [[nodiscard]] EvidenceError : std::uint8_t {
    DifferentChains,
    DifferentNumbers,
    SameFrame,  // the hashes are equal
    InvalidSignature,
    DifferentSigners,
};
// A sentence that says why the headers are no evidence.
std::string_view to_string(EvidenceError error) noexcept;

Result<Evidence, EvidenceError> check_evidence(const SignedHeader& a, const SignedHeader& b);

// The argument of submitEquivocation(bytes): both headers, each as its eleven fields, r, s and v (27 or 28):
// twenty-eight words.
inline constexpr std::size_t kEvidenceSize = 2 * 14 * 32;
FixedBytes<kEvidenceSize> evidence_argument(const Evidence& evidence) noexcept;
// The whole call: selector, offset, length, argument.
Bytes evidence_calldata(const Evidence& evidence);

// --- JSON
// ---------------------------------------------------------------------------------------------------

// {"header": {"chainId": "0x1", ...}, "hash": "0x...", "signature": "0x..."}: numbers are quantities.
std::string signed_header_json(const SignedHeader& head);
// Also takes a JSON object without "hash"; one that is there has to be right.
Result<SignedHeader, std::string> parse_signed_header(std::string_view json);
// {"chainId", "number", "signer", "first", "second", "calldata"}.
std::string evidence_json(const Evidence& evidence);
// The two headers of such an object; what it says of them is for check_evidence() to find out.
Result<std::pair<SignedHeader, SignedHeader>, std::string> parse_evidence(std::string_view json);

}  // namespace meridian::frames
