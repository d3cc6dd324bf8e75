// The development chain as a process: what it prints, how fast it is up, how it ends, and what it says
// when it cannot start.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { bytesToHex } from 'viem';
import { freePort, isMeridian, root, startNode, target } from './support/node.mjs';
import { accountOf, clientsOf } from './support/viem.mjs';

const run = (...args) => spawnSync(target, args, { encoding: 'utf8', timeout: 10_000 });

describe('meridian dev', { skip: !isMeridian }, () => {
    test('shows accounts and keys, and ends cleanly on Ctrl-C', async () => {
        const node = await startNode();
        const [accounts, block] = await Promise.all([node.rpc('eth_accounts'), node.rpc('eth_blockNumber')]);
        const exitCode = await node.stop();
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

    test('--data-dir keeps the chain, also when the process is killed, and tells another chain from it', async () => {
        const folder = mkdtempSync(join(tmpdir(), 'meridian-dev-'));
        const address = accountOf(1).address;
        let node = await startNode('--data-dir', folder);
        try {
            const hash = await clientsOf(node).wallet(0).sendTransaction({ to: address, value: 5n });
            await node.rpc('anvil_setBalance', accountOf(2).address, '0x7');
            const receipt = await node.rpc('eth_getTransactionReceipt', hash);
            node.process.kill('SIGKILL');
            await once(node.process, 'exit');

            node = await startNode('--data-dir', folder);
            assert.deepEqual(await node.rpc('eth_getTransactionReceipt', hash), receipt);
            assert.equal(await node.rpc('eth_getBalance', accountOf(2).address, 'latest'), '0x7');
            await node.rpc('evm_mine');
            const { number, parentHash } = await node.rpc('eth_getBlockByNumber', 'latest', false);
            assert.deepEqual([number, parentHash], ['0x2', receipt.blockHash]);
            const locked = run('dev', '--data-dir', folder, '--port', '0');
            assert.equal(locked.status, 1);
            assert.match(locked.stderr, /--data-dir: .*lock/i);
            assert.equal(await node.stop(), 0);

            const other = run('dev', '--data-dir', folder, '--chain-id', '5', '--port', '0');
            assert.equal(other.status, 1);
            assert.match(other.stderr, /it holds chain 1234321 .* not chain 5/);
            assert.match(run('db', 'check', folder).stdout, /Head +block 2 [^]*Valid:/);
        } finally {
            await node.stop();
            rmSync(folder, { recursive: true });
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
        const most = 2n ** 64n - 1n;
        const whole = (min, max) => `want a whole number from ${min} to ${max}`;
        for (const [option, value, reason] of [
            ['--chain-id', most + 1n, whole(1, most)], ['--chain-id', 0, whole(1, most)], ['--chain-id', '1x', whole(1, most)],
            ['--gas-limit', most + 1n, whole(1, most)], ['--gas-limit', 0, whole(1, most)],
            ['--base-fee', most + 1n, whole(0, most)], ['--timestamp', most + 1n, whole(0, most)],
            ['--call-gas', -1, whole(0, most)], ['--accounts', 99999999999, whole(0, 1000)],
            ['--accounts', 2n ** 65n, whole(0, 1000)], ['--threads', 0, whole(1, 64)], ['--port', 70000, whole(0, 65535)],
            ['--block-time', 'nan', 'want 0, or 0.001 to 1000000 seconds'],
            ['--block-time', '0.0009', 'want 0, or 0.001 to 1000000 seconds'],
        ]) {
            const refused = run('dev', `${option}=${value}`);
            assert.equal(refused.status, 2, `${option} ${value}`);
            assert.equal(refused.stderr.split('\n')[0], `meridian: ${option}: ${reason}, not "${value}"`);
        }
        for (const [args, reason] of [
            [['--balance', '1e9'], /--balance: want ether from 0 to /], [['--hardfork', 'rome'], /--hardfork: .*osaka/],
            [['--log-level', 'loud'], /--log-level: .*debug/], [['--vhosts', 'a:1'], /--vhosts: "a:1" is not /],
            [['--cors', 'http://a/b'], /--cors: "http:\/\/a\/b" is not /],
            [['--host', 'foo'], /--host: "foo" is not an IP address/],
        ]) {
            const refused = run('dev', '--port=0', ...args);
            assert.equal(refused.status, 2, args.join(' '));
            assert.match(refused.stderr, reason);
        }
    });

    test('a phrase that is no mnemonic is refused as anvil does, with the word', () => {
        for (const [phrase, reason] of [
            ['test test test test test test test test test test test jung', /--mnemonic: "jung" is not one of/],
            ['test test test test test test test test test test test test', /--mnemonic: the checksum/],
            ['test junk', /--mnemonic: a mnemonic has 12, .* not 2/],
        ]) {
            const refused = run('dev', '--port', '0', '--mnemonic', phrase);
            assert.equal(refused.status, 2, phrase);
            assert.match(refused.stderr, reason);
        }
    });

    test('--genesis excludes what it decides, and only accounts that it funds are shown', async () => {
        const file = join(tmpdir(), `meridian-${process.pid}-alloc.json`);
        const funded = accountOf(1).address;
        const genesis = { config: { chainId: 99 }, gasLimit: '0x1000000', difficulty: '0x0',
            alloc: { [funded]: { balance: '0x1' }, [accountOf(2).address]: { balance: '0x0' } } };
        writeFileSync(file, JSON.stringify(genesis));
        try {
            for (const option of ['--chain-id=5', '--balance=1', '--gas-limit=5', '--base-fee=5', '--timestamp=5',
                '--hardfork=paris', '--unlimited-code-size']) {
                const refused = run('dev', '--port=0', '--genesis', file, option);
                assert.equal(refused.status, 2, option);
                const [line] = refused.stderr.split('\n');
                assert.ok(/excludes/.test(line) && line.includes('--genesis') && line.includes(option.split('=')[0]), line);
            }
            const node = await startNode('--genesis', file);
            const accounts = await node.rpc('eth_accounts');
            assert.equal(await node.stop(), 0);
            assert.deepEqual(accounts.map((account) => account.toLowerCase()), [funded.toLowerCase()]);
            assert.ok(node.log().includes(funded));
            assert.ok(!node.log().includes(accountOf(0).address) && !node.log().includes(accountOf(2).address));
        } finally {
            rmSync(file);
        }
    });

    test('the log tells requests at debug, the start at info, and is JSON if asked', async () => {
        const node = await startNode('--log-level', 'debug', '--log-json');
        await node.rpc('eth_blockNumber');
        await assert.rejects(node.rpc('eth_no\nsuch'));
        await fetch(node.url, { method: 'POST', body: '{}', headers: { 'content-type': 'text/plain' } });
        await node.stop();
        const lines = node.log().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
        const messages = (level) => lines.filter((line) => line.level === level).map((line) => line.message).join('\n');
        assert.match(lines[0].time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
        assert.match(messages('info'), /chain 1234321, block 0[^]*listening on 127\.0\.0\.1:\d+[^]*ended at block 0/);
        assert.match(messages('debug'), /"eth_blockNumber" \d+\.\d+ ms$/m);
        assert.match(messages('debug'), /"eth_no\\nsuch" \d+\.\d+ ms, error -32601$/m);
        assert.match(messages('debug'), /HTTP 415: /);
        const plain = await startNode('-v');
        await plain.stop();
        assert.match(plain.log(), /^\d{4}-\S+Z debug +"eth_chainId" [\d.]+ ms$/m);
        const quiet = await startNode();
        await quiet.stop();
        assert.doesNotMatch(quiet.log(), /info|debug/);
    });

    test('Ctrl-C ends it at once, whatever it is doing', async () => {
        // A call that does not end by itself, a batch of seconds, and a subscription.
        const node = await startNode('--call-gas', '1000000000000');
        const endless = node.rpc('eth_call', { data: '0x5b600056' }, 'latest').catch(() => 'ended');
        const item = { jsonrpc: '2.0', id: 1, method: 'anvil_mine', params: ['0x3e8'] };
        const batch = fetch(node.url, { method: 'POST', headers: { 'content-type': 'application/json' },
            body: JSON.stringify(Array(900).fill(item)) }).catch(() => 'ended');
        const socket = new WebSocket(node.wsUrl);
        await new Promise((opened, failed) => Object.assign(socket, { onopen: opened, onerror: failed }));
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }));
        const closed = new Promise((resolve) => { socket.onclose = resolve; });
        await new Promise((wake) => setTimeout(wake, 300));
        const exited = new Promise((resolve) => node.process.once('exit', resolve));
        node.process.kill('SIGINT');
        assert.equal(await exited, 0);
        assert.equal((await closed).code, 1001);
        await Promise.all([endless, batch]);
    });

    test('SIGTERM ends it in the middle of a batch', async () => {
        const node = await startNode();
        const item = { jsonrpc: '2.0', id: 1, method: 'anvil_mine', params: ['0x3e8'] };
        const batch = fetch(node.url, { method: 'POST', headers: { 'content-type': 'application/json' },
            body: JSON.stringify(Array(900).fill(item)) }).catch(() => 'ended');
        while (await node.rpc('eth_blockNumber') === '0x0') { /* until it has begun */ }
        const exited = new Promise((resolve) => node.process.once('exit', resolve));
        node.process.kill('SIGTERM');
        assert.equal(await exited, 0);
        assert.equal(await batch, 'ended');
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

    test('a genesis with a misspelt fork is refused, and what is unknown in it is told', () => {
        const file = join(tmpdir(), `meridian-${process.pid}-forks.json`);
        const genesis = (config) => JSON.stringify({ config: { chainId: 1, ...config }, gasLimit: '0x1000000', difficulty: '0x0', alloc: {} });
        const chain = join(tmpdir(), `meridian-${process.pid}-empty.rlp`);
        writeFileSync(chain, '');
        try {
            writeFileSync(file, genesis({ osakTime: 0 }));
            const refused = run('import', '--genesis', file, chain);
            assert.equal(refused.status, 2);
            assert.equal(refused.stderr, `meridian import: ${file}: config.osakTime: unknown; did you mean config.osakaTime?\n`);
            writeFileSync(file, genesis({ isthmusTime: 0 }));
            const warned = run('import', '--genesis', file, chain);
            assert.equal(warned.stderr.split('\n')[0], `meridian: warning: ${file}: config.isthmusTime: unknown, and ignored`);
        } finally {
            rmSync(file);
            rmSync(chain);
        }
    });

    test('version and help go to stdout', () => {
        const version = run('version');
        assert.equal(version.status, 0);
        assert.match(version.stdout, /\d+\.\d+\.\d+/);
        const help = run('dev', '--help');
        assert.equal(help.status, 0);
        assert.match(help.stdout, /--block-time/);
        for (const text of [help.stdout, run('--help').stdout, run('import', '--help').stdout]) {
            assert.match(text, /Exit codes: 0 done.*1 failed.*2 wrong arguments/);
        }
        assert.match(run('t8n', '--help').stdout, /Exit codes.*: 0 done; 2 .*3 .*4 .*10 .*11 .*12 /);
        for (const command of ['statetest', 'blocktest', 'spectest', 'replay']) {
            assert.match(run(command, '--help').stdout, /with --json[^]*stderr[^]*Exit codes: 0 .*1 .*2 /, command);
        }
        assert.match(run('t8n', '--help').stdout, /--output\.alloc .*=alloc\.json[^]*replaces a file of that name/);
        assert.match(run('replay', '--help').stdout, /codes\.json/);
    });
});

describe('meridian.sh', () => {
    test('COMMAND --help shows help and runs nothing', () => {
        for (const command of ['build', 'test', 'bench', 'clean']) {
            const help = spawnSync(join(root, 'meridian.sh'), [command, '--help'], { encoding: 'utf8', timeout: 5_000 });
            assert.equal(help.status, 0, command);
            assert.match(help.stdout, /^Usage: .\/meridian\.sh COMMAND[^]*bench \[--run TEXT\]/);
        }
    });
});
