// `meridian bench load`, again and again, each run over other connections; it lives through restarts of the node
// and checks nonces, balances and receipts itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

const seconds = 10; // that one run sends where nothing holds it up

export class LoadRuns {
    #binary;
    #rate;
    #count = 0;
    finished = []; // { passed, included, text }
    end = () => {};

    constructor(binary, rate) {
        this.#binary = binary;
        this.#rate = rate;
    }

    /** Begins the next run; resolves when it sends. From then on the node may be killed. */
    async begin(node) {
        const urls = [node.url, node.wsUrl, ...(node.transactionsUrl ? [node.transactionsUrl] : [])];
        const workload = this.#count % 2 ? 'mix' : 'transfers';
        const url = urls[this.#count++ % urls.length];
        const child = spawn(this.#binary, ['bench', 'load', '--json', '--url', url, '--rpc', node.url, '--receipts', 'poll',
            '--reconnect', '120', '--workload', workload, '--accounts', '40', '--recipients', '40', '--connections', '4',
            '--rate', String(this.#rate), '--transactions', String(this.#rate * seconds)], { stdio: ['ignore', 'pipe', 'pipe'] });
        this.end = () => child.kill('SIGKILL');
        const output = { stdout: '', stderr: '' };
        for (const name of Object.keys(output)) {
            child[name].setEncoding('utf8').on('data', (text) => { output[name] += text; });
        }
        const sending = new Promise((resolve) => child.stderr.on('data', () => {
            if (output.stderr.includes('sending')) {
                resolve();
            }
        }));
        this.running = true;
        this.done = once(child, 'close').then(([code]) => this.#finish(code, output, url, workload));
        await Promise.race([sending, this.done]);
    }

    #finish(code, { stdout, stderr }, url, workload) {
        this.running = false;
        const what = `${workload} over ${url.split(':')[0]}`;
        if (code !== 0) {
            this.finished.push({ passed: false, included: 0, text: `${what}: exit code ${code}\n${stderr}${stdout}` });
            return;
        }
        const [run] = JSON.parse(stdout).runs;
        this.finished.push({ passed: run.included === run.prepared, included: run.included,
            text: `${what}: ${run.included} of ${run.prepared} included, ${JSON.stringify(run.errors)}` });
    }
}
