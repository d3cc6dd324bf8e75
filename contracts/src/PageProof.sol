// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// One page of a native module's arena with what leads from it to the value in storage slot 0 of the module's
/// account (docs/modules.md). Siblings: three for each of twelve levels, from the leaf up, left to right.
struct ArenaPage {
    uint256 pageCount;
    uint256 number;
    bytes content;
    bytes32[36] siblings;
}

/// Proofs of pages, and reading from pages that were proven.
library PageProof {
    bytes32 internal constant FORMAT = keccak256("Meridian arena 1");
    uint256 internal constant PAGE_SIZE = 4096;
    uint256 internal constant PAGES_MAX = 1 << 24;

    error WrongPageSize(uint256 size);
    error NoSuchPage(uint256 number, uint256 pageCount);
    error WrongCommitment(bytes32 computed);
    error OutsideOfPage(uint256 offset, uint256 size);

    /// Reverts unless the page is one of the arena that `commitment` (the value of slot 0) commits to.
    function verify(bytes32 commitment, ArenaPage calldata page) internal pure {
        bytes32 computed = commitmentOf(page);
        if (computed != commitment) revert WrongCommitment(computed);
    }

    /// What the page and its siblings are committed to by.
    function commitmentOf(ArenaPage calldata page) internal pure returns (bytes32) {
        if (page.content.length != PAGE_SIZE) revert WrongPageSize(page.content.length);
        if (page.number >= page.pageCount || page.pageCount > PAGES_MAX) {
            revert NoSuchPage(page.number, page.pageCount);
        }
        bytes32 root = rootOf(keccak256(page.content), page.number, page.siblings);
        return keccak256(abi.encode(FORMAT, page.pageCount, root));
    }

    /// The root of the tree in which `hash` is leaf `index`.
    function rootOf(bytes32 hash, uint256 index, bytes32[36] calldata siblings) internal pure returns (bytes32 root) {
        root = hash;
        assembly ("memory-safe") {
            // The four children of a node, behind the memory in use.
            let node := mload(0x40)
            let end := add(siblings, 1152)
            for { let next := siblings } lt(next, end) { next := add(next, 96) } {
                let before := shl(5, and(index, 3))
                calldatacopy(node, next, before)
                mstore(add(node, before), root)
                calldatacopy(add(add(node, before), 32), add(next, before), sub(96, before))
                root := keccak256(node, 128)
                index := shr(2, index)
            }
        }
    }

    /// `size` bytes from `offset` on. Of a page that was verified.
    function read(bytes calldata content, uint256 offset, uint256 size) internal pure returns (bytes calldata) {
        if (offset > content.length || size > content.length - offset) revert OutsideOfPage(offset, size);
        return content[offset:offset + size];
    }

    /// An unsigned integer as arenas hold it: least significant byte first. `size` is at most 32.
    function readNumber(bytes calldata content, uint256 offset, uint256 size) internal pure returns (uint256 number) {
        if (size > 32) revert OutsideOfPage(offset, size);
        bytes calldata word = read(content, offset, size);
        for (uint256 i = size; i > 0; --i) {
            number = number << 8 | uint8(word[i - 1]);
        }
    }
}
