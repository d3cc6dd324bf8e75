// Who is promised things over JSON-RPC: a subscriber to heads, and somebody who sends transactions one after another
// and keeps the receipt that each is answered with.
import { Wallet } from 'ethers';
import { fromRpc, hex } from './promises.mjs';

// The second account of the well-known test mnemonic.
const key = '0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d';

/** Until the connection ends. onHead(number, hash). */
export function subscribeHeads(node, onHead) {
    const socket = new WebSocket(node.wsUrl);
    socket.onopen = () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] }));
    socket.onmessage = ({ data }) => {
        const { params } = JSON.parse(data);
        if (params) {
            onHead(Number(params.result.number), params.result.hash);
        }
    };
    socket.onerror = () => {}; // a node that was killed
    return { end: () => socket.close() };
}

// EIP-7966: not executed in time, not ready, a nonce is missing. No receipt was promised then.
const notYet = [4, 5, 6];

/** Until the node does not answer any more; then resolves, with a text if it refused. onReceipt(receipt). */
export async function sendOneByOne(node, chainId, onReceipt) {
    const wallet = new Wallet(key);
    for (;;) {
        try {
            const nonce = Number(await node.rpc('eth_getTransactionCount', wallet.address, 'latest'));
            const raw = await wallet.signTransaction({ chainId, nonce, to: wallet.address, value: 1n, gasLimit: 21_000,
                maxFeePerGas: 10n ** 12n, maxPriorityFeePerGas: 1n, type: 2 });
            onReceipt(fromRpc(await node.rpc('eth_sendRawTransactionSync', raw)));
        } catch (error) {
            // A number is an answer's, which a killed node cannot give.
            if (typeof error.code !== 'number') {
                return undefined;
            }
            if (!notYet.includes(error.code) && !/already known|nonce too low/.test(error.message)) {
                return `refused: ${error.message}`;
            }
        }
    }
}

/**
 * The subscription `frames` with receipts, from frame `from` on: onFrame({ number, hash, parentHash, blockNumber,
 * receipts }) for each, in order; onError(text) if the node refuses. Ends when the node does, or by end().
 */
export function followFrames(node, { from, onFrame, onError }) {
    const socket = new WebSocket(node.wsUrl);
    socket.onopen = () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe',
        params: ['frames', { receipts: true, from: hex(from) }] }));
    socket.onmessage = ({ data }) => {
        const { params, error } = JSON.parse(data);
        if (error) {
            onError(error.message);
        } else if (params) {
            const { number, hash, parentHash, blockNumber, receipts } = params.result;
            onFrame({ number: Number(number), hash, parentHash, blockNumber: Number(blockNumber),
                receipts: receipts.map(fromRpc) });
        }
    };
    const closed = new Promise((resolve) => { socket.onclose = resolve; });
    socket.onerror = () => {}; // a node that was killed; what it promised is kept
    return { closed, end: () => socket.close() };
}
