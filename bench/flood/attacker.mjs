// A process that floods a node from another loopback address, in one of several ways, until it is told to end:
//
//   fork('attacker.mjs') <- { mode, ports, chainId, genesisHash, intensity } -> 'ready' <- 'end' ->
//       { counts, processorShare }
//
// The counts say what it was told: by HTTP status, by JSON-RPC error, by close code, by the wire's error.
import { randomFillSync } from 'node:crypto';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { serializeTransaction } from 'viem';
import WebSocket from 'ws';
import { accountOf, honestAccounts, post } from './honest.mjs';

export const attackerAddress = '127.0.0.2';
const counts = {};
const closers = [];
let ending = false;
let setup;
let begun;

const count = (what, by = 1) => { counts[what] = (counts[what] ?? 0) + by; };
const pause = (ms) => new Promise((wake) => setTimeout(wake, ms));
const untilEnd = async (work) => { while (!ending) { await work(); } };
const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const scaled = (n) => Math.max(1, Math.round(n * setup.intensity));
const ask = (id, method, ...params) => ({ jsonrpc: '2.0', id, method, params });

// What differs from one message to the next is left out, so that equal errors are counted together.
const shortened = (message) => message.replace(/0x[0-9a-fA-F]+/g, '0x..').replace(/\d+/g, '#').slice(0, 70);
function countAnswer(answer) {
    count(answer.error ? `error ${answer.error.code} ${shortened(answer.error.message)}` : 'accepted');
}

// --- transactions -------------------------------------------------------------------------------------------------

// The last 66 bytes are r and s, each with a byte for its length: both can be replaced by any other 32 bytes.
function template(fields) {
    const full = `0x${'11'.repeat(32)}`;
    return Buffer.from(serializeTransaction({ type: 'eip1559', chainId: setup.chainId, nonce: 0, gas: 21_000n, value: 1n,
        to: `0x${'22'.repeat(20)}`, maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 1n, ...fields },
    { r: full, s: full, yParity: 0 }).slice(2), 'hex');
}

// Half of such signatures are of no key, the others of one that nobody knows.
function forge(from) {
    const out = Buffer.from(from);
    randomFillSync(out, out.length - 65, 32);
    randomFillSync(out, out.length - 32, 32);
    out[out.length - 65] = 1 + (out[out.length - 65] & 0x3f);
    out[out.length - 32] = 1 + (out[out.length - 32] & 0x3f);
    return out;
}
const hex = (bytes) => `0x${bytes.toString('hex')}`;

// The same sender and nonce at ever higher fees, behind a gap, so that each is one that waits.
async function replacements(n) {
    const account = accountOf(honestAccounts);
    const out = [];
    for (let nonce = 1; out.length < n; ++nonce) {
        for (let fee = 10n ** 9n; fee < 10n ** 20n && out.length < n; fee += fee / 8n) {
            out.push(await account.signTransaction({ chainId: setup.chainId, nonce, to: account.address, value: 1n, gas: 21_000n,
                maxFeePerGas: fee, maxPriorityFeePerGas: fee }));
        }
    }
    return out;
}

// --- ways to send -------------------------------------------------------------------------------------------------

const keptAlive = () => new Agent({ keepAlive: true, maxSockets: 1, localAddress: attackerAddress });

async function postAndCount(agent, body) {
    try {
        const { status, headers, text } = await post(setup.ports.rpc, body, { agent, localAddress: attackerAddress });
        count(`HTTP ${status}${headers['retry-after'] ? ' with Retry-After' : ''}`);
        if (status === 200 && text) {
            const answers = JSON.parse(text);
            (Array.isArray(answers) ? answers : [answers]).forEach(countAnswer);
        }
        if (status === 429) {
            await pause(5);
        }
    } catch (error) {
        count(`connection: ${error.code ?? error.message}`);
        await pause(10);
    }
}

async function openWebSocket() {
    const socket = new WebSocket(`ws://127.0.0.1:${setup.ports.rpc}`, { localAddress: attackerAddress });
    socket.on('error', (error) => count(`WebSocket: ${shortened(error.message)}`));
    socket.on('close', (code) => count(`closed ${code}`));
    closers.push(() => socket.terminate());
    await new Promise((resolve) => socket.once('open', resolve).once('close', resolve));
    return socket;
}

// At most so many unanswered.
async function pipeline(next, unanswered) {
    const socket = await openWebSocket();
    let open = 0;
    const fill = () => {
        while (!ending && open < unanswered && socket.readyState === WebSocket.OPEN) {
            open += 1;
            socket.send(next());
        }
    };
    socket.on('message', (text) => {
        const answers = JSON.parse(text);
        open -= 1;
        (Array.isArray(answers) ? answers : [answers]).forEach(countAnswer);
        if (open < unanswered / 2) {
            setImmediate(fill);
        }
    });
    fill();
}

