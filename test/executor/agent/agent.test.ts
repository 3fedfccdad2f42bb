import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rmdir, symlink, writeFile } from 'node:fs/promises';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import type { AgentResult, Begin } from '../../../src/executor/agent/contract.ts';
import { AttemptRevoked, type LinkBody } from '../../../src/executor/agent/link.ts';
import type { AttemptSpec } from '../../../src/executor/executor.ts';
import { command, lookSpecOf, shell, specOf, until } from '../workshop.ts';
import { openBureau, type Bureau } from './bureau.ts';

const functions = `
import { pipeline, step, waitFor } from 'contender';
export default pipeline('p', {}, () => {
  step('train', { run: () => ({ rows: 3 }) });
  waitFor.until('looks', { run: () => false });
});
`;

async function withBureau(body: (bureau: Bureau) => Promise<void>, files = {}): Promise<void> {
  const bureau = await openBureau(files);
  try {
    await body(bureau);
    assert.deepEqual(bureau.errors, []);
  } finally {
    await bureau.close();
  }
}

async function* bytesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const attempt = (spec: AttemptSpec) => ({ type: 'attempt', spec }) as const;
const name = (): Begin => ({ agent: randomBytes(32).toString('base64url'), place: null });

function outcomeOf(result: AgentResult | undefined): AgentResult['outcome'] {
  assert.ok(result);
  return result.outcome;
}

test('a command runs beside the files of the commit, and its lines, output and artifact come to the server', async () => {
  await withBureau(
    async (bureau) => {
      const spec = specOf(
        shell('cat data/rows.csv; cp data/rows.csv kept.csv; echo warned >&2; echo \'{"model":"kept.csv","rows":2}\''),
        {
          outputs: { model: 'artifact', rows: 'number' },
        },
      );
      await bureau.agent(bureau.open(attempt(spec))).run();
      const outcome = outcomeOf(bureau.results[0]);
      assert.ok(outcome.kind === 'succeeded' && 'inline' in outcome.output);
      const { model, rows } = outcome.output.inline as { model: { $artifact: string }; rows: number };
      assert.equal(rows, 2);
      assert.equal(
        Buffer.from((await bureau.stores.artifacts.getBytes(model.$artifact)) ?? []).toString(),
        'a,b\n1,2\n',
      );
      assert.deepEqual((await bureau.log(spec.attemptId)).toSorted(), [
        '1,2',
        'a,b',
        'warned',
        '{"model":"kept.csv","rows":2}',
      ]);
      await bureau.desk().shut(spec.attemptId);
      assert.equal((await bureau.stores.logs.read(spec.attemptId, 1, 1)).closed, true);
    },
    { 'data/rows.csv': 'a,b\n1,2\n' },
  );
});

test('a function and a look are carried out as on the server itself', async () => {
  await withBureau(
    async (bureau) => {
      const spec = specOf({ kind: 'function', file: '.pipelines/p.ts', input: {} });
      await bureau.agent(bureau.open(attempt(spec))).run();
      assert.deepEqual(outcomeOf(bureau.results[0]), {
        kind: 'succeeded',
        output: { inline: { rows: 3 } },
        control: null,
      });
      const look = lookSpecOf('.pipelines/p.ts', {});
      await bureau.agent(bureau.open({ type: 'look', spec: look })).run();
      assert.equal(outcomeOf(bureau.results[1]).kind, 'not-yet');
    },
    { '.pipelines/p.ts': functions },
  );
});

test('of two agents with the same token one begins, and asks again under its own name as often as it likes', async () => {
  await withBureau(async (bureau) => {
    const token = bureau.open(attempt(specOf(command('true'))));
    const [first, second] = [name(), name()];
    const begun = await bureau.link(token).json('POST', 'begin', first);
    assert.deepEqual(await bureau.link(token).json('POST', 'begin', first), begun);
    await assert.rejects(bureau.link(token).json('POST', 'begin', second), AttemptRevoked);
    await assert.rejects(
      bureau.link(token).json('POST', 'alive', { stop: null }),
      AttemptRevoked,
      'the first token is good for the beginning alone',
    );
  });
});

