// viem clients for a running node.
import { createPublicClient, createTestClient, createWalletClient, defineChain, http } from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { mnemonic } from './node.mjs';

export function chainOf(node) {
    return defineChain({
        id: node.chainId,
        name: 'node under test',
        nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
        rpcUrls: { default: { http: [node.url], webSocket: [node.wsUrl] } },
    });
}

/** Account `index` of the well-known mnemonic. */
export const accountOf = (index) => mnemonicToAccount(mnemonic, { addressIndex: index });

/** { reader, developer, wallet(index) } with short polling: blocks come as soon as there is work. */
export function clientsOf(node) {
    const common = { chain: chainOf(node), transport: http(node.url), pollingInterval: 20, cacheTime: 0 };
    return {
        reader: createPublicClient(common),
        developer: createTestClient({ ...common, mode: 'anvil' }),
        wallet: (index) => createWalletClient({ ...common, account: accountOf(index) }),
    };
}

/** Deploys a compiled contract and returns { address, abi } when it is mined. */
export async function deploy(reader, wallet, { abi, bytecode }, args = [], options = {}) {
    const hash = await wallet.deployContract({ abi, bytecode, args, ...options });
    const receipt = await reader.waitForTransactionReceipt({ hash });
    if (receipt.status !== 'success') {
        throw new Error(`deployment failed: ${hash}`);
    }
    return { address: receipt.contractAddress, abi };
}

/** Sends a call of a contract and returns the receipt; fails unless it succeeded. */
export async function transact(reader, wallet, contract, functionName, args = [], options = {}) {
    const hash = await wallet.writeContract({ ...contract, functionName, args, ...options });
    const receipt = await reader.waitForTransactionReceipt({ hash });
    if (receipt.status !== 'success') {
        throw new Error(`${functionName} failed: ${hash}`);
    }
    return receipt;
}
