// A native module on a chain, as contracts and clients see it: examples/counter.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { concat, decodeErrorResult, keccak256, numberToHex, parseEventLogs, parseGwei, parseSignature, toRlp } from 'viem';
import { compile } from './support/compile.mjs';
import { freePort, isMeridian, startNode, startRealtime, target } from './support/node.mjs';
import { accountOf, clientsOf, deploy, transact } from './support/viem.mjs';

const { CounterUser } = isMeridian ? compile('CounterUser.sol') : {};
const errors = [{ type: 'error', name: 'Error', inputs: [{ name: 'reason', type: 'string' }] }];
const reasonOf = (data) => decodeErrorResult({ abi: errors, data }).args[0];
const counter = {
    address: '0x4d01000000000000000000000000000000000001',
    abi: [
        ...['add', 'value', 'count'].map((name) => ({ type: 'function', name, stateMutability: name === 'add' ? 'nonpayable' : 'view',
            inputs: name === 'add' ? [{ type: 'uint256' }] : [], outputs: [{ type: 'uint256' }] })),
        { type: 'function', name: 'entry', stateMutability: 'view', inputs: [{ type: 'uint256' }],
            outputs: [{ type: 'address' }, { type: 'uint256' }, { type: 'uint256' }] },
        { type: 'event', name: 'Added', inputs: [{ type: 'address', name: 'account', indexed: true },
            { type: 'uint256', name: 'amount' }, { type: 'uint256', name: 'value' }] },
    ],
};

const folders = [];
function folder() {
    const path = mkdtempSync(join(tmpdir(), 'meridian-modules-'));
    folders.push(path);
    return path;
}
after(() => folders.forEach((path) => rmSync(path, { recursive: true, force: true })));

async function until(condition) {
    for (;;) {
        const value = await condition();
        if (value) {
            return value;
        }
        await new Promise((wake) => setTimeout(wake, 50));
    }
}

const short = (number) => (number ? numberToHex(number) : '0x');
const addCommand = (amount) => concat(['0x01', numberToHex(amount, { size: 8 })]);
const authorise = (key, scope, expiry, commands) => concat(['0x0001', key,
    ...[scope, expiry, commands].map((number) => numberToHex(number, { size: 8 }))]);

/** A transaction of the counter's own, in the account's name, signed by the signer. */
async function moduleTransaction(chainId, signer, commands, { account = signer.address, nonce = Date.now(), expiry = 0, id = 1 } = {}) {
    const fields = [short(chainId), short(id), account, short(nonce), short(expiry), commands];
    const { r, s, yParity } = parseSignature(await signer.sign({ hash: keccak256(concat(['0x4d', toRlp(fields)])) }));
    return concat(['0x4d', toRlp([...fields, short(yParity), short(BigInt(r)), short(BigInt(s))])]);
}