test('a server that comes after knows the agent that has begun, and no other', async () => {
  await withBureau(async (bureau) => {
    const spec = specOf(command('true'));
    const token = bureau.open(attempt(spec));
    const first = name();
    const { token: own } = await bureau.link(token).json<{ token: string }>('POST', 'begin', first);
    await bureau.nextDesk();
    bureau.desk().stop(spec.attemptId, 7);
    assert.deepEqual(await bureau.link(own).json('POST', 'alive', { stop: null }), { stop: 7 });
    await assert.rejects(bureau.link(token).json('POST', 'begin', name()), AttemptRevoked);
  });
});

test('while a server does not know yet what runs, agents ask again, and afterwards they hear that it is over', async () => {
  await withBureau(async (bureau) => {
    const spec = specOf(command('true'));
    const token = bureau.open(attempt(spec));
    await bureau.desk().shut(spec.attemptId);
    const asked = bureau.link(token).json('POST', 'begin', name());
    bureau.desk().knowsAll();
    await assert.rejects(asked, AttemptRevoked);
  });
});

test('a server that conducts no more sends agents on, of attempts that it knew and of others', async () => {
  await withBureau(async (bureau) => {
    const [own, others] = [specOf(command('true')), specOf(command('true'))];
    const [ownToken, othersToken] = [bureau.open(attempt(own)), bureau.open(attempt(others))];
    await bureau.desk().shut(others.attemptId);
    bureau.desk().knowsAll();
    assert.equal(bureau.desk().begin(othersToken, name()), 'over');
    bureau.desk().retire();
    for (const token of [ownToken, othersToken]) assert.equal(bureau.desk().begin(token, name()), 'wait');
  });
});

test('a result that comes when the attempt is over is refused and told', async () => {
  await withBureau(async (bureau) => {
    const spec = specOf(command('true'));
    const { token } = await bureau.link(bureau.open(attempt(spec))).json<{ token: string }>('POST', 'begin', name());
    bureau.desk().knowsAll();
    await bureau.desk().shut(spec.attemptId);
    const result: AgentResult = { type: 'attempt', outcome: { kind: 'skipped', reason: 'nothing new' }, usage: null };
    await assert.rejects(bureau.link(token).json('POST', 'result', result), AttemptRevoked);
    assert.deepEqual([bureau.results, bureau.late], [[], [result]]);
  });
});

test('a token of nobody, or one that was changed, is refused', async () => {
  await withBureau(async (bureau) => {
    const token = bureau.open(attempt(specOf(command('true'))));
    const [payload = '', mac = ''] = token.split('.');
    const other = Buffer.from(JSON.stringify(['other/train/0/1'])).toString('base64url');
    for (const wrong of ['', 'nonsense', `${payload}.`, `${other}.${mac}`, `${payload}.${mac}x`, 'x'.repeat(10_000)])
      await assert.rejects(bureau.link(wrong || '-').json('POST', 'begin', name()), AttemptRevoked, wrong);
  });
});

test('a step gets the secrets that it names, and they are masked on both sides', async () => {
  await withBureau(async (bureau) => {
    bureau.secrets.set('PASSWORD', 'correct horse');
    bureau.secrets.set('OTHER', 'battery staple');
    const spec = specOf(shell('echo "$PASSWORD"; echo "other: $OTHER"; exit 3'), { secrets: ['PASSWORD'] });
    await bureau.agent(bureau.open(attempt(spec))).run();
    assert.deepEqual((await bureau.log(spec.attemptId)).slice(0, 2), ['***', 'other: ']);
    const own = specOf(command('true'), { secrets: ['PASSWORD'] });
    const { token } = await bureau.link(bureau.open(attempt(own))).json<{ token: string }>('POST', 'begin', name());
    const lines = [{ at: 1, stream: 'out', text: 'it is correct horse' }];
    await bureau.link(token).json('POST', 'log', { from: 1, lines, closed: true });
    const outcome = { kind: 'failed', cause: 'code', message: 'no correct horse', exitCode: 1 };
    await bureau.link(token).json('POST', 'result', { type: 'attempt', outcome, usage: null });
    assert.deepEqual(await bureau.log(own.attemptId), ['it is ***']);
    assert.deepEqual(outcomeOf(bureau.results[1]), { ...outcome, message: 'no ***' });
  });
});

