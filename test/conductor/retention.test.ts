/** What is removed for its age: by the time, by what the journal says of the run, and a little in each turn. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { conductorLimits } from '../../src/conductor/ports.ts';
import { useArtifactsOf } from '../../src/conductor/runs/artifacts-of.ts';
import { Retention, type Removed } from '../../src/conductor/retention.ts';
import type { RunEvent } from '../../src/engine/event.ts';
import type { EvaluationRow, RunRow } from '../../src/journal/journal.ts';
import { artifactPath } from '../../src/outputs/directory-artifacts.ts';
import { createDirectoryStores } from '../../src/outputs/directory.ts';
import type { Artifact } from '../../src/pipeline/definition.ts';
import { openMemoryRegistry } from '../../src/registry/memory.ts';
import type { ModelRegistry } from '../../src/registry/registry.ts';
import type { Json } from '../../src/std/json.ts';
import { evaluation } from '../support/journal-values.ts';

const dayMs = 24 * 3_600_000;
const now = 1_700_000_000_000;
const clock = { now: () => now };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'retention-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

interface Given {
  /** Days since the end of the run, by its id. */
  readonly ended?: Readonly<Record<string, number>>;
  /** Days since the opening of the run, by its id. */
  readonly unfinished?: Readonly<Record<string, number>>;
  /** Of each run, which name the artifacts that it made. */
  readonly events?: Readonly<Record<string, readonly Json[]>>;
  readonly evaluations?: readonly EvaluationRow[];
  readonly registry?: ModelRegistry;
  readonly said?: string[];
}

function open(given: Given = {}): Retention {
  const { ended = {}, unfinished = {}, events = {}, evaluations = [], said = [], registry } = given;
  const say = (fields: object, message: string): void => void said.push(`${message} ${JSON.stringify(fields)}`);
  const isBefore = (id: string, before: number): boolean => now - (ended[id] ?? -Infinity) * dayMs < before;
  const { oldLogs, oldArtifacts, artifacts } = createDirectoryStores({ directory, clock });
  const rows = Object.entries(unfinished).map(([id, days]) => ({ opened: { runId: id, at: now - days * dayMs } }));
  return new Retention({
    clock,
    journal: {
      runsEndedBefore: (ids, before) => Promise.resolve(ids.filter((id) => isBefore(id, before))),
      runsNotEndedBefore: (before, after, limit) =>
        Promise.resolve(
          Object.keys(events)
            .toSorted()
            .filter((id) => id > after && !isBefore(id, before))
            .slice(0, limit),
        ),
      unfinishedRuns: () => Promise.resolve(rows as unknown as readonly RunRow[]),
      events: (id, { from, limit } = { from: 0, limit: 9 }) =>
        Promise.resolve((events[id] ?? []).slice(from, from + limit) as unknown as readonly RunEvent[]),
      neededEvaluations: (after, limit) => Promise.resolve(evaluations.filter(({ id }) => id > after).slice(0, limit)),
    },
    projects: new Map(registry === undefined ? [] : [['own', { registry }]]),
    artifacts,
    oldLogs,
    oldArtifacts,
    kept: { logsMs: 30 * dayMs, artifactsMs: 90 * dayMs },
    log: { info: say, warn: say, error: say },
  });
}

async function putArtifact(text: string, ageDays: number): Promise<Artifact> {
  const { artifacts } = createDirectoryStores({ directory, clock });
  const artifact = await artifacts.putBytes(Buffer.from(text), 'model.bin');
  const at = now / 1000 - ageDays * 86_400;
  utimesSync(artifactPath(join(directory, 'artifacts'), artifact.$artifact), at, at);
  return artifact;
}

async function areThere(...all: readonly Artifact[]): Promise<readonly boolean[]> {
  const { artifacts } = createDirectoryStores({ directory, clock });
  return Promise.all(all.map(({ $artifact }) => artifacts.has($artifact)));
}

const finished = (output: Json): Json => ({ type: 'attempt-finished', outcome: { output } });

