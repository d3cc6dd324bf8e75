// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Ledger} from "../src/Ledger.sol";
import {vm} from "../src/Vm.sol";

// Deploys two ledgers and pays out of both: several transactions that depend on each other.
contract Issue {
    bool public constant IS_SCRIPT = true;

    function run(address payee) external returns (address first, address second) {
        vm.startBroadcast();
        Ledger a = new Ledger("First", 1_000);
        Ledger b = new Ledger{salt: bytes32(uint256(7))}("Second", 2_000);
        a.transfer(payee, 10);
        payable(payee).transfer(1 ether);
        vm.stopBroadcast();
        return (address(a), address(b));
    }
}
