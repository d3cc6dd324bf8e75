// A node as its operator sees it: health, metrics, admin port, limits, the end, and its store from the command line.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, isMeridian, root, startRealtime, target } from './support/node.mjs';
import { accountOf, clientsOf } from './support/viem.mjs';

const meridian = (...args) => spawnSync(target, args, { encoding: 'utf8', timeout: 30_000 });
const json = (...args) => JSON.parse(meridian(...args, '--json').stdout);
const get = (port, path) => fetch(`http://127.0.0.1:${port}${path}`);
const until = async (check) => {
    for (let seconds = 0; seconds < 30; seconds += 0.05) {
        const value = await check();
        if (value) {
            return value;
        }
        await new Promise((wake) => setTimeout(wake, 50));
    }
    throw new Error('it did not come to be');
};

describe('operating a node', { skip: !isMeridian }, () => {
    let folder, data, node, metricsPort, adminPort, transfer;
    const start = async (dataDir, ...settings) => {
        [metricsPort, adminPort] = [await freePort(), await freePort()];
        return startRealtime(dataDir, 'metrics.enabled=true', `metrics.port=${metricsPort}`, 'admin.enabled=true',
            `admin.port=${adminPort}`, ...settings);
    };
    const value = async (name) => {
        const text = await (await get(metricsPort, '/metrics')).text();
        const line = text.split('\n').find((each) => each.startsWith(`${name} `));
        return line === undefined ? undefined : Number(line.slice(name.length + 1));
    };
    const admin = async (method, params = [], token = readFileSync(join(data, 'admin.token'), 'utf8').trim()) => {
        const response = await fetch(`http://127.0.0.1:${adminPort}/`, {
            method: 'POST', headers: { authorization: `Bearer ${token}` }, body: JSON.stringify({ id: 1, method, params }) });
        return { status: response.status, answer: response.status === 200 ? await response.json() : undefined };
    };

    before(async () => {
        folder = mkdtempSync(join(tmpdir(), 'meridian-operation-'));
        data = join(folder, 'data');
        node = await start(data);
        const { reader, wallet } = clientsOf(node);
        const hash = await wallet(0).sendTransaction({ to: accountOf(1).address, value: 7n });
        transfer = await reader.waitForTransactionReceipt({ hash });
    });
    after(async () => {
        await node?.stop();
        rmSync(folder, { recursive: true, force: true });
    });

    test('health on both ports', async () => {
        for (const port of [metricsPort, new URL(node.url).port]) {
            assert.equal((await get(port, '/healthz')).status, 200);
            const ready = await get(port, '/readyz');
            assert.equal(ready.status, 200);
            assert.deepEqual(await ready.json(), { ready: true, reasons: [] });
        }
    });

    test('metrics of what has happened, all of them documented', async () => {
        assert.equal(await value('meridian_transactions_total'), 1);
        assert.equal(await value('meridian_submit_to_durable_seconds_count'), 1);
        assert.equal(await value('meridian_ready'), 1);
        assert.ok(await value('meridian_log_sync_seconds_count') > 0);
        assert.ok(await value('meridian_rpc_requests_total{method="eth_chainId",outcome="ok"}') > 0);
        await assert.rejects(node.rpc('made_up'));
        assert.ok(await value('meridian_rpc_requests_total{method="unknown",outcome="refused"}') > 0);
        const text = await (await get(metricsPort, '/metrics')).text();
        const documented = readFileSync(join(root, 'docs/operations.md'), 'utf8');
        for (const [, name] of text.matchAll(/^# TYPE (\S+)/gm)) {
            assert.ok(documented.includes(`| \`${name}\` |`), `docs/operations.md does not explain ${name}`);
        }
    });

    test('the admin port wants its token, which only its owner can read', async () => {
        assert.equal(statSync(join(data, 'admin.token')).mode & 0o777, 0o600);
        assert.equal((await admin('admin_status', [], 'wrong')).status, 401);
        const { answer } = await admin('admin_status');
        assert.equal(answer.result.ready, true);
        assert.equal(answer.result.chainId, node.chainId);
        const { length, max } = answer.result.pipeline.queues.committer;
        assert.ok(length >= 0 && length < max);
        assert.deepEqual((await admin('admin_setLogLevel', ['error'])).answer.result.now, 'error');
    });

    test('a snapshot of the running node becomes another node', async () => {
        await until(async () => await value('meridian_block_number{stage="stored"}') >= Number(transfer.blockNumber));
        assert.equal((await admin('admin_snapshot', ['first'])).answer.result.started, 'admin_snapshot');
        const job = await until(async () => {
            const { job: last } = (await admin('admin_status')).answer.result;
            return !last.running && last;
        });
        assert.ok(job.result, JSON.stringify(job));
        const checked = json('snapshot', 'check', join(data, 'snapshots/first'));
        assert.equal(checked.block, job.result.block);
        const copy = join(folder, 'copy');
        const restored = json('snapshot', 'restore', join(data, 'snapshots/first'), copy, '--head-hash', job.result.hash);
        assert.equal(restored.hash, job.result.hash);
        const other = await startRealtime(copy);
        try {
            assert.equal((await other.rpc('eth_getBlockByNumber', `0x${checked.block.toString(16)}`, false)).hash,
                job.result.hash);
            assert.equal(await other.rpc('eth_getBalance', accountOf(1).address, 'latest'),
                await node.rpc('eth_getBalance', accountOf(1).address, 'latest'));
        } finally {
            await other.stop();
        }
    });

    test('the store of a running node can be looked at, and nothing else', () => {
        assert.equal(json('db', 'inspect', data).chainId, node.chainId);
        const refused = meridian('db', 'check', data);
        assert.equal(refused.status, 1);
        assert.match(refused.stderr, /a running node does this itself/);
    });

    test('it ends as asked on the admin port, its store sound', async () => {
        const ended = new Promise((resolve) => node.process.once('exit', resolve));
        assert.deepEqual((await admin('admin_drain')).answer.result, { draining: true });
        assert.equal(await ended, 0);
        const checked = json('db', 'check', data);
        assert.equal(checked.valid, true);
        assert.ok(checked.head.number >= Number(transfer.blockNumber));
    });

    test('limits of chain.toml are kept and named', async () => {
        node = await start(data, 'rpc.requests_per_s_max=1', 'rpc.requests_burst_max=500', 'rpc.deny=["debug_*"]');
        await assert.rejects(node.rpc('debug_traceBlockByNumber', '0x1'), /rpc\.deny/);
        const batch = JSON.stringify(Array(500).fill({ jsonrpc: '2.0', id: 1, method: 'eth_chainId' }));
        const ask = () => fetch(node.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: batch });
        // The first takes what is left of the burst, if it is enough; then a second brings one request back.
        const refused = await until(async () => {
            const response = await ask();
            return response.status === 429 && response;
        });
        assert.ok(Number(refused.headers.get('retry-after')) > 0);
        const [{ error }] = await refused.json();
        assert.equal(error.code, -32005);
        assert.equal(error.data.limit, 'rpc.requests_per_s_max');
        assert.ok(await value('meridian_rpc_requests_limited_total{limit="rate"}') > 0);
    });

    test('SIGTERM ends it', async () => {
        const ended = new Promise((resolve) => node.process.once('exit', resolve));
        node.process.kill('SIGTERM');
        assert.equal(await ended, 0);
    });
});
