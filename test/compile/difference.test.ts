import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffVersions } from '../../src/compile/compile.ts';
import type { PipelineDefinition, StepDefinition } from '../../src/pipeline/definition.ts';
import {
  approval,
  challenge,
  container,
  gate,
  pipeline,
  step,
  type ApprovalOptions,
  type GateOptions,
  type ChallengeOptions,
  type PodOptions,
  type TriggerRule,
} from '../../src/pipeline/index.ts';
import type { Json } from '../../src/std/json.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

const none = {};
type Gate = Partial<GateOptions<string>>;
type Challenge = Partial<ChallengeOptions<typeof none>>;

function churn(
  given: {
    gate?: Gate | null;
    challenge?: Challenge | null;
    beside?: Challenge;
    model?: string;
    image?: string;
    cron?: string;
    free?: boolean;
  } = {},
): PipelineDefinition {
  return pipeline('churn', { on: { schedule: given.cron ?? '0 2 * * 1' } }, () => {
    const checks = {
      rows: { min: 1000 },
      nulls: { max: 0.05 },
      label: { column: 'churned', min: 0.03, max: 0.5 },
      columns: ['id', 'age'],
    };
    const data = given.gate === null ? null : gate('validate', { data: 'x.csv', ...checks, ...given.gate });
    const after = data === null || given.free === true ? {} : { after: data };
    const train = container('train', { image: given.image ?? 'train:1', outputs: { model: 'artifact' }, ...after });
    if (given.challenge === null) return;
    const rule: ChallengeOptions<typeof none> = {
      model: train.model,
      predictions: 'p.csv',
      metric: 'roc_auc',
      threshold: 0.9,
      minAbsoluteChange: 0.005,
      guardrails: [{ metric: 'brier', maxLoss: 0.01 }],
      promote: 'on-merge',
    };
    challenge(given.model ?? 'churn', { ...rule, name: 'challenge-churn', ...given.challenge });
    if (given.beside !== undefined) challenge('churn', { ...rule, name: 'second', ...given.beside });
  }).definition;
}

test('a version does not differ from itself', () => {
  assert.deepEqual(diffVersions(churn(), churn()), {
    kind: 'same',
    fields: [],
    steps: [],
    edgesAdded: [],
    edgesRemoved: [],
    weakened: [],
  });
});

test('a pipeline that comes or goes says so, and its gates with it', () => {
  assert.deepEqual([diffVersions(null, churn()).kind, diffVersions(null, churn()).weakened], ['added', []]);
  const removed = diffVersions(churn(), null);
  assert.deepEqual(
    [removed.kind, removed.weakened],
    ['removed', ['the gate "validate" is gone', 'the challenge "challenge-churn" is gone']],
  );
});

test('a step that waits longer for its start says so', () => {
  const waiting = (startTimeout: string | null): PipelineDefinition =>
    pipeline('a', {}, () => void step('train', { command: ['true'], startTimeout })).definition;
  const { steps } = diffVersions(waiting(null), waiting('2h'));
  assert.deepEqual(steps, [
    { step: 'train', kind: 'changed', fields: [{ field: 'startTimeoutMs', before: null, after: 7_200_000 }] },
  ]);
});

test('changed fields are named by their place, of the pipeline and of its steps', () => {
  const difference = diffVersions(churn(), churn({ cron: '0 3 * * 1', image: 'train:2' }));
  assert.equal(difference.kind, 'changed');
  assert.deepEqual(difference.fields, [{ field: 'on.schedule.cron', before: '0 2 * * 1', after: '0 3 * * 1' }]);
  assert.deepEqual(difference.steps, [
    { step: 'train', kind: 'changed', fields: [{ field: 'work.image', before: 'train:1', after: 'train:2' }] },
  ]);
  assert.deepEqual(difference.weakened, []);
});

test('in a list of records the fields that differ are named, where each record has its counterpart', () => {
  const fieldsOf = (given: Gate): readonly unknown[] =>
    diffVersions(churn(), churn({ gate: given })).steps[0]?.fields ?? [];
  assert.deepEqual(fieldsOf({ rows: { min: 10 }, label: { column: 'churned', min: 0.03, max: 0.6 } }), [
    { field: 'work.checks[0].min', before: 1000, after: 10 },
    { field: 'work.checks[2].max', before: 0.5, after: 0.6 },
  ]);
  assert.equal(fieldsOf({ unique: ['id'] }).length, 1);
});

