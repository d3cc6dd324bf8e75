// What docs/vertical.md says: its commands are run in order.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { foundry } from './support/foundry.mjs';
import { isMeridian, root, startNode } from './support/node.mjs';

const guide = readFileSync(join(root, 'docs/vertical.md'), 'utf8');
const blocks = (language) => [...guide.matchAll(/^```(\w+)\n([^]*?)^```/gm)]
    .filter((match) => match[1] === language).map((match) => match[2]);

describe('write your own vertical', { skip: !isMeridian }, () => {
    let node;
    const [start, commands] = blocks('sh');
    before(async () => {
        const [program, command, ...args] = start.trim().split(' ');
        assert.deepEqual([program, command], ['meridian', 'dev']);
        node = await startNode(...args);
    });
    after(() => node?.stop());

    test('the commands of the shell', async () => {
        const env = { ...process.env, PATH: [dirname(foundry('cast')), process.env.PATH].join(delimiter), NO_COLOR: '1' };
        const script = `set -euo pipefail\n${commands.replaceAll('http://127.0.0.1:8545', node.url)}`;
        const { stdout } = await promisify(execFile)('bash', ['-c', script], { env });
        const [before, receipt, after, slot] = stdout.trim().split('\n');
        assert.equal(before, '5');
        assert.equal(JSON.parse(receipt).status, '0x1');
        assert.equal(after, '12');
        assert.match(slot, /^0x[0-9a-f]{64}$/);
        assert.notEqual(BigInt(slot), 0n);
    });

    test('what it quotes stands in the example', () => {
        const source = readFileSync(join(root, 'examples/counter/counter.cpp'), 'utf8');
        const words = source.replaceAll(/\s+/g, ' ');
        for (const line of blocks('cpp').join('').split('\n').map((each) => each.trim()).filter(Boolean)) {
            assert.ok(words.includes(line), line);
        }
        for (const [path] of guide.matchAll(/(?<=`)(?:examples|apps|contracts)\/[\w./]+(?=`)/g)) {
            assert.ok(existsSync(join(root, path)), path);
        }
    });
});
