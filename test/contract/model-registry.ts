/** What every `ModelRegistry` keeps. The factory gives an empty one, and the ways in which others get at its store. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Evidence, ModelRegistry, Promotion } from '../../src/registry/registry.ts';
import { value } from './git-repository.ts';

export interface RegistryFixture {
  readonly registry: ModelRegistry;
  /** The same store through another object, as a second server has it. */
  readonly second: () => ModelRegistry;
  /** As a person holds a model that was promoted before; null releases. */
  readonly hold: (model: string, reason: string | null) => Promise<void>;
  readonly disconnect: () => void;
  readonly reconnect: () => void;
}

const evidence: Evidence = {
  repository: 'demo/churn',
  pipeline: 'weekly-churn',
  runId: 'run-1',
  sha: 'a'.repeat(40),
  digest: 'd'.repeat(64),
  verdict: { decision: 'better', metric: 'roc_auc', change: 0.0123, nested: { rows: [1, 2.5, null, 'x', true] } },
  comparedWith: null,
  decidedBy: 'push to main',
};

/** A promotion of `model` that expects `expectedChampion`; its decision is `decision`. */
export function promotionOf(model: string, decision: string, expectedChampion: number | null): Promotion {
  return {
    decision,
    model,
    artifact: { $artifact: 'b'.repeat(64), name: 'model.json', bytes: 1234 },
    predictions: { $artifact: 'c'.repeat(64), name: 'predictions.csv', bytes: 99 },
    expectedChampion,
    evidence: { ...evidence, comparedWith: expectedChampion, runId: `run of ${decision}` },
    at: 1_700_000_000_000,
  };
}

export function errorOf(result: { readonly ok: boolean; readonly error?: { readonly kind: string } }): string {
  return result.error?.kind ?? 'no error';
}

export function namesOf(list: Awaited<ReturnType<ModelRegistry['models']>>): readonly string[] {
  return value(list).pointers.map(({ model }) => model);
}