test('a change of a pod is that of its fields, however they are written', () => {
  const inPod = (pod: PodOptions | null): PipelineDefinition =>
    pipeline('churn', {}, ({ sha }) => {
      const image = pod?.image === undefined ? null : { image: sha };
      step('train', { command: ['true'], pod: pod === null ? null : { ...pod, ...image } });
    }).definition;
  const fields = (before: PodOptions | null, after: PodOptions | null): unknown =>
    diffVersions(inPod(before), inPod(after)).steps[0]?.fields;
  assert.deepEqual(fields({ nodeSelector: { pool: 'cpu' } }, { nodeSelector: { pool: 'gpu' }, image: 'by the sha' }), [
    { field: 'pod.nodeSelector.pool', before: 'cpu', after: 'gpu' },
    { field: 'pod.image', before: null, after: { reference: { context: 'sha' } } },
  ]);
  assert.deepEqual(fields(null, { namespace: 'training' }), [
    { field: 'pod', before: null, after: { namespace: 'training' } },
  ]);
});

test('another image of a gate or challenge is a weakening, and another place is none', () => {
  const weakened = (pod: PodOptions): readonly string[] =>
    diffVersions(churn({ gate: { pod: { image: 'runner:1' } } }), churn({ gate: { pod }, challenge: { pod } }))
      .weakened;
  assert.deepEqual(weakened({ image: 'runner:1', nodeSelector: { pool: 'gpu' } }), [
    'challenge "challenge-churn": its pod has another image',
  ]);
  assert.deepEqual(weakened({ image: 'mine:1', envFrom: [] }), [
    'gate "validate": its pod has another image, envFrom',
    'challenge "challenge-churn": its pod has another image, envFrom',
  ]);
});

test('steps and edges that come and go are told apart from changes', () => {
  const simple = (names: readonly string[]): PipelineDefinition =>
    pipeline('simple', {}, () => {
      let last: ReturnType<typeof step> | null = null;
      for (const name of names) last = step(name, { command: ['x'], ...(last === null ? {} : { after: last }) });
    }).definition;
  const difference = diffVersions(simple(['a', 'b', 'c']), simple(['a', 'c', 'd']));
  assert.deepEqual(difference.steps, [
    { step: 'd', kind: 'added', fields: [] },
    { step: 'b', kind: 'removed', fields: [] },
  ]);
  assert.deepEqual(difference.edgesAdded, [
    { from: 'a', to: 'c' },
    { from: 'c', to: 'd' },
  ]);
  assert.deepEqual(difference.edgesRemoved, [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
  ]);
});

const weaker: readonly (readonly [title: string, head: PipelineDefinition, sentence: string])[] = [
  ['a gate that is gone', churn({ gate: null }), 'the gate "validate" is gone'],
  [
    'a check that is gone',
    churn({ gate: { label: { column: 'other', min: 0.03 } } }),
    'gate "validate", share of "1" in churned: the check is gone',
  ],
  ['fewer rows', churn({ gate: { rows: { min: 10 } } }), 'gate "validate", number of rows: min fell from 1000 to 10'],
  [
    'no least number of rows',
    churn({ gate: { rows: { max: 10 } } }),
    'gate "validate", number of rows: min 1000 is gone',
  ],
  [
    'more empty values',
    churn({ gate: { nulls: { max: 0.5 } } }),
    'gate "validate", share of empty values: max rose from 0.05 to 0.5',
  ],
  [
    'empty values of one column only',
    churn({ gate: { nulls: { max: 0.05, columns: ['id'] } } }),
    'gate "validate", share of empty values: columns: only id and no longer all',
  ],
  [
    'a higher share of the label',
    churn({ gate: { label: { column: 'churned', min: 0.03, max: 0.9 } } }),
    'gate "validate", share of "1" in churned: max rose from 0.5 to 0.9',
  ],
  [
    'fewer columns',
    churn({ gate: { columns: ['id'] } }),
    'gate "validate", columns that have to be there: no longer age',
  ],
  ['a step that no longer waits', churn({ free: true }), 'step "train" no longer comes after the gate "validate"'],
  ['a challenge that is gone', churn({ challenge: null }), 'the challenge "challenge-churn" is gone'],
  [
    'another metric',
    churn({ challenge: { metric: 'f1' } }),
    'challenge "challenge-churn": it measures f1 and no longer roc_auc',
  ],
  [
    'a lower threshold',
    churn({ challenge: { threshold: 0.8 } }),
    'challenge "challenge-churn": threshold fell from 0.9 to 0.8',
  ],
  [
    'less to gain',
    churn({ challenge: { minAbsoluteChange: 0 } }),
    'challenge "challenge-churn": minAbsoluteChange fell from 0.005 to 0',
  ],
  [
    'less confidence',
    churn({ challenge: { confidence: 0.9 } }),
    'challenge "challenge-churn": confidence fell from 0.95 to 0.9',
  ],
  [
    'a guardrail that is gone',
    churn({ challenge: { guardrails: [] } }),
    'challenge "challenge-churn": guardrail brier is gone',
  ],
  [
    'a guardrail that bears more',
    churn({ challenge: { guardrails: [{ metric: 'brier', maxLoss: 0.1 }] } }),
    'challenge "challenge-churn": guardrail brier: maxLoss rose from 0.01 to 0.1',
  ],
  ['another model', churn({ model: 'other' }), 'challenge "challenge-churn": it is for other and no longer for churn'],
  [
    'a second challenge of the model that asks for less',
    churn({ beside: { threshold: 0.1 } }),
    'challenge "second": threshold fell from 0.9 to 0.1',
  ],
  [
    'no threshold for another metric',
    churn({ challenge: { metric: 'f1', minAbsoluteChange: 0, guardrails: [] } }),
    'challenge "challenge-churn": minAbsoluteChange fell from 0.005 to 0',
  ],
];