describe('a native module on a development chain', { skip: !isMeridian }, () => {
    let node, reader, developer, wallet, user;
    const read = (functionName, ...args) => reader.readContract({ ...counter, functionName, args });
    const commitment = async () => (await reader.getProof({ address: counter.address,
        storageKeys: [numberToHex(0, { size: 32 })] })).storageProof[0].value;

    before(async () => {
        node = await startNode('--module', 'counter:start=100,limit=10000');
        const clients = clientsOf(node);
        ({ reader, developer } = clients);
        wallet = clients.wallet(0);
        user = await deploy(reader, wallet, CounterUser);
    });
    after(() => node?.stop());

    test('is called by accounts and contracts, and logs', async () => {
        assert.equal(await read('value'), 100n);
        const before = await commitment();
        const direct = await transact(reader, wallet, counter, 'add', [1n]);
        const receipt = await transact(reader, wallet, user, 'add', [2n]);
        assert.equal(await read('value'), 103n);
        assert.equal(await read('count'), 2n);
        assert.equal((await read('entry', 1n))[0].toLowerCase(), user.address.toLowerCase());
        const [log] = parseEventLogs({ abi: counter.abi, logs: receipt.logs });
        assert.equal(log.address, counter.address);
        assert.deepEqual([log.args.account.toLowerCase(), log.args.amount, log.args.value],
            [user.address.toLowerCase(), 2n, 103n]);
        const found = await reader.getLogs({ address: counter.address, fromBlock: 0n });
        assert.deepEqual(found.map((each) => each.transactionHash), [direct.transactionHash, receipt.transactionHash]);
        assert.notEqual(await commitment(), before);
    });

    test('is undone by the call that reverts', async () => {
        const [value, at] = [await read('value'), await commitment()];
        await assert.rejects(reader.simulateContract({ ...user, functionName: 'addAndRevert', args: [5n], account: wallet.account }),
            new RegExp(`Undone\\(uint256 value\\)[^]*${value + 5n}`));
        const hash = await wallet.writeContract({ ...user, functionName: 'addAndRevert', args: [5n], gas: 500_000n });
        const receipt = await reader.waitForTransactionReceipt({ hash });
        assert.equal(receipt.status, 'reverted');
        assert.equal(receipt.logs.length, 0);
        assert.equal(await read('value'), value);
        assert.equal(await commitment(), at);
        const partly = await transact(reader, wallet, user, 'addOneOfTwo', [3n, 4n]);
        assert.equal(partly.logs.length, 1);
        assert.equal(await read('value'), value + 3n);
    });

    test('refuses with a reason', async () => {
        const { result: [delegated, why] } = await reader.simulateContract({ ...user, functionName: 'addByDelegate', args: [1n] });
        assert.deepEqual([delegated, reasonOf(why)], [false, 'counter: a module cannot be called by DELEGATECALL or CALLCODE']);
        const [done, reason] = await reader.readContract({ ...user, functionName: 'addStatically', args: [1n] });
        assert.deepEqual([done, reasonOf(reason)], [false, 'counter: a static call must not change anything']);
        await assert.rejects(read('entry', 1000n), /counter: no such entry/);
        await assert.rejects(transact(reader, wallet, user, 'add', [10_000n]), /counter: above its limit/);
    });

    test('is estimated, simulated and traced without being changed', async () => {
        const [value, at] = [await read('value'), await commitment()];
        const gas = await reader.estimateContractGas({ ...user, functionName: 'add', args: [7n], account: wallet.account });
        const { result } = await reader.simulateContract({ ...user, functionName: 'add', args: [7n], account: wallet.account });
        assert.equal(result, value + 7n);
        const simulated = await node.rpc('eth_simulateV1', { blockStateCalls: [1, 2].map(() => ({ calls: [{ from: wallet.account.address,
            to: counter.address, data: '0x1003e2d2'.padEnd(74, '0').slice(0, 73) + '1' }] })) }, 'latest');
        assert.deepEqual(simulated.map(({ calls }) => BigInt(calls[0].returnData)), [value + 1n, value + 2n]);
        assert.equal(await read('value'), value);
        assert.equal(await commitment(), at);
        const { transactionHash } = await transact(reader, wallet, user, 'add', [7n], { gas });
        const trace = await node.rpc('debug_traceTransaction', transactionHash, { tracer: 'callTracer', tracerConfig: { withLog: true } });
        assert.equal(trace.calls.length, 1);
        assert.equal(trace.calls[0].to, counter.address);
        assert.equal(BigInt(trace.calls[0].output), value + 7n);
        assert.equal(trace.calls[0].logs.length, 1);
    });

    test('is as it was in older blocks, and after going back', async () => {
        const number = await reader.getBlockNumber();
        const value = await read('value');
        const snapshot = await developer.snapshot();
        const at = await commitment();
        await transact(reader, wallet, counter, 'add', [11n]);
        await transact(reader, wallet, counter, 'add', [12n]);
        assert.equal(await read('value'), value + 23n);
        const past = (blockNumber) => reader.readContract({ ...counter, functionName: 'value', blockNumber });
        assert.equal(await past(number), value);
        assert.equal(await past(number + 1n), value + 11n);
        assert.equal(await past(0n), 100n);
        await developer.revert({ id: snapshot });
        assert.equal(await read('value'), value);
        assert.equal(await commitment(), at);
        await transact(reader, wallet, counter, 'add', [1n]);
        assert.equal(await read('value'), value + 1n);
    });

    test('survives the end of the process', async () => {
        const path = folder();
        const open = () => startNode('--module', 'counter', '--data-dir', path);
        let kept = await open();
        const clients = clientsOf(kept);
        await transact(clients.reader, clients.wallet(0), counter, 'add', [41n]);
        await kept.stop();
        kept = await open();
        const again = clientsOf(kept);
        await transact(again.reader, again.wallet(0), counter, 'add', [1n]);
        assert.equal(await again.reader.readContract({ ...counter, functionName: 'value' }), 42n);
        await kept.stop();
    });

    test('has to be named rightly', () => {
        for (const [module, words] of [['countr', /there is no module "countr"; did you mean counter\?/],
            ['counter:limt=1', /there is no parameter "limt"; did you mean limit\?/],
            ['counter:start=2,limit=1', /module counter: start is above limit/],
            ['counter:limit=x', /want NAME, or NAME:KEY=NUMBER/]]) {
            const { status, stderr } = spawnSync(target, ['dev', '--port', '0', '--module', module], { encoding: 'utf8', timeout: 20_000 });
            assert.equal(status, 2, stderr);
            assert.match(stderr, words);
        }
    });
});

