/** Readers of a run that goes on who leave, at the moments at which a stream waits for the journal. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test, type TestContext } from 'node:test';
import type { FastifyInstance } from 'fastify';
import type { RunRow } from '../../src/journal/journal.ts';
import { createServer } from '../../src/server/server.ts';
import { createRepository, openTestSystem, type TestRepository, type TestSystem } from '../support/test-system.ts';

const slow = `import { pipeline, step } from 'contender';
export default pipeline('slow', { on: { push: { branches: ['main'] } } }, () => {
  step('wait', { command: ['sleep', '600'] });
});
`;

let repository: TestRepository;
let system: TestSystem;
let app: FastifyInstance;
let run: RunRow;

before(async () => {
  repository = createRepository();
  const sha = repository.commit('Begin', { '.pipelines/slow.ts': slow });
  system = await openTestSystem(repository, { watch: false });
  const log = { error: (_fields: object, message: string) => assert.fail(message) };
  app = await createServer({ ...system, apiToken: 'token', version: '0', log });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const project = system.projects.get(system.repository);
  await project?.git.fetch();
  const order = { repository: system.repository, pipeline: 'slow', sha, actor: 'ada', parameters: {}, key: 'it' };
  const started = await system.conductor.runManually({ ...order, logicalDate: Date.UTC(2026, 0, 5) });
  assert.ok(started.ok, JSON.stringify(started));
  run = await system.untilRun('the run', ({ id }) => id === started.value);
  await system.until('its attempt', async () =>
    (await system.read(run.id)).steps.get('wait')?.instances?.[0]?.attempts.length === 1 ? true : null,
  );
});
after(async () => {
  await app.close();
  await system.close();
  repository.remove();
});

function openStream(): ClientRequest {
  const { port } = app.server.address() as AddressInfo;
  const stream = request({ host: '127.0.0.1', port, path: `/runs/${run.id}/events`, agent: false });
  stream.on('error', () => undefined).end();
  return stream;
}

/** Reads of the run as its page shows it: the one of that number waits until it may go on. */
function holdRead(t: TestContext, number: number): { readonly begun: Promise<void>; readonly goOn: () => void } {
  const begun = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const { journal } = system;
  const runs = journal.runs.bind(journal);
  let reads = 0;
  t.mock.method(journal, 'runs', async (filter: Parameters<typeof runs>[0]) => {
    if (filter.rerunOf === run.id) reads += 1;
    if (reads === number) {
      begun.resolve();
      await gate.promise;
    }
    return runs(filter);
  });
  return { begun: begun.promise, goOn: gate.resolve };
}

/** How many listen to runs and logs. */
function countListeners(t: TestContext): { runs: number; logs: number } {
  const { conductor, logs } = system;
  const counts = { runs: 0, logs: 0 };
  const [watchRuns, watchLog] = [conductor.watch.bind(conductor), logs.watch.bind(logs)];
  const counted = (of: keyof typeof counts, unwatch: () => void): (() => void) => {
    counts[of] += 1;
    return () => {
      counts[of] -= 1;
      unwatch();
    };
  };
  t.mock.method(conductor, 'watch', (listener: Parameters<typeof watchRuns>[0]) =>
    counted('runs', watchRuns(listener)),
  );
  t.mock.method(logs, 'watch', (...given: Parameters<typeof watchLog>) => counted('logs', watchLog(...given)));
  return counts;
}

/** Gone for the server too. */
async function leave(stream: ClientRequest, response: Promise<ServerResponse>): Promise<void> {
  const closed = once(await response, 'close');
  stream.destroy();
  await closed;
}

function nextResponse(): Promise<ServerResponse> {
  return new Promise((resolve) => {
    app.server.once('request', (_request, response) => resolve(response));
  });
}

/** A reader who stays until a log has come: whatever waited for the same read before has gone on by then. */
async function readALog(): Promise<ClientRequest> {
  const stream = openStream();
  const [response] = (await once(stream, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of response.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.includes('event: log')) break;
  }
  return stream;
}

for (const [title, reading] of [
  ['whoever leaves while the run is read for the first time leaves nothing behind', 1],
  ['whoever leaves during a later reading stops to listen to the log', 2],
] as const) {
  test(title, async (t) => {
    const listeners = countListeners(t);
    const held = holdRead(t, reading);
    const response = nextResponse();
    const stream = openStream();
    await held.begun;
    await leave(stream, response);
    held.goOn();
    const other = await readALog();
    assert.deepEqual(listeners, { runs: 1, logs: 1 });
    other.destroy();
    await system.until('nobody listens', async () => (listeners.runs + listeners.logs === 0 ? true : null));
  });
}
