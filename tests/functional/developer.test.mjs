// The developer's RPC: snapshots, time, mining, impersonation and state editing, in the three dialects
// (evm_, anvil_, hardhat_) that test suites speak.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { parseEther, toHex } from 'viem';
import { compile } from './support/compile.mjs';
import { startNode } from './support/node.mjs';
import { accountOf, clientsOf, deploy, transact } from './support/viem.mjs';

let node, reader, developer, wallet, counter;

before(async () => {
    node = await startNode();
    const clients = clientsOf(node);
    ({ reader, developer } = clients);
    wallet = clients.wallet(0);
    counter = await deploy(reader, wallet, compile('Counter.sol').Counter, [5n]);
});
after(() => node?.stop());

const number = () => reader.readContract({ ...counter, functionName: 'number' });
const latest = () => reader.getBlock();

describe('snapshots', () => {
    test('a revert undoes state, blocks, time and nonces', async () => {
        const [height, balance] = [await reader.getBlockNumber(), await reader.getBalance(wallet.account)];
        const nonce = await reader.getTransactionCount(wallet.account);
        const id = await node.rpc('evm_snapshot');
        await transact(reader, wallet, counter, 'add', [100n]);
        await developer.increaseTime({ seconds: 1_000_000 });
        await developer.mine({ blocks: 3 });
        const { timestamp } = await latest();

        assert.equal(await node.rpc('evm_revert', id), true);
        assert.equal(await number(), 5n);
        assert.equal(await reader.getBlockNumber(), height);
        assert.equal(await reader.getBalance(wallet.account), balance);
        assert.equal(await reader.getTransactionCount(wallet.account), nonce);
        await developer.mine({ blocks: 1 });
        assert.ok((await latest()).timestamp < timestamp);
    });

    test('a snapshot serves once; an older one outlives a newer', async () => {
        const older = await node.rpc('evm_snapshot');
        const newer = await node.rpc('evm_snapshot');
        assert.notEqual(older, newer);
        assert.equal(await node.rpc('evm_revert', older), true);
        assert.notEqual(await node.rpc('evm_revert', newer).catch(() => false), true);
        assert.notEqual(await node.rpc('evm_revert', older).catch(() => false), true);
    });
});

describe('time', () => {
    // It moves the node's clock, of which blocks that were mined in the same second may be ahead.
    test('evm_increaseTime moves the next block', async () => {
        const { number, timestamp } = await latest();
        await node.rpc('evm_increaseTime', 3600);
        await node.rpc('evm_mine');
        const passed = (await latest()).timestamp - timestamp;
        assert.ok(passed >= 3600n - number && passed < 3700n, `${passed} s`);
    });

    test('evm_setNextBlockTimestamp is exact and may not go back', async () => {
        const next = (await latest()).timestamp + 12_345n;
        await developer.setNextBlockTimestamp({ timestamp: next });
        await transact(reader, wallet, counter, 'add', [0n]);
        assert.equal((await latest()).timestamp, next);
        await assert.rejects(node.rpc('evm_setNextBlockTimestamp', toHex(next - 1n)));
    });

    test('anvil_mine and hardhat_mine mine many blocks, an interval apart', async () => {
        for (const method of ['anvil_mine', 'hardhat_mine']) {
            const before = await latest();
            await node.rpc(method, '0x64', '0xa');
            const now = await latest();
            assert.equal(now.number - before.number, 100n);
            assert.ok(now.timestamp - before.timestamp >= 990n);
        }
    });
});

