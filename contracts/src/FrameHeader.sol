// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// A frame's header as docs/frames.md specifies it: what the sequencer signs.
struct FrameHeader {
    uint64 chainId;
    uint64 term;
    uint64 number;
    bytes32 parentHash;
    uint64 blockNumber;
    uint32 index;
    uint64 timestampUs;
    bytes32 baseHash;
    bytes32 transactionsHash;
    bytes32 receiptsHash;
    bytes32 changesHash;
}

/// v is 27 or 28.
struct SignedFrame {
    FrameHeader header;
    bytes32 r;
    bytes32 s;
    uint8 v;
}

/// Hashes and signers of frames, and evidence that one was promised twice.
library FrameHeaders {
    bytes32 internal constant TYPE_HASH = keccak256(
        "MeridianFrame(uint64 chainId,uint64 term,uint64 number,bytes32 parentHash,uint64 blockNumber,uint32 index,"
        "uint64 timestampUs,bytes32 baseHash,bytes32 transactionsHash,bytes32 receiptsHash,bytes32 changesHash)"
    );

    error DifferentChains();
    error DifferentNumbers();
    error SameFrame();
    error InvalidSignature();
    error DifferentSigners();

    function hash(FrameHeader memory header) internal pure returns (bytes32) {
        return keccak256(abi.encode(TYPE_HASH, header));
    }

    function signer(SignedFrame memory frame) internal pure returns (address recovered) {
        recovered = ecrecover(hash(frame.header), frame.v, frame.r, frame.s);
        if (recovered == address(0)) revert InvalidSignature();
    }

    /// Reverts unless `evidence` (two signed frames, ABI-encoded) convicts somebody; says whom, and of what.
    function equivocator(bytes calldata evidence)
        internal
        pure
        returns (address offender, uint64 chainId, uint64 number)
    {
        (SignedFrame memory a, SignedFrame memory b) = abi.decode(evidence, (SignedFrame, SignedFrame));
        if (a.header.chainId != b.header.chainId) revert DifferentChains();
        if (a.header.number != b.header.number) revert DifferentNumbers();
        if (hash(a.header) == hash(b.header)) revert SameFrame();
        offender = signer(a);
        if (signer(b) != offender) revert DifferentSigners();
        return (offender, a.header.chainId, a.header.number);
    }
}
