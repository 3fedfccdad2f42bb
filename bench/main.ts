/**
 * `npm run bench`: how fast, beside the limit of the same machine in the same run. One JSON object a line: the workload,
 * the median of its repetitions and what it is compared with. `--smoke` runs each once and small, to prove that it runs.
 * Nothing here is a test: machines are noisy, and a figure says more with its limit beside it.
 */
import { cpus, totalmem } from 'node:os';
import { benchCompile } from './compile.ts';
import { benchRuns } from './runs.ts';
import { benchServer } from './server.ts';
import { say, type BenchOptions } from './measure.ts';
import { benchWaits } from './waits.ts';

const smoke = process.argv.includes('--smoke');
const options: BenchOptions = smoke
  ? { repetitions: 1, chain: 5, fan: 10, waits: 200, waitInterval: '2s', waitedMs: 2000 }
  : { repetitions: 5, chain: 40, fan: 200, waits: 10_000, waitInterval: '1m', waitedMs: 60_000 };

say({
  workload: 'machine',
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memory_gb: Math.round(totalmem() / 2 ** 30),
  smoke,
});
await benchCompile(options);
await benchRuns(options);
await benchServer(options);
await benchWaits(options);
