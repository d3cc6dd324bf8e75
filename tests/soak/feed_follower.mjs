// Follows the binary feed as docs/wire.md specifies it, one connection at a time.
import { connect } from 'node:net';

const kind = { hello: 1, welcome: 2, error: 3, ping: 4, pong: 5, state: 16, follow: 17, record: 18 };
const shuttingDown = 9;
const notYet = 33;

function message(type, payload) {
    const head = Buffer.alloc(5);
    head.writeUInt32LE(payload.length + 1);
    head[4] = type;
    return Buffer.concat([head, payload]);
}

function hello(chainId, genesisHash) {
    const head = Buffer.alloc(19);
    head.write('MRDNWIRE');
    head[8] = 1;
    head.writeUInt16LE(1, 9);
    head.writeBigUInt64LE(BigInt(chainId), 11);
    return message(kind.hello, Buffer.concat([head, Buffer.from(genesisHash.slice(2), 'hex')]));
}

/**
 * Connects and follows from frame `from` on. onRecord(buffer) for each record, in order; onNotYet(last) if the
 * node says that it has no such frame; onError(text) for any other refusal. Ends when the node does, or by end().
 */
export function followFeed({ port, chainId, genesisHash, from, onRecord, onNotYet, onError }) {
    const socket = connect(port, '127.0.0.1');
    let received = Buffer.alloc(0);
    const take = (type, payload) => {
        if (type === kind.welcome) {
            const wanted = Buffer.alloc(8);
            wanted.writeBigUInt64LE(BigInt(from));
            socket.write(message(kind.follow, wanted));
        } else if (type === kind.record) {
            onRecord(payload);
        } else if (type === kind.ping) {
            socket.write(message(kind.pong, payload));
        } else if (type === kind.error) {
            const code = payload.readUInt16LE();
            const last = Number(payload.readBigUInt64LE(2));
            if (code === notYet) {
                onNotYet(last);
            } else if (code !== shuttingDown) {
                onError(`${code}: ${payload.subarray(10)}`);
            }
        }
    };
    socket.on('connect', () => socket.write(hello(chainId, genesisHash)));
    socket.on('data', (data) => {
        received = received.length ? Buffer.concat([received, data]) : data;
        while (received.length >= 5 && received.length >= 4 + received.readUInt32LE()) {
            const end = 4 + received.readUInt32LE();
            take(received[4], received.subarray(5, end));
            received = received.subarray(end);
        }
    });
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.on('error', () => {}); // a node that was killed; what it promised is kept
    return { closed, end: () => socket.destroy() };
}
