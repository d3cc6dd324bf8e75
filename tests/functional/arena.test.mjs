// Proofs of pages through three implementations that share no code: those kept with the fuzzer are made by ours,
// viem computes what they are committed to by, and our Solidity library verifies them on a chain.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { concat, encodeAbiParameters, keccak256, numberToHex, toHex } from 'viem';
import { compile } from './support/compile.mjs';
import { root, startNode } from './support/node.mjs';
import { clientsOf, deploy, transact } from './support/viem.mjs';

const corpus = join(root, 'tests/fuzz/corpus/page_proof_fuzz');
const pageSize = 4096;
const levels = 12;

let node, clients, contract, proofs;

/** A kept proof: commitment, page count, page, content, siblings, as page_proof_fuzz.cpp describes it. */
function readProof(name) {
    const bytes = readFileSync(join(corpus, name));
    const hex = (from, size) => toHex(bytes.subarray(from, from + size));
    const siblings = Array.from({ length: 3 * levels }, (_, i) => hex(40 + pageSize + 32 * i, 32));
    assert.equal(bytes.length, 40 + pageSize + 32 * 3 * levels, name);
    return {
        commitment: hex(0, 32),
        page: { pageCount: BigInt(bytes.readUInt32LE(32)), number: BigInt(bytes.readUInt32LE(36)),
            content: hex(40, pageSize), siblings },
        content: bytes.subarray(40, 40 + pageSize),
    };
}

function commitmentOf({ pageCount, number, content, siblings }) {
    let hash = keccak256(content);
    for (let level = 0; level < levels; ++level) {
        const children = siblings.slice(3 * level, 3 * level + 3);
        children.splice(Number(number >> BigInt(2 * level) & 3n), 0, hash);
        hash = keccak256(concat(children));
    }
    return keccak256(encodeAbiParameters([{ type: 'bytes32' }, { type: 'uint256' }, { type: 'bytes32' }],
        [keccak256(toHex('Meridian arena 1')), pageCount, hash]));
}

const read = (functionName, ...args) => clients.reader.readContract({ ...contract, functionName, args });

/** The same bytes but for one bit. */
function flipped(hex, byte) {
    const at = 2 + 2 * byte;
    const changed = (parseInt(hex.slice(at, at + 2), 16) ^ 0x10).toString(16).padStart(2, '0');
    return `${hex.slice(0, at)}${changed}${hex.slice(at + 2)}`;
}

before(async () => {
    node = await startNode();
    clients = clientsOf(node);
    contract = await deploy(clients.reader, clients.wallet(0), compile('ArenaReader.sol').ArenaReader);
    proofs = readdirSync(corpus).filter((name) => name.startsWith('proof_')).map(readProof);
    await transact(clients.reader, clients.wallet(0), contract, 'commit', [proofs[0].commitment]);
});
after(() => node?.stop());

describe('pages of an arena', () => {
    test('are proven against storage slot 0 of an account', async () => {
        const { storageProof } = await clients.reader.getProof({ address: contract.address, storageKeys: [numberToHex(0, { size: 32 })] });
        assert.equal(numberToHex(storageProof[0].value, { size: 32 }), proofs[0].commitment);
        assert.equal(proofs.length, 4);
        for (const { commitment, page, content } of proofs) {
            assert.equal(commitment, proofs[0].commitment);
            assert.equal(commitmentOf(page), commitment);
            assert.equal(await read('commitmentOf', page), commitment);
            for (const [offset, size] of [[0, 64], [4095, 1], [4096, 0], [100, 1000], [0, 4096]]) {
                const expected = content.subarray(offset, offset + size);
                assert.equal(await read('readBytes', page, BigInt(offset), BigInt(size)), size ? toHex(expected) : '0x');
            }
            assert.equal(await read('readNumber', page, 1000n, 8n), content.readBigUInt64LE(1000));
        }
    });

    test('show a contract what lies in the arena', async () => {
        const header = proofs.find(({ page }) => page.number === 0n);
        assert.equal(await read('readBytes', header.page, 0n, 8n), toHex('MERIDIAN'));
        assert.equal(await read('readNumber', header.page, 12n, 4n), header.page.pageCount);
        assert.equal(await read('readNumber', header.page, 0n, 32n),
            BigInt(toHex(Buffer.from(header.content.subarray(0, 32)).reverse())));
    });

    test('are refused when anything about them is changed, with the reason', async () => {
        for (const { page } of proofs) {
            const other = (i) => page.siblings.map((hash, k) => (k === i ? flipped(hash, i % 32) : hash));
            const cases = [
                [{ content: flipped(page.content, 0) }, 'WrongCommitment'],
                [{ content: flipped(page.content, 4095) }, 'WrongCommitment'],
                ...[0, 1, 2, 17, 35].map((i) => [{ siblings: other(i) }, 'WrongCommitment']),
                [{ number: page.number ^ 1n }, 'WrongCommitment'],
                [{ pageCount: page.pageCount + 1n }, 'WrongCommitment'],
                [{ number: page.pageCount }, 'NoSuchPage'],
                [{ number: page.number + (1n << 24n), pageCount: (1n << 24n) + page.pageCount }, 'NoSuchPage'],
                [{ content: page.content.slice(0, -2) }, 'WrongPageSize'],
                [{ content: `${page.content}00` }, 'WrongPageSize'],
                [{ content: '0x' }, 'WrongPageSize'],
            ];
            for (const [change, reason] of cases) {
                await assert.rejects(read('readBytes', { ...page, ...change }, 0n, 1n), new RegExp(reason));
            }
        }
        const [{ page }] = proofs;
        for (const [offset, size] of [[4096n, 1n], [4095n, 2n], [2n ** 256n - 1n, 2n], [0n, 2n ** 256n - 1n]]) {
            await assert.rejects(read('readBytes', page, offset, size), /OutsideOfPage/);
        }
        await assert.rejects(read('readNumber', page, 0n, 33n), /OutsideOfPage/);
    });

    test('cost little gas beyond the call data', async () => {
        for (const { page } of proofs) {
            const gas = await read('gasOf', page);
            assert.ok(gas > 2_000n && gas < 6_000n, `${gas}`);
        }
        const data = await clients.reader.estimateContractGas({ ...contract, functionName: 'commitmentOf', args: [proofs[3].page],
            account: clients.wallet(0).account });
        assert.ok(data < 250_000n, `${data}`);
    });
});
