// What docs/dev-chain.md says: its commands are run in order, its options and groups are those there are.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { foundry, solc } from './support/foundry.mjs';
import { isMeridian, root, startNode, target } from './support/node.mjs';

const guide = readFileSync(join(root, 'docs/dev-chain.md'), 'utf8');
const section = (title) => guide.split(/^## /m).find((text) => text.startsWith(`${title}\n`));
const blocks = (language) => [...section('Quick start').matchAll(/^```(\w+)\n([^]*?)^```/gm)]
    .filter((match) => match[1] === language).map((match) => match[2]);

describe('the quick start', { skip: !isMeridian }, () => {
    let node, project;
    const here = (text) => text.replaceAll('http://127.0.0.1:8545', node.url);

    before(async () => {
        node = await startNode();
        project = mkdtempSync(join(tmpdir(), 'meridian-guide-'));
        mkdirSync(join(project, 'src'));
        writeFileSync(join(project, 'src/Counter.sol'), 'contract Counter { uint256 public number; }\n');
        writeFileSync(join(project, 'foundry.toml'), `[profile.default]\noffline = true\nsolc = "${solc}"\n`);
        symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
    });
    after(async () => {
        await node?.stop();
        rmSync(project, { recursive: true, force: true });
    });

    test('the commands of the shell', async () => {
        const [start, ...rest] = blocks('sh');
        assert.equal(start, './meridian.sh dev\n');
        assert.ok(rest.length >= 2);
        const path = [dirname(foundry('cast')), dirname(foundry('forge')), dirname(process.execPath), process.env.PATH];
        const env = { ...process.env, PATH: path.join(delimiter), NO_COLOR: '1' };
        const script = `set -euo pipefail\n${here(rest.join(''))}`;
        const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: project, env });
        assert.match(stdout, /^1234321\n10000/);
        assert.match(stdout, /Deployed to: 0x/);
    });

    test('the program with viem', async () => {
        const [program] = blocks('js');
        const file = join(project, 'viem.mjs');
        writeFileSync(file, here(program));
        const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: project });
        assert.equal(stdout, 'success\n');
    });

    test("Hardhat's configuration", async () => {
        const file = join(project, 'hardhat.config.mjs');
        writeFileSync(file, here(blocks('js')[1]));
        const { default: config } = await import(pathToFileURL(file));
        const { createHardhatRuntimeEnvironment } = await import('hardhat/hre');
        const hre = await createHardhatRuntimeEnvironment(config);
        const connection = await hre.network.connect({ network: 'meridian' });
        assert.equal(Number(await connection.provider.request({ method: 'eth_chainId' })), 1234321);
        await connection.close();
    });

    test('every method is of a group that is described', async () => {
        const groups = new Set([...section('Methods').matchAll(/`([a-z0-9]+)_`/g)].map((match) => match[1]));
        const methods = await node.rpc('rpc_methods');
        const names = methods.map((method) => method.name ?? method);
        assert.ok(names.length > 100);
        for (const name of names) {
            assert.ok(groups.has(name.split('_')[0]), `no group in the guide for ${name}`);
        }
    });
});

test('every option is described, and no other', { skip: !isMeridian }, () => {
    const help = spawnSync(target, ['dev', '--help'], { encoding: 'utf8' }).stdout;
    const options = (text) => [...new Set(text.match(/--[a-z][a-z-]+/g))].filter((name) => name !== '--help').sort();
    const offered = options(help.split('\n').filter((line) => /^ {2}-/.test(line)).map((line) => line.slice(0, 30)).join('\n'));
    const described = options(section('Options').split('\n').filter((line) => line.startsWith('| `'))
        .map((line) => line.split('|')[1]).join('\n'));
    assert.deepEqual(described, offered);
});
