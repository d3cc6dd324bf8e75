// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

contract Ledger is ERC20 {
    address public immutable issuer;

    constructor(string memory name_, uint256 supply) ERC20(name_, "LED") {
        issuer = msg.sender;
        _mint(msg.sender, supply);
    }
}
