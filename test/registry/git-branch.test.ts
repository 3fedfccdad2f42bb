/** What the branch of a registry looks like, and what happens when people change it. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openMirror } from '../../src/git/mirror.ts';
import { openGitRegistry } from '../../src/registry/git.ts';
import { value } from '../contract/git-repository.ts';
import { errorOf, namesOf, promotionOf } from '../contract/model-registry.ts';
import { setUp } from '../demo/set-up.ts';
import { makeRemote, temporaryFolder } from '../support/git-remote.ts';
import { editRegistryFile, openRegistryOf, registryBranch } from '../support/git-registry.ts';

test('a promotion is one commit that sets the two files of the model', async (t) => {
  const remote = makeRemote(t);
  const registry = openRegistryOf(t, remote);
  value(await registry.promote(promotionOf('churn', 'first', null)));
  value(await registry.promote(promotionOf('churn', 'second', 1)));
  assert.equal(remote.git('rev-list', '--count', registryBranch), '2');
  assert.equal(remote.git('ls-tree', '-r', '--name-only', registryBranch), 'ledger/churn.jsonl\nmodels/churn.json');
  assert.match(
    remote.git('log', '-1', '--format=%B', registryBranch),
    /^Promote churn to version 2\n\nDecided-by: push to main\nDecision: second\n/,
  );
  const changed = remote.git('diff', '--numstat', `${registryBranch}~1`, registryBranch, '--', 'ledger');
  assert.match(changed, /^1\t0\t/, 'the ledger only grows');
});

test('a branch that may not be pushed to denies a promotion, which is made once it may', async (t) => {
  const remote = makeRemote(t);
  const registry = openRegistryOf(t, remote);
  const hook = join(remote.path, 'hooks', 'pre-receive');
  mkdirSync(join(remote.path, 'hooks'), { recursive: true });
  writeFileSync(hook, '#!/bin/sh\necho "GH006: Protected branch update failed" >&2\nexit 1\n', { mode: 0o755 });
  const denied = await registry.promote(promotionOf('churn', 'first', null));
  assert.ok(!denied.ok && denied.error.kind === 'denied');
  assert.match(denied.error.message, /GH006.*Let the token or App write contents/);
  rmSync(hook);
  assert.equal(value(await registry.promote(promotionOf('churn', 'first', null))).version, 1);
});

test('a token that may read and not write denies a promotion too', async (t) => {
  const { github } = await setUp(t);
  const repository = openMirror({
    url: github.cloneUrl,
    directory: join(temporaryFolder(t), 'mirror'),
    credentials: () => Promise.resolve({ username: 'x-access-token', password: github.tokenOf('mallory') }),
  });
  t.after(() => repository.close());
  const denied = await openGitRegistry({ repository }).promote(promotionOf('churn', 'first', null));
  assert.equal(errorOf(denied), 'denied');
});

test('text in a promotion adds no line to the message of its commit', async (t) => {
  const remote = makeRemote(t);
  const base = promotionOf('churn', 'first', null);
  const decidedBy = 'mona\nDecision: forged\u2028Run: forged';
  value(await openRegistryOf(t, remote).promote({ ...base, evidence: { ...base.evidence, decidedBy } }));
  const lines = remote.git('log', '-1', '--format=%B', registryBranch).split('\n');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('Decision: ')),
    ['Decision: first'],
  );
  assert.equal(lines.filter((line) => line.startsWith('Run: ')).length, 1);
});

test('a broken file is named with its registryBranch, and is no empty registry', async (t) => {
  const broken: readonly (readonly [string, (text: string) => string, RegExp])[] = [
    ['models/churn.json', () => '{', /models\/churn\.json is no JSON/],
    ['models/churn.json', () => '', /models\/churn\.json is no JSON/],
    ['models/churn.json', () => 'null', /models\/churn\.json: the whole/],
    ['models/churn.json', (text) => text.replace('"schemaVersion": 1', '"schemaVersion": 2'), /schemaVersion/],
    ['models/churn.json', (text) => text.replace('"champion": 1', '"champion": 7'), /there is no version 7/],
    ['models/churn.json', (text) => text.replace('"champion": 1', '"champion": "1"'), /aliases\.champion/],
    ['models/churn.json', (text) => text.replace('"version": 1', '"version": 2'), /versions\[0\] is not version 1/],
    ['models/churn.json', (text) => text.replace('"hold"', '"note": 1, "hold"'), /note/],
    ['models/churn.json', (text) => text.replaceAll('"model": "churn"', '"model": "fraud"'), /is about fraud/],
    ['ledger/churn.jsonl', (text) => `${text}{"at":\n`, /ledger\/churn\.jsonl line 2 is no JSON/],
    ['ledger/churn.jsonl', (text) => text.replace('"version":1', '"version":9'), /speaks of version 9/],
  ];
  const remote = makeRemote(t);
  const registry = openRegistryOf(t, remote);
  value(await registry.promote(promotionOf('churn', 'first', null)));
  const good = remote.tip(registryBranch);
  for (const [path, change, said] of broken) {
    editRegistryFile(remote, path, change);
    for (const result of [
      await registry.champion('churn'),
      await registry.promote(promotionOf('churn', 'second', 1)),
    ]) {
      assert.ok(!result.ok && result.error.kind === 'invalid', path);
      assert.match(result.error.message, said);
      assert.ok(result.error.message.includes(registryBranch));
    }
    remote.setBranch(registryBranch, good);
  }
  remote.commit(registryBranch, { 'models/churn.json': null });
  assert.equal(errorOf(await registry.champion('churn')), 'invalid', 'a ledger without a pointer');
});

test('a branch that was there and is gone is an error, not an empty registry', async (t) => {
  const remote = makeRemote(t);
  const registry = openRegistryOf(t, remote);
  value(await registry.promote(promotionOf('churn', 'first', null)));
  const tip = remote.tip(registryBranch);
  remote.setBranch(registryBranch, null);
  assert.equal(errorOf(await registry.champion('churn')), 'invalid');
  assert.equal(errorOf(await registry.promote(promotionOf('churn', 'second', null))), 'invalid');
  remote.setBranch(registryBranch, tip);
  assert.equal(value(await registry.champion('churn'))?.version, 1);
});

test('promotions of different models at once all arrive', async (t) => {
  const remote = makeRemote(t);
  const models = ['ant', 'bee', 'cat'];
  const writers = models.map((model) => ({ model, registry: openRegistryOf(t, remote) }));
  await Promise.all(
    writers.map(async ({ model, registry }) => {
      for (let number = 0; number < 4; number += 1) {
        const promotion = promotionOf(model, `${model} ${number}`, number === 0 ? null : number);
        let result = await registry.promote(promotion);
        for (let tries = 0; !result.ok && result.error.message.includes('moved') && tries < 20; tries += 1) {
          result = await registry.promote(promotion);
        }
        assert.equal(value(result).version, number + 1);
      }
    }),
  );
  const registry = openRegistryOf(t, remote);
  assert.deepEqual(namesOf(await registry.models()), models);
  assert.equal(remote.git('rev-list', '--count', registryBranch), '12');
});

test('files that are no pointers are no models', async (t) => {
  const remote = makeRemote(t);
  remote.commit(registryBranch, {
    'models/README.md': 'hello',
    'models/Bad.json': '{}',
    'models/deep/x.json': '{}',
    'other.json': '{}',
  });
  const registry = openRegistryOf(t, remote);
  assert.deepEqual(namesOf(await registry.models()), []);
  value(await registry.promote(promotionOf('churn', 'first', null)));
  assert.deepEqual(namesOf(await registry.models()), ['churn']);
  assert.equal(remote.git('show', `${registryBranch}:models/README.md`), 'hello');
});
