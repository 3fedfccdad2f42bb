import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { chaptersOf } from '../../src/demo/chapters.ts';
import { tell } from '../../src/demo/demo.ts';
import { startServer } from '../../src/demo/server.ts';
import { setStage } from '../../src/demo/stage.ts';
import { ProblemError } from '../../src/std/problem.ts';
import { secret, setUp } from './set-up.ts';

test('what goes wrong in a chapter, foreseen or not, is told and counted, and the story goes on', async (t) => {
  const stage = await setStage({ folder: null, port: 0, validate: false });
  t.after(() => stage.close());
  const [first] = chaptersOf({ validate: false });
  assert.ok(first !== undefined);
  // Once GitHub has refused a status, the minute that the chapter waits for it is over.
  let refused = 0;
  const now = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => now() + refused * 60_000);
  stage.github.inject({
    match: ({ method, path }) => {
      const isStatus = method === 'POST' && path.includes('/statuses/');
      if (isStatus) refused += 1;
      return isStatus;
    },
    times: 100,
    answer: { kind: 'status', status: 422 },
  });
  const told: string[] = [];
  const wrong = await tell(
    stage,
    [
      first,
      {
        title: 'A bug',
        async tell() {
          throw new TypeError('nobody foresaw it');
        },
      },
      {
        title: 'The end',
        async tell(_, narrator) {
          narrator.fact('all is well');
        },
      },
    ],
    {
      chapter: () => undefined,
      link: () => undefined,
      fact: (text) => void told.push(`✓ ${text}`),
      wrong: (text) => void told.push(`✗ ${text}`),
    },
    () => false,
  );
  assert.equal(wrong, 2);
  assert.match(told[0] ?? '', /^✗ waited a minute for the status contender\/birdstrikes on [0-9a-f]{7}$/);
  assert.match(told[1] ?? '', /^✗ TypeError: nobody foresaw it\n/);
  assert.equal(told[2], '✓ all is well');
});

test('a server that is not ready in time is ended, and what it said is told', async (t) => {
  const { github, directory } = await setUp(t);
  const folder = join(directory, 'server');
  const source = 'process._rawDebug(`here is ${process.pid}`); await new Promise(() => setInterval(() => 0, 1000));';
  await assert.rejects(
    startServer({
      folder,
      github,
      repository: 'ada/birds',
      webhookSecret: secret,
      port: 0,
      environment: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` },
      readyWithinMs: 5000,
    }),
    (error) =>
      error instanceof ProblemError &&
      error.problem.code === 'demo-server-failed' &&
      /not ready within 5 seconds; its last lines:\nhere is \d+$/.test(error.message),
  );
  const [, pid] = /here is (\d+)/.exec(readFileSync(join(folder, 'server.log'), 'utf8')) ?? [];
  assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' });
});
