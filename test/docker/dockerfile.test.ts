import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { validate } from 'dockerfile-utils';

const root = join(import.meta.dirname, '../..');
const text = readFileSync(join(root, 'Dockerfile'), 'utf8');

interface Instruction {
  readonly keyword: string;
  readonly rest: string;
}

interface Stage {
  readonly name: string;
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

/** Instructions with their continued lines, without comments. */
function instructionsOf(dockerfile: string): readonly Instruction[] {
  return dockerfile
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [keyword = '', ...rest] = line.split(' ');
      return { keyword, rest: rest.join(' ') };
    });
}

function stagesOf(instructions: readonly Instruction[]): ReadonlyMap<string, Stage> {
  const stages = new Map<string, { name: string; from: string; instructions: Instruction[] }>();
  let current: Instruction[] = [];
  for (const instruction of instructions) {
    if (instruction.keyword === 'FROM') {
      const [from = '', name = ''] = instruction.rest.split(' AS ');
      current = [];
      stages.set(name, { name, from, instructions: current });
    } else current.push(instruction);
  }
  return stages;
}

const instructions = instructionsOf(text);
const stages = stagesOf(instructions);
const targets = ['server', 'runner'];

/** The instructions of a stage after those of the stages that it is built on. */
function chainOf(name: string): readonly Instruction[] {
  const stage = stages.get(name);
  return stage === undefined ? [] : [...chainOf(stage.from), ...stage.instructions];
}

function lastOf(target: string, keyword: string): string | undefined {
  return chainOf(target).findLast((each) => each.keyword === keyword)?.rest;
}

test('the validator finds nothing wrong', () => {
  const found = validate(text).map(({ message, range }) => ({ line: range.start.line + 1, message }));
  assert.deepEqual(found, []);
});

test('the validator would find something', () => {
  assert.notDeepEqual(validate('FROM scratch\nCPY a b\n'), []);
});

test('the targets are there, and every image that is pulled is pinned to an exact version', () => {
  for (const target of targets) assert.ok(stages.has(target), target);
  const pulled = [...stages.values()].map(({ from }) => from).filter((from) => !stages.has(from));
  assert.deepEqual(pulled, ['node:24.21.0-bookworm-slim']);
});

test('the Node of the image is the one that the tests run on', () => {
  const lock: { readonly packages: Readonly<Record<string, { readonly version?: string }>> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  const version = lock.packages['node_modules/node']?.version ?? 'none';
  assert.ok(text.includes(`FROM node:${version}-`), `package-lock.json has Node ${version}`);
});

for (const target of targets) {
  test(`${target} runs as a user without rights, ends by SIGTERM, and buries its orphans`, () => {
    assert.match(lastOf(target, 'USER') ?? '', /^[1-9]\d*:[1-9]\d*$/);
    assert.equal(lastOf(target, 'STOPSIGNAL'), 'SIGTERM');
    assert.match(lastOf(target, 'ENTRYPOINT') ?? '', /^\["tini", "--", /);
    // Nothing is done as root after the user was set.
    const chain = chainOf(target);
    const user = chain.findLastIndex((each) => each.keyword === 'USER');
    assert.deepEqual(
      chain.slice(user).filter((each) => ['RUN', 'COPY', 'ADD'].includes(each.keyword)),
      [],
    );
  });

  test(`${target} holds the packages of the lock file and none of development`, () => {
    const copied = chainOf(target)
      .filter((each) => each.keyword === 'COPY')
      .map((each) => each.rest);
    assert.ok(copied.includes('--from=packages /opt/contender/node_modules ./node_modules'));
    assert.ok(!copied.some((rest) => rest.startsWith('--from=build') && rest.includes('node_modules')));
    assert.match(chainOf('packages').find((each) => each.rest.startsWith('npm'))?.rest ?? '', /^npm ci --omit=dev /);
  });
}

test('the server looks after its health, has Git, and keeps its state on a volume', () => {
  assert.match(lastOf('server', 'HEALTHCHECK') ?? '', /--interval=\d+s .*--timeout=\d+s .*\/healthz/);
  assert.ok(chainOf('server').some((each) => /apt-get install .*\bgit\b/.test(each.rest)));
  assert.equal(lastOf('server', 'VOLUME'), '/srv/contender/.contender');
});

test('what an entry point starts is what the package holds', () => {
  const { bin }: { readonly bin: { readonly contender: string } } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  assert.ok(text.includes(`/opt/contender/${bin.contender.replace('./', '')} /usr/local/bin/contender`));
  assert.ok(existsSync(join(root, 'src/cli/bin.ts')) && existsSync(join(root, 'runner/main.ts')));
});

test('whatever is copied from the context is there, and let in by .dockerignore', () => {
  const [everything, ...allowed] = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  assert.equal(everything, '*', 'nothing comes in by itself');
  const sources = new Set(
    instructions
      .filter(({ keyword, rest }) => keyword === 'COPY' && !rest.startsWith('--from='))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1)),
  );
  for (const source of sources) {
    assert.ok(existsSync(join(root, source)), `${source} is not there`);
    assert.ok(allowed.includes(`!${source}`), `.dockerignore keeps ${source} out`);
  }
  assert.equal(allowed.length, sources.size, 'something is let in that nothing copies');
});

test('nothing is added from elsewhere, and no secret is written down', () => {
  assert.ok(!instructions.some((each) => each.keyword === 'ADD'));
  const set = instructions.filter((each) => each.keyword === 'ENV' || each.keyword === 'ARG').map((each) => each.rest);
  assert.deepEqual(set, [
    'NODE_ENV=production',
    'PATH=$PATH:/opt/contender/node_modules/.bin',
    'NODE_OPTIONS=--max-semi-space-size=4',
  ]);
});

test('every installation of Debian packages leaves its lists behind', () => {
  for (const { rest } of instructions.filter((each) => each.rest.includes('apt-get install'))) {
    assert.match(rest, /--no-install-recommends .*rm -rf \/var\/lib\/apt\/lists/);
  }
});
