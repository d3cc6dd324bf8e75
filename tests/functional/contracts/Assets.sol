// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ERC721Enumerable} from "@openzeppelin/contracts/token/ERC721/extensions/ERC721Enumerable.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

contract Coin is ERC20Permit {
    constructor(uint256 supply) ERC20("Coin", "COIN") ERC20Permit("Coin") {
        _mint(msg.sender, supply);
    }
}

contract Deed is ERC721Enumerable, Ownable {
    constructor() ERC721("Deed", "DEED") Ownable(msg.sender) {}

    function mint(address to, uint256 id) external onlyOwner {
        _safeMint(to, id);
    }
}

contract Vault is ERC4626 {
    constructor(IERC20 asset) ERC4626(asset) ERC20("Vault", "vCOIN") {}
}
