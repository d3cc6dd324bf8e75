// Compiles Solidity with the compiler from npm. Results are kept in build/functional, by what went in.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './node.mjs';

const require = createRequire(import.meta.url);
const contractsFolder = join(dirname(fileURLToPath(import.meta.url)), '../contracts');
const ownFolder = join(root, 'contracts/src');
const interfacesFolder = join(root, 'contracts/interfaces');
const examplesFolder = join(root, 'examples');
const cacheFolder = join(root, 'build/functional');

function readImport(path) {
    for (const folder of [contractsFolder, ownFolder, interfacesFolder, examplesFolder, join(root, 'node_modules')]) {
        const file = join(folder, path);
        if (existsSync(file)) {
            return { contents: readFileSync(file, 'utf8') };
        }
    }
    return { error: `no file ${path}` };
}

function compileFresh(input, file) {
    const output = JSON.parse(require('solc').compile(JSON.stringify(input), { import: readImport }));
    const errors = (output.errors ?? []).filter((entry) => entry.severity === 'error');
    if (errors.length) {
        throw new Error(errors.map((entry) => entry.formattedMessage).join('\n'));
    }
    const contracts = {};
    for (const [name, { abi, evm }] of Object.entries(output.contracts[file])) {
        contracts[name] = { abi, bytecode: `0x${evm.bytecode.object}` };
    }
    return contracts;
}

/** The contracts of one file in tests/functional/contracts: { Name: { abi, bytecode } }. */
export function compile(file) {
    const content = readFileSync(join(contractsFolder, file), 'utf8');
    const input = {
        language: 'Solidity',
        sources: { [file]: { content } },
        settings: {
            optimizer: { enabled: true, runs: 200 },
            outputSelection: { [file]: { '*': ['abi', 'evm.bytecode.object'] } },
        },
    };
    const lock = readFileSync(join(root, 'package-lock.json'));
    const own = [ownFolder, interfacesFolder, join(examplesFolder, 'counter')].flatMap((folder) => readdirSync(folder)
        .filter((name) => name.endsWith('.sol')).sort().map((name) => readFileSync(join(folder, name))));
    const key = createHash('sha256').update(lock).update(Buffer.concat(own)).update(JSON.stringify(input))
        .digest('hex').slice(0, 24);
    const cached = join(cacheFolder, `${key}.json`);
    if (existsSync(cached)) {
        return JSON.parse(readFileSync(cached, 'utf8'));
    }
    const contracts = compileFresh(input, file);
    mkdirSync(cacheFolder, { recursive: true });
    const part = `${cached}.${process.pid}`;
    writeFileSync(part, JSON.stringify(contracts));
    renameSync(part, cached);
    return contracts;
}

/** A contract as its authors compiled and published it in an npm package. */
export function published(path) {
    const { abi, bytecode, evm } = JSON.parse(readFileSync(join(root, 'node_modules', path), 'utf8'));
    const code = typeof bytecode === 'string' ? bytecode : evm.bytecode.object;
    return { abi, bytecode: code.startsWith('0x') ? code : `0x${code}` };
}
