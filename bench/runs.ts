/**
 * Chains and fans of steps that do nothing, through the whole system (journal on disk, local executor), beside `make -j`
 * and a bare loop that spawns the same command: the limit of a process a step.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRepository, openTestSystem, type TestSystem } from '../test/support/test-system.ts';
import type { Sha } from '../src/git/git.ts';
import { medianMs, round, say, timed, type BenchOptions } from './measure.ts';
import { chainOf, fanOf } from './pipelines.ts';

export async function benchRuns({ repetitions, chain, fan }: BenchOptions): Promise<void> {
  const repository = createRepository();
  const sha = repository.commit('Workloads', {
    '.pipelines/chain-function.ts': chainOf('function', chain),
    '.pipelines/chain-command.ts': chainOf('command', chain),
    '.pipelines/fan-function.ts': fanOf('function', fan),
    '.pipelines/fan-command.ts': fanOf('command', fan),
  });
  const system = await openTestSystem(repository, { watch: false });
  try {
    await system.projects.get(system.repository)?.git.fetch();
    const limits = { chain: await spawnLoopMs(repetitions, chain, 1), fan: await spawnLoopMs(repetitions, fan, 8) };
    const make = {
      chain: makeMs(repository.folder, repetitions, chain, 1),
      fan: makeMs(repository.folder, repetitions, fan, 8),
    };
    for (const [shape, steps] of [
      ['chain', chain],
      ['fan', fan],
    ] as const) {
      for (const kind of ['function', 'command'] as const) {
        await runMs(system, `${shape}-${kind}`, sha);
        const ms = await medianMs(repetitions, () => runMs(system, `${shape}-${kind}`, sha));
        say({
          workload: `${shape}-${steps}-${kind}`,
          median_ms: round(ms),
          per_step_ms: round(ms / steps),
          bare_spawn_per_step_ms: round(limits[shape] / steps),
          make_per_step_ms: round((await make[shape]) / steps),
          over_bare_spawn_ms: round((ms - limits[shape]) / steps),
        });
      }
    }
  } finally {
    await system.close();
    repository.remove();
  }
}

/** From the request to the end of the run. */
async function runMs(system: TestSystem, pipeline: string, sha: Sha): Promise<number> {
  const ended = Promise.withResolvers<void>();
  let runId = '';
  const unwatch = system.conductor.watch((changed) => {
    if (changed !== runId) return;
    system.journal.run(runId).then((row) => row?.finishedAt != null && ended.resolve(), ended.reject);
  });
  const ms = await timed(async () => {
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
    runId = started.value;
    await ended.promise;
  });
  unwatch();
  const row = await system.journal.run(runId);
  if (row?.state !== 'success') throw new Error(`${pipeline}: ${row?.state} ${row?.reason}`);
  return ms;
}

function spawnLoopMs(repetitions: number, count: number, together: number): Promise<number> {
  return medianMs(repetitions, () =>
    timed(async () => {
      let left = count;
      const worker = async (): Promise<void> => {
        while (left > 0) {
          left -= 1;
          await once(spawn('true', { stdio: 'ignore' }), 'exit');
        }
      };
      await Promise.all(Array.from({ length: together }, worker));
    }),
  );
}

/** A process a step with the dependencies in a Makefile. */
function makeMs(folder: string, repetitions: number, count: number, jobs: number): Promise<number> {
  const names = Array.from({ length: count }, (_, index) => `step-${index}`);
  const chained = jobs === 1;
  const rules = names.map((name, index) => `${name}:${chained && index > 0 ? ` step-${index - 1}` : ''}\n\t@true`);
  writeFileSync(
    join(folder, 'Makefile'),
    `.PHONY: all ${names.join(' ')}\nall: ${names.join(' ')}\n${rules.join('\n')}\n`,
  );
  return medianMs(repetitions, () =>
    timed(() => Promise.resolve(execFileSync('make', ['-s', '-C', folder, `-j${jobs}`, 'all'], { stdio: 'ignore' }))),
  );
}
