/** A repository of docs/examples in a whole system of its own, with its steps wherever a test wants them. */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { challengesOf } from '../../src/conductor/reports/challenge-result.ts';
import type { Run } from '../../src/engine/run.ts';
import type { EvaluationRow } from '../../src/journal/journal.ts';
import { isJsonObject, type Json, type JsonObject } from '../../src/std/json.ts';
import { openReceiver } from '../notify/receiver.ts';
import { createRepository, openTestSystem, type TestSystem } from '../support/test-system.ts';

/** Where steps run. */
export interface Place {
  /** The section `executor` of the settings. */
  readonly executor: object;
  /** What the server's environment has for it. */
  readonly environment: { readonly [name: string]: string };
  /** An address of this machine under which steps reach it. */
  readonly host: string;
  /** The image of a step that is a container, where the example's own cannot be pulled. */
  readonly image: string | null;
}

export interface Example {
  readonly system: TestSystem;
  /** Starts a run of the pipeline at the newest commit, for a date; gives its id. */
  start(pipeline: string, date: string, parameters?: Readonly<Record<string, string>>): Promise<string>;
  /** The run, once it has ended and its models are decided on. */
  ended(runId: string): Promise<Run>;
  /** Commits the file with its first match of `from` replaced. */
  change(path: string, from: RegExp, to: string): void;
  /** The version in production, by the registry. */
  champion(model: string): Promise<number | null>;
  /** What became of the one challenge of a run. */
  evaluation(runId: string): Promise<EvaluationRow>;
  /** The bodies that arrived where people are told, as soon as there are so many. */
  told(count: number): Promise<readonly JsonObject[]>;
  close(): Promise<void>;
}

export interface ExampleOptions {
  readonly place: Place;
  /** Laid over the settings of the example. */
  readonly settings?: object;
  /** What the server's environment has for the example; given the address at which people are told. */
  readonly environment: (toldAt: string) => Readonly<Record<string, string>>;
}

const examples = join(import.meta.dirname, '../../docs/examples');
const patienceMs = 120_000;

export async function openExample(name: string, options: ExampleOptions): Promise<Example> {
  const { place } = options;
  const repository = createRepository();
  cpSync(join(examples, name), repository.folder, { recursive: true });
  const file = join(repository.folder, 'contender.yaml');
  const own: object = parse(readFileSync(file, 'utf8'));
  writeFileSync(file, stringify({ ...own, executor: place.executor, ...options.settings }));
  let sha = repository.commit('Copy the example', {});
  const receiver = await openReceiver(place.host);
  const environment = { ...place.environment, ...options.environment(receiver.url) };
  const system = await openTestSystem(repository, { watch: false, environment, patienceMs });
  const project = system.projects.get(system.repository);
  assert.ok(project !== undefined);

  return {
    system,
    async start(pipeline, date, parameters = {}) {
      await project.git.fetch();
      const started = await system.conductor.runManually({
        repository: system.repository,
        pipeline,
        sha,
        actor: 'mona',
        logicalDate: Date.parse(date),
        parameters,
        key: system.newId(),
      });
      assert.ok(started.ok, JSON.stringify(started));
      return started.value;
    },
    async ended(runId) {
      const run = await system.until(`the end of ${runId}`, async () => {
        const read = await system.read(runId);
        return read.finishedAt === null ? null : read;
      });
      await system.until('the decision on its models', async () => {
        const rows = await system.journal.evaluations({ runId, limit: 10 });
        const decided = rows.filter(({ state }) => state === 'promoted' || state === 'refused');
        return decided.length === challengesOf(run).length ? true : null;
      });
      return run;
    },
    change(path, from, to) {
      const before = readFileSync(join(repository.folder, path), 'utf8');
      const after = before.replace(from, to);
      assert.notEqual(after, before, `${path} has no ${from}`);
      sha = repository.commit(`Change ${path}`, { [path]: after });
    },
    async champion(model) {
      const found = await project.registry.champion(model);
      assert.ok(found.ok, JSON.stringify(found));
      return found.value?.version ?? null;
    },
    async evaluation(runId) {
      const [row, ...more] = await system.journal.evaluations({ runId, limit: 10 });
      assert.ok(row !== undefined && more.length === 0, 'a run has one challenge');
      return row;
    },
    told: (count) =>
      system.until(`${count} that were told`, async () =>
        receiver.arrived.length < count ? null : receiver.arrived.map(({ body }) => JSON.parse(body)),
      ),
    async close() {
      await system.close();
      receiver.close();
      repository.remove();
    },
  };
}

export function statesOf(run: Run): Readonly<Record<string, string>> {
  return Object.fromEntries([...run.steps].map(([name, { state }]) => [name, state]));
}

/** What each instance of a step gave, as far as it has ended well. */
export function outputsOf(run: Run, step: string): readonly JsonObject[] {
  return (run.steps.get(step)?.instances ?? []).flatMap(({ output }) => {
    if (output === null) return [];
    assert.ok('inline' in output && isJsonObject(output.inline), `${step} gives a small object`);
    return [output.inline];
  });
}

/** Fails where it is none. */
export function textOf(value: Json | undefined): string {
  assert.ok(typeof value === 'string', JSON.stringify(value));
  return value;
}
