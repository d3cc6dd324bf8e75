#!/usr/bin/env node
// npm's solc behind the command line of the native compiler, as far as forge uses it: `--version` and
// `--standard-json` with its input on stdin. Sources come inline, so no path option matters.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const solc = createRequire(import.meta.url)('solc');
const args = process.argv.slice(2);

if (args.includes('--version')) {
    process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (args.includes('--standard-json')) {
    process.stdout.write(solc.compile(readFileSync(0, 'utf8')));
} else {
    process.stderr.write(`solc.mjs: only --version and --standard-json, not: ${args.join(' ')}\n`);
    process.exitCode = 2;
}
