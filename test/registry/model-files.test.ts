import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as holds, jsonValue, nat, property, string } from 'fast-check';
import {
  formatLedger,
  formatPointer,
  modelOfPath,
  parseLedger,
  parseModel,
  parsePointer,
} from '../../src/registry/model-files.ts';
import { decidePromotion, emptyModel } from '../../src/registry/promotion.ts';
import { promotionOf } from '../contract/model-registry.ts';
import { exampleOf, pageOf } from '../docs/blocks.ts';

const example = (name: string): string => exampleOf(pageOf('models.md'), name);

test('the files that the documentation shows are read, and written as they stand there', () => {
  const pointer = parsePointer('models/churn.json', example('pointer'));
  const ledger = parseLedger('ledger/churn.jsonl', example('ledger'));
  assert.ok(pointer.ok, pointer.ok ? '' : pointer.error);
  assert.ok(ledger.ok, ledger.ok ? '' : ledger.error);
  assert.deepEqual(JSON.parse(formatPointer(pointer.value)), JSON.parse(example('pointer')));
  assert.equal(formatLedger(ledger.value), example('ledger'));
  assert.deepEqual(parseModel('churn', { pointer: example('pointer'), ledger: example('ledger') }).ok, true);
});

test('whatever a promotion may hold comes back from its files as it was', () => {
  holds(
    property(jsonValue(), string({ unit: 'grapheme', maxLength: 50 }), nat(), (verdict, text, at) => {
      const base = promotionOf('churn', `d ${text}`, null);
      // JSON has no minus zero.
      const plain = JSON.parse(JSON.stringify({ verdict }));
      const promotion = { ...base, at, evidence: { ...base.evidence, decidedBy: text, verdict: plain } };
      const step = decidePromotion(emptyModel('churn'), promotion);
      assert.ok(step.ok && step.value.kind === 'write');
      const { pointer, ledger } = step.value.state;
      const read = parseModel('churn', { pointer: formatPointer(pointer), ledger: formatLedger(ledger) });
      assert.ok(read.ok, read.ok ? '' : read.error);
      assert.deepEqual(read.value, { pointer, ledger });
    }),
    { numRuns: 100, seed: 11 },
  );
});

test('a decision is answered from the ledger before hold and champion are asked', () => {
  const one = decidePromotion(emptyModel('churn'), promotionOf('churn', 'one', null));
  assert.ok(one.ok && one.value.kind === 'write');
  const held = { ...one.value.state, pointer: { ...one.value.state.pointer, hold: { reason: 'x', by: 'y', at: 1 } } };
  const again = decidePromotion(held, promotionOf('churn', 'one', null));
  assert.ok(again.ok && again.value.kind === 'again' && again.value.version.version === 1);
  const other = decidePromotion(held, promotionOf('churn', 'two', 1));
  assert.ok(!other.ok && other.error.kind === 'held');
});

test('after a roll back by hand the next version follows the newest, and its predecessor is the champion', () => {
  let state = emptyModel('churn');
  for (const [index, decision] of ['one', 'two', 'three'].entries()) {
    const step = decidePromotion(state, promotionOf('churn', decision, index === 0 ? null : index));
    assert.ok(step.ok && step.value.kind === 'write');
    state = step.value.state;
  }
  state = { ...state, pointer: { ...state.pointer, aliases: { champion: 1 } } };
  const stale = decidePromotion(state, promotionOf('churn', 'four', 3));
  assert.ok(!stale.ok && stale.error.kind === 'champion-changed' && stale.error.actual === 1);
  const next = decidePromotion(state, promotionOf('churn', 'four', 1));
  assert.ok(next.ok && next.value.kind === 'write');
  assert.equal(next.value.version.version, 4);
  assert.equal(next.value.state.ledger.at(-1)?.previous, 1);
});

test('only files directly in models with a proper name are models', () => {
  assert.equal(modelOfPath('models/churn.json'), 'churn');
  for (const path of [
    'models/Churn.json',
    'models/a/b.json',
    'models/churn.jsonl',
    'ledger/churn.json',
    'models/.json',
    'x/models/a.json',
  ]) {
    assert.equal(modelOfPath(path), null, path);
  }
});

test('a value of the wrong kind says where it stands', () => {
  const broken = example('pointer').replace(/"bytes": \d+/, '"bytes": "many"');
  const parsed = parsePointer('models/churn.json', broken);
  assert.ok(!parsed.ok && parsed.error.includes('models/churn.json: versions.0.artifact.bytes'));
  assert.deepEqual(parseModel('churn', { pointer: null, ledger: null }), { ok: true, value: null });
});