const wireMessage = (kind, payload) => {
    const head = Buffer.alloc(5);
    head.writeUInt32LE(payload.length + 1);
    head[4] = kind;
    return Buffer.concat([head, payload]);
};
function hello(protocol) {
    const head = Buffer.alloc(19);
    head.write('MRDNWIRE');
    head[8] = protocol;
    head.writeUInt16LE(1, 9);
    head.writeBigUInt64LE(BigInt(setup.chainId), 11);
    return wireMessage(1, Buffer.concat([head, Buffer.from(setup.genesisHash.slice(2), 'hex')]));
}

function openSocket(port, onData = () => {}) {
    const socket = connect({ port, host: '127.0.0.1', localAddress: attackerAddress });
    socket.on('error', (error) => count(`connection: ${error.code}`));
    socket.on('data', onData);
    closers.push(() => socket.destroy());
    return socket;
}

// As many as the node reads, on the binary port.
function submitFlatOut(next) {
    let received = Buffer.alloc(0);
    const socket = openSocket(setup.ports.transactions, (data) => {
        received = received.length ? Buffer.concat([received, data]) : data;
        let at = 0;
        while (received.length >= at + 5 && received.length >= at + 4 + received.readUInt32LE(at)) {
            const end = at + 4 + received.readUInt32LE(at);
            const kind = received[at + 4];
            if (kind === 3) {
                count(`wire error ${received.readUInt16LE(at + 5)}`);
            } else if (kind === 34) {
                count('accepted');
            } else if (kind === 35) {
                count(`refused ${received[at + 13]} ${shortened(received.subarray(at + 14, end).toString())}`);
            }
            at = end;
        }
        received = received.subarray(at);
    });
    socket.on('connect', () => socket.write(hello(2)));
    let id = 0n;
    const fill = () => {
        let more = true;
        while (more && !ending && !socket.destroyed) {
            more = socket.write(Buffer.concat(times(100, () => {
                const head = Buffer.alloc(9);
                head.writeBigUInt64LE(id++);
                return wireMessage(33, Buffer.concat([head, next()]));
            })));
        }
    };
    socket.on('drain', () => setImmediate(fill));
    socket.once('connect', fill);
}

// --- the modes ----------------------------------------------------------------------------------------------------

const rawBatch = (items, next) => JSON.stringify(times(items, (i) => ask(i, 'eth_sendRawTransaction', hex(next()))));

function httpBatches(connections, items, next) {
    times(scaled(connections), () => {
        const agent = keptAlive();
        untilEnd(() => postAndCount(agent, rawBatch(items, next)));
    });
}

const malformedBodies = () => {
    const garbage = Buffer.alloc(200);
    randomFillSync(garbage);
    return [
        '{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[',
        '['.repeat(50_000),
        JSON.stringify(ask(1, 'eth_sendRawTransaction', hex(garbage))),
        JSON.stringify(ask(1, 'eth_sendRawTransaction', `0x02f8${'ff'.repeat(100)}`)),
        JSON.stringify(times(1_500, () => 7)),
        JSON.stringify(times(900, () => 7)),
        `[${'0,'.repeat(300_000)}0]`,
        `{"a":${'"\\u0000'.repeat(1_000)}`,
        JSON.stringify(ask(1, 'eth_getLogs', { fromBlock: {}, topics: times(2_000, () => garbage.toString('latin1')) })),
    ];
};

// A connection that sends so much and then nothing; opened again when it is closed.
function stall(port, bytes, what) {
    const again = () => {
        if (ending) {
            return;
        }
        const socket = openSocket(port, (data) => {
            const text = data.toString('latin1');
            count(`${what}: ${text.startsWith('HTTP/') ? `HTTP ${text.slice(9, 12)}` : 'answered'}`);
        });
        socket.on('connect', () => { if (bytes.length) { socket.write(bytes); } });
        socket.on('end', () => socket.end());
        socket.on('close', () => { count(`${what}: closed`); setTimeout(again, 200); });
    };
    again();
}

const loop = '0x5b600056'; // JUMPDEST, PUSH1 0, JUMP
// 500 events from a constructor: PUSH2 500; JUMPDEST; count down; one event of 32 bytes; JUMPI
const logger = '0x6101f45b6001900360aa60206000a18060035700';

async function makeLogs() {
    const account = accountOf(honestAccounts);
    const agent = keptAlive();
    const { text: known } = await post(setup.ports.rpc, JSON.stringify(ask(1, 'eth_getTransactionCount', account.address, 'latest')), { agent });
    const first = Number(JSON.parse(known).result); // of another round
    for (let nonce = first; nonce < first + 20; ++nonce) {
        const raw = await account.signTransaction({ chainId: setup.chainId, nonce, data: logger, gas: 2_000_000n,
            maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 1n });
        const { text } = await post(setup.ports.rpc, JSON.stringify(ask(1, 'eth_sendRawTransactionSync', raw)), { agent });
        if (JSON.parse(text).result?.logs?.length !== 500) {
            throw new Error(`no events were made: ${text.slice(0, 300)}`);
        }
    }
}

