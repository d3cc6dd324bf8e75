// A sequencer that is killed again and again under load, and asked each time whether it stands by what it had told.
//
//   node tests/soak/soak.mjs [--kills N] [--seed N] [--rate N] [--uptime-ms MIN,MAX] [--binary FILE] [--data-dir DIR]
//                            [--no-feed] [--sabotage] [-- COMMAND...]
//
// COMMAND starts the node in place of `meridian node`; in it {rpc}, {feed}, {transactions}, {admin} (ports) and {data}
// are filled in. --sabotage takes the end off the frame log after each kill: every such kill then has to be reported,
// which shows that the soak sees losses. The last line is `N passed, N failed`.
import { mkdtempSync, openSync, closeSync, ftruncateSync, fstatSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { followFeed } from './feed_follower.mjs';
import { readRecord } from './frame_record.mjs';
import { LoadRuns } from './load_runs.mjs';
import { NodeProcess } from './node_process.mjs';
import { Findings, FrameLedger, fromRpc, hex, RpcLedger } from './promises.mjs';
import { followFrames, sendOneByOne, subscribeHeads } from './subscribers.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const overlap = 20;         // frames before the last promised one that are asked for again after each restart
const waitMs = 300_000;     // a guard against hanging, no measure of speed
const killWhileStarting = 0.15;
const sabotagedBytes = 4_000;

const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        kills: { type: 'string', default: '20' },
        seed: { type: 'string', default: '1' },
        rate: { type: 'string', default: '300' },
        'uptime-ms': { type: 'string', default: '50,1500' },
        binary: { type: 'string', default: join(root, 'build/release/bin/meridian') },
        'data-dir': { type: 'string' },
        'no-feed': { type: 'boolean', default: false }, // of a node without the binary feed
        sabotage: { type: 'boolean', default: false },
    },
});
const command = positionals.length ? positionals : [options.binary, 'node', '--role', 'sequencer', '--data-dir', '{data}',
    '--port', '{rpc}', '--log-level', 'warn', '--set', 'feed.port={feed}', '--set', 'transactions.port={transactions}',
    '--set', 'admin.port={admin}', '--set', 'metrics.enabled=false'];

/** Numbers from 0 to 1 that the seed decides (mulberry32). */
function randomFrom(seed) {
    let state = seed >>> 0;
    return () => {
        state = (state + 0x6d2b79f5) >>> 0;
        let t = Math.imul(state ^ (state >>> 15), state | 1);
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    };
}

const sleep = (ms) => new Promise((wake) => setTimeout(wake, ms));

async function until(condition, what, node) {
    const deadline = Date.now() + waitMs;
    while (!condition()) {
        if (Date.now() > deadline) {
            throw new Error(`waited in vain: ${what}\n${node.log}`);
        }
        await sleep(2);
    }
}

class Soak {
    findings = new Findings();
    frames = new FrameLedger(this.findings); // what the subscription showed
    followers = [{ name: 'frames', ledger: this.frames, follow: (from, listener) => this.subscribe(from, listener) }];
    ledger = new RpcLedger(this.findings);
    loads = new LoadRuns(options.binary, Number(options.rate));
    random = randomFrom(Number(options.seed));
    refusals = [];
    kills = 0;
    killsWhileStarting = 0;
    cases = { passed: 0, failed: 0 };

    constructor(node, dataFolder) {
        this.node = node;
        this.dataFolder = dataFolder;
        if (!options['no-feed']) {
            this.followers.push({ name: 'feed', ledger: new FrameLedger(this.findings),
                follow: (from, listener) => this.followFeed(from, listener) });
        }
    }

    judge(passed, text) {
        this.cases[passed ? 'passed' : 'failed'] += 1;
        if (!passed) {
            console.log(`FAILED: ${text}`);
        }
    }

    async run(kills) {
        await this.start();
        for (let kill = 1; kill <= kills; ++kill) {
            if (!this.loads.running) {
                await this.loads.begin(this.node);
            }
            const [min, max] = options['uptime-ms'].split(',').map(Number);
            await sleep(min + this.random() * (max - min));
            await this.killAndCompare(kill);
            if (kill % 20 === 0) {
                console.log(`${kill} kills: ${this.frames.last} frames, ${this.ledger.receipts.size} receipts, ` +
                    `${this.findings.wrong} wrong`);
            }
        }
        await this.loads.done;
        await this.compareAll();
    }

