/** Logs of steps that print too much, too fast, or no text at all, and of connections that are cut, on a real cluster. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AttemptWork } from '../../src/executor/executor.ts';
import { logLimits } from '../../src/outputs/outputs.ts';
import { openHarbour, type Harbour } from '../executor/kubernetes/harbour.ts';
import { hear, memoryGrowthDuring, torture } from '../executor/log-torture.ts';
import { command, openWorkshop, specOf, until, type FinishedReport } from '../executor/workshop.ts';
import { startCuttingProxy, type CuttingProxy } from '../support/cutting-proxy.ts';
import { openApiProxy, type ApiProxy } from './api-proxy.ts';
import { makeNamespace, type Namespace } from './namespace.ts';
import { runnerImage, settingsIn, through } from './settings.ts';

let namespace: Namespace;
let apiProxy: ApiProxy;
let agentProxy: CuttingProxy;
let harbour: Harbour;
/** Whose agents are cut off again and again. */
let cut: Harbour;

before(async () => {
  namespace = await makeNamespace();
  apiProxy = await openApiProxy(process.env['KUBECONFIG'] ?? '');
  const settings = settingsIn(namespace.name, through(apiProxy));
  harbour = await openHarbour(settings);
  const behind = async (port: number): Promise<number> => {
    agentProxy = await startCuttingProxy('0.0.0.0', port, [2_000_000, 300_000, 6_000_000]);
    return agentProxy.port;
  };
  cut = await openHarbour({ ...settings, listen: { ...settings.listen, behind } });
});

after(async () => {
  await Promise.all([harbour.close(), cut.close()]);
  agentProxy.close();
  await apiProxy.close();
  await namespace.clear('pods');
  await namespace.remove();
});

type Kind = 'command' | 'container';

function workOf(kind: Kind, program: string): AttemptWork {
  if (kind === 'command') return command('node', '-e', program);
  const words = ['node', '-e', program];
  const resources = { requests: {}, limits: {} };
  return { kind, image: runnerImage, command: words, args: [], environment: {}, resources, localCommand: null };
}

async function run(one: Harbour, kind: Kind, program: string): Promise<string> {
  const spec = specOf(workOf(kind, program), { timeoutMs: 300_000 });
  await one.executor.start(spec);
  const { outcome } = await finishedAtLast(one, spec.attemptId);
  assert.equal(outcome.kind, 'succeeded', outcome.kind === 'failed' ? outcome.message : '');
  return spec.attemptId;
}

/**
 * Its end, waited for as long as its log grows: a kubelet sends each line of a container by itself, and so no more than some
 * thirty thousand a second to whoever reads, half of that on a busy machine, while a step may print a hundred thousand.
 */
async function finishedAtLast(one: Harbour, id: string): Promise<FinishedReport> {
  const hasEnded = (): boolean => one.reports.some((word) => word.type === 'finished' && word.attemptId === id);
  while (!hasEnded()) {
    const before = one.stores.logs.size(id);
    await until(`more of the log of ${id}, or its end`, () => one.stores.logs.size(id) > before || hasEnded());
  }
  return one.finished(id);
}

const kinds: readonly Kind[] = ['command', 'container'];

for (const kind of kinds)
  test(`${kind}: a gibibyte in one line is cut where the limit is, and takes no memory of the server`, async () => {
    let key = '';
    const growth = await memoryGrowthDuring(async () => (key = await run(harbour, kind, torture.endlessLine)));
    const { lines } = await harbour.stores.logs.read(key, 1, 10);
    const texts = lines.filter(({ stream }) => stream === 'out').map(({ text }) => text);
    assert.deepEqual(texts, [`${'x'.repeat(logLimits.lineBytesMax)} … [cut]`, 'after']);
    assert.ok(growth < 256 * 1024 * 1024, `${growth} bytes more`);
  });

test('command: what is printed at ten mebibytes a second is all there, in its order', async () => {
  const key = await run(harbour, 'command', torture.talk(3, 10));
  const { numbers, printed, gaps, told } = await hear(harbour.stores.logs, key);
  assert.deepEqual({ numbers, gaps, told }, { numbers: printed, gaps: 0, told: [] });
});

test('container: where the node begins the file of a log anew, each line that is missing is told', async () => {
  // A kubelet looks every ten seconds for files of more than ten mebibytes, where each line takes 40 bytes more: it finds the
  // file too large once, and what is printed after that makes no other so large. Where all of it has been read by then, nothing
  // is missing and nothing told.
  const key = await run(harbour, 'container', torture.talk(14, 0.25, 6));
  const { numbers, printed, gaps, told } = await hear(harbour.stores.logs, key);
  const isTold = (line: string): boolean => line.startsWith('Lines, or the beginning of one, may be missing here');
  assert.ok(told.every(isTold), told.join('\n'));
  assert.ok(gaps <= told.length, `${gaps} gaps, and ${told.length} of them told`);
  assert.ok(printed !== null && numbers > 0.9 * printed, `${numbers} of ${printed} lines`);
});

test('what is no text is kept as on one machine', async () => {
  const workshop = await openWorkshop();
  try {
    const spec = specOf(command('node', '-e', torture.bytes));
    await workshop.executor.start(spec);
    await workshop.finished(spec.attemptId);
    const expected = await workshop.log(spec.attemptId);
    const keys = await Promise.all(kinds.map((kind) => run(harbour, kind, torture.bytes)));
    for (const key of keys) assert.deepEqual(await harbour.printed(key), expected);
  } finally {
    await workshop.close();
  }
});

test('command: an agent that is cut off again and again brings each line once', async () => {
  const { numbers, printed, gaps } = await hear(cut.stores.logs, await run(cut, 'command', torture.talk(2, 10)));
  assert.deepEqual({ numbers, gaps }, { numbers: printed, gaps: 0 });
  assert.ok(agentProxy.cuts() > 5, `${agentProxy.cuts()} cuts`);
});

test('container: a log whose streams are cut again and again has each line once', async () => {
  // Less than a file may have.
  const spec = specOf(workOf('container', torture.talk(6, 0.5)));
  await harbour.executor.start(spec);
  const { logs } = harbour.stores;
  for (let cuts = 1; cuts <= 15; cuts += 1) {
    await until('more lines', () => logs.size(spec.attemptId) > cuts * 1000);
    apiProxy.cut();
  }
  assert.equal((await harbour.finished(spec.attemptId)).outcome.kind, 'succeeded');
  const { numbers, printed, gaps, told } = await hear(logs, spec.attemptId);
  assert.deepEqual({ numbers, gaps, told }, { numbers: printed, gaps: 0, told: [] });
});

test('container: of a log whose stream falls silent without an end, all lines come', async () => {
  const spec = specOf(workOf('container', torture.talk(3, 0.1)));
  await harbour.executor.start(spec);
  const { logs } = harbour.stores;
  await until('its first lines', () => logs.size(spec.attemptId) > 100);
  apiProxy.silence((line) => line.includes('/log?'));
  const { outcome } = await finishedAtLast(harbour, spec.attemptId);
  assert.equal(outcome.kind, 'succeeded', outcome.kind === 'failed' ? outcome.message : '');
  const { numbers, printed, gaps, told } = await hear(logs, spec.attemptId);
  assert.deepEqual({ numbers, gaps, told }, { numbers: printed, gaps: 0, told: [] });
});
