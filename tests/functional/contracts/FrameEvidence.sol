// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {FrameHeader, FrameHeaders, SignedFrame} from "FrameHeader.sol";

/// Makes the library's functions callable, and keeps whom evidence has convicted.
contract FrameEvidence {
    mapping(address => uint256) public offences;

    event Convicted(address indexed offender, uint64 chainId, uint64 number);

    function hash(FrameHeader calldata header) external pure returns (bytes32) {
        return FrameHeaders.hash(header);
    }

    function signer(SignedFrame calldata frame) external pure returns (address) {
        return FrameHeaders.signer(frame);
    }

    function submitEquivocation(bytes calldata evidence) external {
        (address offender, uint64 chainId, uint64 number) = FrameHeaders.equivocator(evidence);
        ++offences[offender];
        emit Convicted(offender, chainId, number);
    }
}