    async killAndCompare(kill) {
        const before = this.findings.wrong;
        const said = this.findings.words.length;
        await this.kill();
        this.kills = kill;
        for (; this.random() < killWhileStarting; this.killsWhileStarting += 1) {
            this.node.spawn();
            await sleep(this.random() * 200);
            await this.node.kill();
        }
        if (options.sabotage) {
            this.takeEndOffLog();
        }
        await this.start();
        await this.ledger.check(this.node);
        this.judge(this.findings.wrong === before, `kill ${kill}: ${this.findings.words.slice(said).join('\n        ')}`);
    }

    async start() {
        this.node.spawn();
        await this.node.untilReady();
        this.chainId ??= Number(await this.node.rpc('eth_chainId'));
        this.genesisHash ??= (await this.node.rpc('eth_getBlockByNumber', '0x0', false)).hash;
        await Promise.all(this.followers.map((follower) => this.resume(follower, Math.max(1, follower.ledger.last - overlap))));
        this.heads = subscribeHeads(this.node, (number, hash) => this.ledger.addHead(number, hash));
        this.sending = sendOneByOne(this.node, this.chainId, (receipt) => this.ledger.addReceipt(receipt))
            .then((refusal) => refusal && this.refusals.push(refusal));
    }

    /** Follows again and waits until it was shown all that it had been shown before. */
    async resume(follower, from) {
        const { name, ledger } = follower;
        const promised = ledger.last;
        let refused = false, closed = false;
        const onError = (text) => {
            refused = true;
            this.findings.note('lost', `${name} from ${from} on: ${text}`);
        };
        ledger.expectFrom(from);
        follower.connection = follower.follow(from, { onFrame: (frame) => this.takeFrame(ledger, frame), onError });
        follower.connection.closed.then(() => { closed = true; });
        await until(() => ledger.shown >= promised || refused || closed, `${name} up to ${promised}`, this.node);
        if (!refused && ledger.shown < promised) {
            onError(`it ended before ${promised}`);
        }
    }

    subscribe(from, { onFrame, onError }) {
        return followFrames(this.node, { from, onFrame, onError });
    }

    followFeed(from, { onFrame, onError }) {
        return followFeed({
            port: this.node.feedPort, chainId: this.chainId, genesisHash: this.genesisHash, from,
            onRecord: (record) => onFrame(readRecord(record)),
            // A chain without frames has none to promise either.
            onNotYet: (last) => (from === 1 ? undefined : onError(`there are only ${last}`)),
            onError,
        });
    }

    takeFrame(ledger, frame) {
        if (ledger.take(frame)) {
            for (const receipt of frame.receipts) {
                this.ledger.addReceipt({ ...receipt, blockNumber: frame.blockNumber });
            }
        }
    }

    async kill(signal) {
        await this.node.kill(signal);
        // What was on its way has arrived then.
        await Promise.all([...this.followers.map(({ connection }) => connection?.closed), this.sending]);
        this.heads.end();
    }

    takeEndOffLog() {
        const names = readdirSync(this.dataFolder, { recursive: true });
        const folder = names.filter((name) => /frames-\d{20}\.log$/.test(name)).sort();
        // With its note of how far the log has come, the node would not start: it is the comparison that is tried here.
        for (const note of names.filter((name) => /frames\.mark$/.test(name))) {
            rmSync(join(this.dataFolder, note));
        }
        const file = openSync(join(this.dataFolder, folder.at(-1)), 'r+');
        ftruncateSync(file, Math.max(0, fstatSync(file).size - sabotagedBytes));
        closeSync(file);
    }

