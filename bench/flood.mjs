// An honest user's latency while somebody floods the node from another address:
//
//   node bench/flood.mjs [--modes A,B] [--seconds 3] [--rounds 5] [--rate 60] [--intensity 1] [--nice 10] [--json]
//
// For each mode a fresh sequencer; quiet, hog and flood by turns, `rounds` times; submission to durable receipt over
// HTTP and WebSocket. The p99 is the median of the rounds', so that a disk that stands still once counts once. Where
// attacker, honest user and node share a machine the attacker's own work counts: the hog is a process that only computes,
// at the attacker's priority, so that what differs from it is what the node does. Also the node's memory, the attacker's
// share of a core, whether newcomers were still served, and what the attacker was told.
import { parseArgs } from 'node:util';
import { modeNames } from './flood/attacker.mjs';
import { attack, FloodedNode } from './flood/flooded_node.mjs';
import { HonestUser, quantile, signTransfers } from './flood/honest.mjs';

const { values } = parseArgs({ options: {
    modes: { type: 'string', default: modeNames.join(',') },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '60' },
    intensity: { type: 'string', default: '1' },
    nice: { type: 'string', default: '10' },
    binary: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
} });
const [seconds, rounds, rate, intensity, nice] =
    [values.seconds, values.rounds, values.rate, values.intensity, values.nice].map(Number);
const modes = values.modes.split(',');
const unknown = modes.filter((mode) => !modeNames.includes(mode));
if (unknown.length) {
    console.error(`flood: no mode ${unknown[0]}; there are: ${modeNames.join(', ')}`);
    process.exit(2);
}

const mib = (bytes) => Math.round(bytes / 2 ** 20);
const warmUpSeconds = 1; // of the node, and of the attacker

const ascending = (values) => [...values].sort((a, b) => a - b);
const p99 = (latencies) => quantile(ascending(latencies), 0.99);
const median = (values) => quantile(ascending(values), 0.5);

function summary(runs) {
    const latencies = ascending(runs.flatMap((run) => run.latencies));
    const failures = runs.flatMap((run) => run.failures);
    const sum = (name) => runs.reduce((total, run) => total + run[name], 0);
    return { receipts: latencies.length, failures: failures.length, failure: failures[0],
        p50_ms: quantile(latencies, 0.5), p99_ms: median(runs.map((run) => p99(run.latencies))),
        p99_of_all_ms: quantile(latencies, 0.99), visits: sum('visits'), visits_refused: sum('visitsRefused') };
}

async function run(mode, transfers) {
    const node = await FloodedNode.start(values.binary, values.set);
    try {
        const user = await HonestUser.connect(node.ports.rpc, transfers);
        await user.send(warmUpSeconds, rate);
        const before = node.residentBytes();
        const quiet = [];
        const hog = [];
        const flood = [];
        const told = {};
        const shares = [];
        for (let round = 0; round < rounds; ++round) {
            quiet.push(await user.send(seconds, rate));
            const computing = await attack(node, 'hog', intensity, nice);
            hog.push(await user.send(seconds, rate));
            await computing.end();
            const attacker = await attack(node, mode, intensity, nice);
            await user.send(warmUpSeconds, rate);
            flood.push(await user.send(seconds, rate));
            const { counts, processorShare } = await attacker.end();
            shares.push(processorShare);
            for (const [what, times] of Object.entries(counts)) {
                told[what] = (told[what] ?? 0) + times;
            }
        }
        user.close();
        const result = { mode, quiet: summary(quiet), hog: summary(hog), flood: summary(flood), resident_bytes_before: before,
            resident_bytes_max: node.residentBytesMax, attacker_cores: shares.reduce((a, b) => a + b, 0) / rounds,
            attacker: told };
        return { ...result, p99_ratio: result.flood.p99_ms / result.quiet.p99_ms,
            p99_hog_ratio: result.flood.p99_ms / result.hog.p99_ms };
    } finally {
        await node.stop();
    }
}

function print({ mode, quiet, hog, flood, p99_ratio: ratio, p99_hog_ratio: hogRatio, ...more }) {
    const ms = (value) => value.toFixed(1).padStart(7);
    console.log(`flood: ${mode.padEnd(16)} quiet p50 ${ms(quiet.p50_ms)} p99 ${ms(quiet.p99_ms)} ms   hog p50 ` +
        `${ms(hog.p50_ms)} p99 ${ms(hog.p99_ms)} ms   flood p50 ${ms(flood.p50_ms)} p99 ${ms(flood.p99_ms)} ms   ` +
        `${ratio.toFixed(2).padStart(6)} of quiet, ${hogRatio.toFixed(2)} of hog p99   ` +
        `attacker ${more.attacker_cores.toFixed(2)} cores   ` +
        `${mib(more.resident_bytes_before)} -> ${mib(more.resident_bytes_max)} MiB` +
        `   ${flood.failures} of ${flood.failures + flood.receipts} failed, ${flood.visits_refused} of ${flood.visits} newcomers refused`);
    if (flood.failure) {
        console.log(`         first failure: ${flood.failure}`);
    }
    for (const [what, times] of Object.entries(more.attacker).sort((a, b) => b[1] - a[1]).slice(0, 8)) {
        console.log(`         ${String(times).padStart(9)}  ${what}`);
    }
}

console.error('signing');
const chainId = 1234321; // of the preset dev
const transfers = await signTransfers(chainId, Math.ceil((warmUpSeconds + rounds * (3 * seconds + warmUpSeconds)) * rate) + 4);
const results = [];
for (const mode of modes) {
    console.error(mode);
    results.push(await run(mode, transfers));
    if (!values.json) {
        print(results.at(-1));
    }
}
if (values.json) {
    console.log(JSON.stringify({ rate, seconds, rounds, intensity, nice, modes: results }));
}
