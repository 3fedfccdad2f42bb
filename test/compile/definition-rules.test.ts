/** What left the sandbox proves itself again, because it may have been made without the words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileLimits } from '../../src/compile/compile.ts';
import { brokenRules } from '../../src/compile/definition-rules.ts';
import { parseDefinition, parseGuarded } from '../../src/compile/definition-text.ts';
import type { Binding, ContainerWork, StepDefinition } from '../../src/pipeline/definition.ts';
import { definitionLimits } from '../../src/pipeline/definition-limits.ts';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';

const use = (input: Binding): Pick<StepDefinition, 'work'> => ({ work: { kind: 'function', file: 'a.ts', input } });

const containerWith = (resources: ContainerWork['resources']): ContainerWork => ({
  kind: 'container',
  image: 'x',
  command: [],
  args: [],
  environment: {},
  resources,
  localCommand: null,
});

const broken: readonly (readonly [title: string, steps: readonly StepDefinition[], sentence: RegExp])[] = [
  ['a step twice', [stepOf({ name: 'a' }), stepOf({ name: 'a' })], /^step "a" stands there twice$/],
  [
    'an edge forward',
    [stepOf({ name: 'a', upstream: ['b'] }), stepOf({ name: 'b' })],
    /"a" comes after "b", which does not stand before it/,
  ],
  ['an edge to itself', [stepOf({ name: 'a', upstream: ['a'] })], /comes after "a"/],
  ['an edge twice', [stepOf({ name: 'a' }), stepOf({ name: 'b', upstream: ['a', 'a'] })], /twice or out of order/],
  [
    'edges out of order',
    [stepOf({ name: 'a' }), stepOf({ name: 'b' }), stepOf({ name: 'c', upstream: ['b', 'a'] })],
    /twice or out of order/,
  ],
  [
    'an output without an edge',
    [stepOf({ name: 'a' }), stepOf({ name: 'b', ...use({ reference: { output: 'a', path: [] } }) })],
    /uses the output of "a" without coming after it/,
  ],
  [
    'an output in a template in a list',
    [stepOf({ name: 'a' }), stepOf({ name: 'b', ...use({ list: [{ template: ['x', { output: 'a', path: [] }] }] }) })],
    /output of "a"/,
  ],
  [
    'an output that is not declared',
    [
      stepOf({ name: 'a', outputs: { n: 'number' } }),
      stepOf({ name: 'b', upstream: ['a'], ...use({ reference: { output: 'a', path: ['m'] } }) }),
    ],
    /^step "b" uses an output that is not there: step "a" declares no output "m"\. Did you mean "n"\? It declares n\.$/,
  ],
  [
    'an element without a map',
    [stepOf({ name: 'a', ...use({ record: { x: { reference: { item: 'x', path: [] } } } }) })],
    /uses "x", which it is not mapped over/,
  ],
  [
    'a parameter that is not there',
    [stepOf({ name: 'a', ...use({ reference: { parameter: 'toString' } }) })],
    /parameter "toString"/,
  ],
  [
    'a variable that is denied',
    [stepOf({ name: 'a', work: { kind: 'command', command: ['x'], environment: { NODE_OPTIONS: 'x' } } })],
    /"NODE_OPTIONS", which changes which code runs/,
  ],
  [
    'a cache of what is no function, command or container',
    [
      stepOf({
        name: 'a',
        cache: { forMs: null, paths: [] },
        work: { kind: 'gate', data: { literal: 'x' }, checks: [] },
      }),
    ],
    /has a cache, which is for functions, commands and containers, and not for a gate/,
  ],
  [
    'memory that shrinks',
    [stepOf({ name: 'a', memory: { bytes: 2 ** 31, growth: { factor: 2, limitBytes: 2 ** 30 } } })],
    /^step "a" has memory that would have to shrink in order to grow$/,
  ],
  [
    'a container with another limit than its resources',
    [
      stepOf({
        name: 'a',
        memory: { bytes: 2 ** 30 },
        work: containerWith({ requests: {}, limits: { memory: '2Gi' } }),
      }),
    ],
    /has another limit of memory than its resources: 2Gi$/,
  ],
  [
    'a container that requests more than it may take',
    [
      stepOf({
        name: 'a',
        memory: { bytes: 2 ** 30 },
        work: containerWith({ requests: { memory: '2Gi' }, limits: {} }),
      }),
    ],
    /^step "a" requests more memory than it may take$/,
  ],
  [
    'an approval that is mapped',
    [stepOf({ name: 'a', map: mapOver([1]), work: works.approval() })],
    /^step "a" decides, and is mapped$/,
  ],
  [
    'a gate that is mapped',
    [stepOf({ name: 'a', map: mapOver([1]), work: works.gate() })],
    /^step "a" decides, and is mapped$/,
  ],
  [
    'a challenge that is mapped',
    [
      stepOf({ name: 'train', outputs: { model: 'artifact' } }),
      stepOf({
        name: 'a',
        upstream: ['train'],
        map: mapOver([1]),
        work: works.challenge({ predictions: { literal: 'scored.csv' } }),
      }),
    ],
    /^step "a" decides, and is mapped$/,
  ],
  [
    'a metric with two guardrails',
    [
      stepOf({
        name: 'a',
        work: works.challenge({
          predictions: { literal: 'scored.csv' },
          guardrails: [
            { metric: 'f1', maxLoss: 0.1 },
            { metric: 'f1', maxLoss: 0.2 },
          ],
        }),
      }),
    ],
    /^step "a" has two guardrails for f1$/,
  ],
  [
    'a message over an output without an edge',
    [stepOf({ name: 'a' }), stepOf({ name: 'b', work: works.approval({ message: [{ output: 'a', path: [] }] }) })],
    /uses the output of "a" without coming after it/,
  ],
  [
    'a choice that is no step',
    [
      stepOf({ name: 'a', work: { kind: 'branch', file: 'a.ts', input: { literal: null }, choices: ['b'] } }),
      stepOf({ name: 'b' }),
    ],
    /may choose "b", which is no step directly after it$/,
  ],
  [
    'a choice that is a finally-step of a branch that is none',
    [stepOf({ name: 'a', work: works.branch(['b']) }), stepOf({ name: 'b', upstream: ['a'], finally: true })],
    /may choose "b", which is a finally-step, and runs whatever is chosen$/,
  ],
];

for (const [title, steps, sentence] of broken) {
  test(`${title} is found`, () => {
    const sentences = brokenRules(pipelineOf(steps));
    assert.ok(
      sentences.some((text) => sentence.test(text)),
      sentences.join('\n'),
    );
  });
}

test('chains up to the limit pass, and one step more does not', () => {
  const chain = (length: number): readonly StepDefinition[] =>
    Array.from({ length }, (_, index) => stepOf({ name: `s${index}`, upstream: index === 0 ? [] : [`s${index - 1}`] }));
  assert.deepEqual(brokenRules(pipelineOf(chain(definitionLimits.depthMax))), []);
  assert.match(brokenRules(pipelineOf(chain(definitionLimits.depthMax + 1)))[0] ?? '', /chain of more than 100 steps/);
});

test('edges up to the limit pass, and one more does not', () => {
  const layers = (edges: number): readonly StepDefinition[] => {
    const sources = Array.from({ length: 100 }, (_, index) => stepOf({ name: `a${index}` }));
    const all = sources.map(({ name }) => name);
    const full = Array.from({ length: Math.floor(edges / 100) }, (_, index) =>
      stepOf({ name: `b${index}`, upstream: all }),
    );
    return [...sources, ...full, stepOf({ name: 'c', upstream: all.slice(0, edges % 100) })];
  };
  assert.deepEqual(brokenRules(pipelineOf(layers(definitionLimits.edgesMax))), []);
  assert.match(brokenRules(pipelineOf(layers(definitionLimits.edgesMax + 1)))[0] ?? '', /5001 edges/);
});

test('of very many mistakes the first are told, wherever they are', () => {
  const wrong: Binding = { reference: { output: 'a', path: ['m'] } };
  const references = stepOf({
    name: 'b',
    upstream: ['a'],
    ...use({ list: Array.from({ length: 10_000 }, () => wrong) }),
  });
  const definitions = [
    [stepOf({ name: 'a', work: works.branch(Array.from({ length: 1000 }, () => 'b')) })],
    [stepOf({ name: 'a', outputs: { n: 'number' } }), references],
  ];
  for (const steps of definitions) assert.equal(brokenRules(pipelineOf(steps)).length, compileLimits.problemsMax);
});

test('outputs up to the limit pass, and one more does not', () => {
  const errorOf = (count: number): string => {
    const names = Array.from({ length: count }, (_, index) => `o${index}`);
    const outputs = Object.fromEntries(names.map((name) => [name, 'number' as const]));
    const parsed = parseDefinition(pipelineOf([stepOf({ name: 'a', outputs })]), '.pipelines/a.ts');
    return parsed.ok ? '' : parsed.error;
  };
  assert.equal(errorOf(definitionLimits.outputsMax), '');
  assert.match(errorOf(definitionLimits.outputsMax + 1), /^steps\.0\.outputs: more than 256 outputs$/);
});

test('text is parsed up to its limits, and without keys that reach prototypes', () => {
  assert.deepEqual(parseGuarded('{"a":[1,"]}"]}'), { ok: true, value: { a: [1, ']}'] } });
  for (const [text, error] of [
    [`${'['.repeat(49)}${']'.repeat(49)}`, /deeper than 48/],
    ['{"__proto__":{}}', /__proto__/],
    ['{"a":{"\\u005f_proto__":{}}}', /__proto__/],
    ['{"a":', /JSON/],
    [`"${'x'.repeat(definitionLimits.jsonBytesMax)}"`, /more than 1048576 bytes/],
  ] as const) {
    const parsed = parseGuarded(text);
    assert.match(parsed.ok ? '' : parsed.error, error);
  }
});

test('unknown keys and values of other types are named with their place', () => {
  const definition = pipelineOf([stepOf({ name: 'a' })]);
  const wrong = (change: object): string => {
    const parsed = parseDefinition({ ...definition, ...change }, '.pipelines/a.ts');
    return parsed.ok ? '' : parsed.error;
  };
  assert.equal(wrong({}), '');
  assert.match(wrong({ extra: 1 }), /extra/);
  assert.match(wrong({ maxActiveRuns: '1' }), /^maxActiveRuns: /);
  assert.match(wrong({ steps: [{ ...stepOf({ name: 'a' }), retry: { count: -1 } }] }), /^steps\.0\.retry/);
  assert.match(wrong({ name: 'Weekly' }), /^name: /);
});
