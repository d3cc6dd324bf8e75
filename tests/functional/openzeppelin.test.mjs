// OpenZeppelin's token, vault and governance contracts, deployed and used through viem.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { decodeEventLog, encodeFunctionData, hexToSignature, keccak256, parseEther, toHex, zeroAddress } from 'viem';
import { compile } from './support/compile.mjs';
import { startNode } from './support/node.mjs';
import { accountOf, clientsOf, deploy, transact } from './support/viem.mjs';

const day = 86_400;
let node, reader, developer, owner, other;

before(async () => {
    node = await startNode();
    const clients = clientsOf(node);
    ({ reader, developer } = clients);
    owner = clients.wallet(0);
    other = clients.wallet(1);
});
after(() => node?.stop());

const read = (contract, functionName, ...args) => reader.readContract({ ...contract, functionName, args });

function eventsOf(contract, receipt) {
    return receipt.logs.map(({ topics, data }) => decodeEventLog({ abi: contract.abi, topics, data }));
}

/** The name of the custom error with which a call is refused. */
async function refusal(contract, functionName, args, account) {
    try {
        await reader.simulateContract({ ...contract, functionName, args, account });
    } catch (error) {
        return error.walk((cause) => cause.name === 'ContractFunctionRevertedError')?.data?.errorName;
    }
    return undefined;
}

describe('ERC-20', () => {
    let coin;
    before(async () => {
        coin = await deploy(reader, owner, compile('Assets.sol').Coin, [parseEther('1000')]);
    });

    test('metadata and supply', async () => {
        assert.equal(await read(coin, 'name'), 'Coin');
        assert.equal(await read(coin, 'decimals'), 18);
        assert.equal(await read(coin, 'totalSupply'), parseEther('1000'));
    });

    test('a transfer moves the balance and leaves an event', async () => {
        const receipt = await transact(reader, owner, coin, 'transfer', [other.account.address, 5n]);
        assert.equal(await read(coin, 'balanceOf', other.account.address), 5n);
        assert.deepEqual(eventsOf(coin, receipt), [
            { eventName: 'Transfer', args: { from: owner.account.address, to: other.account.address, value: 5n } },
        ]);
        const logs = await reader.getContractEvents({
            ...coin, eventName: 'Transfer', args: { to: other.account.address }, fromBlock: 0n,
        });
        assert.deepEqual(logs.map((log) => log.transactionHash), [receipt.transactionHash]);
    });

    test('too large a transfer is refused with the custom error', async () => {
        const stranger = accountOf(9);
        const reason = await refusal(coin, 'transfer', [other.account.address, 1n], stranger);
        assert.equal(reason, 'ERC20InsufficientBalance');
    });

    test('permit by signature, then transferFrom', async () => {
        const value = 7n, deadline = 2n ** 48n;
        const message = { owner: owner.account.address, spender: other.account.address, value, nonce: 0n, deadline };
        const signature = await owner.signTypedData({
            domain: { name: 'Coin', version: '1', chainId: node.chainId, verifyingContract: coin.address },
            types: {
                Permit: [
                    { name: 'owner', type: 'address' }, { name: 'spender', type: 'address' },
                    { name: 'value', type: 'uint256' }, { name: 'nonce', type: 'uint256' },
                    { name: 'deadline', type: 'uint256' },
                ],
            },
            primaryType: 'Permit',
            message,
        });
        const { r, s, yParity } = hexToSignature(signature);
        await transact(reader, other, coin, 'permit',
            [message.owner, message.spender, value, deadline, 27 + yParity, r, s]);
        await transact(reader, other, coin, 'transferFrom', [message.owner, accountOf(2).address, value]);
        assert.equal(await read(coin, 'balanceOf', accountOf(2).address), value);
        assert.equal(await read(coin, 'allowance', message.owner, message.spender), 0n);
    });
});

describe('ERC-721', () => {
    let deed;
    before(async () => {
        deed = await deploy(reader, owner, compile('Assets.sol').Deed);
    });

    test('mint, transfer, enumerate', async () => {
        const receipt = await transact(reader, owner, deed, 'mint', [owner.account.address, 77n]);
        assert.equal(eventsOf(deed, receipt)[0].args.from, zeroAddress);
        await transact(reader, owner, deed, 'safeTransferFrom', [owner.account.address, other.account.address, 77n]);
        assert.equal(await read(deed, 'ownerOf', 77n), other.account.address);
        assert.equal(await read(deed, 'tokenOfOwnerByIndex', other.account.address, 0n), 77n);
        assert.equal(await read(deed, 'balanceOf', owner.account.address), 0n);
    });

    test('only the owner mints', async () => {
        const reason = await refusal(deed, 'mint', [other.account.address, 78n], other.account);
        assert.equal(reason, 'OwnableUnauthorizedAccount');
    });

    test('a contract that cannot hold a deed does not get one', async () => {
        const reason = await refusal(deed, 'mint', [deed.address, 79n], owner.account);
        assert.equal(reason, 'ERC721InvalidReceiver');
    });
});