test('parts of a log that come twice, late or again after a restart are kept once and in order', async () => {
  await withBureau(async (bureau) => {
    const spec = specOf(command('true'));
    const writer = bureau.stores.logs.writer(spec.attemptId);
    writer.write('contender', 'The pod is there.\n');
    const { token } = await bureau.link(bureau.open(attempt(spec))).json<{ token: string }>('POST', 'begin', name());
    const link = bureau.link(token);
    const part = (from: number, ...texts: string[]) => ({
      from,
      lines: texts.map((text, index) => ({ at: from + index, stream: 'out', text })),
      closed: false,
    });
    assert.deepEqual(await link.json('POST', 'log', part(1, 'a', 'b')), { total: 2, isFull: false });
    assert.deepEqual(await link.json('POST', 'log', part(1, 'a', 'b', 'c')), { total: 3, isFull: false });
    assert.deepEqual(await link.json('POST', 'log', part(5, 'e')), { total: 3, isFull: false }, 'a gap is not kept');
    await bureau.nextDesk();
    assert.deepEqual(await link.json('POST', 'log', part(2, 'b', 'c', 'd')), { total: 4, isFull: false });
    assert.deepEqual(await bureau.log(spec.attemptId), ['The pod is there.', 'a', 'b', 'c', 'd']);
    const { lines } = await bureau.stores.logs.read(spec.attemptId, 2, 5);
    assert.deepEqual(
      lines.map(({ at }) => at),
      [1, 2, 3, 4],
      'each line has the time at which it was written',
    );
  });
});

test('the end of a log that is as long as it may be is kept, also where the server is another one by then', async () => {
  const bureau = await openBureau({}, 10, { lineBytesMax: 100, logBytesMax: 1000, tailBytesMax: 200 });
  try {
    const spec = specOf(command('true'));
    const { token } = await bureau.link(bureau.open(attempt(spec))).json<{ token: string }>('POST', 'begin', name());
    const link = bureau.link(token);
    const texts = Array.from({ length: 70 }, (_, at) => `line ${at}`);
    const part = (from: number, to: number) => ({
      from: from + 1,
      lines: texts.slice(from, to).map((text) => ({ at: 1, stream: 'out', text })),
      closed: to === texts.length,
    });
    assert.deepEqual(await link.json('POST', 'log', part(0, 60)), { total: 60, isFull: false });
    await bureau.nextDesk();
    assert.deepEqual(await link.json('POST', 'log', part(50, 70)), { total: 70, isFull: true });
    assert.deepEqual(await bureau.log(spec.attemptId), texts);
  } finally {
    await bureau.close();
  }
});

test('a log whose server could not write for a while goes on where it was', async () => {
  await withBureau(async (bureau) => {
    const spec = specOf(command('true'));
    const { token } = await bureau.link(bureau.open(attempt(spec))).json<{ token: string }>('POST', 'begin', name());
    const link = bureau.link(token);
    const part = (from: number, ...texts: string[]) => ({
      from,
      lines: texts.map((text) => ({ at: 1, stream: 'out', text })),
      closed: false,
    });
    assert.deepEqual(await link.json('POST', 'log', part(1, 'a')), { total: 1, isFull: false });
    const { writeSync } = fs;
    let failures = 3;
    mock.method(fs, 'writeSync', (...given: Parameters<typeof writeSync>) => {
      if (failures === 0) return writeSync(...given);
      failures -= 1;
      throw new Error('ENOSPC: no space left on device, write');
    });
    syncBuiltinESMExports();
    try {
      assert.deepEqual(await link.json('POST', 'log', part(2, 'b', 'c', 'd')), { total: 4, isFull: false });
      assert.deepEqual(await link.json('POST', 'log', part(5, 'e')), { total: 5, isFull: false });
      failures = 1;
      // More than is written at once.
      const long = Array.from({ length: 7 }, (_, at) => `${at}${'-'.repeat(15_000)}`);
      assert.deepEqual(await link.json('POST', 'log', part(6, ...long)), { total: 12, isFull: false });
    } finally {
      mock.restoreAll();
      syncBuiltinESMExports();
    }
    assert.deepEqual(
      (await bureau.log(spec.attemptId)).map((text) => text.slice(0, 1)),
      ['a', 'T', 'c', 'd', 'e', 'T', '1', '2', '3', '4', '5', '6'],
      'that it could not be written stands in the place of one line',
    );
  });
});