async function writeLog(run: string, ageDays: number, text: string): Promise<void> {
  const { logs } = createDirectoryStores({ directory, clock });
  const writer = logs.writer(`${run}/train/0/1`);
  writer.write('out', text);
  await writer.close();
  const at = now / 1000 - ageDays * 86_400;
  for (const name of readdirSync(join(directory, 'logs'))) {
    const path = join(directory, 'logs', name);
    if (name === run || name === `closed-empty~${run.slice(0, 7)}`) utimesSync(path, at, at);
  }
}

function names(): readonly string[] {
  return readdirSync(join(directory, 'logs')).sort();
}

async function workOut(retention: Retention): Promise<number> {
  let turns = 0;
  while ((await retention.work()) === 0) turns += 1;
  return turns;
}

async function collect(retention: Retention, dryRun: boolean): Promise<readonly Removed[]> {
  const all: Removed[] = [];
  for await (const removed of retention.sweep({ dryRun })) all.push(removed);
  return all;
}

test('the logs of runs that ended long enough ago go, and no others', async () => {
  await writeLog('old', 40, 'a\n');
  await writeLog('ended-late', 40, 'b\n');
  await writeLog('unfinished', 40, 'c\n');
  await writeLog('unknown', 40, 'd\n');
  await writeLog('written-late', 10, 'e\n');
  const said: string[] = [];
  const retention = open({ ended: { old: 31, 'ended-late': 29, 'written-late': 31 }, said });
  await workOut(retention);
  assert.deepEqual(names(), ['ended-late', 'unfinished', 'unknown', 'written-late']);
  assert.equal(said.length, 1);
  assert.deepEqual(await createDirectoryStores({ directory, clock }).logs.read('old/train/0/1', 1, 9), {
    lines: [],
    total: 0,
    closed: false,
  });
});

test('the note of logs without a line goes when all of its runs have ended long enough ago', async () => {
  for (const run of ['0000000-a', '0000000-b', '1111111-a', '1111111-b']) await writeLog(run, 40, '');
  await workOut(open({ ended: { '0000000-a': 31, '0000000-b': 31, '1111111-a': 31 } }));
  assert.deepEqual(names(), ['closed-empty~1111111']);
});

test('a dry run tells files and bytes, and removes nothing', async () => {
  await writeLog('old', 40, 'a\n');
  const before = names();
  const retention = open({ ended: { old: 31 } });
  const told = await collect(retention, true);
  assert.deepEqual(names(), before);
  assert.deepEqual(await collect(retention, false), told);
  assert.deepEqual(
    told.map(({ what, files }) => [what, files]),
    [['logs', 1]],
  );
  assert.ok((told[0]?.bytes ?? 0) > 0);
  assert.deepEqual(names(), []);
});

test('what a server that died had begun to remove goes with the next look', async () => {
  mkdirSync(join(directory, 'logs', 'removing~x'), { recursive: true });
  writeFileSync(join(directory, 'logs', 'removing~x', 'train~0~1.log'), 'half');
  await workOut(open());
  assert.deepEqual(names(), []);
});

test('a turn removes a limited number, and where nothing can be removed it is said and tried again later', async () => {
  const count = conductorLimits.logsPerTurnMax + 1;
  const ended: Record<string, number> = {};
  for (let number = 0; number < count; number += 1) {
    ended[`run${number}`] = 31;
    await writeLog(`run${number}`, 40, 'x\n');
  }
  const retention = open({ ended });
  assert.equal(await retention.work(), 0);
  assert.equal(names().length, 1);
  assert.equal(await workOut(retention), 1);
  assert.deepEqual(names(), []);
  rmSync(join(directory, 'logs'), { recursive: true });
  writeFileSync(join(directory, 'logs'), 'no folder');
  const said: string[] = [];
  assert.equal(await open({ said }).work(), conductorLimits.removeOldMs);
  assert.match(said.join(), /what is too old is not removed; it is tried again/);
  assert.ok(existsSync(join(directory, 'logs')));
});

