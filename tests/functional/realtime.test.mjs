// The real-time node: frames, blocks of them, streams that can be resumed, and a chain that outlives its process.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createPublicClient, encodeFunctionData, hexToBigInt, http, keccak256, parseGwei, toFunctionSelector } from 'viem';
import { compile } from './support/compile.mjs';
import { isMeridian, startRealtime } from './support/node.mjs';
import { accountOf, clientsOf, deploy } from './support/viem.mjs';

const folders = [];
function folder() {
    const path = mkdtempSync(join(tmpdir(), 'meridian-realtime-'));
    folders.push(path);
    return path;
}
after(() => folders.forEach((path) => rmSync(path, { recursive: true, force: true })));

/** A WebSocket with calls and subscriptions; `next(id)` waits for a subscription's next message. */
async function connect(url) {
    const socket = new WebSocket(url);
    await new Promise((opened, failed) => Object.assign(socket, { onopen: opened, onerror: failed }));
    const calls = new Map(), queues = new Map(), waiting = new Map();
    let count = 0;
    const closed = new Promise((resolve) => { socket.onclose = (event) => resolve(event); });
    socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.id !== undefined) {
            calls.get(message.id)(message);
            return;
        }
        const { subscription } = message.params;
        const take = waiting.get(subscription)?.shift();
        if (take) {
            take(message.params);
            return;
        }
        if (!queues.has(subscription)) {
            queues.set(subscription, []);
        }
        queues.get(subscription).push(message.params);
    };
    const call = (method, ...params) => new Promise((resolve, reject) => {
        const id = ++count;
        calls.set(id, ({ error, result }) => (error
            ? reject(Object.assign(new Error(error.message), error)) : resolve(result)));
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
    const next = (id) => {
        const ready = queues.get(id)?.shift();
        if (ready) {
            return Promise.resolve(ready);
        }
        if (!waiting.has(id)) {
            waiting.set(id, []);
        }
        return new Promise((resolve) => waiting.get(id).push(resolve));
    };
    return { call, next, closed, close: () => socket.close() };
}

async function signedTransfer(node, index, nonce, value = 1n) {
    return accountOf(index).signTransaction({ chainId: node.chainId, nonce, to: accountOf(9).address, value,
        gas: 21_000n, maxFeePerGas: parseGwei('5'), maxPriorityFeePerGas: 1n });
}

describe('real-time node', { skip: !isMeridian }, () => {
    let node;
    before(async () => { node = await startRealtime(folder()); });
    after(() => node?.stop());

    test('a receipt comes with the frame, before its block has a hash', async () => {
        const receipt = await node.rpc('eth_sendRawTransactionSync', await signedTransfer(node, 0, 0), 5_000);
        assert.equal(receipt.status, '0x1');
        const again = await node.rpc('eth_getTransactionReceipt', receipt.transactionHash);
        assert.equal(again.transactionIndex, receipt.transactionIndex);
        assert.equal(await node.rpc('eth_getTransactionCount', accountOf(0).address, 'latest'), '0x1');
        // Until it is sealed, and for ever then, it is the same one.
        for (;;) {
            const now = await node.rpc('eth_getTransactionReceipt', receipt.transactionHash);
            assert.equal(now.blockNumber, receipt.blockNumber);
            assert.equal(now.gasUsed, receipt.gasUsed);
            if (now.blockHash !== null) {
                const block = await node.rpc('eth_getBlockByHash', now.blockHash, false);
                assert.equal(block.number, receipt.blockNumber);
                assert.ok(block.transactions.includes(receipt.transactionHash));
                break;
            }
        }
    });

    test('a nonce gap is answered with the nonce that is expected', async () => {
        await assert.rejects(node.rpc('eth_sendRawTransactionSync', await signedTransfer(node, 1, 3)), { code: 6, data: '0x0' });
    });

    test('eth_callAfter waits for the nonce', async () => {
        const waiting = node.rpc('eth_callAfter', { to: accountOf(9).address }, { account: accountOf(2).address, nonce: '0x1',
            timeout: 20_000 });
        await node.rpc('eth_sendRawTransaction', await signedTransfer(node, 2, 0));
        assert.equal(await waiting, '0x');
    });

    test('blocks follow each other, and hold what their frames held', async () => {
        const socket = await connect(node.wsUrl);
        const frames = await socket.call('eth_subscribe', 'frames', { receipts: true, stateChanges: true });
        const heads = await socket.call('eth_subscribe', 'newHeads');
        await node.rpc('eth_sendRawTransaction', await signedTransfer(node, 3, 0));
        const first = (await socket.next(heads)).result;
        const second = (await socket.next(heads)).result;
        const third = (await socket.next(heads)).result;
        assert.equal(second.parentHash, first.hash);
        assert.equal(third.parentHash, second.hash);
        const block = await node.rpc('eth_getBlockByNumber', second.number, false);
        const transactions = [];
        let previous;
        for (;;) {
            const { sequence, result } = await socket.next(frames);
            assert.equal(sequence, result.number);
            if (previous) {
                assert.equal(hexToBigInt(result.number), hexToBigInt(previous.number) + 1n);
                assert.equal(result.parentHash, previous.hash);
                assert.ok(hexToBigInt(result.timestampUs) >= hexToBigInt(previous.timestampUs));
            }
            previous = result;
            assert.equal(result.receipts.length, result.transactions.length);
            if (hexToBigInt(result.blockNumber) > hexToBigInt(second.number)) {
                break;
            }
            if (result.blockNumber === second.number) {
                transactions.push(...result.transactions);
            }
        }
        assert.deepEqual(transactions, block.transactions);
        socket.close();
    });

    test('a transaction is traced in its own frame', async () => {
        const socket = await connect(node.wsUrl);
        const frames = await socket.call('eth_subscribe', 'frames', { receipts: true });
        const wallet = clientsOf(node).wallet(7);
        const send = (nonce) => wallet.sendTransaction({ to: '0x4d00000000000000000000000000000000000001', nonce,
            gas: 100_000n, data: toFunctionSelector('frameNumber()') });
        for (let nonce = 0; nonce < 3; ++nonce) {
            const hash = await send(nonce);
            for (;;) {
                const { result } = await socket.next(frames);
                if (!(result.receipts ?? []).some((receipt) => receipt.transactionHash === hash)) {
                    continue;
                }
                const trace = await socket.call('debug_traceTransaction', hash, { tracer: 'callTracer' });
                assert.equal(hexToBigInt(trace.output), BigInt(result.number));
                break;
            }
        }
        socket.close();
    });

    test('contracts see the frame they are executed in', async () => {
        const now = await node.rpc('eth_getStorageAt', '0x4d00000000000000000000000000000000000001', '0x0', 'latest');
        assert.notEqual(hexToBigInt(now), 0n);
    });

    test('logs come with their frames, and again from where one asks', async () => {
        const { reader, wallet: walletOf } = clientsOf(node);
        const wallet = walletOf(4);
        const contract = await deploy(reader, wallet, compile('Counter.sol').Counter, [5n]);
        const socket = await connect(node.wsUrl);
        const logs = await socket.call('eth_subscribe', 'logs', { address: contract.address });
        const filtered = await socket.call('eth_subscribe', 'frames', { address: contract.address });
        const mini = await socket.call('eth_subscribe', 'miniBlocks');
        const seen = [];
        for (let i = 0; i < 3; ++i) {
            await wallet.sendTransaction({ to: contract.address,
                data: encodeFunctionData({ ...contract, functionName: 'add', args: [1n] }) });
            seen.push(await socket.next(logs));
            assert.equal((await socket.next(filtered)).result.transactions[0], seen[i].result.transactionHash);
        }
        assert.ok(BigInt(seen[0].sequence) < BigInt(seen[1].sequence));
        const { result } = await socket.next(mini);
        assert.deepEqual(Object.keys(result).sort(), ['block_number', 'block_timestamp', 'gas_used', 'index',
            'mini_block_number', 'mini_block_timestamp', 'receipts', 'transactions']);
        // On another connection, from the second on: the same ones, then live.
        const late = await connect(node.wsUrl);
        const again = await late.call('eth_subscribe', 'logs', { address: contract.address, from: seen[1].sequence });
        for (const i of [1, 2]) {
            const { sequence, result: log } = await late.next(again);
            assert.equal(sequence, seen[i].sequence);
            assert.equal(log.transactionHash, seen[i].result.transactionHash);
            assert.equal(log.data, seen[i].result.data);
        }
        await wallet.sendTransaction({ to: contract.address,
            data: encodeFunctionData({ ...contract, functionName: 'add', args: [1n] }) });
        const [live, other] = await Promise.all([late.next(again), socket.next(logs)]);
        assert.equal(live.sequence, other.sequence);
        late.close();
        socket.close();
    });

    test('unknown options of a subscription are named', async () => {
        const socket = await connect(node.wsUrl);
        await assert.rejects(socket.call('eth_subscribe', 'frames', { receipt: true }), /unknown subscription option "receipt"/);
        await assert.rejects(socket.call('eth_subscribe', 'frame'), { code: -32601 });
        socket.close();
    });
});

describe('a chain that outlives its process', { skip: !isMeridian }, () => {
    test('what was promised is there after kill -9, and streams go on where they were', async () => {
        const path = folder();
        let node = await startRealtime(path);
        const socket = await connect(node.wsUrl);
        const frames = await socket.call('eth_subscribe', 'frames', { receipts: true });
        const promised = [];
        for (let i = 0; i < 20; ++i) {
            const receipt = await node.rpc('eth_sendRawTransactionSync', await signedTransfer(node, 0, i));
            promised.push({ hash: receipt.transactionHash, block: receipt.blockNumber, index: receipt.transactionIndex });
        }
        const seen = [];
        while (seen.flatMap((frame) => frame.transactions).length < promised.length) {
            seen.push((await socket.next(frames)).result);
        }
        node.process.kill('SIGKILL');
        await socket.closed;
        node = await startRealtime(path);
        const again = await connect(node.wsUrl);
        const resumed = await again.call('eth_subscribe', 'frames', { receipts: true, from: seen[0].number });
        for (const before of seen) {
            const { result } = await again.next(resumed);
            assert.deepEqual(result, before);
        }
        for (const { hash, block, index } of promised) {
            const receipt = await node.rpc('eth_getTransactionReceipt', hash);
            assert.deepEqual([receipt.blockNumber, receipt.transactionIndex, receipt.status], [block, index, '0x1']);
        }
        const next = (await again.next(resumed)).result;
        assert.equal(next.parentHash, seen.at(-1).hash);
        again.close();
        assert.equal(await node.stop(), 0);
    });

    test('SIGTERM ends it, and nothing of what was accepted is lost', async () => {
        const path = folder();
        let node = await startRealtime(path);
        const hashes = [];
        for (let i = 0; i < 50; ++i) {
            hashes.push(await node.rpc('eth_sendRawTransaction', await signedTransfer(node, 0, i)));
        }
        await node.rpc('eth_sendRawTransactionSync', await signedTransfer(node, 0, 50));
        const exited = new Promise((resolve) => node.process.once('exit', resolve));
        node.process.kill('SIGTERM');
        assert.equal(await exited, 0);
        node = await startRealtime(path);
        for (const hash of hashes) {
            assert.equal((await node.rpc('eth_getTransactionReceipt', hash)).status, '0x1');
        }
        assert.equal(await node.stop(), 0);
    });

    test('a second process is refused, and so is another chain', async () => {
        const path = folder();
        const node = await startRealtime(path);
        await assert.rejects(startRealtime(path), /stop the process that has it open/);
        assert.equal(await node.stop(), 0);
        await assert.rejects(startRealtime(path, 'chain.chain_id=77'), /chain/);
        await assert.rejects(startRealtime(path, 'log.durability=replicated'), /log.replicas: .*identity/);
    });
});
