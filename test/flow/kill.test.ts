/** `kill -9` of a real server in the middle of a step: the next one goes on. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { Journal } from '../../src/journal/journal.ts';
import type { Sandbox } from '../cli/sandbox.ts';
import {
  assertConsistent,
  attemptsIn,
  chain,
  createWatchedProject,
  effects,
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

test('a server that is killed in the middle of a step goes on with it when it is back', async () => {
  let server = await serve(sandbox);
  journal = await watched(sandbox);
  const reader = journal;
  sandbox.commit({
    '.pipelines/chain.ts': chain(sandbox, 2, `until [ -e "${sandbox.folder}/go on" ]; do sleep 0.02; done`),
  });
  await until('the step to begin', () => (effects(sandbox).length > 0 ? true : null));
  await kill(server);
  const [row] = await reader.runs({ limit: 1 });
  assert.ok(row !== undefined);
  await until('the end of its processes', () => (processesOf(row.id).length === 0 ? true : null));
  writeFileSync(join(sandbox.folder, 'go on'), '');
  server = await serve(sandbox);
  const ended = await until('the end of the run', async () => {
    const now = await reader.run(row.id);
    return now?.finishedAt === null ? null : now;
  });
  assert.equal(ended?.state, 'success', ended?.reason ?? '');
  const events = await reader.events(row.id);
  assert.deepEqual(
    [...attemptsIn(events)],
    [
      ['step0/0/1', 'lost'],
      ['step0/0/2', 'succeeded'],
      ['step1/0/1', 'succeeded'],
    ],
  );
  assertConsistent(sandbox, row.id, events);
  server.kill('SIGTERM');
  assert.equal((await server.ended).status, 0);
  assert.deepEqual(processesOf(row.id), []);
});
