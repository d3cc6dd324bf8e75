// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// @title The exchange, a native module at 0x4d01000000000000000000000000000000000002
/// @notice Prices are ticks and sizes lots of a market; amounts of assets are units, of which a token has
/// `weiPerUnit` each, except where wei are named. The caller is the owner of the accounts that it changes;
/// `sub` says which of its 32 sub-accounts. What is refused reverts with `Error(string)`, as
/// "exchange: InsufficientMargin: ...", and whatever reverts undoes it. docs/exchange.md is the reference.
interface IExchange {
    /// @notice An order was accepted, cancelled, amended or reduced; `what` is packed.
    event OrderChanged(uint32 indexed account, bytes32 what);
    /// @notice An account's side of a fill; `amounts` are the fee and the realised profit, int128 each.
    event Traded(uint32 indexed account, bytes32 what, bytes32 amounts);
    /// @notice Transfers, funding, liquidations, triggers and TWAPs, by the kind in `what`.
    event Reported(uint32 indexed account, bytes32 what, bytes32 amounts);
    /// @notice Amounts are in wei of the token.
    event Deposited(address indexed owner, address indexed token, uint32 sub, uint32 account, uint256 amount);
    event Withdrawn(address indexed owner, address indexed token, uint32 sub, uint32 account, uint256 amount);

    /// @notice Takes wei of a token from the caller, who has allowed it. Makes the account if need be.
    /// @param amount A multiple of the asset's weiPerUnit.
    function deposit(uint32 sub, address token, uint256 amount) external returns (uint32 account);
    /// @notice Sends wei of a token to the caller, of what no order holds; also while markets are halted.
    function withdraw(uint32 sub, address token, uint256 amount) external;

    /// @notice Places an order.
    /// @param flags 1: sells; 2: immediate or cancel, 4: fill or kill, 6: post-only; 8: market order (price
    /// protects); 16: reduce-only; 128, 256, 384: of orders of the same account the incoming one, both are
    /// cancelled, or both shrink (else the resting one is cancelled).
    /// @param clientId Zero: none.
    ///
    /// @return id The order's.
    /// @return filled Lots.
    /// @return resting Lots.
    function placeOrder(uint32 sub, uint32 market, uint32 flags, uint32 price, uint64 size, bytes16 clientId)
        external
        returns (uint64 id, uint64 filled, uint64 resting);
    /// @notice Gives an order another price and open size; fewer lots at its price keep its place.
    function amendOrder(uint32 sub, uint32 market, uint64 id, uint32 price, uint64 size)
        external
        returns (uint64 sameId, uint64 filled, uint64 resting);
    function cancelOrder(uint32 sub, uint32 market, uint64 id) external;
    function cancelAll(uint32 sub) external returns (uint32 count);
    /// @notice Carries out any command in the compact form of the exchange's transactions.
    ///
    /// @return first Of an order its id, else the id or number that the command gives.
    ///
    /// @return filled Lots, of orders.
    /// @return resting Lots, of orders.
    function execute(bytes calldata command) external returns (uint64 first, uint64 filled, uint64 resting);

    ///
    /// @return account 0: there is none.
    function accountOf(address owner, uint32 sub) external view returns (uint32 account);
    function balanceOf(uint32 account, uint32 asset) external view returns (uint64 total, uint64 held);
    /// @notice Of the cross margin, in units of the collateral asset.
    function marginOf(uint32 account)
        external
        view
        returns (int128 balance, int128 equity, int128 initial, int128 maintenance, int128 withdrawable);
    ///
    /// @return size Lots, below zero: short.
    function position(uint32 account, uint32 market)
        external
        view
        returns (
            int64 size,
            int128 cost,
            int128 margin,
            uint32 leverage,
            bool isolated,
            int64 openBuy,
            int64 openSell
        );
    ///
    /// @return oracle Ticks.
    /// @return mark Ticks.
    /// @return last Ticks.
    /// @return openInterest Lots.
    ///
    /// @return fundingRate Of the last hour, parts per billion.
    /// @return fresh The oracle is not stale.
    ///
    /// @return halted Only what reduces positions is taken.
    function market(uint32 id)
        external
        view
        returns (
            uint32 oracle,
            uint32 mark,
            uint32 last,
            uint64 openInterest,
            int64 fundingRate,
            bool fresh,
            bool halted
        );
    ///
    /// @return bid 0: there is none.
    /// @return bidSize Lots.
    /// @return ask 0: there is none.
    /// @return askSize Lots.
    function best(uint32 market) external view returns (uint32 bid, uint64 bidSize, uint32 ask, uint64 askSize);
    function order(uint32 market, uint64 id)
        external
        view
        returns (uint32 account, bool sells, uint32 price, uint64 remaining);
    function assetOf(address token) external view returns (uint32 asset, uint64 weiPerUnit);
}
