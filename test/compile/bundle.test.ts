import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { stop } from 'esbuild';
import { bundle } from '../../src/compile/bundle.ts';
import { compileLimits } from '../../src/compile/compile.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import { Share } from '../../src/compile/line.ts';
import { SourceReader } from '../../src/compile/source-reader.ts';
import { Transforms } from '../../src/compile/transforms.ts';
import { listProcesses } from '../../src/executor/local/processes.ts';
import { commitOf, goodFile, type RecordedSource } from './sources.ts';

after(() => stop());

test('files that keep the bundler busy use up the time of their own commit, and hold up no other', async () => {
  const busy = `${'a:'.repeat(19_000)}1;`;
  const files = { '.pipelines/one.ts': busy, '.pipelines/two.ts': busy, '.pipelines/good.ts': 'export default 1;' };
  const reader = new SourceReader(commitOf(files));
  const ended: string[] = [];
  const enter = async (name: string, share: Share): Promise<void> => {
    const { result } = await bundle(
      `.pipelines/${name}.ts`,
      reader,
      { words: [], transforms: new Transforms() },
      share,
    );
    ended.push(`${name}: ${result.ok ? 'bundled' : result.error.map(({ message }) => message).join()}`);
  };
  const slow = new Share(1);
  await Promise.all([enter('one', slow), enter('two', slow), enter('good', new Share(compileLimits.commitMs))]);
  const [seconds, all] = [compileLimits.bundleMs / 1000, compileLimits.commitMs / 1000];
  assert.deepEqual(ended, [
    `one: the bundler cannot read the file within ${seconds} s`,
    'good: bundled',
    `two: the other pipelines of the commit take longer than ${all} s`,
  ]);
});

/** Ends the bundler as soon as it reads `path`. */
function endingAt(path: string, source: RecordedSource): RecordedSource {
  const read: RecordedSource['read'] = async (paths) => {
    const contents = await source.read(paths);
    if (paths.includes(path)) for (const pid of bundlers()) process.kill(pid, 'SIGKILL');
    return contents;
  };
  return { ...source, read };
}

function bundlers(): readonly number[] {
  const own = listProcesses().filter(({ parent }) => parent === process.pid);
  return own.flatMap(({ pid }) => (readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('esbuild') ? [pid] : []));
}

test('a bundler that is ended from outside reads the file once more', async () => {
  const source = commitOf({ '.pipelines/one.ts': 'export default 1;' });
  const { result } = await bundle(
    '.pipelines/one.ts',
    new SourceReader(endingAt('.pipelines/one.ts', source)),
    { words: [], transforms: new Transforms() },
    new Share(compileLimits.commitMs),
  );
  assert.equal(result.ok, true);
});

test('a compiler without work ends all its processes, and starts them again', async (t) => {
  const compiler = await createCompiler(compileLimits, 1);
  t.after(() => compiler.close());
  for (const title of ['one', 'two']) {
    const [compiled] = await compiler.compile(commitOf({ '.pipelines/good.ts': `// ${title}\n${goodFile}` }));
    assert.deepEqual(compiled?.problems, []);
    while (listProcesses().some(({ parent }) => parent === process.pid)) await setTimeout(10);
  }
});

test('what was made of a file is kept by its path and hash, those that were used last, up to a size', async () => {
  const transforms = new Transforms();
  const [path, other] = ['repository:a.ts', 'repository:b.ts'];
  const one = await transforms.of(path, 'export const one: number = 1;', 'hash');
  assert.match(one.code, /^export const one=1;/);
  // The contents of a hash that is known are not looked at.
  assert.deepEqual(await transforms.of(path, 'another', 'hash'), one);
  assert.match((await transforms.of(other, 'export const two: number = 2;', 'hash')).code, /two=2/);
  assert.match((await transforms.of(path, 'export const three: number = 3;', 'other hash')).code, /three=3/);
  await assert.rejects(transforms.of(path, 'export const', 'broken'));

  const large = `export const text: string = '${'x'.repeat(compileLimits.transformedCharactersMax / 4)}';`;
  for (const hash of ['1', '2', '3', '4', '5']) {
    await transforms.of('repository:large.ts', large, hash);
    assert.deepEqual(await transforms.of(path, 'another', 'hash'), one);
  }
  assert.match((await transforms.of(other, 'export const four: number = 4;', 'hash')).code, /four=4/);
});
