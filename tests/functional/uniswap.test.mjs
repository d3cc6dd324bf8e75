// Uniswap v2 as published on npm: factory, router, pairs and WETH, used through ethers.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Contract, ContractFactory, HDNodeWallet, JsonRpcProvider, NonceManager, parseEther } from 'ethers';
import { compile, published } from './support/compile.mjs';
import { mnemonic, startNode } from './support/node.mjs';

const deadline = 2n ** 40n;
let node, provider, trader, address, factory, router, weth, coin;

async function deploy({ abi, bytecode }, ...args) {
    const contract = await new ContractFactory(abi, bytecode, trader).deploy(...args);
    return contract.waitForDeployment();
}

const done = async (sent) => (await sent).wait();

/** What the constant-product formula with Uniswap's 0.3 % fee gives. */
function amountOut(amountIn, reserveIn, reserveOut) {
    const withFee = amountIn * 997n;
    return (withFee * reserveOut) / (reserveIn * 1000n + withFee);
}

before(async () => {
    node = await startNode();
    provider = new JsonRpcProvider(node.url, undefined, { pollingInterval: 20, cacheTimeout: -1 });
    const wallet = HDNodeWallet.fromPhrase(mnemonic).connect(provider);
    address = wallet.address;
    trader = new NonceManager(wallet);
    const periphery = '@uniswap/v2-periphery/build';
    factory = await deploy(published('@uniswap/v2-core/build/UniswapV2Factory.json'), address);
    weth = await deploy(published(`${periphery}/WETH9.json`));
    router = await deploy(published(`${periphery}/UniswapV2Router02.json`), await factory.getAddress(),
        await weth.getAddress());
    coin = await deploy(compile('Assets.sol').Coin, parseEther('1000000'));
    await done(coin.approve(await router.getAddress(), parseEther('1000000')));
});
after(async () => {
    provider?.destroy();
    await node?.stop();
});

async function pairOf(a, b) {
    const { abi } = published('@uniswap/v2-core/build/UniswapV2Pair.json');
    return new Contract(await factory.getPair(await a.getAddress(), await b.getAddress()), abi, trader);
}

/** Reserves of the coin-WETH pair, the coin's first. */
async function reserves() {
    const pair = await pairOf(coin, weth);
    const [first, second] = await pair.getReserves();
    return (await pair.token0()) === (await coin.getAddress()) ? [first, second] : [second, first];
}

describe('Uniswap v2', () => {
    test('liquidity makes the pair at the address that the router computes', async () => {
        const receipt = await done(router.addLiquidityETH(await coin.getAddress(), parseEther('4000'), 0, 0, address,
            deadline, { value: parseEther('10') }));
        assert.equal(receipt.status, 1);
        assert.deepEqual(await reserves(), [parseEther('4000'), parseEther('10')]);
        const pair = await pairOf(coin, weth);
        assert.equal(await pair.balanceOf(address), parseEther('200') - 1000n);
        assert.equal(await factory.allPairsLength(), 1n);
    });

    test('ether for coins at the price of the formula', async () => {
        const [coins, ether] = await reserves();
        const expected = amountOut(parseEther('1'), ether, coins);
        const path = [await weth.getAddress(), await coin.getAddress()];
        assert.equal((await router.getAmountsOut(parseEther('1'), path))[1], expected);
        const before = await coin.balanceOf(address);
        await done(router.swapExactETHForTokens(expected, path, address, deadline, { value: parseEther('1') }));
        assert.equal((await coin.balanceOf(address)) - before, expected);
    });

    test('coins for ether, with its event', async () => {
        const [coins, ether] = await reserves();
        const expected = amountOut(parseEther('100'), coins, ether);
        const path = [await coin.getAddress(), await weth.getAddress()];
        const receipt = await done(router.swapExactTokensForETH(parseEther('100'), expected, path, address, deadline));
        const pair = await pairOf(coin, weth);
        const [swap] = await pair.queryFilter('Swap', receipt.blockNumber, receipt.blockNumber);
        assert.equal(swap.args.to, await router.getAddress());
        assert.equal(swap.args.amount0Out + swap.args.amount1Out, expected);
    });

    test('less than the minimum is refused with the reason', async () => {
        const path = [await weth.getAddress(), await coin.getAddress()];
        await assert.rejects(
            router.swapExactETHForTokens.staticCall(parseEther('4000'), path, address, deadline, { value: 1n }),
            (error) => error.reason === 'UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT');
    });

    test('a route over two pairs', async () => {
        const second = await deploy(compile('Assets.sol').Coin, parseEther('1000'));
        await done(second.approve(await router.getAddress(), parseEther('1000')));
        await done(router.addLiquidityETH(await second.getAddress(), parseEther('100'), 0, 0, address, deadline,
            { value: parseEther('5') }));
        const path = [coin, weth, second].map((contract) => contract.getAddress());
        const [, , expected] = await router.getAmountsOut(parseEther('10'), await Promise.all(path));
        const before = await second.balanceOf(address);
        await done(router.swapExactTokensForTokens(parseEther('10'), 0, await Promise.all(path), address, deadline));
        assert.equal((await second.balanceOf(address)) - before, expected);
    });

    test('liquidity is withdrawn', async () => {
        const pair = await pairOf(coin, weth);
        const shares = await pair.balanceOf(address);
        await done(pair.approve(await router.getAddress(), shares));
        await done(router.removeLiquidityETH(await coin.getAddress(), shares, 0, 0, address, deadline));
        assert.equal(await pair.totalSupply(), 1000n);
    });
});
