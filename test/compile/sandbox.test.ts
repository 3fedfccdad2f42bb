/** The life of the sandbox's process. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { setImmediate as turn } from 'node:timers/promises';
import { build } from 'esbuild';
import { CompilerFailure, compileLimits } from '../../src/compile/compile.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import { guest, writePrebuiltGuest } from '../../src/compile/guest-bundle.ts';
import { Share } from '../../src/compile/line.ts';
import { makeImage, Sandbox, type Evaluation } from '../../src/compile/sandbox.ts';
import { fits, readImage } from '../../src/compile/words-image.ts';
import { commitOf } from './sources.ts';

const nothing = '(() => ({}))()';
const endless = '(() => { for (;;); })()';

function ample(): Share {
  return new Share(Infinity);
}

test('a sandbox without work ends its process, and starts another for the next definition', async (t) => {
  const { code } = await guest();
  const sandbox = new Sandbox(code, compileLimits, 1);
  t.after(() => sandbox.close());
  for (let round = 0; round < 3; round += 1) {
    const evaluation = await sandbox.evaluate(nothing, ample());
    assert.deepEqual(evaluation, { kind: 'json', text: '{"missing":"none"}' });
    while (sandbox.isAwake) await turn();
  }
});

test('definitions that come while the process ends are evaluated all the same', async (t) => {
  const { code } = await guest();
  const sandbox = new Sandbox(code, compileLimits, 0);
  t.after(() => sandbox.close());
  const evaluations = await Promise.all(Array.from({ length: 20 }, () => sandbox.evaluate(nothing, ample())));
  assert.deepEqual(new Set(evaluations.map(({ kind }) => kind)), new Set(['json']));
});

test('to be woken in the middle of an evaluation does not end it, however long it takes', async (t) => {
  const { code } = await guest();
  const sandbox = new Sandbox(code, compileLimits, 1);
  t.after(() => sandbox.close());
  const evaluating = sandbox.evaluate(nothing, ample());
  while (!sandbox.isAwake) await turn();
  sandbox.wake();
  assert.equal((await evaluating).kind, 'json');
});

/** Which of the evaluations ended, in their order. */
async function orderOf(evaluations: Readonly<Record<string, Promise<Evaluation>>>): Promise<string[]> {
  const ended: string[] = [];
  await Promise.all(
    Object.entries(evaluations).map(async ([name, evaluation]) => {
      ended.push(`${name}: ${(await evaluation).kind}`);
    }),
  );
  return ended;
}

test('a slow definition has its time after its neighbours had theirs, and is interrupted then', async (t) => {
  const { code } = await guest();
  // A busy machine may give it its second of the processor later than it would be ended from outside.
  const sandbox = new Sandbox(code, { ...compileLimits, evaluationKillMs: 60_000 });
  t.after(() => sandbox.close());
  const commit = ample();
  const order = await orderOf({
    slow: sandbox.evaluate(endless, commit),
    good: sandbox.evaluate(nothing, commit),
    better: sandbox.evaluate(nothing, commit),
  });
  assert.deepEqual(order, ['good: json', 'better: json', 'slow: threw']);
});

test('slow definitions use up the time of their own commit, and hold up no other', async (t) => {
  const { code } = await guest();
  const sandbox = new Sandbox(code, compileLimits);
  t.after(() => sandbox.close());
  const slow = new Share(1);
  const order = await orderOf({
    first: sandbox.evaluate(endless, slow),
    second: sandbox.evaluate(endless, slow),
    third: sandbox.evaluate(nothing, slow),
    other: sandbox.evaluate(nothing, new Share(compileLimits.commitMs)),
  });
  assert.equal(order[0], 'other: json');
  assert.deepEqual(order.slice(1).toSorted(), ['first: not-reached', 'second: not-reached', 'third: not-reached']);
});

test('a closed sandbox says so, and starts nothing', async () => {
  const { code } = await guest();
  const sandbox = new Sandbox(code, compileLimits);
  await sandbox.close();
  await assert.rejects(sandbox.evaluate(nothing, ample()), new CompilerFailure('the compiler is closed', false));
  assert.equal(sandbox.isAwake, false);
});

const lengthy = '(() => { for (let round = 0; round < 2e7; round += 1); return {}; })()';
/** Its second half is under way when whoever hears of the first can do something. */
const unhurried = { evaluationMs: 60_000, evaluationKillMs: 60_000 };

/** A sandbox, and the processes that it has just now. */
async function watched(
  t: TestContext,
): Promise<{ readonly sandbox: Sandbox; readonly signal: (name: NodeJS.Signals) => void }> {
  const { code } = await guest();
  const sandbox = new Sandbox(code, unhurried);
  t.after(() => sandbox.close());
  const others = new Set(sandboxesOf(process.pid));
  const signal = (name: NodeJS.Signals): void => {
    for (const pid of sandboxesOf(process.pid)) if (!others.has(pid)) process.kill(Number(pid), name);
  };
  return { sandbox, signal };
}

test('a signal that goes to all processes of the server leaves the evaluation alone', async (t) => {
  const { sandbox, signal } = await watched(t);
  const evaluation = await sandbox.evaluate(lengthy, ample(), () => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) signal(name);
  });
  assert.equal(evaluation.kind, 'json');
});

