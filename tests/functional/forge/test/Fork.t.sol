// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Ledger} from "../src/Ledger.sol";
import {vm} from "../src/Vm.sol";

// Runs against the state of the node under test; the ledger was deployed there by forge create.
contract ForkTest {
    function testTransferOfForkedBalance() external {
        Ledger ledger = Ledger(LEDGER);
        address issuer = ledger.issuer();
        require(ledger.balanceOf(issuer) == 5_000, "balance of the issuer");
        vm.prank(issuer);
        ledger.transfer(address(1), 4_999);
        require(ledger.balanceOf(issuer) == 1 && ledger.balanceOf(address(1)) == 4_999, "moved");
    }
}

address constant LEDGER = address(0);
