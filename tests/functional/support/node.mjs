// Starts the node under test on a free port and ends it. MERIDIAN_FUNCTIONAL_TARGET chooses the node:
// unset: our release binary; `anvil`: the one from npm (shows that a test itself is right); a path: a
// binary with our command line; an http:// address: a node that runs already and is left running.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
export const target = process.env.MERIDIAN_FUNCTIONAL_TARGET ?? join(root, 'build/release/bin/meridian');
export const isMeridian = target !== 'anvil' && !target.startsWith('http');

/** The mnemonic behind the ten funded accounts, as every Ethereum developer knows it. */
export const mnemonic = 'test test test test test test test test test test test junk';

const readyTimeoutMs = 20_000;
const stopTimeoutMs = 5_000;

function commandLine(port, args) {
    if (target === 'anvil') {
        return [join(root, 'node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil'),
            ['--steps-tracing', '--port', port, ...args]];
    }
    return [target, ['dev', '--port', port, ...args]];
}

export async function freePort() {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    server.close();
    await once(server, 'close');
    return port;
}

/** One JSON-RPC request without any client library; throws an Error with code and data on failure. */
export async function request(url, method, params = []) {
    const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const { error, result } = await response.json();
    if (error) {
        throw Object.assign(new Error(error.message), { code: error.code, data: error.data });
    }
    return result;
}

async function untilReady(node, deadline) {
    for (;;) {
        if (node.process.exitCode !== null) {
            throw new Error(`the node ended with ${node.process.exitCode} before it was ready:\n${node.log()}`);
        }
        try {
            return Number(await request(node.url, 'eth_chainId'));
        } catch (error) {
            if (Date.now() > deadline) {
                throw new Error(`the node was not ready in ${readyTimeoutMs} ms:\n${node.log()}`, { cause: error });
            }
            await new Promise((wake) => setTimeout(wake, 10));
        }
    }
}

async function stop(child) {
    if (child.exitCode !== null || child.signalCode !== null) {
        return child.exitCode;
    }
    const ended = once(child, 'exit');
    child.kill('SIGINT');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    const [code, signal] = await ended;
    clearTimeout(timer);
    return code ?? signal;
}

/** A node of the real-time chain (`meridian node`) on a data folder, which outlives it. Settings: KEY=VALUE or --OPTION. */
export async function startRealtime(dataDir, ...settings) {
    const port = await freePort();
    const args = ['node', '--data-dir', dataDir, '--port', String(port), '--json'];
    for (const setting of ['admin.enabled=false', 'metrics.enabled=false', 'feed.enabled=false',
        'transactions.enabled=false', ...settings]) {
        args.push(...(setting.startsWith('--') ? [setting] : ['--set', setting]));
    }
    return launch(target, args, port);
}

/**
 * Starts a node. Returns its addresses, chain id, start-up time, `rpc(method, ...params)` and `stop()`,
 * which ends it as Ctrl-C does and returns its exit code.
 */
export async function startNode(...args) {
    if (target.startsWith('http')) {
        const chainId = Number(await request(target, 'eth_chainId'));
        const rpc = (method, ...params) => request(target, method, params);
        return { url: target, wsUrl: target.replace(/^http/, 'ws'), chainId, rpc, stop: async () => 0 };
    }
    const port = await freePort();
    const [command, commandArgs] = commandLine(String(port), args);
    return launch(command, commandArgs, port);
}

async function launch(command, commandArgs, port) {
    const started = Date.now();
    const child = spawn(command, commandArgs, { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (data) => output.push(data));
    }
    child.on('error', (error) => output.push(Buffer.from(String(error))));
    const node = {
        process: child,
        url: `http://127.0.0.1:${port}`,
        wsUrl: `ws://127.0.0.1:${port}`,
        rpc: (method, ...params) => request(node.url, method, params),
        log: () => Buffer.concat(output).toString(),
        stop: () => stop(child),
    };
    try {
        node.chainId = await untilReady(node, started + readyTimeoutMs);
    } catch (error) {
        child.kill('SIGKILL');
        throw error;
    }
    node.readyMs = Date.now() - started;
    return node;
}
