// What the node told anybody, and whether it stands by it.

/** Counts of what was compared and what came out wrong; the first few wrongs in words. */
export class Findings {
    checked = { frames: 0, receipts: 0, heads: 0 };
    lost = 0;
    changed = 0;
    gaps = 0;
    words = [];

    get wrong() { return this.lost + this.changed + this.gaps; }

    note(what, sentence) {
        this[what] += 1;
        if (this.words.length < 20) {
            this.words.push(`${what}: ${sentence}`);
        }
    }
}

/** The frames that the feed showed: each again has to be what it was, and each next one has to follow. */
export class FrameLedger {
    #findings;
    #frames = []; // by number
    #next = 1;    // what this connection has to show next

    constructor(findings) { this.#findings = findings; }

    get last() { return Math.max(0, this.#frames.length - 1); }
    /** What the connection has shown so far. */
    get shown() { return this.#next - 1; }
    frame(number) { return this.#frames[number]; }

    expectFrom(number) { this.#next = number; }

    /** Returns true if the frame is new. */
    take(frame) {
        if (frame.number !== this.#next) {
            this.#findings.note('gaps', `frame ${frame.number} came where ${this.#next} was due`);
        }
        this.#next = frame.number + 1;
        const before = this.#frames[frame.number - 1];
        if (before && before.hash !== frame.parentHash) {
            this.#findings.note('changed', `frame ${frame.number} does not follow the frame before it`);
        }
        const known = this.#frames[frame.number];
        if (!known) {
            this.#frames[frame.number] = frame;
            return true;
        }
        this.#findings.checked.frames += 1;
        if (known.hash !== frame.hash) {
            this.#findings.note('changed', `frame ${frame.number} was ${known.hash}, is ${frame.hash}`);
        }
        return false;
    }
}

/** Receipts and block hashes that were promised and are to be asked for again. */
export class RpcLedger {
    #findings;
    #receipts = new Map();    // by transaction hash
    #heads = new Map();       // by number
    #newReceipts = new Map(); // since the last check
    #newHeads = new Map();

    constructor(findings) { this.#findings = findings; }

    get receipts() { return this.#receipts; }
    get heads() { return this.#heads; }

    addReceipt(receipt) {
        const known = this.#receipts.get(receipt.hash);
        if (known) {
            this.#compareReceipt(known, receipt, 'told twice');
            return;
        }
        this.#receipts.set(receipt.hash, receipt);
        this.#newReceipts.set(receipt.hash, receipt);
    }

    addHead(number, hash) {
        const known = this.#heads.get(number);
        if (known && known !== hash) {
            this.#findings.note('changed', `head ${number} was ${known}, is ${hash}`);
        }
        this.#heads.set(number, hash);
        this.#newHeads.set(number, hash);
    }

    /** Asks the node for what was promised since the last time. */
    async check(node) {
        const receipts = [...this.#newReceipts.values()];
        const heads = [...this.#newHeads];
        this.#newReceipts = new Map();
        this.#newHeads = new Map();
        const found = await node.batch(receipts.map(({ hash }) => ['eth_getTransactionReceipt', [hash]]));
        receipts.forEach((promised, i) => {
            this.#findings.checked.receipts += 1;
            if (!found[i]) {
                this.#findings.note('lost', `the receipt of ${promised.hash}`);
            } else {
                this.#compareReceipt(promised, fromRpc(found[i]), 'asked for again');
            }
        });
        const blocks = await node.batch(heads.map(([number]) => ['eth_getBlockByNumber', [hex(number), false]]));
        heads.forEach(([number, hash], i) => {
            this.#findings.checked.heads += 1;
            if (blocks[i]?.hash !== hash) {
                this.#findings.note(blocks[i] ? 'changed' : 'lost', `block ${number}, ${hash}`);
            }
        });
    }

    #compareReceipt(promised, receipt, how) {
        for (const field of ['status', 'gasUsed', 'blockNumber']) {
            if (promised[field] !== receipt[field]) {
                this.#findings.note('changed', `${how}: ${field} of ${promised.hash} was ${promised[field]}, ` +
                    `is ${receipt[field]}`);
            }
        }
    }
}

export const hex = (number) => `0x${number.toString(16)}`;

export const fromRpc = (receipt) => ({ hash: receipt.transactionHash, status: Number(receipt.status),
    gasUsed: Number(receipt.gasUsed), blockNumber: Number(receipt.blockNumber) });
