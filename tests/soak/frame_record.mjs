// Records of frames as docs/frames.md specifies them: header, hash, transactions and receipts.
import { zstdDecompressSync } from 'node:zlib';
import { decodeRlp } from 'ethers';
import { encodeAbiParameters, keccak256, toBytes, toHex } from 'viem';

const typeHash = keccak256(toBytes('MeridianFrame(uint64 chainId,uint64 term,uint64 number,bytes32 parentHash,' +
    'uint64 blockNumber,uint32 index,uint64 timestampUs,bytes32 baseHash,bytes32 transactionsHash,' +
    'bytes32 receiptsHash,bytes32 changesHash)'));
const types = ['bytes32', 'uint64', 'uint64', 'uint64', 'bytes32', 'uint64', 'uint32', 'uint64', 'bytes32', 'bytes32',
    'bytes32', 'bytes32'].map((type) => ({ type }));
const headSize = 295;

function readHeader(record) {
    let at = 10;
    const take = (size) => record.subarray(at, (at += size));
    const uint64 = () => take(8).readBigUInt64LE();
    const hash = () => toHex(take(32));
    return {
        chainId: uint64(), term: uint64(), number: uint64(), parentHash: hash(), blockNumber: uint64(),
        index: take(4).readUInt32LE(), timestampUs: uint64(), baseHash: hash(), transactionsHash: hash(),
        receiptsHash: hash(), changesHash: hash(),
    };
}

/** The four sections, uncompressed. */
function readSections(record) {
    const body = record.subarray(headSize);
    const plain = record[9] & 1 ? zstdDecompressSync(body) : body;
    const sections = [];
    for (let i = 0, at = 0; i < 4; ++i) {
        const size = record.readUInt32LE(279 + 4 * i);
        sections.push(plain.subarray(at, (at += size)));
    }
    return sections;
}

const number = (hex) => (hex === '0x' ? 0 : Number(hex));

/** What a frame's receipts promise: [{ hash, status, gasUsed }] in order. */
function readReceipts([, transactions, receipts]) {
    const envelopes = decodeRlp(transactions).flatMap(([, list]) => list);
    return decodeRlp(receipts).map(([, status, gasUsed], i) =>
        ({ hash: keccak256(envelopes[i]), status: number(status), gasUsed: number(gasUsed) }));
}

/** A Buffer with a record: { number, hash, parentHash, blockNumber, receipts }, numbers as Number. */
export function readRecord(record) {
    const header = readHeader(record);
    const hash = keccak256(encodeAbiParameters(types, [typeHash, ...Object.values(header)]));
    const sections = readSections(record);
    for (const [name, section] of [['transactionsHash', sections[1]], ['receiptsHash', sections[2]]]) {
        if (keccak256(section) !== header[name]) {
            throw new Error(`frame ${header.number}: ${name} is of other bytes`);
        }
    }
    return { number: Number(header.number), hash, parentHash: header.parentHash,
        blockNumber: Number(header.blockNumber), receipts: readReceipts(sections) };
}

