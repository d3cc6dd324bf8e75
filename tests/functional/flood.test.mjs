// Floods of every kind against a real node: whoever is honest gets a receipt for each transaction, the attacker is told
// by name what he runs into, memory stays within its bounds, and the node is healthy afterwards. Nothing here is timed;
// bench/flood.mjs measures.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { modeNames } from '../../bench/flood/attacker.mjs';
import { attack, FloodedNode } from '../../bench/flood/flooded_node.mjs';
import { HonestUser, post, signTransfers } from '../../bench/flood/honest.mjs';
import { isMeridian, target } from './support/node.mjs';

const seconds = 1.5;
const rate = 20;
const intensity = 0.25;
const mib = 2 ** 20;

// Small ones, so that they are reached. What a node may take beyond what it has at rest follows from them: decoded,
// transactions take four times their size, and parsed JSON twelve times its text.
const limits = { 'pool.mib_max': 16, 'ingress.queue_mib_max': 8, 'rpc.requests_mib_max': 16, 'rpc.answers_mib_max': 64,
    'ws.notification_kib_max': 1_024, 'rpc.filter_terms_mib_max': 4 };
const restMib = 256; // blocks, frames and code that are kept, buffers of the connections, and the allocator's own
const growthMaxMib = 4 * 16 + 4 * 8 + 12 * 16 + 64 + restMib;
const settings = Object.entries(limits).map(([key, value]) => `${key}=${value}`);

// What the attacker has to be told, among other things.
const told = {
    'forged-binary': /^refused|busy/,
    malformed: /^error -32700/,
    gaps: /^(accepted|refused|error)/,
    'slow-loris': /./,
    subscriptions: /^subscribed/,
    'expensive-calls': /^(error -32000 (execution aborted|out of gas)|error -32005|HTTP (200|429))/,
};

const ask = (id, method, ...params) => ({ jsonrpc: '2.0', id, method, params });

describe('floods', { skip: !isMeridian }, () => {
    let transfers;
    before(async () => { transfers = await signTransfers(1234321, 2 * seconds * rate + 8); });

    for (const mode of modeNames) {
        test(mode, async () => {
            const node = await FloodedNode.start(target, settings);
            try {
                const user = await HonestUser.connect(node.ports.rpc, transfers);
                const count = Math.round(seconds * rate);
                assert.equal((await user.send(seconds, rate)).latencies.length, count);
                const atRest = node.residentBytes();
                const attacker = await attack(node, mode, intensity);
                const during = await user.send(seconds, rate);
                const { counts } = await attacker.end();
                assert.deepEqual(during.failures, []);
                assert.equal(during.latencies.length, count);
                assert.equal(during.visitsRefused, 0, 'newcomers are served');
                assert.ok(Object.keys(counts).some((text) => (told[mode] ?? /./).test(text)), JSON.stringify(counts));
                assert.ok(node.residentBytesMax - atRest < growthMaxMib * mib,
                    `${atRest} bytes became ${node.residentBytesMax}`);
                // Healthy: it is ready, and takes what it took before.
                assert.equal((await fetch(`http://127.0.0.1:${node.ports.metrics}/readyz`)).status, 200);
                assert.equal(Number(await node.rpc('eth_chainId')), 1234321);
                user.close();
            } finally {
                assert.equal(await node.stop(), 0, node.log);
            }
        });
    }
});

describe('limits that clients share', { skip: !isMeridian }, () => {
    let node;
    const errors = (answers) => answers.filter(({ error }) => error).map(({ error }) => error);
    const socketTo = async (localAddress) => {
        const socket = new WebSocket(`ws://127.0.0.1:${node.ports.rpc}`, { localAddress });
        await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
        return socket;
    };
    // All at once; the answers in the order of the requests.
    const askAll = (socket, requests) => new Promise((resolve) => {
        const answers = [];
        let left = requests.length;
        const take = (text) => {
            const answer = JSON.parse(text);
            if (answer.id === undefined) {
                return;
            }
            answers[answer.id] = answer;
            left -= 1;
            if (left === 0) {
                socket.off('message', take);
                resolve(answers);
            }
        };
        socket.on('message', take);
        requests.forEach((each) => socket.send(JSON.stringify(each)));
    });
    const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));

    before(async () => {
        node = await FloodedNode.start(target, ['rpc.read_threads=1', 'rpc.read_queue_max=4', 'rpc.filters_max=8',
            'ws.subscriptions_total_max=8', 'rpc.call_ms_max=300', 'rpc.connections_max=8', 'rpc.waiting_max=8']);
    });
    after(async () => assert.equal(await node.stop(), 0, node.log));

    test('a full queue of reads names its key, and keeps no transaction waiting', async () => {
        const attacker = await socketTo('127.0.0.2');
        const loop = { data: '0x5b600056', gas: '0x2faf080' };
        const floods = askAll(attacker, times(12, (id) => ask(id, 'eth_call', loop, 'latest')));
        const user = await HonestUser.connect(node.ports.rpc, await signTransfers(1234321, 16));
        const { failures, latencies } = await user.send(0.5, 20);
        user.close();
        assert.deepEqual(failures, []);
        assert.equal(latencies.length, 10);
        const refused = errors(await floods).filter(({ code }) => code === -32005);
        assert.ok(refused.length > 0);
        assert.match(refused[0].message, /rpc\.read_queue_max/);
        assert.deepEqual(refused[0].data, { limit: 'rpc.read_queue_max' });
        // There is room again.
        assert.equal((await askAll(attacker, [ask(0, 'eth_getBlockByNumber', '0x0', false)]))[0].error, undefined);
        attacker.close();
    });

    test('one client has half of the filters and subscriptions', async () => {
        for (const [method, params, key] of [['eth_newBlockFilter', [], 'rpc.filters_max'],
            ['eth_subscribe', ['newHeads'], 'ws.subscriptions_total_max']]) {
            const attacker = await socketTo('127.0.0.2');
            const refused = errors(await askAll(attacker, times(10, (id) => ask(id, method, ...params))));
            assert.equal(refused.length, 6, key);
            assert.equal(refused[0].code, -32005);
            assert.ok(refused[0].message.includes(key), refused[0].message);
            const user = await socketTo('127.0.0.1');
            assert.deepEqual(errors(await askAll(user, [ask(0, method, ...params)])), []);
            attacker.close();
            user.close();
        }
    });

    test('one client has half of the connections', async () => {
        const sockets = [];
        const refused = [];
        for (let i = 0; i < 6; ++i) {
            await socketTo('127.0.0.2').then((socket) => sockets.push(socket), (error) => refused.push(error.message));
        }
        assert.ok(refused.length > 0);
        assert.match(refused[0], /503/);
        const { status } = await post(node.ports.rpc, JSON.stringify(ask(1, 'eth_chainId')));
        assert.equal(status, 200);
        sockets.forEach((socket) => socket.close());
    });
});
