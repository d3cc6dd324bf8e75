// `meridian bench load` against a running node: that it does what it says, and that its checks can fail.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { concatHex, keccak256, numberToHex, slice, stringToHex } from 'viem';
import { accountOf, clientsOf } from './support/viem.mjs';
import { freePort, isMeridian, request, root, startNode, startRealtime } from './support/node.mjs';

const binary = join(root, 'build/release/bin/meridian');

/** Runs the load tool; returns { code, stdout, stderr }. */
async function bench(...args) {
    const child = spawn(binary, ['bench', 'load', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr']) {
        child[name].setEncoding('utf8').on('data', (text) => { output[name] += text; });
    }
    const [code] = await once(child, 'close');
    return { code, ...output };
}

/** Runs it with --json; its report has to be right in itself. */
async function report(...args) {
    const { code, stdout, stderr } = await bench('--json', ...args);
    assert.equal(code, 0, stderr + stdout);
    const parsed = JSON.parse(stdout);
    assert.ok(parsed.recovery_per_s.batched > 0 && parsed.recovery_per_s.libsecp256k1 > 0);
    return parsed;
}

function assertConsistent(run, transactions) {
    assert.equal(run.passed, true);
    assert.deepEqual(run.checks.filter((check) => !check.passed), []);
    for (const figure of ['prepared', 'sent', 'accepted', 'included']) {
        assert.equal(run[figure], transactions, figure);
    }
    assert.equal(run.reverted, 0);
    assert.deepEqual(run.errors, {});
    for (const times of [run.submit_to_answer_us, run.submit_to_receipt_us]) {
        assert.equal(times.count, transactions);
        assert.ok(times.p50 > 0 && times.p50 <= times.p99 && times.p99 <= times.p999 && times.p999 <= times.max);
        assert.ok(times.max <= run.elapsed_s * 1e6);
    }
    assert.ok(run.accepted_per_s > 0 && run.included_per_s > 0);
    assert.ok(run.gas_per_s >= run.included_per_s * 20_999);
}

/** The receiving account as the tool derives it. */
const recipient = (seed, index) =>
    slice(keccak256(concatHex([stringToHex(`${seed}recipient`), numberToHex(index, { size: 8 })])), 0, 20);

describe('bench load', () => {
    let node;
    before(async () => { node = await startNode(); });
    after(() => node?.stop());

    test('transfers over HTTP, receipts by polling', async () => {
        const { runs: [run] } = await report('--url', node.url, '--transactions', '300', '--accounts', '30',
            '--recipients', '20', '--receipts', 'poll', '--in-flight', '100');
        assertConsistent(run, 300);
        assert.equal(run.receipts, 'poll');
        assert.ok(Math.abs(run.gas_per_s / run.included_per_s - 21_000) < 1);
    });

    test('all workloads over a WebSocket, receipts by subscription, at a rate', async () => {
        const { runs: [run] } = await report('--url', node.wsUrl, '--workload', 'mix', '--rate', '100', '--duration', '2',
            '--accounts', '20', '--recipients', '20', '--receipts', 'heads');
        assertConsistent(run, 200);
        assert.ok(run.elapsed_s >= 1.9);
        assert.ok(run.checks.some((check) => /pair/.test(check.name)));
        assert.ok(run.block_interval_us.count > 0);
    });

    test('swaps alone and tokens alone', async () => {
        for (const workload of ['uniswap', 'erc20']) {
            const { runs: [run] } = await report('--url', node.url, '--workload', workload, '--transactions', '60',
                '--accounts', '10', '--recipients', '10', '--in-flight', '50');
            assertConsistent(run, 60);
        }
    });

    test('the answer is the receipt', async () => {
        const { runs: [run] } = await report('--url', node.url, '--sync', '--pipeline', '1', '--transactions', '40',
            '--accounts', '10', '--recipients', '10');
        assertConsistent(run, 40);
        assert.equal(run.receipts, 'answer');
    });

    test('somebody else changes what it checks: that is reported, and the exit code is 1', async () => {
        const { wallet } = clientsOf(node);
        const running = bench('--json', '--url', node.url, '--seed', 'disturbed', '--rate', '20', '--duration', '5',
            '--accounts', '5', '--recipients', '5');
        // The first transfer to a recipient shows that the load has begun.
        while (BigInt(await node.rpc('eth_getBalance', recipient('disturbed', 0), 'latest')) === 0n) {
            await new Promise((wake) => setTimeout(wake, 10));
        }
        await wallet(3).sendTransaction({ to: recipient('disturbed', 1), value: 12345n });
        const { code, stdout } = await running;
        assert.equal(code, 1);
        const [run] = JSON.parse(stdout).runs;
        assert.equal(run.passed, false);
        assert.deepEqual(run.checks.filter((check) => !check.passed).map((check) => check.name),
            ['ether of the recipients']);
    });

    test('wrong arguments are named', async () => {
        for (const [args, reason] of [
            [['--url', 'localhost'], /--url: want http:/], [['--url', 'tcp://127.0.0.1:1'], /--rpc: needed/],
            [['--workload', 'chess'], /--workload/], [['--fund-key', '0x12'], /--fund-key: want 32 bytes/],
            [['--accounts', '0'], /--accounts: want a whole number/],
        ]) {
            const { code, stderr } = await bench(...args);
            assert.equal(code, 2, args.join(' '));
            assert.match(stderr, reason);
        }
        const nobody = await bench('--url', `http://127.0.0.1:${await freePort()}`);
        assert.equal(nobody.code, 1);
        assert.match(nobody.stderr, /is a node running there\?/);
        const poor = await bench('--url', node.url, '--fund-key', `0x${'11'.repeat(32)}`);
        assert.equal(poor.code, 1);
    });
});

describe('bench load beside another node', () => {
    test('the same work on anvil, and how both compare', async () => {
        const port = String(await freePort());
        const url = `http://127.0.0.1:${port}`;
        const anvil = spawn(join(root, 'node_modules/@foundry-rs/anvil-linux-amd64/bin/anvil'),
            ['--silent', '--port', port], { stdio: 'ignore' });
        const node = await startNode();
        try {
            for (let ready = false; !ready;) {
                ready = await request(url, 'eth_chainId').then(() => true, () => false);
            }
            const { runs, ratio } = await report('--url', node.url, '--compare', url, '--compare-pid', String(anvil.pid),
                '--transactions', '200', '--accounts', '20', '--recipients', '20', '--in-flight', '100');
            runs.forEach((run) => assertConsistent(run, 200));
            assert.match(runs[1].client, /^anvil/);
            assert.ok(runs[1].node.resident_bytes > 0);
            assert.ok(Math.abs(ratio.included_per_s - runs[0].included_per_s / runs[1].included_per_s) < 1e-6);
        } finally {
            anvil.kill('SIGKILL');
            await node.stop();
        }
    });

    test('blocks whose receipts are larger than the node lets an answer be', { skip: !isMeridian }, async () => {
        const folder = mkdtempSync(join(tmpdir(), 'meridian-load-'));
        const node = await startRealtime(folder, 'rpc.batch_response_kib_max=120', 'rpc.response_kib_max=200');
        try {
            const { runs: [run] } = await report('--url', node.url, '--transactions', '1500', '--accounts', '50',
                '--recipients', '50', '--in-flight', '1000');
            assertConsistent(run, 1500);
        } finally {
            await node.stop();
            rmSync(folder, { recursive: true });
        }
    });

    test('accounts that are in the genesis need no payer', { skip: !isMeridian }, async () => {
        const folder = mkdtempSync(join(tmpdir(), 'meridian-load-'));
        try {
            const common = ['--accounts', '20', '--recipients', '20', '--seed', 'genesis'];
            const { code, stdout } = await bench('--print-genesis', '--chain-id', '777', ...common);
            assert.equal(code, 0);
            const genesis = JSON.parse(stdout);
            assert.equal(genesis.config.chainId, 777);
            assert.ok(Object.keys(genesis.alloc).length >= 21);
            writeFileSync(join(folder, 'genesis.json'), stdout);
            const node = await startNode('--genesis', join(folder, 'genesis.json'));
            try {
                assert.equal(BigInt(await node.rpc('eth_getBalance', accountOf(0).address, 'latest')), 0n);
                const { runs: [run] } = await report('--url', node.url, '--transactions', '100', ...common);
                assertConsistent(run, 100);
            } finally {
                await node.stop();
            }
        } finally {
            rmSync(folder, { recursive: true });
        }
    });
});
