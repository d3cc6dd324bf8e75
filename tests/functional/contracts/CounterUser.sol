// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {ICounter} from "counter/ICounter.sol";

/// Uses the native counter in every way in which a contract can.
contract CounterUser {
    ICounter constant COUNTER = ICounter(0x4d01000000000000000000000000000000000001);

    uint256 public added;

    error Undone(uint256 value);

    function add(uint256 amount) public returns (uint256 value) {
        added += amount;
        value = COUNTER.add(amount);
    }

    /// Adds and reverts with what it stood at then.
    function addAndRevert(uint256 amount) external {
        revert Undone(add(amount));
    }

    /// Two additions, of which the inner one is undone.
    function addOneOfTwo(uint256 kept, uint256 undone) external returns (uint256 value) {
        add(kept);
        try this.addAndRevert(undone) {}
        catch {}
        value = COUNTER.value();
    }

    function addByDelegate(uint256 amount) external returns (bool done, bytes memory reason) {
        (done, reason) = address(COUNTER).delegatecall(abi.encodeCall(ICounter.add, (amount)));
    }

    function addStatically(uint256 amount) external view returns (bool done, bytes memory reason) {
        (done, reason) = address(COUNTER).staticcall(abi.encodeCall(ICounter.add, (amount)));
    }
}