describe('ERC-4626', () => {
    test('shares follow the assets and rounding favours the vault', async () => {
        const { Coin, Vault } = compile('Assets.sol');
        const coin = await deploy(reader, owner, Coin, [10_000n]);
        const vault = await deploy(reader, owner, Vault, [coin.address]);
        const self = owner.account.address;
        await transact(reader, owner, coin, 'approve', [vault.address, 10_000n]);
        await transact(reader, owner, vault, 'deposit', [1_000n, self]);
        assert.equal(await read(vault, 'balanceOf', self), 1_000n);

        await transact(reader, owner, coin, 'transfer', [vault.address, 500n]);
        assert.equal(await read(vault, 'totalAssets'), 1_500n);
        assert.equal(await read(vault, 'previewRedeem', 1_000n), 1_499n);
        assert.equal(await refusal(vault, 'withdraw', [1_500n, self, self], owner.account), 'ERC4626ExceededMaxWithdraw');

        const receipt = await transact(reader, owner, vault, 'redeem', [1_000n, self, self]);
        const withdrawn = eventsOf(vault, receipt).find(({ eventName }) => eventName === 'Withdraw');
        assert.equal(withdrawn.args.assets, 1_499n);
        assert.equal(await read(coin, 'balanceOf', self), 9_999n);
        assert.equal(await read(vault, 'totalSupply'), 0n);
    });
});

describe('Governor', () => {
    const states = ['Pending', 'Active', 'Canceled', 'Defeated', 'Succeeded', 'Queued', 'Expired', 'Executed'];
    let ballot, assembly, statute, calls;

    before(async () => {
        const { Ballot, Assembly, Statute } = compile('Assembly.sol');
        ballot = await deploy(reader, owner, Ballot, [parseEther('100')]);
        assembly = await deploy(reader, owner, Assembly, [ballot.address]);
        statute = await deploy(reader, owner, Statute, [assembly.address]);
        const data = encodeFunctionData({ abi: statute.abi, functionName: 'enact', args: ['Be it so.'] });
        calls = [[statute.address], [0n], [data]];
        await transact(reader, owner, ballot, 'delegate', [owner.account.address]);
        await transact(reader, owner, ballot, 'transfer', [other.account.address, parseEther('30')]);
        await transact(reader, other, ballot, 'delegate', [other.account.address]);
        await travel(10); // votes count as they stood a second before the proposal
    });

    async function travel(seconds) {
        await developer.increaseTime({ seconds });
        await developer.mine({ blocks: 1 });
    }
    const stateOf = async (id) => states[await read(assembly, 'state', id)];

    test('propose, wait, vote, wait, execute', async () => {
        const proposed = await transact(reader, owner, assembly, 'propose', [...calls, 'first']);
        const id = eventsOf(assembly, proposed)[0].args.proposalId;
        assert.equal(await stateOf(id), 'Pending');
        assert.equal(await refusal(assembly, 'castVote', [id, 1], owner.account), 'GovernorUnexpectedProposalState');

        await travel(day + 1);
        assert.equal(await stateOf(id), 'Active');
        await transact(reader, owner, assembly, 'castVote', [id, 1]);
        await transact(reader, other, assembly, 'castVoteWithReason', [id, 0, 'no']);
        assert.deepEqual(await read(assembly, 'proposalVotes', id), [parseEther('30'), parseEther('70'), 0n]);

        await travel(7 * day);
        assert.equal(await stateOf(id), 'Succeeded');
        await transact(reader, owner, assembly, 'execute', [...calls, keccak256(toHex('first'))]);
        assert.equal(await stateOf(id), 'Executed');
        assert.equal(await read(statute, 'text'), 'Be it so.');
    });

    test('a proposal without votes is defeated', async () => {
        const proposed = await transact(reader, owner, assembly, 'propose', [...calls, 'second']);
        const id = eventsOf(assembly, proposed)[0].args.proposalId;
        await travel(9 * day);
        assert.equal(await stateOf(id), 'Defeated');
    });

    test('nobody else enacts a statute', async () => {
        assert.equal(await refusal(statute, 'enact', ['Mine.'], owner.account), 'NotTheAuthor');
    });
});
