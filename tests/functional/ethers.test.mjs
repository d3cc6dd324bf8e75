// ethers: signers, contract factories, unlocked accounts, filters and WebSocket.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ContractFactory, HDNodeWallet, JsonRpcProvider, WebSocketProvider, Wallet, parseEther } from 'ethers';
import { compile } from './support/compile.mjs';
import { mnemonic, startNode } from './support/node.mjs';

let node, provider, signer, counter;

before(async () => {
    node = await startNode();
    provider = new JsonRpcProvider(node.url, undefined, { pollingInterval: 20, cacheTimeout: -1 });
    signer = HDNodeWallet.fromPhrase(mnemonic).connect(provider);
    const { abi, bytecode } = compile('Counter.sol').Counter;
    counter = await new ContractFactory(abi, bytecode, signer).deploy(5n, { value: 3n });
    await counter.waitForDeployment();
});
after(async () => {
    provider?.destroy();
    await node?.stop();
});

test('the network and its accounts', async () => {
    assert.equal((await provider.getNetwork()).chainId, BigInt(node.chainId));
    const accounts = await provider.listAccounts();
    assert.equal(accounts.length, 10);
    assert.equal(accounts[0].address, signer.address);
    for (const account of accounts.slice(1)) {
        assert.ok((await provider.getBalance(account.address)) >= parseEther('1000'));
    }
});

test('a constructor takes arguments and ether', async () => {
    assert.equal(await counter.number(), 5n);
    assert.equal(await provider.getBalance(await counter.getAddress()), 3n);
});

test('a call, its receipt and its event', async () => {
    const receipt = await (await counter.add(1n)).wait();
    const event = counter.interface.parseLog(receipt.logs[0]);
    assert.deepEqual([event.name, ...event.args], ['Counted', signer.address, 6n]);
    const [queried] = await counter.queryFilter(counter.filters.Counted(signer.address), receipt.blockNumber);
    assert.equal(queried.transactionHash, receipt.hash);
});

test('an unlocked account signs on the node', async () => {
    const unlocked = await provider.getSigner(1);
    const sent = await unlocked.sendTransaction({ to: signer.address, value: 7n });
    const receipt = await sent.wait();
    assert.equal(receipt.from, unlocked.address);
});

test('a fresh wallet is funded and pays for itself', async () => {
    const fresh = Wallet.createRandom().connect(provider);
    await (await signer.sendTransaction({ to: fresh.address, value: parseEther('1') })).wait();
    const receipt = await (await fresh.sendTransaction({ to: signer.address, value: 1n })).wait();
    assert.equal(await provider.getBalance(fresh.address), parseEther('1') - 1n - receipt.fee);
    assert.equal(await provider.getTransactionCount(fresh.address), 1);
});

test('custom errors are decoded', async () => {
    await assert.rejects(counter.add.staticCall(2000n), (error) => {
        assert.equal(error.revert.name, 'TooLarge');
        assert.deepEqual([...error.revert.args], [2000n, 1000n]);
        return true;
    });
    await assert.rejects(counter.fail(), (error) => error.reason === 'always fails');
});

test('contract events arrive by polling', async () => {
    const arrived = new Promise((resolve) => counter.once('Counted', (by, number) => resolve([by, number])));
    await provider.getBlockNumber();
    const number = await counter.number();
    await (await counter.add(2n)).wait();
    assert.deepEqual(await arrived, [signer.address, number + 2n]);
});

test('contract events and blocks arrive over WebSocket', async () => {
    const socket = new WebSocketProvider(node.wsUrl);
    try {
        const listening = counter.connect(socket);
        const event = new Promise((resolve) => listening.once('Counted', (by, number) => resolve(number)));
        const block = new Promise((resolve) => socket.once('block', resolve));
        await socket.send('eth_chainId', []);
        await new Promise((wake) => setTimeout(wake, 100));
        const receipt = await (await counter.add(4n)).wait();
        assert.equal(await event, await counter.number());
        assert.equal(await block, receipt.blockNumber);
    } finally {
        await socket.destroy();
    }
});

test('requests in one batch keep their order', async () => {
    const [height, balance, code] = await Promise.all([
        provider.getBlockNumber(), provider.getBalance(signer.address), provider.getCode(await counter.getAddress()),
    ]);
    assert.ok(height > 0 && balance > 0n && code.length > 2);
});

test('an old filter is polled for what is new', async () => {
    const id = await provider.send('eth_newFilter', [{ address: await counter.getAddress() }]);
    assert.deepEqual(await provider.send('eth_getFilterChanges', [id]), []);
    const { hash } = await (await counter.add(1n)).wait();
    const changes = await provider.send('eth_getFilterChanges', [id]);
    assert.deepEqual(changes.map((log) => log.transactionHash), [hash]);
    assert.deepEqual(await provider.send('eth_getFilterChanges', [id]), []);
    assert.equal(await provider.send('eth_uninstallFilter', [id]), true);
});