describe('mining', () => {
    test('without automine, transactions wait for a block and share it', async () => {
        await node.rpc('evm_setAutomine', false);
        try {
            const hashes = [];
            for (const value of [1n, 2n, 3n]) {
                hashes.push(await wallet.sendTransaction({ to: accountOf(4).address, value, gas: 21_000n,
                    nonce: await reader.getTransactionCount({ ...wallet.account, blockTag: 'pending' }) }));
            }
            assert.equal(await node.rpc('eth_getTransactionReceipt', hashes[0]), null);
            const { pending } = await node.rpc('txpool_status');
            assert.equal(Number(pending), 3);
            await node.rpc('evm_mine');
            const block = await latest();
            assert.deepEqual(block.transactions, hashes);
        } finally {
            await node.rpc('evm_setAutomine', true);
        }
    });

    test('a higher fee replaces a waiting transaction', async () => {
        await node.rpc('evm_setAutomine', false);
        try {
            const nonce = await reader.getTransactionCount(wallet.account);
            const common = { to: accountOf(4).address, nonce, gas: 21_000n, maxPriorityFeePerGas: 10n ** 9n };
            const first = await wallet.sendTransaction({ ...common, value: 1n, maxFeePerGas: 10n ** 10n });
            const second = await wallet.sendTransaction({ ...common, value: 2n, maxFeePerGas: 2n * 10n ** 10n,
                maxPriorityFeePerGas: 2n * 10n ** 9n });
            await node.rpc('evm_mine');
            assert.deepEqual((await latest()).transactions, [second]);
            assert.equal(await node.rpc('eth_getTransactionByHash', first), null);
        } finally {
            await node.rpc('evm_setAutomine', true);
        }
    });

    test('evm_setIntervalMining makes blocks by itself', async () => {
        const before = await reader.getBlockNumber();
        await node.rpc('evm_setIntervalMining', 1);
        try {
            await new Promise((wake) => setTimeout(wake, 2_500));
            const mined = (await reader.getBlockNumber()) - before;
            assert.ok(mined >= 1n && mined <= 3n, `${mined} blocks`);
        } finally {
            await node.rpc('evm_setIntervalMining', 0);
            await node.rpc('evm_setAutomine', true);
        }
    });

    test('the next base fee and the coinbase can be set', async () => {
        const coinbase = accountOf(8).address;
        await node.rpc('hardhat_setNextBlockBaseFeePerGas', toHex(77_000_000_000n));
        await node.rpc('hardhat_setCoinbase', coinbase);
        await node.rpc('evm_mine');
        const block = await latest();
        assert.equal(block.baseFeePerGas, 77_000_000_000n);
        assert.equal(block.miner.toLowerCase(), coinbase.toLowerCase());
    });
});

describe('state', () => {
    for (const dialect of ['anvil', 'hardhat']) {
        test(`${dialect}_: balance, nonce, code and storage`, async () => {
            const address = dialect === 'anvil' ? `0x${'a1'.repeat(20)}` : `0x${'b2'.repeat(20)}`;
            const code = await reader.getCode({ address: counter.address });
            const slot = `0x${'0'.repeat(64)}`;
            await node.rpc(`${dialect}_setBalance`, address, toHex(parseEther('3')));
            await node.rpc(`${dialect}_setNonce`, address, '0x7');
            await node.rpc(`${dialect}_setCode`, address, code);
            await node.rpc(`${dialect}_setStorageAt`, address, '0x0', `0x${'0'.repeat(62)}2a`);
            assert.equal(await reader.getBalance({ address }), parseEther('3'));
            assert.equal(await reader.getTransactionCount({ address }), 7);
            assert.equal(BigInt(await reader.getStorageAt({ address, slot })), 42n);
            assert.equal(await reader.readContract({ address, abi: counter.abi, functionName: 'number' }), 42n);
        });

        test(`${dialect}_: an impersonated account sends, until it is no longer one`, async () => {
            const from = counter.address;
            await node.rpc(`${dialect}_setBalance`, from, toHex(parseEther('2')));
            await node.rpc(`${dialect}_impersonateAccount`, from);
            const to = `0x${'c3'.repeat(20)}`;
            const before = await reader.getBalance({ address: to });
            const hash = await node.rpc('eth_sendTransaction', { from, to, value: '0x5' });
            const receipt = await reader.waitForTransactionReceipt({ hash });
            assert.equal(receipt.from.toLowerCase(), from.toLowerCase());
            assert.equal((await reader.getBalance({ address: to })) - before, 5n);
            await node.rpc(`${dialect}_stopImpersonatingAccount`, from);
            await assert.rejects(node.rpc('eth_sendTransaction', { from, to, value: '0x5' }));
        });
    }
});

describe('the JSON-RPC itself', () => {
    const post = (body) => fetch(node.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
        .then((response) => response.json());
    const codeOf = async (body) => (await post(body)).error?.code;

    test('errors carry the codes of the specification', async () => {
        assert.equal(await codeOf('{"jsonrpc":"2.0","id":1,"method":"no_such","params":[]}'), -32601);
        assert.equal(await codeOf('{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0x12","latest"]}'), -32602);
        assert.ok([-32700, -32600].includes(await codeOf('{"jsonrpc":')));
    });

    test('a batch is answered in order, an error in its place', async () => {
        const call = (id, method, ...params) => ({ jsonrpc: '2.0', id, method, params });
        const answers = await post(JSON.stringify([call(1, 'eth_chainId'), call('b', 'no_such'), call(3, 'net_version')]));
        assert.deepEqual(answers.map(({ id }) => id), [1, 'b', 3]);
        assert.equal(Number(answers[0].result), node.chainId);
        assert.equal(answers[1].error.code, -32601);
    });

    test('a revert carries its data', async () => {
        const error = await node.rpc('eth_call', { to: counter.address, data: '0xa9cc4718' }, 'latest')
            .catch((thrown) => thrown);
        assert.equal(error.code, 3);
        assert.ok(error.data.startsWith('0x08c379a0'));
        assert.match(error.message, /execution reverted/);
    });
});
