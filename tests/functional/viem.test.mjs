// viem: every transaction type, fees, errors, tracing and subscriptions, as applications use them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
    createPublicClient, encodeFunctionData, hashMessage, parseEther, parseGwei, recoverMessageAddress, webSocket,
} from 'viem';
import { compile } from './support/compile.mjs';
import { startNode } from './support/node.mjs';
import { accountOf, chainOf, clientsOf, deploy, transact } from './support/viem.mjs';

let node, reader, wallet, counter;

before(async () => {
    node = await startNode();
    const clients = clientsOf(node);
    reader = clients.reader;
    wallet = clients.wallet(0);
    counter = await deploy(reader, wallet, compile('Counter.sol').Counter, [5n]);
});
after(() => node?.stop());

async function mined(hash) {
    const receipt = await reader.waitForTransactionReceipt({ hash });
    assert.equal(receipt.status, 'success');
    return { receipt, transaction: await reader.getTransaction({ hash }) };
}

describe('transactions', () => {
    const to = accountOf(5).address;

    test('legacy', async () => {
        const hash = await wallet.sendTransaction({ to, value: 1n, type: 'legacy', gasPrice: parseGwei('3') });
        const { receipt, transaction } = await mined(hash);
        assert.equal(transaction.type, 'legacy');
        assert.equal(receipt.effectiveGasPrice, parseGwei('3'));
        assert.ok([BigInt(node.chainId * 2 + 35), BigInt(node.chainId * 2 + 36)].includes(transaction.v));
    });

    test('EIP-2930 with an access list', async () => {
        const data = encodeFunctionData({ ...counter, functionName: 'add', args: [1n] });
        const { accessList } = await reader.createAccessList({ account: wallet.account, to: counter.address, data });
        assert.deepEqual(accessList.map(({ address }) => address), [counter.address]);
        const hash = await wallet.sendTransaction({ to: counter.address, data, accessList, type: 'eip2930',
            gasPrice: parseGwei('3') });
        const { transaction } = await mined(hash);
        assert.equal(transaction.type, 'eip2930');
        assert.deepEqual(transaction.accessList, accessList);
    });

    test('EIP-1559 pays the base fee and the tip', async () => {
        const hash = await wallet.sendTransaction({ to, value: 1n, maxFeePerGas: parseGwei('50'),
            maxPriorityFeePerGas: parseGwei('2') });
        const { receipt } = await mined(hash);
        const { baseFeePerGas } = await reader.getBlock({ blockNumber: receipt.blockNumber });
        assert.equal(receipt.effectiveGasPrice, baseFeePerGas + parseGwei('2'));
    });

    test('EIP-7702 gives an account code, and takes it back', async () => {
        const delegating = clientsOf(node).wallet(6);
        const authorization = await delegating.signAuthorization({ contractAddress: counter.address,
            executor: 'self' });
        const data = encodeFunctionData({ ...counter, functionName: 'add', args: [9n] });
        await mined(await delegating.sendTransaction({ to: delegating.account.address, data,
            authorizationList: [authorization] }));
        const code = await reader.getCode({ address: delegating.account.address });
        assert.equal(code, `0xef0100${counter.address.slice(2).toLowerCase()}`);
        assert.equal(BigInt(await reader.getStorageAt({ address: delegating.account.address, slot: '0x0' })), 9n);

        const none = await delegating.signAuthorization({ contractAddress: '0x0000000000000000000000000000000000000000',
            executor: 'self' });
        await mined(await delegating.sendTransaction({ to, authorizationList: [none] }));
        assert.equal(await reader.getCode({ address: delegating.account.address }), undefined);
    });

    test('a transaction that fails keeps its receipt', async () => {
        const data = encodeFunctionData({ ...counter, functionName: 'fail' });
        const hash = await wallet.sendTransaction({ to: counter.address, data, gas: 100_000n });
        const receipt = await reader.waitForTransactionReceipt({ hash });
        assert.equal(receipt.status, 'reverted');
        assert.ok(receipt.gasUsed > 21_000n && receipt.gasUsed < 100_000n);
    });

    test('a nonce that is too low and a balance that is too small are refused', async () => {
        await assert.rejects(wallet.sendTransaction({ to, value: 1n, nonce: 0 }), /nonce/i);
        await assert.rejects(wallet.sendTransaction({ to, value: parseEther('1000000000') }), /funds|balance|exceeds/i);
    });
});