test('an agent that is to end ends its step, within its grace, and says so', async () => {
  await withBureau(async (bureau) => {
    const spec = specOf(shell('trap "echo warned; exit 0" TERM; echo begun; while :; do sleep 0.05; done'));
    const agent = bureau.agent(bureau.open(attempt(spec)));
    const over = agent.run();
    await until('its first line', async () => (await bureau.log(spec.attemptId)).includes('begun') || undefined);
    agent.stop();
    await over;
    const outcome = outcomeOf(bureau.results[0]);
    assert.equal(outcome.kind === 'failed' && outcome.cause, 'cancelled');
    assert.ok((await bureau.log(spec.attemptId)).includes('warned'));
  });
});

test('the server tells an agent to end what it carries out, and again with less grace', async () => {
  await withBureau(async (bureau) => {
    const spec = specOf(shell('trap "echo warned" TERM; echo begun; while :; do sleep 0.1; done'));
    const over = bureau.agent(bureau.open(attempt(spec))).run();
    const line = (text: string): Promise<boolean> =>
      until(text, async () => (await bureau.log(spec.attemptId)).includes(text) || undefined);
    await line('begun');
    bureau.desk().stop(spec.attemptId, 3_600_000);
    await line('warned');
    assert.equal(bureau.results.length, 0);
    bureau.desk().stop(spec.attemptId, 10);
    bureau.desk().stop(spec.attemptId, 5000);
    await over;
    const outcome = outcomeOf(bureau.results[0]);
    assert.equal(outcome.kind === 'failed' && outcome.cause, 'cancelled');
  });
});

test('lines come while the step runs, and are all there however many they are', async () => {
  await withBureau(async (bureau) => {
    const spec = specOf(shell('i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; sleep 60'));
    const agent = bureau.agent(bureau.open(attempt(spec)));
    const over = agent.run();
    await until('all lines', async () => (await bureau.log(spec.attemptId)).length === 3000 || undefined);
    agent.stop();
    await over;
    const lines = (await bureau.log(spec.attemptId)).slice(0, 3000);
    assert.deepEqual(
      lines,
      Array.from({ length: 3000 }, (_, index) => `line ${index}`),
    );
  });
});

test('lines of bytes that JSON writes with six each are brought in parts that the server takes', async () => {
  await withBureau(async (bureau) => {
    const spec = specOf(
      command(
        process.execPath,
        '-e',
        String.raw`console.log(('\x1b'.repeat(16_000) + '\n').repeat(99) + '\x1b'.repeat(16_000))`,
      ),
    );
    await bureau.agent(bureau.open(attempt(spec))).run();
    assert.equal(outcomeOf(bureau.results[0]).kind, 'succeeded');
    const lines = await bureau.log(spec.attemptId);
    assert.deepEqual(
      lines,
      Array.from({ length: 100 }, () => '\u001b'.repeat(16_000)),
    );
  });
});

