// Evidence against a sequencer through three implementations that share no code: ours, viem, and Solidity on a
// chain. The headers are made and signed by viem, the records and the contract's call by us.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { encodeAbiParameters, keccak256, numberToHex, parseEventLogs, parseSignature, serializeSignature, sliceHex,
    toHex } from 'viem';
import { privateKeyToAccount, sign } from 'viem/accounts';
import { compile } from './support/compile.mjs';
import { isMeridian, root, startNode, target } from './support/node.mjs';
import { clientsOf, deploy } from './support/viem.mjs';

const binary = isMeridian ? target : join(root, 'build/release/bin/meridian');
const corpus = join(root, 'tests/fuzz/corpus/frame_record_fuzz');
const sequencerKey = '0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318';
const fields = [['uint64', 'chainId'], ['uint64', 'term'], ['uint64', 'number'], ['bytes32', 'parentHash'],
    ['uint64', 'blockNumber'], ['uint32', 'index'], ['uint64', 'timestampUs'], ['bytes32', 'baseHash'],
    ['bytes32', 'transactionsHash'], ['bytes32', 'receiptsHash'], ['bytes32', 'changesHash']];
const typeHash = keccak256(toHex(`MeridianFrame(${fields.map((field) => field.join(' ')).join(',')})`));

let node, clients, contract, folder;

before(async () => {
    node = await startNode();
    clients = clientsOf(node);
    contract = await deploy(clients.reader, clients.wallet(0), compile('FrameEvidence.sol').FrameEvidence);
    folder = mkdtempSync(join(tmpdir(), 'meridian-evidence-'));
});
after(async () => {
    await node?.stop();
    rmSync(folder, { recursive: true, force: true });
});

const header = (changes = {}) => ({
    chainId: 901n, term: 2n, number: 0x1234n, parentHash: keccak256('0x01'), blockNumber: 77n, index: 3n,
    timestampUs: 1_700_000_000_123_456n, baseHash: `0x${'00'.repeat(32)}`, transactionsHash: keccak256('0x02'),
    receiptsHash: keccak256('0x03'), changesHash: keccak256('0x04'), ...changes,
});

const hashOf = (frame) => keccak256(encodeAbiParameters([{ type: 'bytes32' }, ...fields.map(([type]) => ({ type }))],
    [typeHash, ...fields.map(([type, name]) => (type === 'uint32' ? Number(frame[name]) : frame[name]))]));

/** A signed header as the command reads it. */
async function signed(frame, key = sequencerKey) {
    const signature = await sign({ hash: hashOf(frame), privateKey: key });
    const parity = numberToHex(signature.yParity, { size: 1 });
    const members = fields.map(([type, name]) => [name, type === 'bytes32' ? frame[name] : toHex(frame[name])]);
    return { header: Object.fromEntries(members), signature: `${sliceHex(serializeSignature(signature), 0, 64)}${parity.slice(2)}` };
}

function save(name, content) {
    const path = join(folder, name);
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
    return path;
}

function evidence(...args) {
    const { status, stdout, stderr } = spawnSync(binary, ['evidence', ...args], { encoding: 'utf8' });
    return { status, stdout, stderr };
}

const submit = (data) => clients.wallet(0).sendTransaction({ to: contract.address, data });

/** What the contract takes: numbers as bigint (or number for uint32), v as 27 or 28. */
function forSolidity({ header: json, signature }) {
    const values = fields.map(([type, name]) => {
        if (type === 'bytes32') return [name, json[name]];
        return [name, type === 'uint32' ? Number(json[name]) : BigInt(json[name])];
    });
    const { r, s, yParity } = parseSignature(signature);
    return { header: Object.fromEntries(values), r, s, v: 27 + yParity };
}

