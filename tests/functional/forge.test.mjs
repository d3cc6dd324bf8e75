// forge create, forge script --broadcast and forge test on a fork, offline with npm's compiler.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { parseAbi, parseEther } from 'viem';
import { foundry, solc } from './support/foundry.mjs';
import { root, startNode } from './support/node.mjs';
import { accountOf, clientsOf } from './support/viem.mjs';

const key = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const abi = parseAbi(['function balanceOf(address) view returns (uint256)', 'function name() view returns (string)']);
let node, reader, project, ledger;

/** Runs forge in a copy of the project, so that the tree stays as it was. */
async function forge(command, ...args) {
    const env = { ...process.env, PATH: dirname(process.execPath) + delimiter + process.env.PATH, NO_COLOR: '1' };
    const { stdout } = await promisify(execFile)(foundry('forge'),
        [command, '--root', project, ...args], { env, cwd: project, maxBuffer: 2 ** 26 });
    return stdout;
}

before(async () => {
    project = mkdtempSync(join(tmpdir(), 'meridian-forge-'));
    cpSync(join(root, 'tests/functional/forge'), project, { recursive: true });
    appendFileSync(join(project, 'foundry.toml'), `offline = true\nsolc = "${solc}"\n`);
    writeFileSync(join(project, 'remappings.txt'), `@openzeppelin/=${root}/node_modules/@openzeppelin/\n`);
    node = await startNode();
    ({ reader } = clientsOf(node));
});
after(async () => {
    await node?.stop();
    rmSync(project, { recursive: true, force: true });
});

test('forge create', async () => {
    const out = await forge('create', 'src/Ledger.sol:Ledger', '--rpc-url', node.url, '--private-key', key,
        '--broadcast', '--json', '--constructor-args', 'Created', '5000');
    ledger = JSON.parse(out.slice(out.indexOf('{'))).deployedTo;
    assert.equal(await reader.readContract({ address: ledger, abi, functionName: 'name' }), 'Created');
});

test('forge script --broadcast', async () => {
    const payee = '0x00000000000000000000000000000000000abcde';
    await forge('script', 'script/Issue.s.sol:Issue', '--sig', 'run(address)', payee, '--rpc-url', node.url,
        '--private-key', key, '--broadcast', '--slow');
    const log = join(project, `broadcast/Issue.s.sol/${node.chainId}/run-latest.json`);
    const { receipts, transactions } = JSON.parse(readFileSync(log, 'utf8'));
    assert.deepEqual(receipts.map(({ status }) => Number(status)), [1, 1, 1, 1]);
    const [first, second] = transactions.map(({ contractAddress }) => contractAddress);
    assert.equal(await reader.readContract({ address: first, abi, functionName: 'balanceOf', args: [payee] }), 10n);
    assert.equal(await reader.readContract({ address: second, abi, functionName: 'name' }), 'Second');
    assert.equal(await reader.getBalance({ address: payee }), parseEther('1'));
});

test('forge test on a fork of the node', async () => {
    const file = join(project, 'test/Fork.t.sol');
    writeFileSync(file, readFileSync(file, 'utf8').replace('LEDGER = address(0)', `LEDGER = ${ledger}`));
    const before = await reader.getBlockNumber();
    const out = await forge('test', '--fork-url', node.url, '--no-storage-caching', '--json');
    const [suite] = Object.values(JSON.parse(out.slice(out.indexOf('{'))));
    assert.equal(suite.test_results['testTransferOfForkedBalance()'].status, 'Success');
    assert.equal(await reader.getBlockNumber(), before);
    assert.equal(await reader.readContract({ address: ledger, abi, functionName: 'balanceOf',
        args: [accountOf(0).address] }), 5000n);
});