describe("a module's own transactions", { skip: !isMeridian }, () => {
    let node, reader;
    const [alice, key] = [accountOf(1), accountOf(15)];
    let nonce = Date.now();
    const value = () => reader.readContract({ ...counter, functionName: 'value' });
    async function send(signer, commands, options = {}) {
        const raw = await moduleTransaction(node.chainId, signer, commands, { nonce: nonce++, ...options });
        const hash = await node.rpc('eth_sendRawTransaction', raw);
        assert.equal(hash, keccak256(raw));
        return { hash, raw, receipt: await node.rpc('eth_getTransactionReceipt', hash) };
    }
    before(async () => {
        node = await startNode('--module', 'counter:limit=1000');
        ({ reader } = clientsOf(node));
    });
    after(() => node?.stop());

    test('carry many commands without a fee', async () => {
        const balance = await reader.getBalance({ address: alice.address });
        const { hash, receipt } = await send(alice, [addCommand(3), addCommand(4)]);
        assert.equal(receipt.status, '0x1');
        assert.equal(receipt.type, '0x4d');
        assert.equal(receipt.logs.length, 2);
        assert.equal(await value(), 7n);
        assert.equal(await reader.getBalance({ address: alice.address }), balance);
        const shown = await node.rpc('eth_getTransactionByHash', hash);
        assert.deepEqual([shown.type, shown.from, shown.to, shown.moduleId, shown.account],
            ['0x4d', alice.address.toLowerCase(), counter.address, '0x1', alice.address.toLowerCase()]);
        const partly = await send(alice, [addCommand(1), addCommand(5000), addCommand(2)]);
        assert.equal(partly.receipt.status, '0x0');
        assert.equal(await value(), 10n);
    });

    test('are not replayed', async () => {
        const { raw } = await send(alice, [addCommand(1)]);
        await assert.rejects(node.rpc('eth_sendRawTransaction', raw), /already known/);
        const used = nonce - 1;
        await assert.rejects(send(alice, [addCommand(2)], { nonce: used }), /nonce already used/);
        await assert.rejects(send(alice, [addCommand(2)], { nonce: used - 3 * 86_400_000 }), /nonce too low/);
        await assert.rejects(send(alice, [addCommand(2)], { nonce: used + 3 * 86_400_000 }), /nonce too high/);
        await assert.rejects(send(alice, [addCommand(2)], { expiry: 1 }), /has expired/);
        await assert.rejects(send(alice, [addCommand(2)], { id: 9 }), /the chain has no module 9/);
        await assert.rejects(send(alice, []), /want 1 to 1024/);
    });

    test('are signed by session keys within their terms', async () => {
        const inName = { account: alice.address };
        await assert.rejects(send(key, [addCommand(1)], inName), /is no session key of/);
        await send(alice, [authorise(key.address, 2, 0, 3)]);
        const before = await value();
        const { receipt } = await send(key, [addCommand(1), addCommand(1)], inName);
        const [log] = parseEventLogs({ abi: counter.abi, logs: receipt.logs });
        assert.equal(log.args.account, alice.address);
        assert.equal(await value(), before + 2n);
        await assert.rejects(send(key, [addCommand(1), addCommand(1)], inName), /has not so many commands left/);
        await assert.rejects(send(key, ['0x02'], inName), /does not allow such commands/);
        await send(alice, [concat(['0x0002', key.address])]);
        await assert.rejects(send(key, [addCommand(1)], inName), /is no session key of/);
    });
});

