// The native programs of foundry from npm, without the packages' shims.
import { join } from 'node:path';
import { root } from './node.mjs';

export const foundry = (name) => join(root, `node_modules/@foundry-rs/${name}-linux-amd64/bin/${name}`);

/** npm's solc with the command line of the native compiler, which is what forge calls. */
export const solc = join(root, 'tests/functional/support/solc.mjs');
