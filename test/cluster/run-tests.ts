/**
 * `npm run test:cluster`: the tests that need a real Kubernetes, `test/kubernetes/*.cluster.ts`, and after them, one by one,
 * those that disturb all who are there, `*.alone.ts`. At the cluster that KUBECONFIG names, which is left as it is; or at one of their own, brought up before and taken down after, whatever
 * happens between.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, join } from 'node:path';
import { Trouble } from './command.ts';
import { down } from './down.ts';
import { assertRoot } from './host.ts';
import { layoutOf } from './layout.ts';
import { signal } from './processes.ts';
import { sayWithTime } from './telling.ts';
import { remakeRunner, up } from './up.ts';

const groups = [
  { kind: 'cluster', atOnce: 2 },
  { kind: 'alone', atOnce: 1 },
] as const;
const layout = layoutOf(process.env);
const say = sayWithTime();
let tests: ChildProcess | null = null;
let interrupted = false;

// Whoever interrupts waits for the end of the cluster too: nobody else would take it down. The tests are ended with all
// that they have started, since what still listens to the API server keeps it from ending.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(name, () => {
    interrupted = true;
    if (tests?.pid !== undefined) signal(-tests.pid, name);
  });

const given = process.env['KUBECONFIG'];
process.exitCode = given === undefined ? await runAtOwnCluster() : await runTests(given);

async function runAtOwnCluster(): Promise<number> {
  try {
    assertRoot();
    await up(layout, say);
    await remakeRunner(layout, say);
    return await runTests(layout.kubeconfig);
  } catch (error) {
    if (!(error instanceof Trouble)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    if (process.getuid?.() === 0) await down(layout, false, say);
  }
}

async function runTests(kubeconfig: string): Promise<number> {
  for (const { kind, atOnce } of groups) {
    const status = await runGroup(kubeconfig, kind, atOnce);
    if (status !== 0) return status;
  }
  return 0;
}

async function runGroup(kubeconfig: string, kind: string, atOnce: number): Promise<number> {
  if (interrupted) return 130;
  const environment = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    PATH: [layout.bin, process.env['PATH']].join(delimiter),
  };
  const options = ['--test', '--test-reporter=spec', `--test-concurrency=${atOnce}`, '--test-timeout=600000'];
  const files = join('test', 'kubernetes', '**', `*.${kind}.ts`);
  tests = spawn(process.execPath, [...options, files], { stdio: 'inherit', detached: true, env: environment });
  const [status] = await once(tests, 'close');
  return interrupted ? 130 : Number(status ?? 1);
}
