// Compiles LoadContracts.sol for the build: node compile.mjs SOURCE OUTPUT writes the creation code of each
// contract as a C++ string, `inline constexpr std::string_view k<Name>Code`, hexadecimal without 0x.
import { createRequire } from 'node:module';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';

const solc = createRequire(import.meta.url)('solc');
const [source, output] = process.argv.slice(2);
const file = basename(source);
const input = {
    language: 'Solidity',
    sources: { [file]: { content: readFileSync(source, 'utf8') } },
    settings: {
        optimizer: { enabled: true, runs: 10_000 },
        metadata: { appendCBOR: false, bytecodeHash: 'none' },
        evmVersion: 'paris', // so that older chains take it too: no PUSH0
        outputSelection: { [file]: { '*': ['evm.bytecode.object'] } },
    },
};
const compiled = JSON.parse(solc.compile(JSON.stringify(input)));
const problems = (compiled.errors ?? []).map((entry) => entry.formattedMessage);
if (problems.length) {
    throw new Error(problems.join('\n'));
}
const lines = Object.entries(compiled.contracts[file]).map(
    ([name, { evm }]) => `inline constexpr std::string_view k${name}Code =\n    "${evm.bytecode.object}";\n`);
writeFileSync(output, `// Made by contracts/load/compile.mjs from ${file}.\n#pragma once\n\n#include <string_view>\n\n` +
    `namespace meridian::load {\n\n${lines.join('\n')}\n}  // namespace meridian::load\n`);