const modes = {
    'forged-http': () => {
        const from = template({});
        httpBatches(8, 200, () => forge(from));
    },
    'forged-ws': async () => {
        const from = template({});
        await Promise.all(times(scaled(8), () =>
            pipeline(() => JSON.stringify(ask(1, 'eth_sendRawTransaction', hex(forge(from)))), 200)));
    },
    'forged-binary': () => {
        const from = template({});
        times(scaled(4), () => submitFlatOut(() => forge(from)));
    },
    malformed: () => {
        const bodies = malformedBodies();
        times(scaled(8), (i) => {
            const agent = keptAlive();
            let at = i;
            untilEnd(() => postAndCount(agent, bodies[at++ % bodies.length]));
        });
        for (const port of [setup.ports.transactions, setup.ports.feed]) {
            const garbage = Buffer.alloc(4_096);
            times(scaled(4), () => untilEnd(async () => {
                randomFillSync(garbage);
                const socket = openSocket(port, (data) => { if (data[4] === 3) { count(`wire error ${data.readUInt16LE(5)}`); } });
                socket.on('connect', () => socket.end(garbage));
                await new Promise((resolve) => socket.on('close', resolve));
                closers.pop();
            }));
        }
    },
    replacements: async () => {
        const list = await replacements(scaled(800));
        let at = 0;
        await Promise.all(times(scaled(4), () =>
            pipeline(() => JSON.stringify(ask(1, 'eth_sendRawTransaction', list[at++ % list.length])), 100)));
    },
    gaps: () => {
        // Senders that nobody knows and that offer nothing can pay it.
        const free = template({ nonce: 7, value: 0n, maxFeePerGas: 0n, maxPriorityFeePerGas: 0n });
        times(scaled(2), () => submitFlatOut(() => forge(free)));
        httpBatches(4, 100, () => forge(free));
    },
    'slow-loris': () => {
        const header = 'POST / HTTP/1.1\r\nHost: localhost\r\n';
        const upgrade = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
            'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
        const kinds = [
            [setup.ports.rpc, Buffer.from(`${header}X-A`), 'half a header'],
            [setup.ports.rpc, Buffer.from(`${header}Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"jso`), 'half a body'],
            [setup.ports.rpc, Buffer.alloc(0), 'nothing'],
            [setup.ports.rpc, Buffer.concat([Buffer.from(upgrade), Buffer.from([0x81, 0xfe, 0x40])]), 'half a WebSocket frame'],
            [setup.ports.feed, hello(1).subarray(0, 20), 'half a hello (feed)'],
            [setup.ports.transactions, Buffer.concat([hello(2), wireMessage(33, Buffer.alloc(200)).subarray(0, 30)]),
                'half a message (transactions)'],
        ];
        for (const [port, bytes, what] of kinds) {
            times(scaled(500), () => stall(port, bytes, what));
        }
    },
    subscriptions: async () => {
        const wanted = [['newHeads'], ['logs', {}], ['frames', { receipts: true, stateChanges: true }], ['newPendingTransactions']];
        await Promise.all(times(scaled(60), async (i) => {
            const socket = await openWebSocket();
            let asked = 0;
            socket.on('message', (text) => {
                const answer = JSON.parse(text);
                count(answer.method ? 'notification' : answer.error ? `error ${answer.error.code} ${shortened(answer.error.message)}` : 'subscribed');
                if (answer.id && asked < 200) {
                    socket.send(JSON.stringify(ask(1, 'eth_subscribe', ...wanted[asked++ % wanted.length])));
                } else if (asked === 200 && i % 3 === 0) {
                    socket.pause();
                }
            });
            if (socket.readyState === WebSocket.OPEN) {
                socket.send(JSON.stringify(ask(1, 'eth_subscribe', ...wanted[asked++])));
            }
        }));
    },
    'expensive-calls': async () => {
        await makeLogs();
        const gas = '0x2faf080';
        const bodies = [
            ask(1, 'eth_call', { data: loop, gas }, 'latest'),
            ask(1, 'eth_getLogs', { fromBlock: '0x0', toBlock: 'latest' }),
            ask(1, 'debug_traceCall', { data: loop, gas: '0x2dc6c0' }, 'latest', {}),
            ask(1, 'eth_estimateGas', { data: loop, gas }, 'latest'),
        ].map((call) => JSON.stringify(call));
        times(scaled(24), (i) => {
            const agent = keptAlive();
            let at = i;
            untilEnd(() => postAndCount(agent, bodies[at++ % bodies.length]));
        });
    },
};

export const modeNames = Object.keys(modes);

// Only computes, and never rests.
function hog() {
    const begin = performance.now();
    while (performance.now() - begin < 5) {
        // as much as the processor gives
    }
    if (!ending) {
        setImmediate(hog);
    }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
    process.on('message', async (message) => {
        if (message === 'end') {
            ending = true;
            closers.forEach((close) => close());
            const { user, system } = process.cpuUsage(begun.usage);
            const processorShare = (user + system) / 1_000 / (performance.now() - begun.at);
            process.send({ counts, processorShare }, () => process.exit(0));
            return;
        }
        setup = message;
        await (modes[setup.mode] ?? hog)();
        begun = { at: performance.now(), usage: process.cpuUsage() };
        process.send('ready');
    });
    process.on('disconnect', () => process.exit(0));
}
