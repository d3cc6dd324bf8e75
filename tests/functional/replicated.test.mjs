// A sequencer whose frames count as durable when replicas hold them, and two replicas, as processes that are killed,
// held up, and robbed of what their disks had not flushed.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { parseGwei } from 'viem';
import { freePort, isMeridian, startRealtime, target } from './support/node.mjs';
import { accountOf } from './support/viem.mjs';

const folders = [];
const started = [];
function folder() {
    const path = mkdtempSync(join(tmpdir(), 'meridian-replicated-'));
    folders.push(path);
    return path;
}
after(async () => {
    await Promise.all(started.map((node) => node.stop()));
    folders.forEach((path) => rmSync(path, { recursive: true, force: true }));
});

async function until(condition) {
    for (;;) {
        const value = await condition();
        if (value) {
            return value;
        }
        await new Promise((wake) => setTimeout(wake, 50));
    }
}

async function kill(node) {
    const ended = once(node.process, 'exit');
    node.process.kill('SIGKILL');
    await ended;
}

const address = (option, path) => execFileSync(target, ['node', option, '--data-dir', path], { encoding: 'utf8' }).trim();

/** A sequencer and its replicas, which come and go. */
async function makeChain(replicasMin, replicas = 2) {
    const feed = await freePort(), metrics = await freePort();
    const paths = { sequencer: folder(), replicas: Array.from({ length: replicas }, folder) };
    const signer = address('--signer', paths.sequencer);
    const identities = paths.replicas.map((path) => address('--identity', path));
    let nonce = 0;
    const settings = ['log.durability=replicated', `log.replicas=${identities.join(',')}`,
        `log.replicas_min=${replicasMin}`, 'log.replicas_wait_s=1', 'feed.enabled=true', `feed.port=${feed}`,
        'metrics.enabled=true', `metrics.port=${metrics}`, 'admin.enabled=false', 'transactions.enabled=false'];
    const chain = {
        paths, identities, settings,
        startSequencer: async () => {
            chain.sequencer = await startRealtime(paths.sequencer, ...settings);
            started.push(chain.sequencer);
            return chain.sequencer;
        },
        startReplica: async (index) => {
            const node = await startRealtime(paths.replicas[index], 'node.role=replica', `feed.upstream=127.0.0.1:${feed}`,
                `feed.sequencers=${signer}`, 'feed.acknowledge=true');
            started.push(node);
            return node;
        },
        transfer: () => accountOf(0).signTransaction({ chainId: 1234321, nonce: nonce++, to: accountOf(9).address,
            value: 7n, gas: 21_000n, maxFeePerGas: parseGwei('5'), maxPriorityFeePerGas: 1n }),
        send: async () => chain.sequencer.rpc('eth_sendRawTransactionSync', await chain.transfer(), 60_000),
        skip: (count) => { nonce += count; },
        ready: async () => (await fetch(`http://127.0.0.1:${metrics}/readyz`)).json(),
        metric: async (name) => {
            const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
            return page.split('\n').find((line) => line.startsWith(name));
        },
    };
    return chain;
}

const blockOf = (node, number) => node.rpc('eth_getBlockByNumber', number, false);
async function expectSame(node, receipts) {
    for (const receipt of receipts) {
        const found = await until(() => node.rpc('eth_getTransactionReceipt', receipt.transactionHash));
        assert.equal(found.blockNumber, receipt.blockNumber);
        assert.equal(found.transactionIndex, receipt.transactionIndex);
    }
}

/** Hashes and signatures of the frames from 1 to `last`. */
async function framesOf(node, last) {
    const socket = new WebSocket(node.wsUrl);
    await new Promise((opened, failed) => Object.assign(socket, { onopen: opened, onerror: failed }));
    const frames = [];
    await new Promise((done) => {
        socket.onmessage = ({ data }) => {
            const { params } = JSON.parse(data);
            if (params) {
                assert.equal(Number(params.sequence), frames.length + 1);
                frames.push([params.result.hash, params.result.signature]);
                if (frames.length === last) {
                    done();
                }
            }
        };
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['frames', { from: 1 }] }));
    });
    socket.close();
    return frames.slice(0, last);
}

/** As after a power cut that kept the file's beginning: the last segment ends in the midst of an entry. */
function loseTail(path, keep) {
    const log = join(path, 'frames');
    const last = readdirSync(log).filter((name) => name.endsWith('.log')).sort().at(-1);
    const { size } = statSync(join(log, last));
    truncateSync(join(log, last), Math.floor(size * keep));
}