test('a challenge that promotes where it did not is weaker, by another metric too; two words for the same are not', () => {
  const never = churn({ challenge: { promote: 'never' } });
  const sentence = 'challenge "challenge-churn": it promotes on-merge and no longer never';
  assert.deepEqual(diffVersions(never, churn()).weakened, [sentence]);
  assert.ok(diffVersions(never, churn({ challenge: { metric: 'f1' } })).weakened.includes(sentence));
  assert.deepEqual(diffVersions(churn(), churn({ challenge: { promote: 'automatic' } })).weakened, []);
  const asked = churn({ challenge: { promote: 'on-approval' } });
  assert.deepEqual(diffVersions(never, asked).weakened, [sentence.replace('on-merge', 'on-approval')]);
  assert.deepEqual(diffVersions(asked, churn()).weakened, [sentence.replace('never', 'on-approval')]);
});

test('a second challenge of a model that asks for as much, or promotes nothing, weakens nothing', () => {
  assert.deepEqual(diffVersions(churn(), churn({ beside: {} })).weakened, []);
  assert.deepEqual(diffVersions(churn(), churn({ beside: { promote: 'never', threshold: 0.1 } })).weakened, []);
});

test('of another metric the numbers say nothing, and their absence does', () => {
  assert.deepEqual(diffVersions(churn(), churn({ challenge: { metric: 'f1', threshold: 0.1 } })).weakened, [
    'challenge "challenge-churn": it measures f1 and no longer roc_auc',
  ]);
  const gone = pipelineOf(
    churn({ challenge: { metric: 'f1' } }).steps.map((each) =>
      each.work.kind === 'challenge' ? { ...each, work: { ...each.work, threshold: null } } : each,
    ),
  );
  assert.ok(diffVersions(churn(), gone).weakened.includes('challenge "challenge-churn": threshold 0.9 is gone'));
});

for (const [title, head, sentence] of weaker) {
  test(`${title} is flagged, and the way back is not`, () => {
    assert.ok(diffVersions(churn(), head).weakened.includes(sentence), diffVersions(churn(), head).weakened.join('\n'));
    assert.ok(!diffVersions(head, churn()).weakened.includes(sentence));
  });
}

test('of a metric where less is better, a higher threshold is weaker', () => {
  const price = (threshold: number): PipelineDefinition =>
    pipeline('price', {}, () => {
      const train = step('train', { command: ['x'], outputs: { model: 'artifact' } });
      challenge('price', { model: train.model, predictions: 'p.csv', metric: 'rmse', threshold });
    }).definition;
  assert.deepEqual(diffVersions(price(10), price(20)).weakened, [
    'challenge "challenge-price": threshold rose from 10 to 20',
  ]);
  assert.deepEqual(diffVersions(price(20), price(10)).weakened, []);
});

test('an approval that is gone, or that a step no longer waits for, is a weakening', () => {
  const release = (asks: boolean, waits: boolean): PipelineDefinition =>
    pipeline('release', {}, () => {
      const asked = asks ? approval('release') : null;
      step('deploy', { command: ['deploy'], ...(asked !== null && waits ? { after: asked } : {}) });
    }).definition;
  assert.deepEqual(diffVersions(release(true, true), release(false, false)).weakened, [
    'the approval "release" is gone',
  ]);
  assert.deepEqual(diffVersions(release(true, true), release(true, false)).weakened, [
    'step "deploy" no longer comes after the approval "release"',
  ]);
  assert.deepEqual(diffVersions(release(true, false), release(true, true)).weakened, []);
});

