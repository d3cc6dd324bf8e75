// cast, as a developer types it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { compile } from './support/compile.mjs';
import { foundry } from './support/foundry.mjs';
import { startNode } from './support/node.mjs';
import { accountOf } from './support/viem.mjs';

const run = promisify(execFile);
const key = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const [first, second] = [accountOf(0).address, accountOf(1).address];
let node, counter;

async function cast(command, ...args) {
    const { stdout } = await run(foundry('cast'), [command, '--rpc-url', node.url, ...args]);
    return stdout.trim();
}
const send = async (...args) => JSON.parse(await cast('send', '--json', '--private-key', key, ...args));

before(async () => {
    node = await startNode();
});
after(() => node?.stop());

test('chain-id and client', async () => {
    assert.equal(Number(await cast('chain-id')), node.chainId);
    assert.notEqual(await cast('client'), '');
});

test('block-number counts what was sent', async () => {
    const height = Number(await cast('block-number'));
    await send(second, '--value', '1wei');
    assert.equal(Number(await cast('block-number')), height + 1);
});

test('balance before and after a transfer', async () => {
    const before = BigInt(await cast('balance', second));
    const receipt = await send(second, '--value', '1.5ether');
    assert.equal(Number(receipt.status), 1);
    assert.equal(Number(receipt.gasUsed), 21_000);
    assert.equal(BigInt(await cast('balance', second)) - before, 1_500_000_000_000_000_000n);
});

test('a contract is created, sent to and called', async () => {
    const { bytecode } = compile('Counter.sol').Counter;
    const start = (5).toString(16).padStart(64, '0');
    const receipt = await send('--create', bytecode + start);
    counter = receipt.contractAddress;
    await send(counter, 'add(uint256)', '37');
    assert.equal(await cast('call', counter, 'number()(uint256)'), '42');
    assert.equal(await cast('call', counter, 'number()(uint256)', '--block', String(Number(receipt.blockNumber))), '5');
});

test('estimate, nonce, code, storage', async () => {
    const gas = Number(await cast('estimate', counter, 'add(uint256)', '1', '--from', first));
    assert.ok(gas > 21_000 && gas < 60_000, `estimate ${gas}`);
    assert.equal(await cast('nonce', first), String(Number(await cast('rpc', '--raw', 'eth_getTransactionCount',
        JSON.stringify([first, 'latest'])).then(JSON.parse))));
    assert.ok((await cast('code', counter)).startsWith('0x60'));
    assert.equal(BigInt(await cast('storage', counter, '0')), 42n);
});

test('a refused call shows the custom error', async () => {
    const selector = '677fd0e3'; // TooLarge(uint256,uint256)
    await assert.rejects(cast('call', counter, 'add(uint256)', '1001'), ({ stderr }) => stderr.includes(selector));
});

test('logs, receipt, tx and block', async () => {
    const { transactionHash, blockNumber } = await send(counter, 'add(uint256)', '1');
    const logs = JSON.parse(await cast('logs', '--json', '--address', counter, '--from-block', '0',
        'Counted(address indexed,uint256)'));
    assert.equal(logs.at(-1).transactionHash, transactionHash);
    assert.equal(await cast('receipt', transactionHash, 'status').then((text) => text.split(' ')[0]), 'true');
    assert.equal(BigInt(await cast('tx', transactionHash, 'blockNumber')), BigInt(blockNumber));
    const block = JSON.parse(await cast('block', '--json', String(Number(blockNumber))));
    assert.deepEqual(block.transactions, [transactionHash]);
});

test('rpc takes any method', async () => {
    assert.equal(JSON.parse(await cast('rpc', 'net_version')), String(node.chainId));
    assert.equal(await cast('rpc', 'eth_getBlockByNumber', 'latest', 'false').then((text) => JSON.parse(text).hash.length), 66);
});

test('access-list and proof', async () => {
    const list = JSON.parse(await cast('access-list', '--json', counter, 'number()(uint256)'));
    assert.equal(list.accessList[0].storageKeys.length, 1);
    const proof = JSON.parse(await cast('proof', '--json', counter, '0'));
    assert.equal(BigInt(proof.storageProof[0].value), 43n);
});

test('run replays a mined transaction from its trace', async () => {
    const { transactionHash } = await send(counter, 'add(uint256)', '2');
    const trace = await cast('run', '--quick', transactionHash);
    assert.match(trace, /Transaction successfully executed/);
});