describe('reading', () => {
    test('a block holds what its receipts say', async () => {
        const { blockNumber } = await transact(reader, wallet, counter, 'add', [1n]);
        const block = await reader.getBlock({ blockNumber, includeTransactions: true });
        const receipts = await reader.request({ method: 'eth_getBlockReceipts', params: [block.hash] });
        assert.deepEqual(receipts.map((receipt) => receipt.transactionHash), block.transactions.map(({ hash }) => hash));
        assert.equal(receipts.reduce((sum, receipt) => sum + BigInt(receipt.gasUsed), 0n), block.gasUsed);
        const parent = await reader.getBlock({ blockNumber: blockNumber - 1n });
        assert.equal(block.parentHash, parent.hash);
    });

    test('fee history covers the blocks asked for', async () => {
        const history = await reader.getFeeHistory({ blockCount: 2, rewardPercentiles: [25, 75] });
        assert.equal(history.baseFeePerGas.length, 3);
        assert.equal(history.gasUsedRatio.length, 2);
        const newest = await reader.getBlock({ blockNumber: history.oldestBlock + 1n });
        assert.equal(history.baseFeePerGas[1], newest.baseFeePerGas);
    });

    test('the environment of a call is that of the block', async () => {
        const blockNumber = await reader.getBlockNumber();
        const [chainId, number, timestamp] = await reader.readContract({ ...counter, functionName: 'environment',
            blockNumber });
        const block = await reader.getBlock({ blockNumber });
        assert.equal(chainId, BigInt(node.chainId));
        assert.deepEqual([number, timestamp], [block.number, block.timestamp]);
    });

    test('an old block shows the old state', async () => {
        const before = await reader.readContract({ ...counter, functionName: 'number' });
        const { blockNumber } = await transact(reader, wallet, counter, 'add', [10n]);
        const at = (number) => reader.readContract({ ...counter, functionName: 'number', blockNumber: number });
        assert.deepEqual([await at(blockNumber - 1n), await at(blockNumber)], [before, before + 10n]);
    });

    test('state overrides change one call only', async () => {
        const number = await reader.readContract({ ...counter, functionName: 'number',
            stateOverride: [{ address: counter.address, stateDiff: [{ slot: `0x${'0'.repeat(64)}`,
                value: `0x${'0'.repeat(62)}63` }] }] });
        assert.equal(number, 99n);
        assert.notEqual(await reader.readContract({ ...counter, functionName: 'number' }), 99n);
    });

    test('a revert shows reason, custom error and arguments', async () => {
        await assert.rejects(reader.simulateContract({ ...counter, functionName: 'fail' }), /always fails/);
        const refused = await reader.simulateContract({ ...counter, functionName: 'add', args: [1001n] })
            .catch((error) => error.walk((cause) => cause.name === 'ContractFunctionRevertedError').data);
        assert.equal(refused.errorName, 'TooLarge');
        assert.deepEqual(refused.args, [1001n, 1000n]);
    });

    test('eth_simulateV1 runs calls on top of each other', async () => {
        const before = await reader.readContract({ ...counter, functionName: 'number' });
        const { results } = await reader.simulateCalls({ account: wallet.account.address, calls: [
            { to: counter.address, abi: counter.abi, functionName: 'add', args: [1n] },
            { to: counter.address, abi: counter.abi, functionName: 'add', args: [2n] },
        ] });
        assert.deepEqual(results.map(({ result }) => result), [before + 1n, before + 3n]);
        assert.equal(results[1].logs.length, 1);
    });

    test('proofs are of the state root in the header', async () => {
        const block = await reader.getBlock();
        const proof = await reader.getProof({ address: counter.address, storageKeys: [`0x${'0'.repeat(64)}`],
            blockNumber: block.number });
        const { keccak256 } = await import('viem');
        assert.equal(keccak256(proof.accountProof[0]), block.stateRoot);
        assert.equal(keccak256(proof.storageProof[0].proof[0]), proof.storageHash);
        assert.equal(proof.storageProof[0].value, await reader.readContract({ ...counter, functionName: 'number' }));
    });

    test('debug_traceTransaction: call and struct tracers', async () => {
        const { transactionHash, gasUsed } = await transact(reader, wallet, counter, 'add', [1n]);
        const call = await node.rpc('debug_traceTransaction', transactionHash, { tracer: 'callTracer' });
        assert.equal(call.type, 'CALL');
        assert.equal(BigInt(call.gasUsed), gasUsed);
        const steps = await node.rpc('debug_traceTransaction', transactionHash, {});
        assert.equal(steps.failed, false);
        assert.ok(steps.structLogs.some(({ op }) => op === 'SSTORE'));
    });

    test('messages are signed and recovered', async () => {
        const signature = await wallet.signMessage({ message: 'hello' });
        assert.equal(hashMessage('hello').length, 66);
        assert.equal(await recoverMessageAddress({ message: 'hello', signature }), wallet.account.address);
        const unlocked = await node.rpc('personal_sign', '0x68656c6c6f', wallet.account.address);
        assert.equal(unlocked, signature);
    });
});

describe('subscriptions over WebSocket', () => {
    let socket;
    before(async () => {
        socket = createPublicClient({ chain: chainOf(node), transport: webSocket(node.wsUrl) });
    });
    after(async () => (await socket.transport.getRpcClient()).close());

    /** The first value that `subscribe(onValue, onError)` delivers, when `act()` too is done. */
    async function firstOf(subscribe, act) {
        let unwatch;
        try {
            const first = new Promise((resolve, reject) => {
                unwatch = subscribe(resolve, reject);
                setTimeout(() => reject(new Error('nothing came in 5 s')), 5_000).unref();
            });
            const acted = new Promise((wake) => setTimeout(wake, 200)).then(act);
            return (await Promise.all([first, acted]))[0];
        } finally {
            unwatch();
        }
    }

    test('new heads', async () => {
        let hash;
        const block = await firstOf((onBlock, onError) => socket.watchBlocks({ onBlock, onError }), async () => {
            hash = await wallet.sendTransaction({ to: accountOf(1).address, value: 1n });
        });
        const receipt = await reader.waitForTransactionReceipt({ hash });
        assert.equal(block.hash, receipt.blockHash);
    });

    test('logs of one contract', async () => {
        const logs = await firstOf(
            (onLogs, onError) => socket.watchContractEvent({ ...counter, eventName: 'Counted', onLogs, onError }),
            () => transact(reader, wallet, counter, 'add', [3n]));
        assert.equal(logs[0].args.by, wallet.account.address);
    });

    test('pending transactions', async () => {
        let hash;
        const hashes = await firstOf(
            (onTransactions, onError) => socket.watchPendingTransactions({ onTransactions, onError }),
            async () => { hash = await wallet.sendTransaction({ to: accountOf(1).address, value: 2n }); });
        assert.ok(hashes.includes(hash));
    });
});
