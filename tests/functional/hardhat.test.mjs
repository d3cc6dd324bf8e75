// Hardhat 3 and its network helpers against the node, as a project's own test suite would use them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import networkHelpersPlugin from '@nomicfoundation/hardhat-network-helpers';
import { createHardhatRuntimeEnvironment } from 'hardhat/hre';
import { encodeDeployData, encodeFunctionData, parseEther } from 'viem';
import { compile } from './support/compile.mjs';
import { root, startNode, target } from './support/node.mjs';

let node, connection, provider, helpers, accounts, contract;

before(async () => {
    node = await startNode();
    const hre = await createHardhatRuntimeEnvironment({
        plugins: [networkHelpersPlugin],
        networks: { target: { type: 'http', url: node.url, chainId: node.chainId } },
    }, {}, `${root}/tests/functional`);
    connection = await hre.network.connect({ network: 'target' });
    ({ provider, networkHelpers: helpers } = connection);
    accounts = await provider.request({ method: 'eth_accounts' });
    const { abi, bytecode } = compile('Counter.sol').Counter;
    contract = { abi, address: await created(encodeDeployData({ abi, bytecode, args: [1n] })) };
});
after(async () => {
    await connection?.close();
    await node?.stop();
});

/** Sends from an account of the node and waits: a node may answer before the block is there. */
async function sent(transaction) {
    const hash = await provider.request({ method: 'eth_sendTransaction', params: [transaction] });
    for (let attempt = 0; attempt < 200; ++attempt) {
        const receipt = await provider.request({ method: 'eth_getTransactionReceipt', params: [hash] });
        if (receipt) {
            return receipt;
        }
        await new Promise((wake) => setTimeout(wake, 10));
    }
    throw new Error(`not mined: ${hash}`);
}

const created = async (data) => (await sent({ from: accounts[0], data })).contractAddress;

const add = (amount) => sent({ from: accounts[0], to: contract.address,
    data: encodeFunctionData({ ...contract, functionName: 'add', args: [amount] }) });
const counted = async () => BigInt(await helpers.getStorageAt(contract.address, 0));

test('loadFixture restores the same state each time', async () => {
    let runs = 0;
    async function fixture() {
        runs += 1;
        await add(10n);
    }
    await helpers.loadFixture(fixture);
    assert.equal(await counted(), 11n);
    await add(5n);
    await helpers.loadFixture(fixture);
    assert.equal(await counted(), 11n);
    assert.equal(runs, 1);
});

test('takeSnapshot and restore', async () => {
    const before = await counted();
    const snapshot = await helpers.takeSnapshot();
    await add(7n);
    await snapshot.restore();
    assert.equal(await counted(), before);
});

test('time: increase, increaseTo, setNextBlockTimestamp, latest', async () => {
    const start = await helpers.time.latest();
    assert.equal(await helpers.time.increase(1000), start + 1000);
    await helpers.time.increaseTo(start + 5000);
    assert.equal(await helpers.time.latest(), start + 5000);
    await helpers.time.setNextBlockTimestamp(start + 9000);
    await helpers.mine();
    assert.equal(await helpers.time.latest(), start + 9000);
});

test('mine and mineUpTo', async () => {
    const height = await helpers.time.latestBlock();
    await helpers.mine(256, { interval: 60 });
    assert.equal(await helpers.time.latestBlock(), height + 256);
    await helpers.mineUpTo(height + 300);
    assert.equal(await helpers.time.latestBlock(), height + 300);
});

test('impersonation and balances', async () => {
    await helpers.setBalance(contract.address, parseEther('1'));
    await helpers.impersonateAccount(contract.address);
    const receipt = await sent({ from: contract.address, to: accounts[3], value: '0x1' });
    assert.equal(receipt.status, '0x1');
    await helpers.stopImpersonatingAccount(contract.address);
});

test('code, nonce and storage are set', async () => {
    const address = `0x${'5e'.repeat(20)}`;
    await helpers.setCode(address, '0x600160005260206000f3');
    await helpers.setNonce(address, 9);
    await helpers.setStorageAt(address, 3, 77);
    assert.equal(BigInt(await provider.request({ method: 'eth_call', params: [{ to: address }, 'latest'] })), 1n);
    assert.equal(Number(await provider.request({ method: 'eth_getTransactionCount', params: [address, 'latest'] })), 9);
    assert.equal(BigInt(await helpers.getStorageAt(address, 3)), 77n);
});

test('the next block: base fee, coinbase, gas limit', async () => {
    await helpers.setNextBlockBaseFeePerGas(5_000_000_000);
    await helpers.setCoinbase(accounts[9]);
    await helpers.setBlockGasLimit(20_000_000);
    await helpers.mine();
    const block = await provider.request({ method: 'eth_getBlockByNumber', params: ['latest', false] });
    assert.equal(Number(block.baseFeePerGas), 5_000_000_000);
    assert.equal(block.miner, accounts[9]);
    assert.equal(Number(block.gasLimit), 20_000_000);
});

// anvil answers with the hash where Hardhat's own node says true, which its helper then refuses.
test('a waiting transaction is dropped', { skip: target === 'anvil' }, async () => {
    await provider.request({ method: 'evm_setAutomine', params: [false] });
    try {
        const hash = await provider.request({ method: 'eth_sendTransaction',
            params: [{ from: accounts[0], to: accounts[1], value: '0x1' }] });
        assert.equal(await helpers.dropTransaction(hash), true);
        await helpers.mine();
        assert.equal(await provider.request({ method: 'eth_getTransactionReceipt', params: [hash] }), null);
    } finally {
        await provider.request({ method: 'evm_setAutomine', params: [true] });
    }
});
