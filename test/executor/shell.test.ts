/**
 * Commands that a warm shell starts are as those that the server itself starts. Secrets are what tells the two ways apart:
 * a command that has some is never started by a shell.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import type { AttemptOutcome } from '../../src/engine/event.ts';
import type { AttemptWork } from '../../src/executor/executor.ts';
import { signalOne } from '../../src/executor/local/processes.ts';
import { command, openWorkshop, shell, specOf, until, type Workshop } from './workshop.ts';

let workshop: Workshop;
before(async () => {
  workshop = await openWorkshop({
    'script.sh': '#!/bin/sh\necho "\\"$0 $1\\""\n',
    'no-interpreter.sh': '#!/no/such/interpreter\n',
    'plain.txt': 'no program\n',
    'broken-binary': '\u007fELF and nothing more\n',
  });
  workshop.secrets.set('TOKEN', 'a secret that nobody may see');
});
after(() => workshop.close());

const byShell = (work: AttemptWork): Promise<AttemptOutcome> => workshop.run(work);
const byServer = (work: AttemptWork): Promise<AttemptOutcome> => workshop.run(work, { secrets: ['TOKEN'] });
const textOf = (outcome: AttemptOutcome): string => {
  assert.ok(outcome.kind === 'succeeded' && 'inline' in outcome.output, JSON.stringify(outcome));
  const { inline } = outcome.output;
  assert.ok(typeof inline === 'string');
  return inline;
};

test('they end alike, whatever they do', async () => {
  for (const work of [
    shell('exit 0'),
    shell('echo oh no >&2; exit 3'),
    shell('exit 99'),
    shell('exit 137'),
    shell('exit 200'),
    ...['KILL', 'TERM', 'INT', 'HUP', 'ABRT', 'SEGV', 'PIPE', 'USR1'].map((name) => shell(`kill -${name} $$`)),
    command('./script.sh', 'one'),
    command('no-such-program'),
    command('./no-such-program'),
    command('./no-interpreter.sh'),
    command('./plain.txt'),
    command('/'),
    command('-c'),
    command('printf', '"%s"', ''),
  ])
    assert.deepEqual(await byShell(work), await byServer(work), JSON.stringify(work));
  const broken = await byShell(command('./broken-binary'));
  assert.ok(broken.kind === 'failed' && broken.cause !== 'lost', JSON.stringify(broken));
});

test('they begin alike: signals, open files, rights, directory', async () => {
  const facts = [
    'grep -E "^Sig(Ign|Blk|Cgt)" /proc/self/status',
    'ls /proc/self/fd',
    'readlink /proc/self/fd/0',
    'umask',
    'pwd',
    'ulimit -a',
    'ps -o nice= -p $$',
    'env | cut -d= -f1 | grep -vxE "TOKEN|PWD|SHLVL|_" | sort',
  ].join('; ');
  const script = shell(`printf '"%s"' "$( ( ${facts} ) | tr '\\n\\t"' '  .' )"`);
  assert.equal(textOf(await byShell(script)), textOf(await byServer(script)));
});

test('arguments and variables arrive as they are, whatever is in them', async () => {
  const signs = ` '"\\$\`!*?~#&|;<>()[]{}\n\r\t%=-`.split('');
  const text = fc
    .string({ unit: fc.oneof(fc.constantFrom(...signs), fc.string({ unit: 'binary' })) })
    .map((value) => value.replaceAll('\0', '').toWellFormed());
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 5 }), text, async (parts, value) => {
      const program = "process.stdout.write(JSON.stringify([process.argv.slice(1), process.env['VALUE']]))";
      const work: AttemptWork = {
        kind: 'command',
        command: ['node', '-e', program, '--', ...parts],
        environment: { VALUE: value },
      };
      const outcome = await byShell(work);
      assert.ok(outcome.kind === 'succeeded' && 'inline' in outcome.output, JSON.stringify(outcome));
      assert.deepEqual(outcome.output.inline, [parts, value]);
    }),
    { numRuns: 25, seed: 7 },
  );
});

test('variables that shells have for themselves are passed on too', async () => {
  for (const [name, value] of Object.entries({
    UID: '1234',
    PPID: '1',
    OPTIND: 'x',
    PWD: '/',
    RANDOM: 'r',
    PS1: '$ ',
  })) {
    const printed = await byShell({
      kind: 'command',
      command: ['printenv', name],
      environment: { [name]: `"${value}"` },
    });
    assert.equal(textOf(printed), value);
  }
});

test('one shell runs one command after the other, and none that has secrets or a limit of memory', async () => {
  const parent = shell('printf \'"%s"\' "$PPID"');
  const first = textOf(await byShell(parent));
  assert.equal(textOf(await byShell(parent)), first);
  assert.equal(textOf(await byServer(parent)), String(process.pid));
  const { context } = specOf(parent);
  const limited = await workshop.run(parent, { context: { ...context, memoryBytes: 1024 ** 3 } });
  assert.equal(textOf(limited), String(process.pid));
  assert.notEqual(first, String(process.pid));
});

test('a warning reaches the command, and the shell that waits for it goes on waiting', async () => {
  const spec = specOf(shell('trap "echo warned; exit 0" TERM; echo ready; while :; do sleep 0.05; done'));
  await workshop.executor.start(spec);
  await until('it is ready', async () => (await workshop.log(spec.attemptId)).some((line) => line.endsWith('ready')));
  await workshop.executor.stop(spec.attemptId, 'cancelled', 10_000);
  const { outcome } = await workshop.finished(spec.attemptId);
  assert.equal(outcome.kind === 'failed' && outcome.cause, 'cancelled');
  assert.ok((await workshop.log(spec.attemptId)).some((line) => line.endsWith('warned')));
});

test('a command whose shell is killed is lost, and goes with it', async () => {
  const spec = specOf(shell('echo "$PPID $$"; sleep 1000'));
  await workshop.executor.start(spec);
  const line = await until('it runs', async () =>
    (await workshop.log(spec.attemptId)).find((each) => /\d+ \d+$/.test(each)),
  );
  const [parent = 0, child = 0] = (/(\d+) (\d+)$/.exec(line) ?? []).slice(1).map(Number);
  process.kill(parent, 'SIGKILL');
  const { outcome } = await workshop.finished(spec.attemptId);
  assert.equal(outcome.kind === 'failed' && outcome.cause, 'lost');
  await until('the command is gone', () => !signalOne(child, 0));
  assert.equal(textOf(await byShell(shell('echo \'"next"\''))), 'next');
});