test('other data of a gate, or another measure of a challenge, is flagged both ways', () => {
  const other = churn({ gate: { data: 'y.csv' }, challenge: { predictions: 'q.csv' } });
  for (const [base, head] of [
    [churn(), other],
    [other, churn()],
  ] as const) {
    assert.deepEqual(diffVersions(base, head).weakened, [
      'gate "validate": it reads other data',
      'challenge "challenge-churn": it is measured by other predictions',
    ]);
  }
});

test('a step that runs whatever becomes of its gate is flagged, unless it did before or comes after none', () => {
  const guarded = (triggerRule: TriggerRule): PipelineDefinition =>
    pipeline('guarded', {}, () => {
      const data = gate('validate', { data: 'x.csv', rows: { min: 1 } });
      step('train', { command: ['true'], after: data, triggerRule });
      step('alone', { command: ['true'], triggerRule });
    }).definition;
  assert.deepEqual(diffVersions(guarded('all_success'), guarded('all_done')).weakened, [
    'step "train" runs whatever becomes of what it comes after (all_done)',
  ]);
  assert.deepEqual(diffVersions(guarded('all_success'), guarded('none_failed')).weakened, []);
  assert.deepEqual(diffVersions(guarded('all_done'), guarded('always')).weakened, []);
  assert.deepEqual(diffVersions(guarded('all_done'), guarded('all_success')).weakened, []);
});

test('an approval that skips where it failed is a weakening', () => {
  const release = (options: ApprovalOptions): PipelineDefinition =>
    pipeline('release', {}, () => void approval('release', options)).definition;
  const [strict, soft] = [release({}), release({ onReject: 'skip', softFail: true })];
  assert.deepEqual(diffVersions(strict, soft).weakened, [
    'approval "release": who rejects it skips, and fails no more',
    'approval "release": where nobody decides it skips, and fails no more',
  ]);
  assert.deepEqual(diffVersions(soft, strict).weakened, []);
});

/** A gate of a thousand ranges, and how often the column of any was read. */
function wideGate(min: number): { readonly definition: PipelineDefinition; readonly reads: () => number } {
  let reads = 0;
  const checks = Array.from({ length: 1000 }, (_, index) => ({
    check: 'range' as const,
    get column() {
      reads += 1;
      return `c${index}`;
    },
    min,
    max: null,
  }));
  const work = { kind: 'gate', data: { literal: 'x.csv' }, checks } as const;
  return { definition: pipelineOf([stepOf({ name: 'wide', work })]), reads: () => reads };
}

test('a gate of a thousand checks is read a few times, and not once for each of its checks', () => {
  const [base, head] = [wideGate(2), wideGate(1)];
  assert.equal(diffVersions(base.definition, head.definition).weakened.length, 1000);
  assert.ok(Math.max(base.reads(), head.reads()) < 10_000, `${base.reads()} and ${head.reads()} reads`);
});

test('what is nested deeply is read a few times, and not once for each level', () => {
  let reads = 0;
  const deep = (value: number): PipelineDefinition => {
    let nested: Json = {
      value,
      get same() {
        reads += 1;
        return 'x';
      },
    };
    for (let level = 0; level < 50; level += 1) nested = { nested, level };
    return pipelineOf([{ ...stepOf({ name: 'deep' }), nested } as StepDefinition]);
  };
  const { steps } = diffVersions(deep(1), deep(2));
  assert.match(steps[0]?.fields[0]?.field ?? '', /^(nested\.){51}value$/);
  assert.ok(reads < 10, `${reads} reads`);
});

test('of a thousand gates that nothing comes after any more, each step tells of ten', () => {
  const chain = (isLinked: boolean): PipelineDefinition =>
    pipelineOf(
      Array.from({ length: 1000 }, (_, index) =>
        stepOf({
          name: `g${index}`,
          upstream: isLinked && index > 0 ? [`g${index - 1}`] : [],
          work: { kind: 'gate', data: { literal: 'x.csv' }, checks: [{ check: 'rows', min: 1, max: null }] },
        }),
      ),
    );
  const { weakened } = diffVersions(chain(true), chain(false));
  const last = weakened.filter((sentence) => sentence.startsWith('step "g999" '));
  assert.deepEqual(
    [last.length, last[0], last.at(-1)],
    [
      11,
      'step "g999" no longer comes after the gate "g0"',
      'step "g999" no longer comes after 989 more gates and approvals',
    ],
  );
});
