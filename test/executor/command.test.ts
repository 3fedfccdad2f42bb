import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import { command, openWorkshop, shell, specOf, until, type Workshop } from './workshop.ts';

let workshop: Workshop;
before(async () => {
  process.env['SERVER_ONLY'] = 'not for steps';
  workshop = await openWorkshop({
    'data/rows.txt': 'one\ntwo\n',
    'run.sh': '#!/bin/sh\necho "{\\"n\\": $1}"\n',
    'plain.txt': 'no program',
  });
});
after(() => workshop.close());

const inline = (outcome: AttemptOutcome): unknown => {
  assert.ok(outcome.kind === 'succeeded' && 'inline' in outcome.output, JSON.stringify(outcome));
  return outcome.output.inline;
};
const failure = (outcome: AttemptOutcome): string => {
  assert.ok(outcome.kind === 'failed', JSON.stringify(outcome));
  return `${outcome.cause}: ${outcome.message}`;
};

test('a command runs in the source tree and is told about itself', async () => {
  const script =
    'printf \'{"cwd":"%s","date":"%s","step":"%s","parameters":%s,"home":"%s"}\' "$PWD" "$CONTENDER_DATE" "$CONTENDER_STEP" "$CONTENDER_PARAMETERS" "$HOME"; test "$HOME" = "$CONTENDER_SCRATCH" && test -d "$CONTENDER_CHECKPOINT"';
  const output = inline(await workshop.run(shell(script))) as { [key: string]: unknown };
  assert.deepEqual(
    [output['cwd'], output['date'], output['step'], output['parameters']],
    [workshop.sourceTree, '2024-03-04', 'train', { rate: 0.1 }],
  );
  // It goes after the report, which waits for no disk.
  while (existsSync(String(output['home']))) await turn();
});

test('nothing else of the environment of the server gets in', async () => {
  const names = String(
    inline(await workshop.run(shell('env | cut -d= -f1 | sort | tr "\\n" " " | sed \'s/.*/"&"/\''))),
  );
  assert.doesNotMatch(names, /SERVER_ONLY|NODE_OPTIONS|NODE_TEST|npm_/);
  assert.match(names, /PATH.*PYTHONUNBUFFERED/);
});

test('no shell reads the arguments, and a program of the source tree can be named', async () => {
  assert.equal(inline(await workshop.run(command('printf', '"%s"', '$HOME; `id` && *'))), '$HOME; `id` && *');
  assert.deepEqual(inline(await workshop.run(command('./run.sh', '7'))), { n: 7 });
});

test('variables that change which code runs cannot be set', async () => {
  for (const name of [
    'LD_PRELOAD',
    'NODE_OPTIONS',
    'BASH_ENV',
    'GIT_DIR',
    'CONTENDER_STEP',
    'dyld_insert_libraries',
    'with space',
  ]) {
    assert.match(failure(await workshop.run(shell('true', { [name]: 'x' }))), /^invalid: .*environment variable/);
  }
  assert.equal(inline(await workshop.run(shell('printf \'"%s"\' "$FEATURES"', { FEATURES: 'a' }))), 'a');
});

test('the last line that is JSON is the output; a file comes before it', async () => {
  assert.deepEqual(inline(await workshop.run(shell('echo text; echo \'{"auc": 0.5}\'; echo'))), { auc: 0.5 });
  assert.equal(inline(await workshop.run(shell('echo done'))), null);
  assert.equal(inline(await workshop.run(shell('true'))), null);
  assert.deepEqual(inline(await workshop.run(shell('echo \'{"a":1}\' > "$CONTENDER_OUTPUTS"; echo \'{"b":1}\''))), {
    a: 1,
  });
});

test('an output that is nested deeper than whoever reads it can follow is refused', async () => {
  const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  assert.deepEqual(inline(await workshop.run(shell(`echo '${nested(256)}'`))), JSON.parse(nested(256)));
  for (const levels of [257, 2200, 100_000])
    assert.match(
      failure(await workshop.run(shell(`printf %${levels}s | tr " " "["; printf %${levels}s | tr " " "]"`))),
      /^output: .* nested deeper than 256 levels/,
    );
});