test('an evaluation whose process is ended from outside is done again, once', async (t) => {
  const { sandbox, signal } = await watched(t);
  let tries = 0;
  const evaluation = await sandbox.evaluate(lengthy, ample(), () => {
    tries += 1;
    if (tries === 1) signal('SIGKILL');
  });
  assert.deepEqual([evaluation.kind, tries], ['json', 2]);
  await assert.rejects(
    sandbox.evaluate(lengthy, ample(), () => signal('SIGKILL')),
    new CompilerFailure('the sandbox ended: ended by SIGKILL', true),
  );
});

test('a file over which the process is ended again and again is taken for the reason', async (t) => {
  const compiler = await createCompiler(unhurried);
  t.after(() => compiler.close());
  const source = commitOf({ '.pipelines/a.ts': 'for (;;);' });
  // To start takes less than half of it.
  const ending = setInterval(() => {
    for (const pid of sandboxesOf(process.pid)) if (processorMs(pid) > 1000) process.kill(Number(pid), 'SIGKILL');
  }, 20);
  t.after(() => clearInterval(ending));
  for (let round = 1; round < compileLimits.endingsMax; round += 1)
    await assert.rejects(compiler.compile(source), CompilerFailure);
  const [compiled] = await compiler.compile(source);
  assert.match(compiled?.problems[0]?.message ?? '', /ended the compiler's processes again and again \(.*SIGKILL\)/);
});

test('a machine that gives no time is no fault of the definition', async (t) => {
  const { code } = await guest();
  const sandbox = new Sandbox(code, { evaluationMs: 60_000, evaluationKillMs: 20 });
  t.after(() => sandbox.close());
  await assert.rejects(
    sandbox.evaluate(endless, ample()),
    new CompilerFailure('the machine was too busy to evaluate a file', false),
  );
});

test('what the build of the package writes down is what development makes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'contender-guest-'));
  t.after(() => rm(folder, { recursive: true }));
  await writePrebuiltGuest(folder);
  const made = await guest();
  assert.deepEqual(JSON.parse(await readFile(join(folder, 'prebuilt/guest.json'), 'utf8')), made);
  const written = readImage(pathToFileURL(join(folder, 'prebuilt/words.image')));
  const { digest, origin } = await makeImage(made.code);
  assert.equal(written === null ? null : fits(written, digest, origin), true);
});

test('the process of a sandbox reads the engine and nothing else, and has nothing from us', async (t) => {
  const { code } = await guest();
  const sandbox = new Sandbox(code, compileLimits);
  t.after(() => sandbox.close());
  await sandbox.evaluate(nothing, ample());
  const own = sandboxesOf(process.pid);
  assert.equal(own.length, 1);
  for (const pid of own) {
    assert.match(
      readFileSync(`/proc/${pid}/environ`, 'utf8'),
      /^NODE_CHANNEL_\w+=[^\0]*\0(?:NODE_CHANNEL_\w+=[^\0]*\0)?$/,
    );
    assert.equal(realpathSync(`/proc/${pid}/cwd`), '/');
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    assert.ok(argv.includes('--permission') && !argv.some((each) => /--allow-(?!fs-read=)/.test(each)), argv.join(' '));
    assert.ok(
      argv.every((each) => !/^--allow-fs-read=(?:\/|\/etc|\/tmp)?\/?$/.test(each)),
      argv.join(' '),
    );
  }
});

test('the process of a sandbox loads no part of Node that it could do without', async () => {
  const { metafile } = await build({
    entryPoints: ['src/compile/sandbox-process.ts'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
  const loaded = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  const ofNode = loaded.filter((path) => path.startsWith('node:'));
  // `node:crypto` would be a tenth of its start.
  assert.deepEqual(new Set(ofNode), new Set(['node:fs', 'node:url', 'node:v8']));
});

function processorMs(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return 0;
  }
}

function sandboxesOf(parent: number): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && isSandboxOf(parent, pid));
}

function isSandboxOf(parent: number, pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const isChild = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent;
    return isChild && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('sandbox-process');
  } catch {
    return false;
  }
}

test('the process of a sandbox ends with the one that made it, whatever ends that', async (t) => {
  const script = `
    import { guest } from ${JSON.stringify(import.meta.resolve('../../src/compile/guest-bundle.ts'))};
    import { Sandbox } from ${JSON.stringify(import.meta.resolve('../../src/compile/sandbox.ts'))};
    import { Share } from ${JSON.stringify(import.meta.resolve('../../src/compile/line.ts'))};
    import { compileLimits } from ${JSON.stringify(import.meta.resolve('../../src/compile/compile.ts'))};
    const { code } = await guest();
    const sandbox = new Sandbox(code, compileLimits);
    await sandbox.evaluate('(() => ({}))()', new Share(Infinity));
    process.stdout.write('ready');
    setInterval(() => undefined, 1000);
  `;
  const server = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => server.kill('SIGKILL'));
  await once(server.stdout, 'data');
  const children = sandboxesOf(server.pid ?? 0);
  assert.equal(children.length, 1);
  server.kill('SIGKILL');
  await once(server, 'exit');
  while (children.some(isAlive)) await turn();
});

function isAlive(pid: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !'ZX'.includes(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? 'X');
  } catch {
    return false;
  }
}
