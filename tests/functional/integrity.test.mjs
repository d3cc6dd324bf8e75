// What was promised and is gone: a node that finds its frame log, its key or its role changed says so and signs nothing.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, truncateSync,
    writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, isMeridian, startRealtime, target } from './support/node.mjs';
import { accountOf, clientsOf } from './support/viem.mjs';

const meridian = (...args) => spawnSync(target, args, { encoding: 'utf8', timeout: 60_000 });
const json = (...args) => JSON.parse(meridian(...args, '--json').stdout);
const kill = async (node) => {
    const ended = new Promise((resolve) => node.process.once('exit', resolve));
    node.process.kill('SIGKILL');
    await ended;
};
const ready = (node) => JSON.parse(node.log().split('\n').find((line) => line.startsWith('{') && line.endsWith('}')));

describe('integrity of a data folder', { skip: !isMeridian }, () => {
    let folder, template, transfer, signer;
    const fresh = (name) => {
        const path = join(folder, name);
        cpSync(template, path, { recursive: true });
        return path;
    };
    const segments = (data) => readdirSync(join(data, 'frames')).filter((name) => name.endsWith('.log')).sort()
        .map((name) => join(data, 'frames', name));
    const refused = (data, pattern, ...settings) => assert.rejects(startRealtime(data, ...settings), pattern);

    // A chain that was killed with a receipt shown.
    before(async () => {
        folder = mkdtempSync(join(tmpdir(), 'meridian-integrity-'));
        template = join(folder, 'template');
        const node = await startRealtime(template);
        signer = ready(node).signer;
        const { reader, wallet } = clientsOf(node);
        for (let i = 0; i < 3; ++i) {
            const hash = await wallet(0).sendTransaction({ to: accountOf(1).address, value: 7n });
            transfer = await reader.waitForTransactionReceipt({ hash });
        }
        await kill(node);
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    test('a log that was deleted or cut short is missed, checked, given up only on demand', async () => {
        const data = fresh('deleted');
        for (const path of segments(data)) {
            rmSync(path);
        }
        await refused(data, /no segment of the frame log is in .*has been promised/);
        const checked = meridian('db', 'check', data);
        assert.equal(checked.status, 1);
        assert.match(checked.stderr, /frame log: no segment/);
        assert.equal(json('db', 'check', data).valid, false);
        assert.equal(json('db', 'inspect', data).frameLog.valid, false);
        const forgotten = meridian('db', 'forget', data);
        assert.equal(forgotten.status, 0, forgotten.stderr);
        assert.match(forgotten.stdout, /another key first/);
        const node = await startRealtime(data);
        await node.stop();
        const again = json('db', 'forget', data);
        assert.equal(again.forgotten, false);
        for (const size of [0, 50]) {
            const emptied = fresh(`emptied${size}`);
            truncateSync(segments(emptied)[0], size);
            await refused(emptied, new RegExp(`ends within its header, at offset ${size}.*has been promised`));
            assert.equal(statSync(segments(emptied)[0]).size, size, 'nothing was changed');
        }
    });

    test('rot in the log has a place, and a frame is taken out of what is left', async () => {
        const data = fresh('rotten');
        const [path] = segments(data);
        const { size } = statSync(path);
        const bytes = readFileSync(path);
        bytes[Math.floor(size / 2)] ^= 1;
        writeFileSync(path, bytes);
        await refused(data, /frames-00000000000000000001\.log, offset \d+: .*Put back what is missing|frames-0{19}1\.log, offset \d+: .*durable/);
        const checked = meridian('db', 'check', data, '--json');
        assert.equal(checked.status, 1);
        const { frameLog } = JSON.parse(checked.stdout);
        assert.equal(frameLog.file, 'frames-00000000000000000001.log');
        assert.ok(frameLog.offset > 104 && frameLog.offset <= size / 2, JSON.stringify(frameLog));
        const record = join(folder, 'record');
        const shown = json('evidence', 'extract', data, '1', '-o', record);
        assert.equal(shown.header.number, '0x1');
        assert.deepEqual(json('evidence', 'show', record), shown);
        assert.equal(meridian('evidence', 'extract', data, '1', '-o', record).status, 2, 'it is not overwritten');
        assert.equal(meridian('evidence', 'extract', data, '1000000').status, 2);
    });

    test('a sound folder checks, with its frames, and shows its receipts', async () => {
        const data = fresh('sound');
        const checked = json('db', 'check', data);
        assert.equal(checked.valid, true);
        assert.equal(checked.frameLog.firstFrame, 1);
        assert.ok(checked.frameLog.lastFrame >= 3);
        const node = await startRealtime(data);
        const receipt = await node.rpc('eth_getTransactionReceipt', transfer.transactionHash);
        assert.equal(receipt.status, '0x1');
        await node.stop();
    });

    test('another key does not go on with the chain unless it is named', async () => {
        const data = fresh('key');
        const key = join(data, 'sequencer.key');
        renameSync(key, `${key}.lost`);
        await refused(data, new RegExp(`signed by ${signer}, but there is no key in `, 'i'));
        assert.equal(existsSync(key), false, 'none was drawn');
        writeFileSync(key, `0x${'11'.repeat(32)}\n`, { mode: 0o600 });
        await refused(data, new RegExp(`signed by ${signer}, but the key in .* is that of 0x19E7`, 'i'));
        const named = `signer.predecessors=["${signer}"]`;
        await refused(data, /frames\.term is 0, .* has to be at least 1/, named);
        const node = await startRealtime(data, named, 'frames.term=1');
        const { reader, wallet } = clientsOf(node);
        const hash = await wallet(0).sendTransaction({ to: accountOf(1).address, value: 7n });
        await reader.waitForTransactionReceipt({ hash });
        await node.stop();
        const later = await startRealtime(data, 'frames.term=1');
        await later.stop();
        await refused(data, /frames\.term is 0, but frame \d+ is of term 1: it has to be at least 1/);
    });

    test('a folder keeps its role, and a replica that has signed frames of its own says that it is another chain', async () => {
        const sequencerData = fresh('sequencer');
        await refused(sequencerData, /is the folder of a sequencer, and node\.role is replica: .*--change-role/,
            'node.role=replica', 'feed.upstream=127.0.0.1:1', `feed.sequencers=${signer}`);
        const feed = await freePort();
        const sequencer = await startRealtime(sequencerData, 'feed.enabled=true', `feed.port=${feed}`);
        const data = join(folder, 'replica');
        const follow = ['node.role=replica', `feed.upstream=127.0.0.1:${feed}`, `feed.sequencers=${signer}`];
        const started = [sequencer];
        try {
            let replica = await startRealtime(data, ...follow);
            started.push(replica);
            while (!await replica.rpc('eth_getTransactionReceipt', transfer.transactionHash)) {
                await new Promise((wake) => setTimeout(wake, 50));
            }
            await replica.stop();
            await refused(data, /is the folder of a replica, and node\.role is sequencer/);
            const forked = await startRealtime(data, '--change-role', `signer.predecessors=["${signer}"]`, 'frames.term=1');
            started.push(forked);
            for (const node of [forked, sequencer]) {
                const { reader, wallet } = clientsOf(node);
                const hash = await wallet(2).sendTransaction({ to: accountOf(3).address, value: 7n });
                await reader.waitForTransactionReceipt({ hash });
            }
            await forked.stop();
            replica = await startRealtime(data, '--change-role', ...follow);
            started.push(replica);
            for (;;) {
                const response = await fetch(`${replica.url}/readyz`);
                const { reasons } = await response.json();
                const fault = reasons.find(({ code }) => code === 'fault');
                if (fault) {
                    assert.match(fault.message, /does not follow this node's frame .* are not the sequencer's/);
                    break;
                }
                // Frames of the sequencer come up to those that the fork signed, and beyond.
                const { wallet } = clientsOf(sequencer);
                await wallet(4).sendTransaction({ to: accountOf(3).address, value: 1n });
                await new Promise((wake) => setTimeout(wake, 50));
            }
        } finally {
            await Promise.all(started.map((node) => node.stop()));
        }
    });

    // Segments and sorted files that a start does not read whole, with bytes changed in the middle.
    test('damage found while serving is told to the operator, and to clients without names of files', async () => {
        const data = join(folder, 'damaged');
        const port = await freePort();
        const metrics = `http://127.0.0.1:${port}/metrics`;
        const settings = ['log.segment_mib_max=1', 'metrics.enabled=true', `metrics.port=${port}`];
        let node = await startRealtime(data, ...settings);
        const { reader, wallet } = clientsOf(node);
        const receipts = [];
        for (let i = 0; i < 40; ++i) {
            const hash = await wallet(0).sendTransaction({ to: accountOf(1).address, gas: 6_000_000n,
                data: `0x${randomBytes(100_000).toString('hex')}` });
            receipts.push(await reader.waitForTransactionReceipt({ hash }));
        }
        while (await reader.getBlockNumber() <= receipts.at(-1).blockNumber) {
            await new Promise((wake) => setTimeout(wake, 50));
        }
        assert.equal(await node.stop(), 0);
        assert.equal(meridian('db', 'compact', data).status, 0);
        assert.ok(segments(data).length > 3);
        const change = (path, from, to) => {
            const bytes = readFileSync(path);
            for (let at = from; at < to; at += 500) {
                bytes[at] ^= 0x55;
            }
            writeFileSync(path, bytes);
        };
        // Starts it on a copy that was damaged.
        const serve = async (name, damage, look) => {
            const copy = join(folder, name);
            cpSync(data, copy, { recursive: true });
            damage(copy);
            node = await startRealtime(copy, ...settings);
            try {
                assert.deepEqual(await reasons(), []);
                assert.equal(await value('meridian_log_errors_total') + await value('meridian_store_errors_total'), 0);
                await look();
                assert.deepEqual(await reasons(), ['damaged']);
                // What can be read is served, and frames are made.
                const { reader, wallet } = clientsOf(node);
                const hash = await wallet(2).sendTransaction({ to: accountOf(1).address, value: 1n });
                assert.equal((await reader.waitForTransactionReceipt({ hash })).status, 'success');
            } finally {
                await node.stop();
            }
        };
        const value = async (name) => Number((await (await fetch(metrics)).text()).match(new RegExp(`^${name} (.*)$`, 'm'))[1]);
        const reasons = async () => (await (await fetch(`${node.url}/readyz`)).json()).reasons.map(({ code }) => code);
        const lines = (pattern) => node.log().split('\n').filter((line) => pattern.test(line)).length;

        await serve('damaged-log', (copy) => {
            const [, path] = segments(copy);
            change(path, 1_000, statSync(path).size);
        }, async () => {
            // A subscriber's replay comes to it.
            const socket = new WebSocket(node.wsUrl);
            await new Promise((opened, failed) => Object.assign(socket, { onopen: opened, onerror: failed }));
            const closed = new Promise((resolve) => { socket.onclose = resolve; });
            socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['frames', { from: '0x1' }] }));
            const { reason } = await closed;
            assert.match(reason, /^internal error: unreadable data; ask another node \(at \d+ of subscription 0x[0-9a-f]+\)$/);
            assert.ok(await value('meridian_log_errors_total') > 0);
            assert.equal(lines(/frame log: a read failed, .*frames-\d+\.log, offset \d+: .*`meridian db check /), 1, node.log());
        });
        await serve('damaged-store', (copy) => {
            const [table] = readdirSync(join(copy, 'store')).filter((name) => name.endsWith('.sst'))
                .map((name) => join(copy, 'store', name)).sort((a, b) => statSync(b).size - statSync(a).size);
            change(table, 0, statSync(table).size / 2);
        }, async () => {
            const answers = await Promise.all(receipts.map(({ blockNumber }) =>
                node.rpc('eth_getBlockByNumber', `0x${blockNumber.toString(16)}`, true).catch((error) => error)));
            const errors = answers.filter((answer) => answer instanceof Error);
            assert.ok(errors.length > 0, 'some blocks cannot be read');
            for (const { message } of errors) {
                assert.match(message, /internal error: unreadable data; ask another node/);
                assert.ok(!message.includes(folder) && !message.includes('.sst'), message);
            }
            assert.ok(await value('meridian_store_errors_total') > 0);
            assert.equal(lines(/store: a read failed, .*\.sst.*`meridian db check /), 1, node.log());
        });
    });
});
