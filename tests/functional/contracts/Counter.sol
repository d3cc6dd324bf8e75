// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

contract Counter {
    uint256 public number;

    event Counted(address indexed by, uint256 number);

    error TooLarge(uint256 number, uint256 limit);

    constructor(uint256 start) payable {
        number = start;
    }

    function add(uint256 amount) external payable returns (uint256) {
        if (amount > 1000) revert TooLarge(amount, 1000);
        number += amount;
        emit Counted(msg.sender, number);
        return number;
    }

    function fail() external pure {
        require(false, "always fails");
    }

    function environment() external view returns (uint256, uint256, uint256, uint256, address) {
        return (block.chainid, block.number, block.timestamp, block.basefee, block.coinbase);
    }
}