    /** Everything that was ever promised, from a node that ended in order and was started again. */
    async compareAll() {
        const before = this.findings.wrong;
        const said = this.findings.words.length;
        await this.kill('SIGTERM');
        await this.start();
        for (const follower of this.followers) {
            follower.connection.end();
            await follower.connection.closed;
            await this.resume(follower, 1);
        }
        const shown = Math.min(...this.followers.map(({ ledger }) => ledger.last));
        for (let number = 1; number <= shown; ++number) {
            if (new Set(this.followers.map(({ ledger }) => ledger.frame(number).hash)).size !== 1) {
                this.findings.note('changed', `frame ${number} is not the same to all`);
            }
        }
        await this.ledger.check(this.node);
        this.judge(this.findings.wrong === before,
            `every frame from the first on: ${this.findings.words.slice(said).join('\n        ')}`);
        await this.compareBlocks();
        this.judge(this.refusals.length === 0, `transactions one by one: ${this.refusals.slice(0, 3)}`);
        this.loads.finished.forEach((run) => this.judge(run.passed, run.text));
        await this.kill('SIGTERM');
    }

    /** The blocks: one chain, whose transactions are those of their frames in their order, with their receipts. */
    async compareBlocks() {
        const byBlock = new Map();
        const last = this.frames.last; // more may come meanwhile
        for (let number = 1; number <= last; ++number) {
            const { blockNumber, receipts } = this.frames.frame(number);
            byBlock.set(blockNumber, [...(byBlock.get(blockNumber) ?? []), ...receipts.map(({ hash }) => hash)]);
        }
        // The block of the last frame may be open yet.
        const newest = Math.min(Number(await this.node.rpc('eth_blockNumber')), this.frames.frame(last).blockNumber - 1);
        const wrong = [];
        const seen = new Set();
        let parent = this.genesisHash;
        for (let number = 1; number <= newest; ++number) {
            const [block, receipts] = await this.node.batch([['eth_getBlockByNumber', [hex(number), false]],
                ['eth_getBlockReceipts', [hex(number)]]]);
            const promised = byBlock.get(number) ?? [];
            if (block.parentHash !== parent || JSON.stringify(block.transactions) !== JSON.stringify(promised)) {
                wrong.push(`block ${number} is not what its frames said`);
            }
            parent = block.hash;
            for (const receipt of receipts.map(fromRpc)) {
                const known = this.ledger.receipts.get(receipt.hash);
                seen.add(receipt.hash);
                if (!known || known.status !== receipt.status || known.gasUsed !== receipt.gasUsed) {
                    wrong.push(`the receipt of ${receipt.hash}`);
                }
            }
        }
        const missing = [...this.ledger.receipts.values()].filter(({ hash, blockNumber }) => blockNumber <= newest && !seen.has(hash));
        this.blocks = newest;
        this.judge(wrong.length + missing.length === 0,
            `blocks: ${wrong.slice(0, 5)}; ${missing.length} receipts are in no block`);
    }

    report() {
        const { checked, lost, changed, gaps } = this.findings;
        const included = this.loads.finished.reduce((sum, run) => sum + run.included, 0);
        console.log(`seed ${options.seed}: ${this.kills} kills under load, and ${this.killsWhileStarting} while starting`);
        console.log(`${this.loads.finished.length} load runs, ${included} transactions, nonces and balances compared`);
        console.log(`promised: ${this.frames.last} frames, ${this.ledger.receipts.size} receipts, ` +
            `${this.ledger.heads.size} heads; ${this.blocks} blocks compared with their frames`);
        console.log(`compared after a restart: ${checked.frames} frames, ${checked.receipts} receipts, ${checked.heads} heads`);
        console.log(`lost ${lost}, changed ${changed}, gaps ${gaps}`);
        console.log(`${this.cases.passed} passed, ${this.cases.failed} failed`);
    }
}

const kills = Number(options.kills);
const dataFolder = options['data-dir'] ?? mkdtempSync(join(tmpdir(), 'meridian-soak-'));
const node = await NodeProcess.prepare(command, dataFolder);
const soak = new Soak(node, dataFolder);
try {
    await soak.run(kills);
} catch (error) {
    soak.judge(false, error.stack);
} finally {
    soak.loads.end();
    if (node.running) {
        await node.kill();
    }
    soak.report();
    if (!options['data-dir'] && soak.cases.failed === 0) {
        rmSync(dataFolder, { recursive: true });
    }
}
process.exitCode = soak.cases.failed ? 1 : 0;
