// An honest user beside a flood: sends presigned transfers at a steady rate, over one HTTP connection that is kept and
// over a WebSocket, and waits for the durable receipt of each.
import { Agent, request } from 'node:http';
import { keccak256 } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import WebSocket from 'ws';
import { mnemonic } from '../../tests/functional/support/node.mjs';

export const honestAccounts = 4; // the first ones of the mnemonic; half of them send over each connection
const answerTimeoutMs = 60_000; // a guard against hanging, no measure of speed
// EIP-7966: not executed within the time that a client may ask for; or behind a gap, as the same user's transaction before
// it has not been checked 100 ms later either.
const waits = [4, 6];

export const accountOf = (addressIndex) => mnemonicToAccount(mnemonic, { addressIndex });

/** Two lists of raw transfers, with nonces from 0 on for each account. */
export async function signTransfers(chainId, count) {
    const accounts = Array.from({ length: honestAccounts }, (_, index) => accountOf(index));
    const lists = [[], []];
    for (let i = 0; i < count; ++i) {
        const account = accounts[i % honestAccounts];
        lists[i % 2].push(await account.signTransaction({ chainId, nonce: Math.floor(i / honestAccounts), to: account.address,
            value: 1n, gas: 21_000n, maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 10n ** 9n }));
    }
    return { http: lists[0], ws: lists[1] };
}

export function post(port, body, { agent, localAddress } = {}) {
    return new Promise((resolve, reject) => {
        const call = request({ host: '127.0.0.1', port, method: 'POST', path: '/', agent, localAddress,
            headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) } }, (response) => {
            const parts = [];
            response.on('data', (part) => parts.push(part));
            response.on('end', () => resolve({ status: response.statusCode, headers: response.headers,
                text: Buffer.concat(parts).toString() }));
            response.on('error', reject);
        });
        call.setTimeout(answerTimeoutMs, () => call.destroy(new Error('no answer')));
        call.on('error', reject);
        call.end(body);
    });
}

const ask = (id, method, params) => JSON.stringify({ jsonrpc: '2.0', id, method, params });
const sleepUntil = (time) => new Promise((wake) => setTimeout(wake, Math.max(0, time - performance.now())));

export class HonestUser {
    #agent = new Agent({ keepAlive: true, maxSockets: 1 });
    #socket;
    #waiting = new Map();
    #next = { http: 0, ws: 0 };

    static async connect(port, transfers) {
        const user = new HonestUser();
        user.port = port;
        user.transfers = transfers;
        user.#socket = new WebSocket(`ws://127.0.0.1:${port}`);
        await new Promise((resolve, reject) => user.#socket.once('open', resolve).once('error', reject));
        user.#socket.on('message', (text) => {
            const answer = JSON.parse(text);
            user.#waiting.get(answer.id)?.(answer);
            user.#waiting.delete(answer.id);
        });
        user.#socket.on('close', (code) => {
            for (const tell of user.#waiting.values()) {
                tell({ error: { message: `the WebSocket was closed, ${code}` } });
            }
        });
        return user;
    }

    close() {
        this.#socket.close();
        this.#agent.destroy();
    }

    async #overHttp(raw) {
        const { status, text } = await post(this.port, ask(1, 'eth_sendRawTransactionSync', [raw, '0x2710']), { agent: this.#agent });
        return status === 200 ? JSON.parse(text) : { error: { message: `HTTP ${status}: ${text}` } };
    }

    #overWebSocket(raw, id) {
        return new Promise((resolve) => {
            this.#waiting.set(id, resolve);
            this.#socket.send(ask(id, 'eth_sendRawTransactionSync', [raw, '0x2710']));
        });
    }

    async #send(kind, due, result) {
        const index = this.#next[kind]++;
        const raw = this.transfers[kind][index];
        const answer = await (kind === 'http' ? this.#overHttp(raw) : this.#overWebSocket(raw, index)).catch(
            (error) => ({ error: { message: error.message } }));
        if (answer.result?.status === '0x1' || (waits.includes(answer.error?.code) && await this.#receipt(keccak256(raw)))) {
            result.latencies.push(performance.now() - due);
        } else {
            result.failures.push(answer.error?.message ?? JSON.stringify(answer));
        }
    }

    async #receipt(hash) {
        for (const deadline = performance.now() + answerTimeoutMs; performance.now() < deadline;) {
            const { text } = await post(this.port, ask(1, 'eth_getTransactionReceipt', [hash]), { agent: this.#agent });
            if (JSON.parse(text).result?.status === '0x1') {
                return true;
            }
        }
        return false;
    }

    // A connection of its own, as somebody who has just come.
    async #visit(result) {
        try {
            const { status, text } = await post(this.port, ask(1, 'eth_blockNumber', []), { agent: false });
            if (status !== 200 || !JSON.parse(text).result) {
                result.visitsRefused += 1;
            }
        } catch {
            result.visitsRefused += 1;
        }
        result.visits += 1;
    }

    /**
     * Sends `rate` transfers a second for so many seconds. Latencies, in milliseconds, count from when each was due,
     * so that a node that stands still makes all late that were due meanwhile.
     */
    async send(seconds, rate) {
        const result = { latencies: [], failures: [], visits: 0, visitsRefused: 0 };
        const count = Math.round(seconds * rate);
        const begin = performance.now();
        const open = [];
        for (let i = 0; i < count; ++i) {
            const due = begin + i * 1000 / rate;
            await sleepUntil(due);
            open.push(this.#send(i % 2 === 0 ? 'http' : 'ws', due, result));
            if (i % Math.ceil(rate / 4) === 0) {
                open.push(this.#visit(result));
            }
        }
        await Promise.all(open);
        return result;
    }
}

export function quantile(sorted, share) {
    return sorted.length ? sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] : NaN;
}
