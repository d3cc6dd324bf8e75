// A sequencer and its replicas as processes: the same chain, checked and served.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseGwei } from 'viem';
import { freePort, isMeridian, startRealtime, target } from './support/node.mjs';
import { accountOf } from './support/viem.mjs';

const folders = [];
function folder() {
    const path = mkdtempSync(join(tmpdir(), 'meridian-replica-'));
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

describe('replicas', { skip: !isMeridian }, () => {
    let sequencer, signer, feed, transactions;
    const started = [];
    async function replica(path, ...settings) {
        const node = await startRealtime(path, '--role=replica', `--feed=127.0.0.1:${feed}`,
            `feed.sequencers=${signer}`, `transactions.upstream=127.0.0.1:${transactions}`, ...settings);
        started.push(node);
        return node;
    }
    before(async () => {
        [feed, transactions] = [await freePort(), await freePort()];
        sequencer = await startRealtime(folder(), 'feed.enabled=true', `feed.port=${feed}`, 'transactions.enabled=true',
            `transactions.port=${transactions}`);
        started.push(sequencer);
        const ready = await until(() => sequencer.log().split('\n').find((line) => line.startsWith('{') && line.endsWith('}')));
        signer = JSON.parse(ready).signer;
    });
    after(() => Promise.all(started.map((node) => node.stop())));

    let nonce = 0;
    const transfer = () => accountOf(0).signTransaction({ chainId: sequencer.chainId, nonce: nonce++, to: accountOf(9).address,
        value: 7n, gas: 21_000n, maxFeePerGas: parseGwei('5'), maxPriorityFeePerGas: 1n });

    async function agree(node) {
        const number = await sequencer.rpc('eth_blockNumber');
        const expected = await sequencer.rpc('eth_getBlockByNumber', number, true);
        const block = await until(() => node.rpc('eth_getBlockByNumber', number, true));
        assert.deepEqual(block, expected);
    }

    for (const [name, setting] of [['executing', 'feed.trust_diffs=false'], ['applying', '--trust-diffs']]) {
        test(`${name}: passes transactions on, shows their frames, and has every block`, async () => {
            const node = await replica(folder(), setting);
            const receipt = await node.rpc('eth_sendRawTransactionSync', await transfer(), 10_000);
            assert.equal(receipt.status, '0x1');
            const other = await sequencer.rpc('eth_getTransactionReceipt', receipt.transactionHash);
            assert.equal(other.transactionIndex, receipt.transactionIndex);
            const sealed = await until(async () => (await node.rpc('eth_getTransactionReceipt', receipt.transactionHash)).blockHash);
            assert.equal((await sequencer.rpc('eth_getBlockByHash', sealed, false)).number, receipt.blockNumber);
            await agree(node);
        });
    }

    test('goes on after kill -9 with what it has', async () => {
        const path = folder();
        let node = await replica(path);
        await node.rpc('eth_sendRawTransactionSync', await transfer(), 10_000);
        node.process.kill('SIGKILL');
        await sequencer.rpc('eth_sendRawTransactionSync', await transfer());
        node = await replica(path);
        await until(async () => await node.rpc('eth_getTransactionCount', accountOf(0).address, 'latest')
            === await sequencer.rpc('eth_getTransactionCount', accountOf(0).address, 'latest'));
        await agree(node);
    });

    test('begins with a snapshot, and goes on with the frames behind it', async () => {
        const path = folder();
        const first = await replica(path);
        const receipt = await first.rpc('eth_sendRawTransactionSync', await transfer(), 10_000);
        await until(async () => (await first.rpc('eth_getTransactionReceipt', receipt.transactionHash)).blockHash);
        await until(async () => await first.rpc('eth_blockNumber') > receipt.blockNumber);
        assert.equal(await first.stop(), 0);
        const [snapshot, copy] = [join(folder(), 'snapshot'), join(folder(), 'copy')];
        for (const args of [['export', path, snapshot], ['restore', snapshot, copy]]) {
            const { status, stderr } = spawnSync(target, ['snapshot', ...args], { encoding: 'utf8', timeout: 50_000 });
            assert.equal(status, 0, stderr);
        }
        const missed = await sequencer.rpc('eth_sendRawTransactionSync', await transfer());
        const second = await replica(copy);
        await until(() => second.rpc('eth_getTransactionReceipt', missed.transactionHash));
        await agree(second);
        // What the snapshot does not hold is said to be missing, and so to every kind of subscriber, who stays connected.
        const socket = new WebSocket(second.wsUrl);
        await new Promise((opened, failed) => Object.assign(socket, { onopen: opened, onerror: failed }));
        const told = new Set();
        const ask = (method, ...params) => new Promise((resolve, reject) => {
            socket.onclose = ({ reason }) => reject(new Error(reason));
            socket.onmessage = ({ data }) => {
                const { params: message, ...answer } = JSON.parse(data);
                if (message) {
                    told.add(message.subscription);
                } else {
                    resolve(answer);
                }
            };
            socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }));
        });
        for (const kind of ['newHeads', 'logs', 'frames', 'miniBlocks']) {
            const from = kind === 'logs' ? '0x100000' : '0x1';
            const { error } = await ask('eth_subscribe', kind, { from });
            assert.match(error.message, /^(block|frame) 1 is not kept; the first that can be had is \d+, "from": "0x/);
            const first = error.message.match(/"from": "(0x[0-9a-f]+)"/)[1];
            const { result } = await ask('eth_subscribe', kind, { from: first });
            assert.ok(result, kind);
            if (kind !== 'logs') {
                await until(async () => (await ask('eth_chainId')).result && told.has(result));
            }
        }
        socket.onclose = null;
        socket.close();
        await assert.rejects(second.rpc('eth_getBlockByNumber', '0x1', false), /block 1: .* the oldest block that has them is/);
    });

    test('follows nobody else than the sequencer it was told', async () => {
        const node = await startRealtime(folder(), 'node.role=replica', `feed.upstream=127.0.0.1:${feed}`,
            `feed.sequencers=${accountOf(5).address}`);
        started.push(node);
        await until(() => node.rpc('web3_clientVersion'));
        await sequencer.rpc('eth_sendRawTransactionSync', await transfer());
        assert.equal(await node.rpc('eth_blockNumber'), '0x0');
        await assert.rejects(node.rpc('eth_sendRawTransaction', await transfer()), /transaction/);
        --nonce;
    });
});
