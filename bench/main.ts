/**
 * `npm run bench`: how fast, beside the limit of the same machine in the same run. One JSON object a line: the workload,
 * the median of its repetitions and what it is compared with. Nothing here is a test: machines are noisy, and a figure
 * says more with its limit beside it.
 */
import { writeFileSync } from 'node:fs';
import { readCommandLine } from '../test/support/command-line.ts';
import { benchCompile } from './compile.ts';
import { benchGrowth, benchSteps, benchTriggers } from './contender/runs.ts';
import { documentOf } from './document.ts';
import { collectFigures } from './figures.ts';
import { benchLimits } from './limits.ts';
import { machineFigure } from './machine.ts';
import { largeSizes, smokeSizes, type BenchOptions } from './measure.ts';
import { readOptions, usage } from './options.ts';
import { benchCrowd } from './crowd.ts';
import { benchFleet } from './fleet.ts';
import { benchPeers } from './peers/run.ts';
import { benchPods } from './pods.ts';
import { benchServer } from './server.ts';
import { benchWaits } from './waits.ts';
import { workloadsOf } from './workloads.ts';

// Whatever was started is ended where the process exits.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const { smoke, only, peers, writeDocs } = readCommandLine(usage, readOptions);
const figures = collectFigures((line) => process.stdout.write(`${line}\n`));
const options: BenchOptions = {
  say: figures.say,
  smoke,
  repetitions: smoke ? 1 : 5,
  sizes: smoke ? smokeSizes : largeSizes,
};

figures.say(machineFigure(smoke));
if (only.has('limits')) await benchLimits(options);
if (only.has('compile')) await benchCompile(options);
for (const workload of workloadsOf(options.sizes)) if (only.has(workload.shape)) await benchSteps(options, workload);
if (only.has('trigger')) await benchTriggers(options);
if (only.has('growth')) await benchGrowth(options);
if (only.has('server') || only.has('idle')) await benchServer(options);
if (only.has('waits')) await benchWaits(options);
if (only.has('fleet')) await benchFleet(options);
if (only.has('crowd')) await benchCrowd(options);
await benchPeers(options, peers, only);
// Last: a cluster is never at rest.
if (only.has('pods')) await benchPods(options);
if (writeDocs) writeFileSync('docs/benchmarks.md', documentOf(figures.said));
