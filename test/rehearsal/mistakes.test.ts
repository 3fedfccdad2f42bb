import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mapOver, pipelineOf, stepOf, works } from '../support/definitions.ts';
import { mistakeIn, type Given } from './rehearse.ts';

const retry = { count: 100, delayMs: 0, factor: 1, delayMaxMs: 0 };
const definition = pipelineOf([
  stepOf({ name: 'validate', work: works.gate() }),
  stepOf({ name: 'train', map: mapOver([1, 2, 3]) }),
  stepOf({ name: 'list' }),
  stepOf({
    name: 'score',
    upstream: ['list'],
    retry,
    map: {
      ...mapOver(null, { lengthMax: 10_000 }),
      axes: [{ name: 'row', over: { reference: { output: 'list', path: [] } } }],
    },
  }),
  stepOf({
    name: 'plot',
    upstream: ['list'],
    map: { ...mapOver(null), axes: [{ name: 'row', over: { reference: { output: 'list', path: [] } } }] },
  }),
  stepOf({
    name: 'draw',
    upstream: ['plot'],
    map: { ...mapOver(null), axes: [{ name: 'result', over: { reference: { output: 'plot', path: [] } } }] },
  }),
  stepOf({ name: 'decide', work: works.branch(['deploy']) }),
  stepOf({ name: 'deploy', upstream: ['decide'] }),
]);

const mistakes: readonly (readonly [what: string, given: Given, message: RegExp, help: RegExp])[] = [
  [
    'an unknown step',
    { outcomes: ['trian=failed'] },
    /has no step "trian"/,
    /Did you mean "train"\? There are: validate, train/,
  ],
  [
    'an unknown word',
    { outcomes: ['train=faild'] },
    /"faild" is nothing that the command "train" can end as/,
    /Did you mean "failed"\?/,
  ],
  [
    'the word of other work',
    { outcomes: ['train=closed'] },
    /"closed" is nothing/,
    /There are: success, failed, timeout/,
  ],
  [
    'a choice that there is not',
    { outcomes: ['decide=follow:deplyo'] },
    /"deplyo" is no choice/,
    /Did you mean "deploy"\?/,
  ],
  ['an outcome without a step', { outcomes: ['failed'] }, /"failed" does not say/, /train=failed/],
  ['an outcome said twice', { outcomes: ['train=failed', 'train=success'] }, /train is said twice/, /failed,success/],
  ['an instance of a step that is not mapped', { outcomes: ['list[1]=failed'] }, /"list" is not mapped/, /list=failed/],
  [
    'an instance that there is not',
    { outcomes: ['train[3]=failed'] },
    /"train" has no instance 3/,
    /3 instances, 0 to 2/,
  ],
  ['a word repeated never', { outcomes: ['train=failed*0'] }, /repeats 0 times/, /from 1 to 10000/],
  ['a duration that is none', { durations: ['train=soon'] }, /"soon" is no duration/, /--duration train=20m/],
  ['a duration of an unknown step', { durations: ['trian=5m'] }, /no step "trian"/, /train/],
  ['a duration without end', { durations: ['31d'] }, /too long/, /30d/],
  [
    'the length of a step that is not mapped',
    { lengths: ['validate=3'] },
    /^step "validate" is not mapped, so it has no length$/,
    /^Leave that --length out; score, plot are mapped over outputs\.$/,
  ],
  [
    'the length of a step that others are mapped over',
    { lengths: ['list=3'] },
    /^step "list" is not mapped itself: score, plot are mapped over its output$/,
    /^Say it of one of those: --length score=3$/,
  ],
  [
    'the length of a step that is mapped over results',
    { lengths: ['draw=3'] },
    /^step "draw" is mapped over the results of "plot", as many as that has instances$/,
    /^Say how many those are, with --length plot=3, or leave it out\.$/,
  ],
  [
    'the length of a literal list',
    { lengths: ['train=4'] },
    /^step "train" is mapped over what the definition holds, whose length is known$/,
    /^Leave that --length out/,
  ],
  [
    'a length that is none',
    { lengths: ['score=many'] },
    /"many" is no length/,
    /^Give a whole number from 0 to 1000000/,
  ],
  [
    'a length out of range',
    { lengths: ['score=1000001'] },
    /^step "score" cannot be mapped over 1000001 elements here$/,
    /^Give a whole number from 0 to 1000000/,
  ],
  ['two lengths of one output', { lengths: ['score=3', 'plot=4'] }, /"list" cannot have both 3 and 4/, /one length/],
  [
    'attempts without end',
    { lengths: ['score=10000'], outcomes: ['score=failed'] },
    /more than 200000 attempts/,
    /fewer/,
  ],
];
for (const [what, given, message, help] of mistakes) {
  test(`${what} is a mistake with what to do`, () => {
    const problem = mistakeIn(definition, given);
    assert.equal(problem.code, 'pretence-invalid');
    assert.match(problem.message, message);
    assert.match(problem.help, help);
  });
}
