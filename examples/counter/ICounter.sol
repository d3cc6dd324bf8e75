// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// The counter of examples/counter, a native module, as contracts see it.
interface ICounter {
    event Added(address indexed account, uint256 amount, uint256 value);

    /// Adds, and gives the new value. Reverts above the counter's limit.
    function add(uint256 amount) external returns (uint256 value);
    function value() external view returns (uint256);
    /// How often it was changed.
    function count() external view returns (uint256);
    /// One change: who, how much, and the block's time.
    function entry(uint256 index) external view returns (address account, uint256 amount, uint256 time);
}
