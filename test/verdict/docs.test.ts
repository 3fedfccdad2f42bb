import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { judge } from '../../src/verdict/decide.ts';
import type { VerdictRule } from '../../src/verdict/verdict.ts';
import { binaryModels, ruleOf } from './models.ts';

const docs = readFileSync(new URL('../../docs/verdicts.md', import.meta.url), 'utf8');
const sentences = [...docs.matchAll(/^> (.+)$/gm)].map(([, sentence]) => sentence);

test('the sentences of docs/verdicts.md are those that verdicts have', () => {
  const better = { challenger: 0.32, champion: 0.28 };
  const examples: readonly (readonly [typeof better, Partial<VerdictRule>])[] = [
    [better, { minAbsoluteChange: 0.005 }],
    [better, { minAbsoluteChange: 0.05 }],
    [{ challenger: 0.281, champion: 0.28 }, { minAbsoluteChange: 0.005 }],
    [better, { metric: 'brier', minAbsoluteChange: 0.005 }],
  ];
  const reasons = examples.map(([skill, rule]) => {
    const verdict = judge(binaryModels(4000, skill), ruleOf(rule));
    return verdict.ok ? verdict.value.reason : verdict.error;
  });
  assert.deepEqual(sentences, reasons);
});
