// A sequencer as a process beside anvil, driven by the same tool in one run:
//
//   node bench/load.mjs [--transactions N]
//
// Transfers flat out over our binary port and anvil's HTTP, with the ratio; then ours at half of its rate, for the
// latencies from submission to a durable frame.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { freePort, request, root } from '../tests/functional/support/node.mjs';

const { values: { transactions } } = parseArgs({ options: { transactions: { type: 'string', default: '2000' } } });
const binary = join(root, 'build/release/bin/meridian');
const anvilBinary = join(root, 'node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil');

async function start(command, args, url) {
    const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = once(child, 'exit');
    while (!(await request(url, 'eth_chainId').then(() => true, () => false))) {
        if (child.exitCode !== null) {
            throw new Error(`${command} ended before it was ready`);
        }
        await new Promise((wake) => setTimeout(wake, 20));
    }
    return { pid: String(child.pid), stop: () => { child.kill('SIGTERM'); return ended; } };
}

function load(...args) {
    const { status, stdout, stderr } = spawnSync(binary, ['bench', 'load', '--json', '--transactions', transactions, ...args],
        { encoding: 'utf8' });
    if (status !== 0) {
        throw new Error(`bench load ended with ${status}:\n${stderr}${stdout}`);
    }
    return JSON.parse(stdout);
}

const row = (name, text) => console.log(`${name.padEnd(58)} ${text}`);
const rate = (run) => `${run.included_per_s.toFixed(0).padStart(12)} /s`;

const folder = mkdtempSync(join(tmpdir(), 'meridian-bench-load-'));
const [rpc, txns, anvilPort] = [await freePort(), await freePort(), await freePort()];
const urls = { rpc: `http://127.0.0.1:${rpc}`, txns: `tcp://127.0.0.1:${txns}`, anvil: `http://127.0.0.1:${anvilPort}` };
const nodes = [];
try {
    nodes.push(await start(binary, ['node', '--data-dir', folder, '--port', String(rpc), '--log-level', 'warn',
        '--set', `transactions.port=${txns}`, '--set', 'feed.enabled=false', '--set', 'admin.enabled=false',
        '--set', 'metrics.enabled=false'], urls.rpc));
    nodes.push(await start(anvilBinary, ['--silent', '--port', String(anvilPort)], urls.anvil));
    const common = ['--url', urls.txns, '--rpc', urls.rpc, '--pid', nodes[0].pid, '--accounts', '500', '--recipients', '500'];
    const { runs: [ours, theirs], ratio, recovery_per_s: recovery } = load(...common, '--in-flight', '1000', '--compare',
        urls.anvil, '--compare-pid', nodes[1].pid);
    row('load: anvil, transfers over HTTP', rate(theirs));
    row('load: transfers over the binary port, receipt', `${rate(ours)}   ${ratio.included_per_s.toFixed(2)} of anvil`);
    row('load: that, against signature recovery', `${ours.of_libsecp256k1_recovery.toFixed(2)} of libsecp256k1's ` +
        `(${recovery.libsecp256k1.toFixed(0)} /s), ${ours.of_batched_recovery.toFixed(2)} of the batched`);
    const { runs: [half] } = load(...common, '--rate', String(Math.ceil(ours.included_per_s / 2)));
    const { p50, p99, p999 } = half.submit_to_receipt_us;
    row('load: at half that rate, submission to durable receipt', `p50 ${p50} us, p99 ${p99} us, p99.9 ${p999} us`);
    row('load: the node then', `${(half.node.resident_bytes_max / 2 ** 20).toFixed(0)} MiB at most, ` +
        `${half.node.cores.toFixed(2)} cores; the client ${half.client_cores.toFixed(2)}`);
} finally {
    await Promise.all(nodes.map((node) => node.stop()));
    rmSync(folder, { recursive: true });
}
