// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

/// What `meridian bench load` deploys on the node that it measures.

/// An ERC-20 token without owner, minting or fees: the whole supply begins with the deployer.
contract LoadToken {
    string public constant name = "Load token";
    string public constant symbol = "LOAD";
    uint8 public constant decimals = 18;
    uint256 public immutable totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    error InsufficientBalance(address owner, uint256 balance, uint256 wanted);
    error InsufficientAllowance(address spender, uint256 allowed, uint256 wanted);

    constructor(uint256 supply) {
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    /// An allowance of all ones is not used up.
    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) {
            if (allowed < value) revert InsufficientAllowance(msg.sender, allowed, value);
            allowance[from][msg.sender] = allowed - value;
        }
        move(from, to, value);
        return true;
    }

    function move(address from, address to, uint256 value) private {
        uint256 balance = balanceOf[from];
        if (balance < value) revert InsufficientBalance(from, balance, value);
        unchecked {
            balanceOf[from] = balance - value; // not below zero, as just compared
            balanceOf[to] += value; // at most the supply
        }
        emit Transfer(from, to, value);
    }
}

/// Gives many accounts their share in one transaction.
contract Distributor {
    error NotPaid(address to);

    /// The ether sent along, in equal parts.
    function shareEther(address[] calldata to) external payable {
        uint256 share = msg.value / to.length;
        for (uint256 i = 0; i < to.length; ++i) {
            (bool paid,) = to[i].call{value: share}("");
            if (!paid) revert NotPaid(to[i]);
        }
    }

    /// `share` of the caller's tokens to each; the caller has to allow the sum before.
    function shareToken(LoadToken coin, address[] calldata to, uint256 share) external {
        for (uint256 i = 0; i < to.length; ++i) {
            if (!coin.transferFrom(msg.sender, to[i], share)) revert NotPaid(to[i]);
        }
    }
}
