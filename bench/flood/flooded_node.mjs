// A sequencer to be flooded, and the process that floods it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request, root } from '../../tests/functional/support/node.mjs';

const attackerFile = fileURLToPath(new URL('attacker.mjs', import.meta.url));

export class FloodedNode {
    #child;
    #folder;
    #log = [];
    #sampler;
    residentBytesMax = 0;

    static async start(binary = join(root, 'build/release/bin/meridian'), settings = []) {
        const node = new FloodedNode();
        node.#folder = mkdtempSync(join(tmpdir(), 'meridian-flood-'));
        const set = ['admin.enabled=false', 'metrics.port=0', 'feed.port=0', 'transactions.port=0', ...settings];
        node.#child = spawn(binary, ['node', '--json', '--data-dir', node.#folder, '--port', '0', '--log-level', 'warn',
            ...set.flatMap((setting) => ['--set', setting])], { stdio: ['ignore', 'pipe', 'pipe'] });
        node.#child.stderr.on('data', (text) => { if (node.#log.length < 1_000) { node.#log.push(text); } });
        const [line] = await Promise.race([once(node.#child.stdout, 'data'), once(node.#child, 'exit').then(([code]) => {
            throw new Error(`the node ended with ${code} before it was ready:\n${node.log}`);
        })]);
        const { url, ports } = JSON.parse(line);
        Object.assign(node, { url, ports, metricsUrl: `http://127.0.0.1:${ports.metrics}/metrics` });
        node.chainId = Number(await node.rpc('eth_chainId'));
        node.genesisHash = (await node.rpc('eth_getBlockByNumber', '0x0', false)).hash;
        node.#sampler = setInterval(() => node.residentBytes(), 50);
        return node;
    }

    get log() { return Buffer.concat(this.#log).toString(); }
    get running() { return this.#child.exitCode === null && this.#child.signalCode === null; }
    rpc(method, ...params) { return request(this.url, method, params); }

    residentBytes() {
        if (!this.running) {
            return 0;
        }
        const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8')) ?? [0, 0];
        this.residentBytesMax = Math.max(this.residentBytesMax, kib * 1024);
        return kib * 1024;
    }

    /** The exit code, or the signal. */
    async stop() {
        clearInterval(this.#sampler);
        if (this.running) {
            const ended = once(this.#child, 'exit');
            this.#child.kill('SIGTERM');
            const timer = setTimeout(() => this.#child.kill('SIGKILL'), 30_000);
            await ended;
            clearTimeout(timer);
        }
        rmSync(this.#folder, { recursive: true, force: true });
        return this.#child.exitCode ?? this.#child.signalCode;
    }
}

/**
 * Floods the node until end(), which gives what the attacker was told, { text: count }, and how many cores it used.
 * At a lower priority than the node's and the honest user's, unless `nice` is 0.
 */
export async function attack(node, mode, intensity = 1, nice = 10) {
    // From its first instruction on, so that the threads of its engine have that priority too.
    const child = spawn('nice', ['-n', nice, process.execPath, attackerFile],
        { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const ended = once(child, 'exit');
    const answer = () => Promise.race([once(child, 'message').then(([message]) => message), ended.then(([code]) => {
        throw new Error(`the attacker (${mode}) ended with ${code}`);
    })]);
    child.send({ mode, intensity, ports: node.ports, chainId: node.chainId, genesisHash: node.genesisHash });
    await answer();
    return {
        end: async () => {
            const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
            child.send('end');
            const { counts, processorShare } = await answer();
            await ended;
            clearTimeout(timer);
            return { counts, processorShare };
        },
    };
}
