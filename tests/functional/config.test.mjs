// chain.toml through the real binary: what is printed is accepted, and what is wrong is told with its place.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { isMeridian, target } from './support/node.mjs';

const config = (...args) => spawnSync(target, ['config', ...args], { encoding: 'utf8', timeout: 30_000 });

describe('meridian config', { skip: !isMeridian }, () => {
    let folder, file;
    before(() => {
        folder = mkdtempSync(join(tmpdir(), 'meridian-config-'));
        file = join(folder, 'chain.toml');
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    test('--print-default prints what check accepts', () => {
        const printed = config('--print-default');
        assert.equal(printed.status, 0);
        writeFileSync(file, printed.stdout);
        const checked = config('check', file);
        assert.equal(checked.stdout, `${file}: valid\n`);
        assert.equal(checked.status, 0);
    });

    test('every mistake is told, with its place and what was meant', () => {
        writeFileSync(file, '[frames]\nintervall_ms = 20\n\n[rpc]\nport = "8545"\n');
        const checked = config('check', file);
        assert.equal(checked.status, 1);
        assert.deepEqual(checked.stdout.trim().split('\n'), [
            `${file}:2:1: frames.intervall_ms: unknown key; did you mean interval_ms?`,
            `${file}:5:8: rpc.port: wants a whole number, 0 to 65_535, not the text "8545"`]);
    });

    test('--json', () => {
        const { status, stdout } = config('check', file, '--json');
        assert.equal(status, 1);
        const { valid, problems } = JSON.parse(stdout);
        assert.equal(valid, false);
        assert.deepEqual(problems.map(({ key, line, column }) => [key, line, column]),
            [['frames.intervall_ms', 2, 1], ['rpc.port', 5, 8]]);
    });

    test('methods that there are none of are told, with what was meant', () => {
        writeFileSync(file, '[rpc]\nallow = ["eth_*", "etth_*"]\ndeny = ["debug_traceTransactoin"]\n');
        const checked = config('check', file);
        assert.equal(checked.status, 1);
        assert.deepEqual(checked.stdout.trim().split('\n'), [
            `${file}: rpc.allow: "etth_*" names no method; did you mean "eth_*"?`,
            `${file}: rpc.deny: "debug_traceTransactoin" names no method; did you mean "debug_traceTransaction"?`]);
        const node = spawnSync(target, ['node', '--data-dir', join(folder, 'none'), '--config', file],
            { encoding: 'utf8', timeout: 30_000 });
        assert.notEqual(node.status, 0);
        assert.match(node.stderr, /rpc\.allow: "etth_\*" names no method/);
    });

    test('a file that is not there, and a command that is not there', () => {
        const missing = config('check', join(folder, 'none.toml'));
        assert.equal(missing.status, 1);
        assert.match(missing.stdout, /none\.toml: cannot be read: No such file/);
        assert.equal(config('chek').status, 2);
        assert.match(config('chek').stderr, /did you mean 'check'/);
        assert.equal(config().status, 2);
    });
});
