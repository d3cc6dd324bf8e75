// The development chain as a process: what it prints, how fast it is up, how it ends, and what it says
// when it cannot start.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { bytesToHex } from 'viem';
import { freePort, isMeridian, root, startNode, target } from './support/node.mjs';
import { accountOf, clientsOf } from './support/viem.mjs';

const run = (...args) => spawnSync(target, args, { encoding: 'utf8', timeout: 10_000 });

describe('meridian dev', { skip: !isMeridian }, () => {
    test('is up within a second, shows accounts and keys, and ends cleanly on Ctrl-C', async () => {
        const node = await startNode();
        const [accounts, block] = await Promise.all([node.rpc('eth_accounts'), node.rpc('eth_blockNumber')]);
        const exitCode = await node.stop();
        assert.ok(node.readyMs < 1000, `ready after ${node.readyMs} ms`);
        assert.equal(node.chainId, 1234321);
        assert.equal(block, '0x0');
        assert.equal(accounts.length, 10);
        for (let index = 0; index < 10; ++index) {
            const account = accountOf(index);
            assert.equal(accounts[index].toLowerCase(), account.address.toLowerCase());
            assert.ok(node.log().includes(account.address), `no address ${index} in the output`);
            assert.ok(node.log().includes(bytesToHex(account.getHdKey().privateKey)), `no key ${index} in the output`);
        }
        assert.equal(exitCode, 0);
    });

    test('--chain-id and --block-time', async () => {
        const node = await startNode('--chain-id', '4242', '--block-time', '1');
        try {
            assert.equal(node.chainId, 4242);
            const { reader, wallet } = clientsOf(node);
            const hash = await wallet(0).sendTransaction({ to: accountOf(1).address, value: 1n });
            assert.equal(await node.rpc('eth_getTransactionReceipt', hash), null);
            const receipt = await reader.waitForTransactionReceipt({ hash });
            assert.equal(receipt.status, 'success');
            const first = await reader.getBlockNumber();
            await new Promise((wake) => setTimeout(wake, 2_200));
            assert.ok((await reader.getBlockNumber()) >= first + 1n);
        } finally {
            assert.equal(await node.stop(), 0);
        }
    });

    test('a port in use is named', async () => {
        const node = await startNode();
        try {
            const port = new URL(node.url).port;
            const second = run('dev', '--port', port);
            assert.notEqual(second.status, 0);
            assert.match(second.stderr, new RegExp(port));
        } finally {
            await node.stop();
        }
    });

    test('a wrong argument names the right one', async () => {
        const misspelt = run('dev', '--prot', String(await freePort()));
        assert.equal(misspelt.status, 2);
        assert.match(misspelt.stderr, /--port/);
        const command = run('devv');
        assert.equal(command.status, 2);
        assert.match(command.stderr, /\bdev\b/);
    });

    test('a chain without a block, or with a part of one, is refused', () => {
        const genesis = join(tmpdir(), `meridian-${process.pid}-genesis.json`);
        const chain = join(tmpdir(), `meridian-${process.pid}-chain.rlp`);
        writeFileSync(genesis, '{"config":{"chainId":1},"gasLimit":"0x1000000","difficulty":"0x0","alloc":{}}');
        try {
            for (const [content, reason] of [['', /holds no block/], ['f90200aa', /truncated: .* at byte 0/]]) {
                writeFileSync(chain, Buffer.from(content, 'hex'));
                const refused = run('import', '--genesis', genesis, chain);
                assert.equal(refused.status, 1);
                assert.match(refused.stderr, reason);
            }
        } finally {
            rmSync(genesis);
            rmSync(chain);
        }
    });

    test('numbers that cannot be meant are refused', () => {
        const overflow = String(2n ** 64n);
        for (const [option, value, reason] of [
            ['--chain-id', overflow, 'does not fit 64 bits'], ['--gas-limit', overflow, 'does not fit 64 bits'],
            ['--base-fee', overflow, 'does not fit 64 bits'], ['--timestamp', overflow, 'does not fit 64 bits'],
            ['--chain-id', '0', 'must be at least 1'], ['--gas-limit', '0', 'must be at least 1'],
            ['--block-time', 'nan', '0, or 0.001 to 1000000 seconds'],
            ['--block-time', '0.0009', '0, or 0.001 to 1000000 seconds'],
            ['--port', '70000', '1 to 65535, or 0 for any free one'],
        ]) {
            const refused = run('dev', option, value);
            assert.equal(refused.status, 2, `${option} ${value}`);
            assert.equal(refused.stderr.split('\n')[0], `meridian: ${option}: ${reason}`);
        }
    });

    test('a folder in place of a file is named', () => {
        const folder = tmpdir();
        const file = join(folder, `meridian-${process.pid}.json`);
        writeFileSync(file, '{"config":{"chainId":1},"gasLimit":"0x1000000","difficulty":"0x0","alloc":{}}');
        try {
            for (const args of [['import', '--genesis', file, folder], ['import', '--genesis', folder, file],
                ['dev', '--port', '0', '--genesis', folder], ['dev', '--port', '0', '--genesis', file, '--import', folder]]) {
                const refused = run(...args);
                assert.equal(refused.status, 2, args.join(' '));
                assert.equal(refused.stderr, `meridian ${args[0]}: ${folder}: is a folder\n`);
            }
        } finally {
            rmSync(file);
        }
    });

    test('version and help go to stdout', () => {
        const version = run('version');
        assert.equal(version.status, 0);
        assert.match(version.stdout, /\d+\.\d+\.\d+/);
        const help = run('dev', '--help');
        assert.equal(help.status, 0);
        assert.match(help.stdout, /--block-time/);
        assert.match(run('t8n', '--help').stdout, /--output\.alloc .*=alloc\.json[^]*replaces a file of that name/);
        assert.match(run('replay', '--help').stdout, /codes\.json/);
    });
});

describe('meridian.sh', () => {
    test('COMMAND --help shows help and runs nothing', () => {
        for (const command of ['build', 'test', 'bench', 'clean']) {
            const help = spawnSync(join(root, 'meridian.sh'), [command, '--help'], { encoding: 'utf8', timeout: 5_000 });
            assert.equal(help.status, 0, command);
            assert.match(help.stdout, /^Usage: .\/meridian\.sh COMMAND[^]*--benchmark_filter=REGEX/);
        }
    });
});