export function modelRegistryContract(title: string, open: (t: TestContext) => Promise<RegistryFixture>): void {
  const check = (claim: string, body: (fixture: RegistryFixture) => Promise<void>): void => {
    test(`${title} ${claim}`, async (t) => body(await open(t)));
  };

  check('knows no champion and no model at first', async ({ registry }) => {
    assert.equal(value(await registry.champion('churn')), null);
    assert.equal(value(await registry.model('churn')), null);
    assert.deepEqual(value(await registry.ledger('churn')), []);
    assert.deepEqual(namesOf(await registry.models()), []);
  });

  check('promotes the evaluated artifact as the next version and keeps its evidence', async ({ registry, second }) => {
    const first = promotionOf('churn', 'one', null);
    const made = value(await registry.promote(first));
    assert.deepEqual(made, {
      model: 'churn',
      version: 1,
      artifact: first.artifact,
      predictions: first.predictions,
      evidence: first.evidence,
      promotedAt: first.at,
    });
    const next = { ...promotionOf('churn', 'two', 1), predictions: null };
    assert.equal(value(await registry.promote(next)).version, 2);
    const other = second();
    assert.deepEqual(value(await other.champion('churn')), {
      ...made,
      version: 2,
      predictions: null,
      evidence: next.evidence,
    });
    const pointer = value(await other.model('churn'));
    assert.deepEqual(pointer?.aliases, { champion: 2 });
    assert.equal(pointer.hold, null);
    assert.deepEqual(
      pointer.versions.map(({ version }) => version),
      [1, 2],
    );
    assert.deepEqual(value(await other.ledger('churn')), [
      { at: first.at, decision: 'one', action: 'promoted', version: 1, previous: null, evidence: first.evidence },
      { at: next.at, decision: 'two', action: 'promoted', version: 2, previous: 1, evidence: next.evidence },
    ]);
  });

  check('gives the same version for the same decision, whatever happened since', async ({ registry, second, hold }) => {
    const first = value(await registry.promote(promotionOf('churn', 'one', null)));
    value(await registry.promote(promotionOf('churn', 'two', 1)));
    await hold('churn', 'under inspection');
    assert.deepEqual(value(await registry.promote(promotionOf('churn', 'one', null))), first);
    assert.deepEqual(value(await second().promote(promotionOf('churn', 'one', null))), first);
    assert.equal(value(await registry.ledger('churn')).length, 2);
    assert.equal(value(await registry.champion('churn'))?.version, 2);
  });

  check('promotes nothing against another champion than the one compared with', async ({ registry }) => {
    const tooEarly = await registry.promote(promotionOf('churn', 'early', 1));
    assert.ok(!tooEarly.ok && tooEarly.error.kind === 'champion-changed' && tooEarly.error.actual === null);
    value(await registry.promote(promotionOf('churn', 'one', null)));
    for (const expected of [null, 2]) {
      const stale = await registry.promote(promotionOf('churn', `stale ${expected}`, expected));
      assert.ok(!stale.ok && stale.error.kind === 'champion-changed' && stale.error.actual === 1);
    }
    assert.equal(value(await registry.ledger('churn')).length, 1);
  });

  check('promotes nothing while a model is held, and again when it is released', async ({ registry, hold }) => {
    value(await registry.promote(promotionOf('churn', 'one', null)));
    value(await registry.promote(promotionOf('fraud', 'two', null)));
    await hold('churn', 'rolled back after complaints');
    const held = await registry.promote(promotionOf('churn', 'three', 1));
    assert.ok(!held.ok && held.error.kind === 'held' && held.error.message.includes('rolled back after complaints'));
    assert.equal(value(await registry.model('churn'))?.hold?.reason, 'rolled back after complaints');
    assert.equal(value(await registry.champion('churn'))?.version, 1);
    assert.equal(value(await registry.promote(promotionOf('fraud', 'four', 1))).version, 2);
    await hold('churn', null);
    assert.equal(value(await registry.promote(promotionOf('churn', 'three', 1))).version, 2);
  });

  check(
    'says that it cannot be reached, never that there is no champion',
    async ({ registry, disconnect, reconnect }) => {
      value(await registry.promote(promotionOf('churn', 'one', null)));
      disconnect();
      assert.equal(errorOf(await registry.champion('churn')), 'unreachable');
      assert.equal(errorOf(await registry.model('churn')), 'unreachable');
      assert.equal(errorOf(await registry.ledger('churn')), 'unreachable');
      assert.equal(errorOf(await registry.models()), 'unreachable');
      assert.deepEqual(namesOf(await registry.modelsHere()), ['churn']);
      assert.equal(errorOf(await registry.promote(promotionOf('churn', 'two', 1))), 'unreachable');
      reconnect();
      assert.equal(value(await registry.champion('churn'))?.version, 1);
      assert.equal(value(await registry.promote(promotionOf('churn', 'two', 1))).version, 2);
    },
  );

  check('refuses names and promotions that it could not keep', async ({ registry }) => {
    const names = [
      '',
      'Churn',
      '1churn',
      '-churn',
      '../churn',
      'a/b',
      'a b',
      'churn\n',
      'ü',
      '__proto__',
      'a'.repeat(64),
    ];
    for (const name of names) {
      assert.equal(errorOf(await registry.champion(name)), 'invalid', name);
      assert.equal(errorOf(await registry.promote(promotionOf(name, 'one', null))), 'invalid', name);
    }
    const good = promotionOf('churn', 'one', null);
    const bad: Promotion[] = [
      { ...good, decision: '' },
      { ...good, expectedChampion: 0 },
      { ...good, at: -1 },
      { ...good, at: 0.5 },
      { ...good, artifact: { ...good.artifact, $artifact: 'latest' } },
      { ...good, evidence: { ...good.evidence, sha: 'main' } },
      { ...good, evidence: { ...good.evidence, verdict: { change: Number.NaN } } },
      { ...good, evidence: { ...good.evidence, verdict: { text: 'x'.repeat(300_000) } } },
    ];
    for (const promotion of bad) assert.equal(errorOf(await registry.promote(promotion)), 'invalid');
    assert.deepEqual(namesOf(await registry.models()), []);
    const longest = 'a'.repeat(63);
    assert.equal(value(await registry.promote(promotionOf(longest, 'one', null))).version, 1);
    assert.deepEqual(namesOf(await registry.models()), [longest]);
  });

  check('keeps text of strangers as text', async ({ registry, second }) => {
    const nasty = 'x"\n\u2028--force\nSigned-off-by: somebody\r\n$(id) ‮ \u0007';
    const base = promotionOf('churn', `one ${nasty}`, null);
    const promotion = {
      ...base,
      evidence: { ...base.evidence, decidedBy: nasty, pipeline: nasty, verdict: { sentence: nasty } },
    };
    value(await registry.promote(promotion));
    assert.deepEqual(value(await second().champion('churn'))?.evidence, promotion.evidence);
    assert.equal(value(await second().promote(promotion)).version, 1);
  });

  check('lists its models by name', async ({ registry }) => {
    for (const model of ['zebra', 'ant', 'm-1_x'])
      value(await registry.promote(promotionOf(model, `for ${model}`, null)));
    const list = await registry.models();
    assert.deepEqual(namesOf(list), ['ant', 'm-1_x', 'zebra']);
    assert.deepEqual(value(list).pointers[0], value(await registry.model('ant')));
    assert.deepEqual(await registry.modelsHere(), list);
  });

  check(
    'keeps one chain of champions without gaps when several writers promote at once',
    async ({ registry, second }) => {
      const writers = [registry, second(), second(), second()];
      const each = 6;
      await Promise.all(
        writers.map(async (writer, name) => {
          for (let number = 0; number < each; number += 1) await promoteUntilDone(writer, 'churn', `${name}-${number}`);
        }),
      );
      const ledger = value(await registry.ledger('churn'));
      assert.deepEqual(
        ledger.map(({ version, previous }) => [version, previous]),
        Array.from({ length: writers.length * each }, (_, index) => [index + 1, index === 0 ? null : index]),
      );
      assert.equal(new Set(ledger.map(({ decision }) => decision)).size, writers.length * each);
      assert.equal(value(await registry.champion('churn'))?.version, writers.length * each);
    },
  );

  check('gives one version to a decision that several writers carry out at once', async ({ registry, second }) => {
    const same = promotionOf('churn', 'one', null);
    const results = await Promise.all([registry, second(), second()].map((writer) => writer.promote(same)));
    assert.deepEqual(
      results.map((result) => value(result).version),
      [1, 1, 1],
    );
    assert.equal(value(await registry.ledger('churn')).length, 1);
  });
}

/** Reads the champion and promotes against it, until this decision is in. */
async function promoteUntilDone(registry: ModelRegistry, model: string, decision: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const champion = value(await registry.champion(model));
    const result = await registry.promote(promotionOf(model, decision, champion?.version ?? null));
    if (result.ok) return;
    const again = result.error.kind === 'champion-changed' || result.error.message.includes('moved');
    assert.ok(again, `${result.error.kind}: ${result.error.message}`);
  }
  assert.fail(`${decision} was never promoted`);
}
