import assert from 'node:assert/strict';
import { existsSync, openSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { good } from './pipelines.ts';
import { createProject, type Sandbox } from './sandbox.ts';

const commands = [
  'init',
  'check',
  'graph',
  'next',
  'simulate',
  'run',
  'cancel',
  'rerun',
  'approve',
  'reject',
  'promote',
  'runs',
  'pools',
  'ticks',
  'debug',
  'logs',
  'backfill',
  'backfills',
  'event',
  'events',
  'serve',
  'clean',
  'worker',
  'cluster',
  'demo',
];

let sandbox: Sandbox;
before(() => {
  sandbox = createProject({ '.pipelines/good.ts': good });
});
after(() => sandbox.remove());

test('--help lists the commands, these and no others', async () => {
  const { status, out } = await sandbox.run(['--help']);
  assert.equal(status, 0);
  const listed = [...(out.split('Commands:')[1]?.matchAll(/^ {2}(\w+)/gm) ?? [])].map(([, name]) => name);
  assert.deepEqual(listed, [...commands, 'help']);
});

for (const command of commands) {
  test(`${command} --help shows an example that begins with contender ${command}`, async () => {
    const { status, out, err } = await sandbox.run([command, '--help']);
    assert.deepEqual({ status, err }, { status: 0, err: '' });
    assert.match(out, new RegExp(`Examples?:\n {2}\\$ contender ${command}\\b`));
    assert.match(out, new RegExp(`contender -C FOLDER ${command}\n`));
    assert.ok(!out.includes('{}'), 'no default in the words of a program');
  });
}

test('without a command, the help is shown as a mistake', async () => {
  const { status, out, err } = await sandbox.run([]);
  assert.deepEqual({ status, out }, { status: 2, out: '' });
  assert.match(err, /Usage: contender/);
});

test('--version is the version of the package', async () => {
  assert.match((await sandbox.run(['--version'])).out, /^\d+\.\d+\.\d+\n$/);
});

test('a command or option that is nearly right is answered with the right one, and where the help is', async () => {
  const command = await sandbox.run(['chekc']);
  const commands = '  The commands: contender --help\n';
  assert.deepEqual(command, {
    status: 2,
    out: '',
    err: `error: unknown command 'chekc'\n(Did you mean check?)\n${commands}`,
  });
  const option = await sandbox.run(['run', '--josn', 'good']);
  const help = '  Its help, with an example: contender run --help\n';
  assert.deepEqual(option, {
    status: 2,
    out: '',
    err: `error: unknown option '--josn'\n(Did you mean --json?)\n${help}`,
  });
});

test('a missing, a superfluous and a wrong argument are mistakes', async () => {
  for (const args of [['run'], ['check', 'more'], ['serve', '--port', '70000'], ['runs', '--limit', '0']]) {
    const { status, out, err } = await sandbox.run(args);
    assert.deepEqual({ status, out }, { status: 2, out: '' }, args.join(' '));
    assert.match(err, /^error: /);
  }
});

test('a folder that is not there is said, with what to do', async () => {
  const { status, out, err } = await sandbox.run(['-C', '/no/such', 'runs']);
  assert.deepEqual({ status, out }, { status: 2, out: '' });
  assert.equal(err, 'error: /no/such is no folder [folder-missing]\n  Make it first, or give -C another one.\n');
});

test('colour is for terminals; NO_COLOR wins over it', async () => {
  const plain = await sandbox.run(['check']);
  assert.ok(!plain.out.includes('\u001b'));
  const forced = await sandbox.run(['check'], { environment: { FORCE_COLOR: '1' } });
  assert.ok(forced.out.includes('\u001b[32m'));
  const none = await sandbox.run(['check'], { environment: { NO_COLOR: '1' } });
  assert.ok(!none.out.includes('\u001b'));
});

test('output that finds no room is said, with what to do', { skip: !existsSync('/dev/full') }, async () => {
  const { status, err } = await sandbox.run(['check'], { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] });
  assert.equal(status, 2);
  assert.match(err, /ENOSPC.* \[system-refused\]\n {2}Make room/);
});

const settings: readonly (readonly [
  what: string,
  files: Record<string, string>,
  environment: Record<string, string>,
  said: RegExp,
])[] = [
  [
    'a state folder below a file',
    { 'contender.yaml': 'state: README/state\n', README: '' },
    {},
    /ENOTDIR.* \[system-refused\]/,
  ],
  [
    'an unknown setting',
    { 'contender.yaml': 'server:\n  prot: 1\n' },
    {},
    /contender\.yaml:2:3: .*prot.* \[config-invalid\]/,
  ],
  [
    'a database that is none',
    { 'contender.yaml': '' },
    { CONTENDER_DATABASE_URL: 'geheim@db' },
    /CONTENDER_DATABASE_URL .*\[config-invalid\]/,
  ],
  [
    'a database that does not answer',
    { 'contender.yaml': '' },
    { CONTENDER_DATABASE_URL: 'postgresql://mona:geheim@127.0.0.1:1/runs' },
    /127\.0\.0\.1:1\/runs cannot be reached.* \[journal-unreachable\]/,
  ],
];
for (const [what, files, environment, said] of settings) {
  test(`${what} is a mistake with what to do, and tells no secret`, async () => {
    sandbox.write(files);
    const { status, out, err } = await sandbox.run(['run', 'good'], { environment });
    assert.equal(status, 2, err);
    assert.match(err, said);
    assert.doesNotMatch(out + err, /geheim|^\s+at /m);
  });
}
