// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ArenaPage, PageProof} from "PageProof.sol";

/// In the place of a module's account: slot 0 holds a commitment, and pages are shown against it.
contract ArenaReader {
    bytes32 public commitment;

    function commit(bytes32 value) external {
        commitment = value;
    }

    function readBytes(ArenaPage calldata page, uint256 offset, uint256 size) external view returns (bytes memory) {
        PageProof.verify(commitment, page);
        return PageProof.read(page.content, offset, size);
    }

    function readNumber(ArenaPage calldata page, uint256 offset, uint256 size) external view returns (uint256) {
        PageProof.verify(commitment, page);
        return PageProof.readNumber(page.content, offset, size);
    }

    function commitmentOf(ArenaPage calldata page) external pure returns (bytes32) {
        return PageProof.commitmentOf(page);
    }

    /// Gas of the verification itself, without the call's data.
    function gasOf(ArenaPage calldata page) external view returns (uint256) {
        bytes32 value = commitment;
        uint256 before = gasleft();
        PageProof.verify(value, page);
        return before - gasleft();
    }
}