describe('a native module on a real-time chain', { skip: !isMeridian }, () => {
    const started = [];
    const settings = ['modules.counter.start=5'];
    async function start(path, ...more) {
        const node = await startRealtime(path, ...settings, ...more);
        started.push(node);
        return node;
    }
    after(() => Promise.all(started.map((node) => node.stop())));
    const value = async (node) => BigInt(await node.rpc('eth_call', { to: counter.address, data: '0x3fa4f245' }, 'latest'));
    let nonce = 0;
    const add = (node, amount) => accountOf(0).signTransaction({ chainId: node.chainId, nonce: nonce++, to: counter.address,
        data: concat(['0x1003e2d2', numberToHex(amount, { size: 32 })]), gas: 300_000n, maxFeePerGas: parseGwei('5'), maxPriorityFeePerGas: 1n });
    const sync = async (node, raw) => node.rpc('eth_sendRawTransactionSync', await raw, 10_000);
    const slot0 = (node, number) => node.rpc('eth_getStorageAt', counter.address, '0x0', number);

    test('is the same on replicas of both kinds, and goes on after kill -9', async () => {
        const feed = await freePort();
        const path = folder();
        let sequencer = await start(path, 'feed.enabled=true', `feed.port=${feed}`);
        const ready = await until(() => sequencer.log().split('\n').find((line) => line.startsWith('{') && line.endsWith('}')));
        const { signer } = JSON.parse(ready);
        assert.equal(await value(sequencer), 5n);
        assert.equal((await sync(sequencer, add(sequencer, 1))).status, '0x1');
        const direct = await sync(sequencer, moduleTransaction(sequencer.chainId, accountOf(1), [addCommand(2), addCommand(3)]));
        assert.equal(direct.status, '0x1');
        assert.equal(await value(sequencer), 11n);

        const replicas = [];
        for (const trust of ['false', 'true']) {
            replicas.push(await start(folder(), 'node.role=replica', `feed.upstream=127.0.0.1:${feed}`,
                `feed.sequencers=${signer}`, `feed.trust_diffs=${trust}`));
        }
        const last = await sync(sequencer, add(sequencer, 4));
        for (const node of replicas) {
            await until(async () => (await node.rpc('eth_getTransactionReceipt', last.transactionHash))?.blockHash);
            assert.equal(await value(node), 15n);
            const block = await node.rpc('eth_getTransactionReceipt', last.transactionHash);
            const hash = (await node.rpc('eth_getBlockByNumber', block.blockNumber, false)).hash;
            assert.equal(hash, (await sequencer.rpc('eth_getBlockByNumber', block.blockNumber, false)).hash);
            assert.equal(await slot0(node, block.blockNumber), await slot0(sequencer, block.blockNumber));
        }

        sequencer.process.kill('SIGKILL');
        sequencer = await start(path, 'feed.enabled=true', `feed.port=${feed}`);
        assert.equal(await value(sequencer), 15n);
        const after = await sync(sequencer, add(sequencer, 10));
        assert.equal(await value(sequencer), 25n);
        for (const node of replicas) {
            await until(async () => (await node.rpc('eth_getTransactionReceipt', after.transactionHash))?.blockHash);
            assert.equal(await value(node), 25n);
        }
    });

    test('is in snapshots', async () => {
        const path = folder();
        nonce = 0;
        let node = await start(path);
        const receipt = await sync(node, add(node, 37));
        await until(async () => await node.rpc('eth_blockNumber') > receipt.blockNumber);
        assert.equal(await node.stop(), 0);
        const [snapshot, copy] = [join(folder(), 'snapshot'), join(folder(), 'copy')];
        for (const args of [['export', path, snapshot], ['restore', snapshot, copy]]) {
            const { status, stderr } = spawnSync(target, ['snapshot', ...args], { encoding: 'utf8', timeout: 50_000 });
            assert.equal(status, 0, stderr);
        }
        node = await start(copy);
        assert.equal(await value(node), 42n);
        assert.equal((await sync(node, add(node, 1))).status, '0x1');
        assert.equal(await value(node), 43n);
    });

    test('makes another chain', async () => {
        const path = folder();
        const node = await start(path);
        await node.stop();
        const { status, stderr } = spawnSync(target, ['node', '--data-dir', path, '--set', 'modules.counter.start=6'], { encoding: 'utf8', timeout: 20_000 });
        assert.notEqual(status, 0);
        assert.match(stderr, /genesis/);
        const wrong = spawnSync(target, ['node', '--data-dir', folder(), '--set', 'modules.countr.start=6'], { encoding: 'utf8', timeout: 20_000 });
        assert.match(wrong.stderr, /there is no module "countr"; did you mean counter\?/);
    });
});