describe('durability by replicas', { skip: !isMeridian }, () => {
    test('frames are shown when both replicas hold them, and not while one is away', async () => {
        const chain = await makeChain(2);
        let [one, two] = await Promise.all([chain.startReplica(0), chain.startReplica(1)]);
        const node = await chain.startSequencer();
        const receipts = [await chain.send(), await chain.send()];
        assert.equal(receipts[0].status, '0x1');
        await expectSame(one, receipts);
        await expectSame(two, receipts);
        assert.deepEqual((await chain.ready()).reasons, []);
        assert.match(await chain.metric('meridian_replicas_min'), / 2$/);
        assert.match(await chain.metric(`meridian_replica_connected{replica="${chain.identities[1]}"}`), / 1$/);

        await kill(two);
        const fault = /log.replicas_min: 2 of 2 replicas have to hold a frame .* 1 is connected; start /;
        await until(async () => (await chain.ready()).reasons.some(({ message }) => fault.test(message)));
        const frame = Number((await chain.metric('meridian_frame_number')).split(' ')[1]);
        await assert.rejects(node.rpc('eth_sendRawTransaction', await chain.transfer()), fault);
        chain.skip(-1);
        await until(async () => Number((await chain.metric('meridian_unreleased_frames')).split(' ')[1]) > 0);
        assert.equal(Number((await chain.metric('meridian_frame_number')).split(' ')[1]), frame);

        two = await chain.startReplica(1);
        await until(async () => (await chain.ready()).ready);
        receipts.push(await chain.send());
        await expectSame(one, receipts);
        await expectSame(two, receipts);
        const block = await until(async () => (await two.rpc('eth_getTransactionReceipt', receipts[2].transactionHash)).blockHash
            && blockOf(node, receipts[2].blockNumber));
        assert.deepEqual(await until(() => blockOf(two, receipts[2].blockNumber)), block);
        assert.equal(await node.stop(), 0);
    });

    for (const [name, replicasMin, keep] of [['its log whole', 2, 1], ['the end of its log lost, of two one is enough', 1, 0.3],
        ['the end of its log lost, both are needed', 2, 0.6]]) {
        test(`a sequencer after kill -9 with ${name}: no frame is lost, none has changed`, async () => {
            const chain = await makeChain(replicasMin);
            const replicas = await Promise.all([chain.startReplica(0), chain.startReplica(1)]);
            await chain.startSequencer();
            const receipts = [];
            for (let life = 0; life < 3; ++life) {
                for (let i = 0; i < 5; ++i) {
                    receipts.push(await chain.send());
                }
                const last = Number((await chain.metric('meridian_frame_number')).split(' ')[1]);
                const frames = await framesOf(chain.sequencer, last);
                await kill(chain.sequencer);
                if (keep < 1) {
                    loseTail(chain.paths.sequencer, keep);
                }
                await chain.startSequencer();
                if (keep < 1) {
                    assert.match(chain.sequencer.log(), /frames that the log had lost were taken back from replicas/);
                }
                await expectSame(chain.sequencer, receipts);
                assert.deepEqual(await framesOf(chain.sequencer, last), frames);
            }
            receipts.push(await chain.send());
            const last = Number((await chain.metric('meridian_frame_number')).split(' ')[1]);
            const frames = await framesOf(chain.sequencer, last);
            for (const replica of replicas) {
                await expectSame(replica, receipts);
                assert.deepEqual(await framesOf(replica, last), frames);
                assert.doesNotMatch(replica.log(), /not this sequencer's|parent hash|stopped following/);
            }
        });
    }

    test('a replica that holds a frame which its sequencer gave up says that it has diverged, and what to do', async () => {
        const chain = await makeChain(2, 3);
        let nodes = await Promise.all([0, 1, 2].map(chain.startReplica));
        await chain.startSequencer();
        await expectSame(nodes[0], [await chain.send()]);
        assert.equal(await chain.sequencer.stop(), 0);
        const backup = join(folder(), 'backup');
        cpSync(chain.paths.sequencer, backup, { recursive: true });
        // A frame that only one of them holds, so that nobody is shown it.
        await chain.startSequencer();
        await Promise.all([kill(nodes[0]), kill(nodes[2])]);
        const number = async (name) => Number((await chain.metric(name)).split(' ')[1]);
        for (const index of [0, 2]) {
            await until(async () => await number(`meridian_replica_connected{replica="${chain.identities[index]}"}`) === 0);
        }
        const acknowledged = `meridian_replica_acknowledged_frame_number{replica="${chain.identities[1]}"}`;
        await until(async () => await number(acknowledged) > await number('meridian_frame_number'));
        await Promise.all([kill(chain.sequencer), kill(nodes[1])]);
        // The sequencer's machine has lost it, and comes back with the two others.
        rmSync(chain.paths.sequencer, { recursive: true });
        cpSync(backup, chain.paths.sequencer, { recursive: true });
        nodes = await Promise.all([0, 2].map(chain.startReplica));
        await chain.startSequencer();
        const two = await chain.startReplica(1);
        const reason = await until(async () => (await (await fetch(`${two.url}/readyz`)).json()).reasons
            .find(({ code }) => code === 'diverged'));
        assert.match(reason.message, /frame \d+ .*begin the replica anew/);
    });

    test('a sequencer waits for the replicas that it cannot do without, and says which', async () => {
        const chain = await makeChain(1);
        const one = await chain.startReplica(0);
        const child = spawn(target, ['node', '--data-dir', chain.paths.sequencer, '--port', String(await freePort()),
            ...chain.settings.flatMap((setting) => ['--set', setting])], { stdio: ['ignore', 'ignore', 'pipe'] });
        let said = '';
        child.stderr.on('data', (data) => { said += data; });
        await until(() => /before 2 of the 2 replicas in log.replicas have said what they hold/.test(said));
        assert.match(said, new RegExp(`Start ${chain.identities[1]}`));
        const ended = once(child, 'exit');
        child.kill('SIGTERM');
        await ended;
        await one.stop();
    });
});