test('what is no word of an agent is refused with what is wrong', async () => {
  await withBureau(async (bureau) => {
    const { token } = await bureau
      .link(bureau.open(attempt(specOf(command('true')))))
      .json<{ token: string }>('POST', 'begin', name());
    const link = bureau.link(token);
    const outcome = { kind: 'failed', cause: 'bad luck', message: '', exitCode: null };
    await assert.rejects(
      link.json('POST', 'result', { type: 'attempt', outcome, usage: null }),
      /400 .*outcome\.cause/,
    );
    const nested = JSON.parse('['.repeat(2000) + ']'.repeat(2000));
    for (const inline of [nested, 'x'.repeat(48 * 1024)]) {
      const succeeded = { kind: 'succeeded', output: { inline }, control: null };
      const result = link.json('POST', 'result', { type: 'attempt', outcome: succeeded, usage: null });
      await assert.rejects(result, /400 .*outcome\.output/);
    }
    await assert.rejects(link.json('POST', 'log', { from: 0, lines: [], closed: false }), /400 .*from/);
    const body = (): LinkBody => ({ type: 'application/octet-stream', content: 'other bytes' });
    const put = link.ask('PUT', `artifacts/${'0'.repeat(64)}`, (answer) => answer.text(), body);
    await assert.rejects(put, /422 .*hash/);
  });
});

const helped = (changes: Partial<AttemptSpec> = {}): AttemptSpec =>
  specOf(
    {
      kind: 'container',
      image: 'any',
      command: [],
      args: [],
      environment: {},
      resources: { requests: {}, limits: {} },
      localCommand: null,
    },
    changes,
  );

test('files of a commit that the server does not have fail the attempt as one that may be tried again', async () => {
  await withBureau(async (bureau) => {
    bureau.missing.source = true;
    for (const spec of [specOf(command('true')), helped()]) {
      await bureau.agent(bureau.open(attempt(spec))).run();
      const outcome = outcomeOf(bureau.results.at(-1));
      assert.ok(outcome.kind === 'failed');
      assert.equal(outcome.cause, 'start');
      assert.match(outcome.message, /the commit is not in the mirror/);
    }
  });
});

test('files of a commit whose server goes in the middle of them are laid out whole', async () => {
  const files = { 'a.txt': 'a'.repeat(300_000), 'b.txt': 'the last' };
  await withBureau(async (bureau) => {
    bureau.missing.endOfSource = 2;
    const spec = specOf(shell('wc -c < a.txt; cat b.txt'));
    await bureau.agent(bureau.open(attempt(spec))).run();
    assert.equal(outcomeOf(bureau.results[0]).kind, 'succeeded');
    assert.equal(bureau.missing.endOfSource, 0);
    assert.deepEqual(await bureau.log(spec.attemptId), ['300000', 'the last']);
  }, files);
});

test('a helper lays out secrets for its container, and does not begin without one that it names', async () => {
  await withBureau(async (bureau) => {
    const spec = helped({ secrets: ['PASSWORD'] });
    await bureau.agent(bureau.open(attempt(spec))).run();
    const outcome = outcomeOf(bureau.results[0]);
    assert.ok(outcome.kind === 'failed');
    assert.deepEqual([outcome.cause, /the secret PASSWORD is not configured/.test(outcome.message)], ['invalid', true]);
    bureau.secrets.set('PASSWORD', 'correct horse');
    await mkdir(join(bureau.folder, 'secrets'));
    await bureau.agent(bureau.open(attempt(helped({ secrets: ['PASSWORD'] })))).run();
    assert.equal(await readFile(join(bureau.folder, 'secrets', 'PASSWORD'), 'utf8'), 'correct horse');
    assert.deepEqual(outcomeOf(bureau.results[1]), { kind: 'succeeded', output: { inline: null }, control: null });
  });
});

test('a helper is heard of while what its container left is on its way', async () => {
  const bureau = await openBureau({}, 10);
  try {
    const going = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    bureau.collecting = () => {
      asked.resolve();
      return going.promise;
    };
    const spec = helped();
    const over = bureau.agent(bureau.open(attempt(spec))).run();
    await asked.promise;
    const before = bureau.asked.length;
    await until(
      'two more words',
      () => bureau.asked.slice(before).filter((path) => path.endsWith('/alive')).length > 1,
    );
    going.resolve();
    await over;
  } finally {
    await bureau.close();
  }
});

