import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openMirror } from '../../src/git/mirror.ts';
import { openGitRegistry } from '../../src/registry/git.ts';
import type { ModelRegistry } from '../../src/registry/registry.ts';
import { value } from '../contract/git-repository.ts';
import { errorOf, modelRegistryContract, promotionOf } from '../contract/model-registry.ts';
import { makeRemote, temporaryFolder, type GitRemote } from '../support/git-remote.ts';

const branch = 'contender/models';

/** A registry with a mirror of its own, as each server has one. */
function open(t: TestContext, remote: GitRemote): ModelRegistry {
  const repository = openMirror({ url: remote.path, directory: join(temporaryFolder(t), 'mirror') });
  t.after(() => repository.close());
  return openGitRegistry({ repository });
}

/** Edits a file of the registry as a person does: with a commit. */
function edit(remote: GitRemote, path: string, change: (text: string) => string): void {
  remote.commit(branch, { [path]: change(`${remote.git('show', `${branch}:${path}`)}\n`) });
}

modelRegistryContract('the registry in Git', (t) => {
  const remote = makeRemote(t);
  const away = `${remote.path}.away`;
  return Promise.resolve({
    registry: open(t, remote),
    second: () => open(t, remote),
    hold: (model, reason) => {
      const hold = reason === null ? null : { reason, by: 'mona', at: 1_700_000_000_000 };
      edit(remote, `models/${model}.json`, (text) => JSON.stringify({ ...JSON.parse(text), hold }, null, 2));
      return Promise.resolve();
    },
    disconnect: () => renameSync(remote.path, away),
    reconnect: () => renameSync(away, remote.path),
  });
});

test('a promotion is one commit that sets the two files of the model', async (t) => {
  const remote = makeRemote(t);
  const registry = open(t, remote);
  value(await registry.promote(promotionOf('churn', 'first', null)));
  value(await registry.promote(promotionOf('churn', 'second', 1)));
  assert.equal(remote.git('rev-list', '--count', branch), '2');
  assert.equal(remote.git('ls-tree', '-r', '--name-only', branch), 'ledger/churn.jsonl\nmodels/churn.json');
  assert.match(
    remote.git('log', '-1', '--format=%B', branch),
    /^Promote churn to version 2\n\nDecided-by: push to main\nDecision: second\n/,
  );
  const changed = remote.git('diff', '--numstat', `${branch}~1`, branch, '--', 'ledger');
  assert.match(changed, /^1\t0\t/, 'the ledger only grows');
});

test('text in a promotion adds no line to the message of its commit', async (t) => {
  const remote = makeRemote(t);
  const base = promotionOf('churn', 'first', null);
  const decidedBy = 'mona\nDecision: forged\u2028Run: forged';
  value(await open(t, remote).promote({ ...base, evidence: { ...base.evidence, decidedBy } }));
  const lines = remote.git('log', '-1', '--format=%B', branch).split('\n');
  assert.deepEqual(
    lines.filter((line) => line.startsWith('Decision: ')),
    ['Decision: first'],
  );
  assert.equal(lines.filter((line) => line.startsWith('Run: ')).length, 1);
});

test('a broken file is named with its branch, and is no empty registry', async (t) => {
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
  const registry = open(t, remote);
  value(await registry.promote(promotionOf('churn', 'first', null)));
  const good = remote.tip(branch);
  for (const [path, change, said] of broken) {
    edit(remote, path, change);
    for (const result of [
      await registry.champion('churn'),
      await registry.promote(promotionOf('churn', 'second', 1)),
    ]) {
      assert.ok(!result.ok && result.error.kind === 'invalid', path);
      assert.match(result.error.message, said);
      assert.ok(result.error.message.includes(branch));
    }
    remote.setBranch(branch, good);
  }
  remote.commit(branch, { 'models/churn.json': null });
  assert.equal(errorOf(await registry.champion('churn')), 'invalid', 'a ledger without a pointer');
});

test('a branch that was there and is gone is an error, not an empty registry', async (t) => {
  const remote = makeRemote(t);
  const registry = open(t, remote);
  value(await registry.promote(promotionOf('churn', 'first', null)));
  const tip = remote.tip(branch);
  remote.setBranch(branch, null);
  assert.equal(errorOf(await registry.champion('churn')), 'invalid');
  assert.equal(errorOf(await registry.promote(promotionOf('churn', 'second', null))), 'invalid');
  remote.setBranch(branch, tip);
  assert.equal(value(await registry.champion('churn'))?.version, 1);
});

test('promotions of different models at once all arrive', async (t) => {
  const remote = makeRemote(t);
  const models = ['ant', 'bee', 'cat'];
  const writers = models.map((model) => ({ model, registry: open(t, remote) }));
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
  const registry = open(t, remote);
  assert.deepEqual(value(await registry.models()), models);
  assert.equal(remote.git('rev-list', '--count', branch), '12');
});

test('files that are no pointers are no models', async (t) => {
  const remote = makeRemote(t);
  remote.commit(branch, {
    'models/README.md': 'hello',
    'models/Bad.json': '{}',
    'models/deep/x.json': '{}',
    'other.json': '{}',
  });
  const registry = open(t, remote);
  assert.deepEqual(value(await registry.models()), []);
  value(await registry.promote(promotionOf('churn', 'first', null)));
  assert.deepEqual(value(await registry.models()), ['churn']);
  assert.equal(remote.git('show', `${branch}:models/README.md`), 'hello');
});
