// A sequencer with a data folder that is started, killed and started again on the same ports.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

const readyTimeoutMs = 300_000; // a guard against hanging, no measure of speed

async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}

export class NodeProcess {
    #command;
    #child;
    #log = [];

    /** `command` is [binary, ...arguments]; in them {rpc}, {feed}, {transactions}, {admin} and {data} are filled in. */
    static async prepare(command, dataFolder) {
        const node = new NodeProcess();
        const ports = {};
        for (const name of ['rpc', 'feed', 'transactions', 'admin']) {
            ports[name] = await freePort();
        }
        const filled = { ...ports, data: dataFolder };
        node.#command = command.map((part) => part.replace(/\{(\w+)\}/g, (_, name) => filled[name]));
        node.feedPort = ports.feed;
        node.url = `http://127.0.0.1:${ports.rpc}`;
        node.wsUrl = `ws://127.0.0.1:${ports.rpc}`;
        const takesTransactions = command.some((part) => part.includes('{transactions}'));
        node.transactionsUrl = takesTransactions ? `tcp://127.0.0.1:${ports.transactions}` : null;
        return node;
    }

    get log() { return this.#log.join(''); }
    get pid() { return this.#child.pid; }
    get running() { return this.#child && this.#child.exitCode === null && this.#child.signalCode === null; }

    spawn() {
        const [binary, ...args] = this.#command;
        this.#log = [];
        this.#child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
        for (const stream of [this.#child.stdout, this.#child.stderr]) {
            stream.setEncoding('utf8').on('data', (text) => this.#log.push(text));
        }
        this.ended = new Promise((resolve) => this.#child.on('close', resolve));
    }

    /** Waits until it answers. Throws if it ends by itself, or takes longer than some minutes. */
    async untilReady() {
        const deadline = Date.now() + readyTimeoutMs;
        for (;;) {
            if (!this.running) {
                throw new Error(`the node ended by itself:\n${this.log}`);
            }
            try {
                return await this.rpc('eth_chainId');
            } catch (error) {
                if (Date.now() > deadline) {
                    throw new Error(`the node is not ready:\n${this.log}`, { cause: error });
                }
                await new Promise((wake) => setTimeout(wake, 5));
            }
        }
    }

    async kill(signal = 'SIGKILL') {
        if (this.running) {
            this.#child.kill(signal);
        }
        await this.ended;
    }

    /** The answers to [method, params] pairs, in order. Throws for an error. */
    async batch(calls) {
        const results = [];
        for (let from = 0; from < calls.length; from += 100) {
            const part = calls.slice(from, from + 100);
            const response = await fetch(this.url, {
                method: 'POST',
                headers: { 'content-type': 'application/json' },
                body: JSON.stringify(part.map(([method, params], id) => ({ jsonrpc: '2.0', id, method, params }))),
            });
            const answers = await response.json();
            answers.sort((a, b) => a.id - b.id);
            for (const { result, error } of answers) {
                if (error) {
                    throw Object.assign(new Error(error.message), { code: error.code });
                }
                results.push(result);
            }
        }
        return results;
    }

    async rpc(method, ...params) { return (await this.batch([[method, params]]))[0]; }
}
