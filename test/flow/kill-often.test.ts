/** `kill -9` of a real server as often and whenever; the moments are counted in events of the journal. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { RunEvent } from '../../src/engine/event.ts';
import type { Journal } from '../../src/journal/journal.ts';
import type { Sandbox } from '../cli/sandbox.ts';
import {
  assertConsistent,
  chain,
  createWatchedProject,
  kill,
  processesOf,
  serve,
  until,
  watched,
} from '../support/killed-server.ts';

let sandbox: Sandbox;
let journal: Journal | null = null;
beforeEach(() => {
  sandbox = createWatchedProject();
});
afterEach(async () => {
  await journal?.close();
  journal = null;
  await sandbox.remove();
});

/** Numbers that look random and are the same each time. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test('ten kills at any moments change nothing of what a run of twelve steps comes to', async (context) => {
  const seed = Number(process.env['CONTENDER_SEED'] ?? 7);
  context.diagnostic(`CONTENDER_SEED=${seed}`);
  const random = numbersFrom(seed);
  let server = await serve(sandbox);
  journal = await watched(sandbox);
  const reader = journal;
  sandbox.commit({ '.pipelines/chain.ts': chain(sandbox, 12, 'sleep 0.03') });
  for (let kills = 0; kills < 10; kills += 1) {
    // One step further at least, so that no step uses up its tries; then some events more, or in the same moment.
    const steps = kills;
    const more = Math.floor(random() * 4);
    await until(`kill ${kills}`, async () => {
      const events = await eventsOfRun(reader);
      const at = events.findIndex((_event, index) => finishedSteps(events.slice(0, index + 1)) >= steps);
      return events.length > 0 && (steps === 0 || at >= 0) && events.length > at + more ? true : null;
    });
    await kill(server);
    server = await serve(sandbox);
  }
  const ended = await until('the end of the run', async () => {
    const [row] = await reader.runs({ limit: 1 });
    return row === undefined || row.finishedAt === null ? null : row;
  });
  assert.equal(ended.state, 'success', ended.reason ?? '');
  assertConsistent(sandbox, ended.id, await reader.events(ended.id));
  assert.equal((await reader.runs({ limit: 10 })).length, 1);
  server.kill('SIGTERM');
  assert.equal((await server.ended).status, 0);
  assert.deepEqual(processesOf(ended.id), []);
});

function finishedSteps(events: readonly RunEvent[]): number {
  return events.filter((event) => event.type === 'step-finished').length;
}

async function eventsOfRun(reader: Journal): Promise<readonly RunEvent[]> {
  const [row] = await reader.runs({ limit: 1 });
  return row === undefined ? [] : reader.events(row.id);
}
