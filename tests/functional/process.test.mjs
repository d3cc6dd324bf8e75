// The development chain as a process: what it prints, how fast it is up, how it ends, and what it says
// when it cannot start.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { bytesToHex } from 'viem';
import { freePort, isMeridian, startNode, target } from './support/node.mjs';
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

    test('version and help go to stdout', () => {
        const version = run('version');
        assert.equal(version.status, 0);
        assert.match(version.stdout, /\d+\.\d+\.\d+/);
        const help = run('dev', '--help');
        assert.equal(help.status, 0);
        assert.match(help.stdout, /--block-time/);
    });
});