test('where the end of its log is never given, a container without a file of outputs is lost, and no line is guessed', async () => {
  await withBureau(async (bureau) => {
    bureau.mayHaveMore = true;
    await bureau.agent(bureau.open(attempt(helped()))).run();
    const outcome = outcomeOf(bureau.results[0]);
    assert.ok(outcome.kind === 'failed');
    assert.deepEqual([outcome.cause, /did not give its log to the end/.test(outcome.message)], ['lost', true]);
    bureau.collecting = () => writeFile(join(bureau.folder, 'agent-2', 'outputs.json'), '{"rows":2}');
    await bureau.agent(bureau.open(attempt(helped()))).run();
    assert.deepEqual(outcomeOf(bureau.results[1]), {
      kind: 'succeeded',
      output: { inline: { rows: 2 } },
      control: null,
    });
  });
});

test('a helper that fails by itself says so', async () => {
  await withBureau(async (bureau) => {
    bureau.secrets.set('PASSWORD', 'correct horse');
    await writeFile(join(bureau.folder, 'secrets'), 'where its folder is to be');
    const run = bureau.agent(bureau.open(attempt(helped({ secrets: ['PASSWORD'] })))).run();
    await assert.rejects(run, /ENOTDIR/);
    const outcome = outcomeOf(bureau.results[0]);
    assert.ok(outcome.kind === 'failed');
    assert.deepEqual([outcome.cause, outcome.message.startsWith('its agent failed: ENOTDIR')], ['lost', true]);
  });
});

test('outputs of a container that its helper cannot read are refused', async () => {
  await withBureau(async (bureau) => {
    bureau.collecting = () => symlink('outputs.json', join(bureau.folder, 'agent-1', 'outputs.json'));
    await bureau.agent(bureau.open(attempt(helped()))).run();
    const outcome = outcomeOf(bureau.results[0]);
    assert.ok(outcome.kind === 'failed');
    assert.equal(outcome.cause, 'output');
    assert.match(outcome.message, /^the file \$CONTENDER_OUTPUTS cannot be read: ELOOP/);
  });
});

test('what a helper says of a checkpoint stands once in the log of its attempt', async () => {
  await withBureau(async (bureau) => {
    const spec = helped();
    bureau.collecting = async () => {
      const checkpoint = join(bureau.folder, 'agent-1', 'checkpoint');
      await rmdir(checkpoint);
      await writeFile(checkpoint, 'no folder');
    };
    await bureau.agent(bureau.open(attempt(spec))).run();
    const [told, ...rest] = await bureau.log(spec.attemptId);
    assert.match(told ?? '', /^Its checkpoint could not be kept for the next try: ENOTDIR/);
    assert.deepEqual(rest, []);
    const other = helped();
    const { token } = await bureau.link(bureau.open(attempt(other))).json<{ token: string }>('POST', 'begin', name());
    for (const text of ['one', 'one', 'two']) await bureau.link(token).json('POST', 'note', { at: 1, text });
    assert.deepEqual(await bureau.log(other.attemptId), ['one', 'two']);
  });
});

test('a checkpoint that is too large is not kept, and the log says so', async () => {
  await withBureau(async (bureau) => {
    const spec = specOf(shell('truncate -s 17G "$CONTENDER_CHECKPOINT/weights"; exit 3'));
    await bureau.agent(bureau.open(attempt(spec))).run();
    assert.deepEqual(await bureau.log(spec.attemptId), [
      'Failed (code): exit code 3',
      'Its checkpoint could not be kept for the next try: it has 17 GiB, and 16 GiB are kept at most',
    ]);
  });
});

test('a try begins anew where what the one before it left is no tar', async () => {
  await withBureau(async (bureau) => {
    const first = specOf(shell('find "$CONTENDER_CHECKPOINT" -type f | wc -l'));
    const { attemptId, ...rest } = first;
    const second = { ...rest, attemptId: attemptId.replace(/1$/, '2'), context: { ...rest.context, attempt: 2 } };
    await bureau.files.keepCheckpoint(attemptId, bytesOf(randomBytes(2048)), 4096);
    await bureau.agent(bureau.open(attempt(second))).run();
    const [told, files] = await bureau.log(second.attemptId);
    assert.match(told ?? '', /^The checkpoint of the try before could not be laid out, and this one begins anew: /);
    assert.equal(files, '0');
  });
});