test('artifacts go that are old and that nobody needs', async () => {
  const [old, young, ofLate, ofUnfinished, inside, ofEarly] = [
    await putArtifact('old', 91),
    await putArtifact('young', 89),
    await putArtifact('of a run that ended lately', 100),
    await putArtifact('of a run that goes on', 100),
    await putArtifact('named in an output', 100),
    await putArtifact('of a run that ended early', 100),
  ];
  const stored = await putArtifact(JSON.stringify({ models: [{ ...inside }] }), 100);
  const registry = openMemoryRegistry();
  const [champion, predictions] = [await putArtifact('champion', 400), await putArtifact('predictions', 400)];
  const evidence = { repository: 'own', pipeline: 'p', runId: 'r', sha: 'a'.repeat(40), digest: 'd'.repeat(64) };
  const promoted = await registry.promote({
    decision: 'once',
    model: 'churn',
    artifact: champion,
    predictions,
    expectedChampion: null,
    evidence: { ...evidence, verdict: {}, comparedWith: null, decidedBy: 'mona' },
    at: now,
  });
  assert.ok(promoted.ok);
  const challenger = await putArtifact('challenger', 100);
  const events = {
    early: [finished({ inline: { model: { ...ofEarly } } })],
    late: [finished({ inline: { model: { ...ofLate } } }), finished({ stored: { ...stored }, lengths: {} })],
    on: [finished({ inline: [{ ...ofUnfinished }] })],
  };
  const given = {
    ended: { early: 91, late: 89 },
    unfinished: { on: 10 },
    events,
    evaluations: [evaluation('late', { artifact: challenger })],
    registry,
  };
  await workOut(open(given));
  assert.deepEqual(await areThere(old, ofEarly), [false, false]);
  const kept = [young, ofLate, ofUnfinished, stored, inside, champion, predictions, challenger];
  assert.deepEqual(
    await areThere(...kept),
    kept.map(() => true),
  );
});

test('nothing goes that is younger than a day before the oldest run that goes on', async () => {
  const [older, younger] = [await putArtifact('older', 122), await putArtifact('younger', 120.5)];
  await workOut(open({ unfinished: { on: 120 } }));
  assert.deepEqual(await areThere(older, younger), [false, true]);
});

test('where the models cannot be read no artifact goes, which is said; logs do', async () => {
  const artifact = await putArtifact('old', 100);
  await writeLog('old', 40, 'a\n');
  const registry = openMemoryRegistry();
  registry.setUnreachable(true);
  const said: string[] = [];
  const retention = open({ ended: { old: 31 }, registry, said });
  await workOut(retention);
  assert.deepEqual([await areThere(artifact), names()], [[true], []]);
  assert.match(
    said.join('\n'),
    /no artifact is removed; it is tried again in an hour .*the models of own cannot be read/,
  );
  registry.setUnreachable(false);
  await workOut(retention);
  assert.deepEqual(await areThere(artifact), [false]);
});

test('what a run takes up while others are removed stays', async () => {
  const [taken, other] = [await putArtifact('taken', 100), await putArtifact('other', 100)];
  const retention = open({ evaluations: [evaluation('late')] });
  assert.equal(await retention.work(), 0);
  const { artifacts } = createDirectoryStores({ directory, clock });
  assert.equal(await useArtifactsOf({ inline: { model: { ...taken } } }, artifacts), null);
  await workOut(retention);
  assert.deepEqual(await areThere(taken, other), [true, false]);
  assert.equal(await useArtifactsOf({ inline: { model: { ...other } } }, artifacts), 'model.bin is no longer stored');
});

test('of an output that is stored, what stands in it is taken up with it', async () => {
  const [inside, gone] = [await putArtifact('inside', 100), { $artifact: 'f'.repeat(64), name: 'gone', bytes: 1 }];
  const { artifacts, oldArtifacts } = createDirectoryStores({ directory, clock });
  const stored = await putArtifact(JSON.stringify([{ ...inside }]), 100);
  assert.equal(await useArtifactsOf({ stored, lengths: {} }, artifacts), null);
  assert.equal(await oldArtifacts.remove(inside.$artifact, now - 90 * dayMs), false);
  const lacking = await putArtifact(JSON.stringify([{ ...inside }, gone]), 100);
  const why = await useArtifactsOf({ stored: lacking, lengths: {} }, artifacts);
  assert.match(why ?? '', /an artifact that model\.bin names, f+, is no longer stored/);
});
