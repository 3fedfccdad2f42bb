/**
 * What it costs to wait: thousands of steps that wait for runs of another pipeline, for files, or for an answer, at the
 * interval that they have unless they say otherwise. Measured is the processor time of the whole process (the server's
 * loop, its database and its threads) for each second that passes while nothing comes that is waited for. All wait for one
 * run, or one step; each for a file of its own; the runs together for as many addresses as one of them has instances. The
 * server that answers is in the process too.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import type { Sha } from '../src/git/git.ts';
import { createRepository, openTestSystem, type TestSystem } from '../test/support/test-system.ts';
import type { Figure } from './figures.ts';
import { round, type BenchOptions } from './measure.ts';
import { waitingOf } from './pipelines.ts';

/** All of a second at most, of one core. */
const limitPercent = 1;

export async function benchWaits({ say, sizes }: BenchOptions): Promise<void> {
  const { waits, waitedMs, waitInterval } = sizes;
  const runs = 10;
  const width = waits / runs;
  const server = await answering(503);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const conditions = {
    run: "waitFor.pipeline('other', { name: 'each', date, interval })",
    step: "waitFor.step('other', 'first', { name: 'each', date, interval })",
    file: "waitFor.file('each', { path: `/no/such/folder/${runId}/${index}`, interval })",
    address: `waitFor.http('each', { url: \`${url}/\${index}\`, interval })`,
  } as const;
  const repository = createRepository();
  const files = Object.entries(conditions).map(
    ([name, condition]) =>
      [`.pipelines/wait-${name}.ts`, waitingOf(`wait-${name}`, condition, width, waitInterval)] as const,
  );
  const sha = repository.commit('Waits', Object.fromEntries(files));
  try {
    for (const name of Object.keys(conditions)) {
      const system = await openTestSystem(repository, { watch: false });
      try {
        await system.projects.get(system.repository)?.git.fetch();
        say(await measure(system, sha, { name, runs, width, waitedMs, waitInterval }));
      } finally {
        await system.close();
      }
    }
  } finally {
    repository.remove();
    server.close();
  }
}

interface Measured {
  readonly name: string;
  readonly runs: number;
  readonly width: number;
  readonly waitedMs: number;
  readonly waitInterval: string;
}

async function measure(system: TestSystem, sha: Sha, measured: Measured): Promise<Figure> {
  const { name, runs, width, waitedMs, waitInterval } = measured;
  const restMs = await cpuPerSecondMs(Math.min(waitedMs, 10_000));
  const runIds: string[] = [];
  for (let run = 0; run < runs; run += 1) runIds.push(await start(system, sha, `wait-${name}`));
  await system.until('all of them wait, and have looked once', async () => {
    const waiting = runIds.flatMap((runId) => system.conductor.waiting(runId, 'each'));
    return waiting.length === runs * width && waiting.every(({ looks }) => looks > 0) ? true : null;
  });
  const events = await eventsOf(system, runIds);
  const busyMs = await cpuPerSecondMs(waitedMs);
  const percent = (busyMs - restMs) / 10;
  const figure = {
    workload: `waiting-${name}`,
    waiting: runs * width,
    interval: waitInterval,
    seconds: round(waitedMs / 1000),
    core_percent: round(percent),
    target_core_percent: limitPercent,
    core_percent_without: round(restMs / 10),
    events_meanwhile: (await eventsOf(system, runIds)) - events,
  };
  for (const runId of runIds) await system.conductor.ask(runId, { type: 'cancel', by: 'bench', reason: 'measured' });
  await system.until('all of them have ended', async () => {
    return (await system.journal.unfinishedRuns()).length === 0 ? true : null;
  });
  return figure;
}

/** Processor time of this process for each second that passes. */
async function cpuPerSecondMs(waitedMs: number): Promise<number> {
  const [before, startedAt] = [process.cpuUsage(), performance.now()];
  await setTimeout(waitedMs);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / (performance.now() - startedAt);
}

async function eventsOf(system: TestSystem, runIds: readonly string[]): Promise<number> {
  const counts = await Promise.all(runIds.map(async (runId) => (await system.journal.events(runId)).length));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function start(system: TestSystem, sha: Sha, pipeline: string): Promise<string> {
  const started = await system.conductor.runManually({
    repository: system.repository,
    pipeline,
    sha,
    actor: 'bench',
    logicalDate: null,
    parameters: {},
    key: system.newId(),
  });
  if (!started.ok) throw new Error(JSON.stringify(started.error));
  return started.value;
}

async function answering(status: number): Promise<Server> {
  const server = createServer((_, answer) => answer.writeHead(status).end());
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return server;
}
