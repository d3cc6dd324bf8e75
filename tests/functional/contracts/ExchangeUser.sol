// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IExchange} from "IExchange.sol";

/// Has an account at the exchange, and trades in one transaction.
contract ExchangeUser {
    IExchange constant EXCHANGE = IExchange(0x4d01000000000000000000000000000000000002);

    error TooDear(uint64 filled);

    function fund(IERC20 token, uint256 amount, bytes calldata addCollateral) external {
        token.transferFrom(msg.sender, address(this), amount);
        token.approve(address(EXCHANGE), amount);
        EXCHANGE.deposit(0, address(token), amount);
        EXCHANGE.execute(addCollateral);
    }

    /// Undone unless at least so many lots were filled.
    function buy(uint32 price, uint64 size, uint64 least) external returns (uint64 filled) {
        (, filled,) = EXCHANGE.placeOrder(0, 0, 2, price, size, 0);
        if (filled < least) revert TooDear(filled);
    }
}
