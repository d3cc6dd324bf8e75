// The exchange on a development chain: a token of OpenZeppelin's comes in, two traders and a contract trade, it
// goes out again.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { concat, numberToHex, keccak256, parseEventLogs, parseSignature, toFunctionSelector, toFunctionSignature, toRlp } from 'viem';
import { compile } from './support/compile.mjs';
import { isMeridian, root, startNode } from './support/node.mjs';
import { accountOf, clientsOf, deploy, transact } from './support/viem.mjs';

const { Coin } = isMeridian ? compile('Assets.sol') : {};
const { ExchangeUser } = isMeridian ? compile('ExchangeUser.sol') : {};
const { IExchange } = isMeridian ? compile('../../../contracts/interfaces/IExchange.sol') : {};
const address = '0x4d01000000000000000000000000000000000002';
const wei = 10n ** 12n; // a unit

function varint(value) {
    const out = [];
    let left = BigInt(value);
    for (; left >= 128n; left >>= 7n) {
        out.push(Number(left & 127n) | 128);
    }
    return `0x${Buffer.from([...out, Number(left)]).toString('hex')}`;
}
const command = (kind, ...numbers) => concat([numberToHex(kind, { size: 1 }), ...numbers.map(varint)]);
const buy = (price, size) => command(0x01, 0, 0, price, size);
const sell = (price, size) => command(0x01, 0, 1, price, size);
const cancelAll = command(0x06);
const addCollateral = (units) => command(0x12, units);
const removeCollateral = (units) => command(0x13, units);
const withdraw = (units) => command(0x16, 0, units);
const publish = (price) => command(0x20, Date.now(), 0, price);
const addAsset = (token) => concat(['0x30', token, varint(wei)]);
/** A perpetual with leverage of 10: its fields in the order of docs/exchange.md. */
const addMarket = (guardian) => concat([command(0x31, 0, 0, 0, 1, 0, 1_000_000_000, 0, 0, 1000, 1_000_000, 1, 1, 1, 1_000_000,
    1_000_000, 64, 600_000, 1, 1, 1, 0, 0, 0, 0, 10), guardian]);

const short = (number) => (number ? numberToHex(number) : '0x');
let nonce = Date.now();
async function moduleTransaction(chainId, signer, commands) {
    const fields = [short(chainId), short(2), signer.address, short(nonce += 1), '0x', commands];
    const { r, s, yParity } = parseSignature(await signer.sign({ hash: keccak256(concat(['0x4d', toRlp(fields)])) }));
    return concat(['0x4d', toRlp([...fields, short(yParity), short(BigInt(r)), short(BigInt(s))])]);
}

