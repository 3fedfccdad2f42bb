import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asksToSkip, matchPullRequest, matchPush, matchTag, type Change } from '../../src/conductor/triggers/match.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { pipelineOf } from '../support/definitions.ts';

function pushed(branches: readonly string[], paths: readonly string[] = []): PipelineDefinition {
  return pipelineOf([], { on: { schedule: null, push: { branches, tags: [], paths }, pullRequest: null } });
}

function tagged(tags: readonly string[], branches: readonly string[] = []): PipelineDefinition {
  const push = { branches, tags, paths: ['training/**'] };
  return pipelineOf([], { on: { schedule: null, push, pullRequest: null } });
}

function proposed(branches: readonly string[], paths: readonly string[] = []): PipelineDefinition {
  return pipelineOf([], { on: { schedule: null, push: null, pullRequest: { branches, paths } } });
}

function change(...paths: readonly string[]): Change {
  return { paths, file: '.pipelines/own.ts', files: new Set(['.pipelines/own.ts', '.pipelines/other.ts']) };
}

const main = { branch: 'main', isDefault: true };
const side = { branch: 'feature/x', isDefault: false };
const yes = { affected: true };
const no = { affected: false };

test('without branches a push to the default branch is meant', () => {
  assert.deepEqual([matchPush(pushed([]), main, change('a')), matchPush(pushed([]), side, change('a'))], [yes, null]);
});

test('branches are globs, in which a star stops at a slash and two do not', () => {
  const of = (glob: string, branch: string): unknown =>
    matchPush(pushed([glob]), { branch, isDefault: false }, change('a'));
  assert.deepEqual(
    [of('feature/*', 'feature/x'), of('feature/*', 'feature/x/y'), of('*', 'feature/x')],
    [yes, null, null],
  );
  assert.deepEqual(
    [of('**', 'feature/x/y'), of('{main,release-*}', 'release-1'), of('main', 'mainly')],
    [yes, yes, null],
  );
});

test('paths are globs from the root, and a dot file is no exception that is made by itself', () => {
  const of = (glob: string, path: string): unknown => matchPush(pushed([], [glob]), main, change(path));
  assert.deepEqual([of('training/**', 'training/a/b.py'), of('training/**', 'docs/training/a.py')], [yes, no]);
  assert.deepEqual([of('**/*.py', 'a/b/c.py'), of('*.py', 'a/b.py'), of('data.csv', 'data.csv')], [yes, no, yes]);
});

test('no glob that somebody pushes holds the server up', () => {
  const glob = `${'*a'.repeat(40)}b`;
  const name = 'a'.repeat(200);
  assert.equal(matchPush(pushed([glob]), { branch: name, isDefault: false }, change('x')), null);
  assert.deepEqual(matchPush(pushed([], [glob]), main, change(name, `${name}/${name}`)), no);
  assert.equal(matchTag(tagged([glob]), name), null);
  assert.equal(matchPullRequest(proposed([glob]), name, change('x')), null);
});

test('a change of its own definition, or of what definitions may share, always concerns a pipeline', () => {
  const definition = pushed([], ['training/**']);
  assert.deepEqual(matchPush(definition, main, change('.pipelines/own.ts')), yes);
  assert.deepEqual(matchPush(definition, main, change('.pipelines/lib/features.ts')), yes);
  assert.deepEqual(matchPush(definition, main, change('.pipelines/other.ts', 'README.md')), no);
});

test('a change of nothing concerns whom no path is named by', () => {
  assert.deepEqual([matchPush(pushed([]), main, change()), matchPush(pushed([], ['a']), main, change())], [yes, no]);
});

test('a pull request is matched by the branch that it wants to go to', () => {
  assert.deepEqual(matchPullRequest(proposed([]), 'anything', change('a')), yes);
  assert.deepEqual(matchPullRequest(proposed(['main']), 'main', change('a')), yes);
  assert.equal(matchPullRequest(proposed(['main']), 'next', change('a')), null);
  assert.deepEqual(matchPullRequest(proposed(['main'], ['docs/**']), 'main', change('src/a')), no);
});

test('a tag is meant by whom it is named, whatever paths they name', () => {
  const of = (globs: readonly string[], tag: string): unknown => matchTag(tagged(globs), tag);
  assert.deepEqual([of(['v*'], 'v1.2.0'), of(['v*'], 'models/v1'), of(['**'], 'models/v1')], [yes, null, yes]);
  assert.deepEqual([of(['v1', 'v2'], 'v2'), of([], 'v1'), matchTag(proposed([]), 'v1')], [yes, null, null]);
});

test('whoever names tags alone means no branch', () => {
  assert.equal(matchPush(tagged(['v*']), main, change('training/a')), null);
  assert.deepEqual(matchPush(tagged(['v*'], ['main']), main, change('training/a')), yes);
});

test('a pipeline listens to what it names and to nothing else', () => {
  assert.equal(matchPush(proposed([]), main, change('a')), null);
  assert.equal(matchPullRequest(pushed([]), 'main', change('a')), null);
});

test('a commit asks to be skipped in two spellings, anywhere in its message', () => {
  for (const message of ['[skip ci]', 'Write words\n\n[CI Skip] please', 'x [Skip CI] y'])
    assert.ok(asksToSkip(message), message);
  for (const message of ['skip ci', '[skipci]', '[skip  ci]', 'Explain [ skip ci ]'])
    assert.ok(!asksToSkip(message), message);
});
