// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

// Of forge's cheat codes, those that the script and the test use.
interface Vm {
    function startBroadcast() external;
    function stopBroadcast() external;
    function prank(address sender) external;
}

Vm constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