describe('meridian evidence', () => {
    test('hash and signer of a header are those that viem and Solidity compute', async () => {
        const head = await signed(header());
        const { status, stdout } = evidence('show', '--json', save('head.json', head));
        assert.equal(status, 0);
        const shown = JSON.parse(stdout);
        assert.equal(shown.hash, hashOf(header()));
        const { header: argument } = forSolidity(head);
        assert.equal(await clients.reader.readContract({ ...contract, functionName: 'hash', args: [argument] }), shown.hash);
        const text = evidence('show', join(folder, 'head.json')).stdout;
        const address = privateKeyToAccount(sequencerKey).address;
        assert.ok(text.includes(`signer             ${address.toLowerCase()}`), text);
        const signer = await clients.reader.readContract({ ...contract, functionName: 'signer', args: [forSolidity(head)] });
        assert.equal(signer, address);
    });

    test('records that we made have the hash and signer that Solidity computes', async () => {
        const records = readdirSync(corpus).filter((name) => name.startsWith('record_'));
        assert.ok(records.length >= 3);
        for (const name of records) {
            const shown = JSON.parse(evidence('show', '--json', join(corpus, name)).stdout);
            const argument = forSolidity(shown);
            assert.equal(await clients.reader.readContract({ ...contract, functionName: 'hash', args: [argument.header] }),
                shown.hash, name);
            // Private key 1, which the kept records are signed with.
            assert.equal(await clients.reader.readContract({ ...contract, functionName: 'signer', args: [argument] }),
                '0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf', name);
        }
    });

    test('two frames of one number are evidence, and a contract takes it', async () => {
        const a = save('a.json', await signed(header()));
        const b = save('b.json', await signed(header({ changesHash: keccak256('0x05') })));
        const { status, stdout } = evidence('check', '--json', a, b);
        assert.equal(status, 0);
        const found = JSON.parse(stdout);
        assert.deepEqual([found.chainId, found.number], ['0x385', '0x1234']);
        const receipt = await clients.reader.waitForTransactionReceipt({ hash: await submit(found.calldata) });
        assert.equal(receipt.status, 'success');
        const [{ args }] = parseEventLogs({ abi: contract.abi, logs: receipt.logs });
        assert.deepEqual(args, { offender: privateKeyToAccount(sequencerKey).address, chainId: 901n, number: 0x1234n });
        // The file that was printed is evidence too.
        const again = evidence('check', save('evidence.json', stdout));
        assert.equal(again.status, 0);
        assert.match(again.stdout, /^Evidence: 0x[0-9a-f]{40} signed two frames 4660 of chain 901\n/);
    });

    test('what is no evidence has a reason, for us and for the contract', async () => {
        const first = await signed(header());
        const otherKey = '0x0000000000000000000000000000000000000000000000000000000000000002';
        const cases = [
            [first, 'both are the same frame', 'SameFrame'],
            [await signed(header({ number: 5n })), 'the frames have different numbers', 'DifferentNumbers'],
            [await signed(header({ chainId: 5n })), 'the frames are of different chains', 'DifferentChains'],
            [await signed(header({ term: 3n }), otherKey), 'the frames were signed by different keys', 'DifferentSigners'],
        ];
        const valid = JSON.parse(evidence('check', '--json', save('a.json', first),
            save('b.json', await signed(header({ term: 3n })))).stdout).calldata;
        for (const [second, reason, revert] of cases) {
            const result = evidence('check', '--json', save('a.json', first), save('b.json', second));
            assert.equal(result.status, 1);
            assert.deepEqual(JSON.parse(result.stdout), { evidence: false, reason });
            // The second frame in the place of the one that convicts: fourteen words of thirty-two bytes.
            const words = fields.map(([, name]) => second.header[name].slice(2).padStart(64, '0'));
            const { r, s, yParity } = parseSignature(second.signature);
            const data = sliceHex(valid, 0, 4 + 64 + 14 * 32) + words.join('') + r.slice(2) + s.slice(2) +
                (27 + yParity).toString(16).padStart(64, '0');
            await assert.rejects(clients.reader.simulateContract({ ...contract, functionName: 'submitEquivocation',
                args: [`0x${data.slice(2 + 2 * 68)}`] }), new RegExp(revert));
        }
    });

    test('files that cannot be used are named', async () => {
        const good = save('good.json', await signed(header()));
        const missing = evidence('check', good, join(folder, 'none'));
        assert.equal(missing.status, 2);
        assert.match(missing.stderr, /none: No such file/);
        const torn = evidence('show', save('torn', 'xyz'));
        assert.equal(torn.status, 2);
        assert.match(torn.stderr, /torn: no record of a frame .* and no JSON/);
        const wrong = evidence('show', save('wrong.json', { header: { chainId: 1 }, signature: '0x' }));
        assert.equal(wrong.status, 2);
        assert.match(wrong.stderr, /wrong\.json: header\.chainId: has to be a string/);
        const alone = evidence('check', good);
        assert.equal(alone.status, 2);
        assert.match(alone.stderr, /two signed headers, not 1/);
    });
});