describe('the exchange on a development chain', { skip: !isMeridian }, () => {
    let node, reader, wallets, coin, user;
    const exchange = { address, abi: IExchange?.abi };
    const read = (functionName, ...args) => reader.readContract({ ...exchange, functionName, args });
    const coins = async (of) => await reader.readContract({ ...coin, functionName: 'balanceOf', args: [of] }) / wei;
    const operator = accountOf(0);
    const [alice, bob] = [accountOf(1), accountOf(2)];

    async function send(signer, ...commands) {
        const hash = await node.rpc('eth_sendRawTransaction', await moduleTransaction(node.chainId, signer, commands));
        return reader.waitForTransactionReceipt({ hash });
    }
    async function done(signer, ...commands) {
        const receipt = await send(signer, ...commands);
        assert.equal(receipt.status, 'success');
        return receipt;
    }

    before(async () => {
        node = await startNode('--module', `exchange:operator=${operator.address}`);
        const clients = clientsOf(node);
        reader = clients.reader;
        wallets = [0, 1, 2].map((index) => clients.wallet(index));
        coin = await deploy(reader, wallets[0], Coin, [3_000_000n * wei]);
        user = await deploy(reader, wallets[0], ExchangeUser);
        await done(operator, addAsset(coin.address), addMarket(operator.address), concat(['0x32', operator.address]));
        for (const trader of [alice, bob]) {
            await transact(reader, wallets[0], coin, 'transfer', [trader.address, 1_000_000n * wei]);
        }
        await done(operator, publish(100));
        await done(operator, publish(100)); // the price counts from the first block's end
    });
    after(() => node?.stop());

    test('has the functions of its interface, and no others', () => {
        const source = readFileSync(join(root, 'meridian/modules/exchange/calls.cpp'), 'utf8');
        const own = [...source.matchAll(/\{"(\w+\([\w,]*\))", \w+\}/g)].map(([, signature]) => signature);
        const declared = IExchange.abi.filter(({ type }) => type === 'function');
        assert.deepEqual(own.map((each) => toFunctionSelector(each)).sort(),
            declared.map((each) => toFunctionSelector(toFunctionSignature(each))).sort());
    });

    test('takes deposits of a token', async () => {
        for (const index of [1, 2]) {
            await transact(reader, wallets[index], coin, 'approve', [address, 10_000n * wei]);
            const receipt = await transact(reader, wallets[index], exchange, 'deposit', [0, coin.address, 10_000n * wei]);
            const [log] = parseEventLogs({ abi: IExchange.abi, logs: receipt.logs, eventName: 'Deposited' });
            assert.equal(log.args.owner, accountOf(index).address);
            assert.equal(log.args.amount, 10_000n * wei);
            await done(accountOf(index), addCollateral(10_000));
        }
        assert.equal(await coins(address), 20_000n);
        await assert.rejects(transact(reader, wallets[1], exchange, 'deposit', [0, coin.address, 1n]), /exchange: Remainder/);
    });

    test('trades by commands', async () => {
        await done(alice, sell(100, 10), sell(101, 10));
        assert.deepEqual(await read('best', 0), [0, 0n, 100, 10n]);
        const receipt = await done(bob, buy(100, 4));
        const trades = parseEventLogs({ abi: IExchange.abi, logs: receipt.logs, eventName: 'Traded' });
        assert.deepEqual(trades.map(({ args }) => args.account).sort(), [1, 2]);
        assert.equal((await read('position', 1, 0))[0], -4n);
        assert.equal((await read('position', 2, 0))[0], 4n);
        const refused = await send(bob, buy(2_000_000, 1), buy(90, 1));
        assert.equal(refused.status, 'reverted');
        assert.deepEqual(await read('best', 0), [90, 1n, 100, 6n]);
    });

    test('lets a contract trade, and undoes what it reverts', async () => {
        await transact(reader, wallets[2], coin, 'approve', [user.address, 1000n * wei]);
        await transact(reader, wallets[2], user, 'fund', [coin.address, 1000n * wei, addCollateral(1000)]);
        await transact(reader, wallets[2], user, 'buy', [100, 5n, 5n]);
        assert.equal((await read('position', 3, 0))[0], 5n);
        const hash = await wallets[2].writeContract({ ...user, functionName: 'buy', args: [100, 5n, 5n], gas: 1_000_000n });
        const undone = await reader.waitForTransactionReceipt({ hash });
        assert.equal(undone.status, 'reverted');
        assert.equal(undone.logs.length, 0);
        assert.equal((await read('position', 3, 0))[0], 5n);
        assert.deepEqual(await read('best', 0), [90, 1n, 100, 1n]);
    });

    test('conserves the token, and gives it back', async () => {
        await done(alice, cancelAll);
        await done(bob, cancelAll, sell(100, 4));
        await done(alice, buy(100, 4));
        assert.equal((await read('position', 2, 0))[0], 0n);
        assert.equal(await coins(address), 21_000n);
        const before = await coins(bob.address);
        await done(bob, removeCollateral(10_000), withdraw(9_000));
        await transact(reader, wallets[2], exchange, 'withdraw', [0, coin.address, 1000n * wei]);
        assert.equal(await coins(bob.address), before + 10_000n);
        assert.equal(await coins(address), 11_000n);
        const [refused] = [await send(bob, withdraw(1))];
        assert.equal(refused.status, 'reverted');
    });
});