test('declared outputs are held to their types, and the message names key, expected and got', async () => {
  const outputs = { auc: 'number', name: 'string', good: 'boolean', more: 'json' } as const;
  const good = '{"auc":0.5,"name":"x","good":true,"more":[1]}';
  assert.deepEqual(inline(await workshop.run(shell(`echo '${good}'`), { outputs })), JSON.parse(good));
  for (const [printed, message] of [
    [
      'nothing',
      /^output: the outputs auc, name, good, more are missing: the last line .* is not JSON: nothing; print .*\$CONTENDER_OUTPUTS/,
    ],
    [
      '{"auc": NaN, "name": "Infinity"}',
      /more are missing: the last line .* holds NaN or Infinity, which JSON has not: \{"auc": /,
    ],
    ['[1]', /^output: .*a list \(\[1\]\)/],
    ['{"name":"x"}', /^output: the output "auc" is missing: expected a number, and the step gave only "name"/],
    [
      '{"auc":"0.5","name":"x","good":true,"more":1}',
      /^output: the output "auc" has the wrong type: expected a number, got a string \("0.5"\)/,
    ],
    [
      '{"auc":0.5,"name":null,"good":true,"more":1}',
      /^output: the output "name" has the wrong type: expected a string, got null/,
    ],
  ] as const) {
    assert.match(failure(await workshop.run(shell(`echo '${printed}'`), { outputs })), message);
  }
  assert.match(
    failure(await workshop.run(shell('echo "{" > "$CONTENDER_OUTPUTS"'), { outputs })),
    /^output: the file \$CONTENDER_OUTPUTS is not JSON/,
  );
  assert.match(
    failure(await workshop.run(shell('echo "{\\"auc\\": [-Infinity]}" > "$CONTENDER_OUTPUTS"'), { outputs })),
    /^output: the file \$CONTENDER_OUTPUTS holds NaN or Infinity/,
  );
  assert.match(
    failure(await workshop.run(shell('true'), { outputs })),
    /are missing: nothing was printed to standard output;/,
  );
});

test('a file that an artifact output names is kept, and is a read-only file for the next step', async () => {
  const made = await workshop.run(
    shell('printf model > "$CONTENDER_SCRATCH/model.bin"; echo \'{"model":"model.bin","rows":"data/rows.txt"}\''),
    { outputs: { model: 'artifact', rows: 'artifact' } },
  );
  const { model, rows } = inline(made) as { [key: string]: { $artifact: string; name: string; bytes: number } };
  assert.deepEqual(model, {
    $artifact: createHash('sha256').update('model').digest('hex'),
    name: 'model.bin',
    bytes: 5,
  });
  assert.equal(rows?.name, 'rows.txt');
  const used = await workshop.run({
    kind: 'command',
    command: [
      'sh',
      '-c',
      'test ! -w "$1" || test "$(id -u)" = 0; printf \'"%s %s"\' "$(basename "$1")" "$(cat "$MODEL")"',
      'sh',
      { ...model },
    ],
    environment: { MODEL: { $text: [{ ...model }] } },
  });
  assert.equal(inline(used), 'model.bin model');
  const missing = await workshop.run(shell('echo \'{"model":"nowhere.bin"}\''), { outputs: { model: 'artifact' } });
  assert.match(failure(missing), /^output: the output "model" names the file nowhere\.bin, which is neither/);
  const folder = await workshop.run(shell('echo \'{"model":"data"}\''), { outputs: { model: 'artifact' } });
  assert.match(
    failure(folder),
    /^output: the output "model" names data, .* it is a folder, and an artifact is one file: pack it/,
  );
});

test('an input that is not in the store any more is said to be so', async () => {
  const artifact = { $artifact: 'b'.repeat(64), name: 'gone', bytes: 1 };
  assert.match(
    failure(await workshop.run({ kind: 'command', command: ['cat', artifact], environment: {} })),
    /^invalid: the artifact gone .* is not in the artifact store/,
  );
});

test('a large output is stored with the lengths of what can be mapped over, and comes back as an input', async () => {
  const script = 'seq -s, 20000 | sed \'s/.*/{"days":[&],"by":{"name":[1,2]}}/\' > "$CONTENDER_OUTPUTS"';
  const made = await workshop.run(shell(script));
  assert.ok(made.kind === 'succeeded' && 'stored' in made.output);
  assert.deepEqual(made.output.lengths, { '': 2, days: 20_000, by: 1, 'by.name': 2 });
  const stored = { $stored: { ...made.output.stored }, path: ['days', '19999'] };
  const used = await workshop.run({ kind: 'command', command: ['echo', stored], environment: {} });
  assert.equal(inline(used), 20_000);
  const printed = (changes: object): Promise<AttemptOutcome> =>
    workshop.run({ kind: 'command', command: ['echo', { ...stored, ...changes }], environment: {} });
  assert.equal(inline(await printed({ path: ['days'], element: 41, elementPath: [] })), 42);
  assert.deepEqual(inline(await printed({ path: ['by'], element: 0, elementPath: [] })), {
    key: 'name',
    value: [1, 2],
  });
  assert.equal(inline(await printed({ path: ['by'], element: 0, elementPath: ['value', '1'] })), 2);
  assert.match(
    failure(await printed({ path: ['by'], element: 7, elementPath: [] })),
    /^invalid: .*no element 7 at "by"/,
  );
  const wrong = await workshop.run({
    kind: 'command',
    command: ['echo', { ...stored, path: ['weeks'] }],
    environment: {},
  });
  assert.match(failure(wrong), /^invalid: .*has no "weeks"/);
});

test('an output of 48 KiB stands inline, and one with a byte more is stored', async () => {
  // With its quotes.
  const textOf = (bytes: number): string => 'x'.repeat(bytes - 2);
  const give = (text: string): Promise<AttemptOutcome> =>
    workshop.run(shell('printf \'"%s"\' "$TEXT" > "$CONTENDER_OUTPUTS"', { TEXT: text }));
  assert.equal(inline(await give(textOf(48 * 1024))), textOf(48 * 1024));
  // What counts are bytes, and this one has two.
  for (const text of [textOf(48 * 1024 + 1), `${textOf(48 * 1024 - 1)}é`]) {
    const outcome = await give(text);
    assert.ok(outcome.kind === 'succeeded' && 'stored' in outcome.output, outcome.kind);
    assert.equal(outcome.output.stored.bytes, 48 * 1024 + 1);
    const bytes = await workshop.artifacts.getBytes(outcome.output.stored.$artifact);
    assert.equal(Buffer.from(bytes ?? []).toString(), JSON.stringify(text));
  }
});

test('of the outputs of a try that failed the next one finds nothing', async () => {
  const first = specOf(
    shell('echo \'{"auc": 0.5}\' > "$CONTENDER_OUTPUTS"; echo left > "$CONTENDER_SCRATCH/left"; exit 1'),
  );
  await workshop.executor.start(first);
  assert.match(failure((await workshop.finished(first.attemptId)).outcome), /^code: /);
  const next = {
    ...first,
    attemptId: first.attemptId.replace(/1$/, '2'),
    context: { ...first.context, attempt: 2 },
    work: shell('test ! -e "$CONTENDER_OUTPUTS" && test -z "$(ls -A "$CONTENDER_SCRATCH")"'),
  };
  await workshop.executor.start(next);
  assert.equal(inline((await workshop.finished(next.attemptId)).outcome), null);
});

test('how a command ends is a cause and a sentence', async () => {
  assert.match(
    failure(await workshop.run(shell('echo "ValueError: no rows" >&2; exit 3'))),
    /^code: exit code 3: ValueError: no rows/,
  );
  assert.match(
    failure(await workshop.run(shell('echo "ValueError: no such column" >&2; exit 98'))),
    /^non-retryable: exit code 98: ValueError: no such column/,
  );
  assert.match(failure(await workshop.run(shell('kill -SEGV $$'))), /^code: it crashed with SIGSEGV/);
  assert.match(failure(await workshop.run(shell('kill -9 $$'))), /^lost: somebody ended it from outside with SIGKILL/);
  assert.match(
    failure(await workshop.run(command('no-such-program'))),
    /^invalid: there is no program "no-such-program" on the PATH/,
  );
  assert.match(
    failure(await workshop.run(command('.venv/bin/python'))),
    /^invalid: there is no program "\.venv\/bin\/python" in the files of the commit, .* activate it .* \("python"\)$/,
  );
  assert.match(failure(await workshop.run(command('./plain.txt'))), /^(invalid|code): /);
  assert.match(
    failure(await workshop.run(command('true', 'x'.repeat(3_000_000)))),
    /^invalid: argument 1 of the command has 2\.9 MiB, too large .*context\.artifact/,
  );
  assert.match(
    failure(await workshop.run(shell('true', { TABLE: 'x'.repeat(128 * 1024 - 6) }))),
    /^invalid: the variable TABLE has 128 KiB, too large .*context\.artifact/,
  );
  const whole = await workshop.run(shell('printf ${#TABLE}', { TABLE: 'x'.repeat(128 * 1024 - 7) }));
  assert.deepEqual(whole, { kind: 'succeeded', output: { inline: 131_065 }, control: null });
  assert.match(
    failure(await workshop.run(command('true', ...Array.from({ length: 100 }, () => 'x'.repeat(100_000))))),
    /^invalid: the arguments .* too large .*context\.artifact/,
  );
  assert.match(failure(await workshop.run(command('true', 'a\0b'))), /^invalid: .*NUL/);
  assert.deepEqual(await workshop.run(shell('echo "nothing new" >&2; exit 99')), {
    kind: 'skipped',
    reason: 'the command ended with code 99: nothing new',
  });
});

test('a step that runs too long says so', async () => {
  const outcome = await workshop.run(shell('sleep 600'), { timeoutMs: 300 });
  assert.match(failure(outcome), /^timeout: it ran longer than its timeout of 300 ms/);
});

test('a step whose time is over is warned, then killed', async () => {
  const spec = specOf(shell('trap "echo saving" TERM; echo ready; while :; do sleep 0.1; done'));
  await workshop.executor.start(spec);
  await until('it listens', async () => (await workshop.log(spec.attemptId)).includes('ready'));
  await workshop.executor.stop(spec.attemptId, 'timeout', 3000);
  assert.match(failure((await workshop.finished(spec.attemptId)).outcome), /^timeout: /);
  const log = await workshop.log(spec.attemptId);
  assert.ok(log.includes('saving') && log.some((line) => line.startsWith('The timeout is over')), log.join('\n'));
});

test('secrets reach the step and are masked in log, message and output', async () => {
  workshop.secrets.set('API_TOKEN', 'hunter2-hunter2').set('PIN', '12');
  const spec = specOf(
    shell(
      'echo "token $API_TOKEN"; printf "%s" "$API_TOKEN" | base64; echo "{\\"seen\\": \\"$API_TOKEN\\", \\"pin\\": \\"$PIN\\"}"',
    ),
    { secrets: ['API_TOKEN', 'PIN'] },
  );
  await workshop.executor.start(spec);
  assert.deepEqual(inline((await workshop.finished(spec.attemptId)).outcome), { seen: '***', pin: '12' });
  const log = (await workshop.log(spec.attemptId)).join('\n');
  assert.doesNotMatch(log, /hunter2|aHVudGVy/);
  assert.match(log, /token \*\*\*/);
  assert.match(log, /The secret PIN is shorter than 6 characters/);
  const failing = await workshop.run(shell('echo "bad $API_TOKEN" >&2; exit 1'), { secrets: ['API_TOKEN'] });
  assert.equal(failure(failing), 'code: exit code 1: bad ***');
  assert.match(
    failure(await workshop.run(shell('true'), { secrets: ['NONE'] })),
    /^invalid: the secret NONE is not configured/,
  );
});

test('both streams are in the log, and /dev/stderr can be opened like a file', async () => {
  const spec = specOf(shell('echo out; echo err >&2; echo opened > /dev/stderr'));
  await workshop.executor.start(spec);
  await workshop.finished(spec.attemptId);
  const { lines, closed } = await workshop.logs.read(spec.attemptId, 1, 10);
  assert.deepEqual(lines.map((line) => `${line.stream} ${line.text}`).sort(), ['err err', 'err opened', 'out out']);
  assert.equal(closed, true);
});

test('a checkpoint stays for the next try and goes with the success', async () => {
  const first = specOf(shell('echo half > "$CONTENDER_CHECKPOINT/state"; exit 1'));
  await workshop.executor.start(first);
  await workshop.finished(first.attemptId);
  const second = {
    ...first,
    attemptId: first.attemptId.replace(/1$/, '2'),
    work: shell('printf \'"%s %s"\' "$(cat "$CONTENDER_CHECKPOINT/state")" "$CONTENDER_CHECKPOINT"'),
  };
  await workshop.executor.start(second);
  const [state, path = ''] = String(inline((await workshop.finished(second.attemptId)).outcome)).split(' ');
  assert.equal(state, 'half');
  await until('the checkpoint to be removed', () => !existsSync(path));
});

test('a checkpoint of a step that failed goes with its run, and with every run that is over', async () => {
  const specs = Array.from({ length: 3 }, () => specOf(shell('pwd > "$CONTENDER_CHECKPOINT/state"; exit 1')));
  const [ended, open, forgotten] = specs.map(({ context }) => context.runId);
  for (const spec of specs) {
    await workshop.executor.start(spec);
    await workshop.finished(spec.attemptId);
  }
  const kept = (): readonly string[] => readdirSync(join(workshop.folder, 'state', 'checkpoints'));
  for (const runId of [ended, open, forgotten]) assert.ok(kept().includes(runId ?? ''), runId);
  workshop.executor.release(ended ?? '');
  await until('those of the run that ended to go', () => !kept().includes(ended ?? ''));
  assert.ok(kept().includes(forgotten ?? ''));
  workshop.executor.retain(new Set([open ?? '']));
  await until('all others to go', () => kept().length === 1);
  assert.deepEqual(kept(), [open]);
});

test('a step that runs for a while has figures of its time and memory', async () => {
  const goOn = join(workshop.folder, 'go-on');
  const spec = specOf(shell(`while ! [ -f ${goOn} ]; do :; done`));
  await workshop.executor.start(spec);
  // Longer than until the first look at what runs.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await writeFile(goOn, '');
  const { usage } = await workshop.finished(spec.attemptId);
  assert.ok(usage !== null && usage.wallMs >= 400 && usage.memoryBytesMax !== null && usage.memoryBytesMax > 100_000);
});

test('a source tree that cannot be laid out is a failed start', async () => {
  const other = await openWorkshop();
  await writeFile(join(other.folder, 'note'), '');
  const spec = specOf(shell('true'));
  await other.close();
  await assert.rejects(other.executor.start(spec), /closed/);
});
