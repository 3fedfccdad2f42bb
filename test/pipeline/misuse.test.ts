/** Each wrong use of a word is refused where it stands, with its name and a way out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as words from '../../src/pipeline/index.ts';
import { ProblemError } from '../../src/std/problem.ts';
import type { ProblemCode } from '../../src/std/problem-codes.ts';

// The types would refuse most of what follows, which is their work; here they are out of the way.
// oxlint-disable-next-line typescript/no-explicit-any, typescript/no-unnecessary-type-assertion
const untyped = words as any;
const { approval, branch, challenge, container, gate, group, map, pipeline, shortCircuit, step, waitFor } = untyped;

// oxlint-disable-next-line typescript/no-explicit-any
type Define = (context: any) => void;

function problemOf(run: () => unknown): { code: string; message: string; help: string } {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ProblemError, String(error));
    return error.problem;
  }
  return assert.fail('nothing was refused');
}

const command = { command: ['true'] };
const run = (): number => 1;

const wrongMemory = [
  ['memory that lacks its unit', 2048, /"memory" is 2048/] as const,
  ['memory in thousandths', '500m', /"memory" is "500m"/] as const,
  ['memory in words', 'lots', /"memory" is "lots"/] as const,
  ['memory of a flag', true, /"memory" is true/] as const,
  ['memory beyond all machines', '2Pi', /"memory" is "2Pi"/] as const,
].map(([title, memory, message]): (typeof inside)[number] => {
  const help = /"512Mi" or "2Gi", from 16 MiB up to 1 PiB/;
  return [title, () => step('a', { ...command, memory }), 'definition-option', message, help];
});

const inside: readonly (readonly [title: string, define: Define, code: ProblemCode, message: RegExp, help: RegExp])[] =
  [
    [
      'a name twice',
      () => (step('a', command), step('a', command)),
      'definition-name',
      /a step of this name already/,
      /rename/,
    ],
    [
      'a name with capitals',
      () => step('Train', command),
      'definition-name',
      /"Train": the name is not allowed/,
      /lower-case/,
    ],
    [
      'more outputs than a step may declare',
      () =>
        step('a', {
          ...command,
          outputs: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`o${i}`, 'json'])),
        }),
      'definition-option',
      /"outputs" has 257 names, more than 256/,
      /type "json"/,
    ],
    ['a name with a slash', () => step('a/b', command), 'definition-name', /not allowed/, /group\(\)/],
    [
      'a name that is no text',
      () => step(1, command),
      'definition-name',
      /step 1: the name is not allowed/,
      /lower-case/,
    ],
    [
      'a name of a run',
      ({ date }) => step(`a-${date}`, command),
      'definition-name',
      /cannot depend on a value of the run/,
      /input/,
    ],
    ['a name that is too long', () => step('a'.repeat(129), command), 'definition-name', /129 characters/, /128/],
    [
      'a name that is too long with its groups',
      () => group('g'.repeat(100), () => step('a'.repeat(50), command)),
      'definition-name',
      /151 characters with its groups/,
      /128/,
    ],
    ['a group with a bad name', () => group('A', run), 'definition-name', /group "A"/, /lower-case/],
    [
      'an unknown option',
      () => step('a', { ...command, retrys: 1 }),
      'definition-option',
      /there is no option "retrys"/,
      /Did you mean "retries"\?/,
    ],
    [
      'an option with swapped letters',
      () => step('a', { ...command, timeuot: '1s' }),
      'definition-option',
      /"timeuot"/,
      /Did you mean "timeout"\?/,
    ],
    [
      'an option that is far from all',
      () => step('a', { ...command, zzzzzzzz: 1 }),
      'definition-option',
      /"zzzzzzzz"/,
      /^The options are /,
    ],
    [
      'a nested option',
      () => gate('a', { data: 'x.csv', rows: { minimum: 1 } }),
      'definition-option',
      /there is no option "rows.minimum"/,
      /min, max/,
    ],
    ['no options', () => step('a'), 'definition-option', /step "a"/, /(?:object|run)/],
    ['options in a list', () => container('a', []), 'definition-option', /option "options" is a list/, /an object/],
    [
      'a bad duration',
      () => step('a', { ...command, timeout: '10 minutes' }),
      'definition-option',
      /"10 minutes" is no duration/,
      /"1h30m"/,
    ],
    [
      'a duration as a number',
      () => step('a', { ...command, timeout: 10 }),
      'definition-option',
      /"timeout" is 10/,
      /duration in words/,
    ],
    [
      'a timeout of nothing',
      () => step('a', { ...command, timeout: '0s' }),
      'definition-option',
      /"timeout" is "0s"/,
      /from/,
    ],
    [
      'slots of no pool',
      () => step('a', { ...command, poolSlots: 2 }),
      'definition-option',
      /"poolSlots" is given without a pool/,
      /pool: "gpu"/,
    ],
    [
      'a pool with capitals',
      () => step('a', { ...command, pool: 'GPU' }),
      'definition-option',
      /"pool" is "GPU"/,
      /lower-case/,
    ],
    [
      'a queue whose name is none',
      () => step('a', { ...command, queue: 'GPU:1' }),
      'definition-option',
      /"queue" is "GPU:1"/,
      /lower-case letters/,
    ],
    [
      'a time to start that is none',
      () => step('a', { ...command, startTimeout: '40d' }),
      'definition-option',
      /"startTimeout" is "40d"/,
      /up to 30d/,
    ],
    [
      'a priority beyond its range',
      () => step('a', { ...command, priority: 1001 }),
      'definition-option',
      /"priority" is 1001/,
      /from -1000 up to 1000/,
    ],
    ...wrongMemory,
    [
      'growth of no memory',
      () => step('a', { ...command, retries: 1, memoryGrowth: { limit: '4Gi' } }),
      'definition-option',
      /"memoryGrowth" is given without "memory"/,
      /memory: "2Gi"/,
    ],
    [
      'growth without an end',
      () => step('a', { ...command, retries: 1, memory: '2Gi', memoryGrowth: {} }),
      'definition-option',
      /"memoryGrowth.limit" is missing/,
      /memoryGrowth.limit/,
    ],
    [
      'growth to less',
      () => step('a', { ...command, retries: 1, memory: '2Gi', memoryGrowth: { limit: '1Gi' } }),
      'definition-option',
      /may grow up to 1 GiB, which is less than the 2 GiB of the first attempt/,
      /Raise "memoryGrowth.limit"/,
    ],
    [
      'growth that does not grow',
      () => step('a', { ...command, retries: 1, memory: '2Gi', memoryGrowth: { limit: '4Gi', factor: 1 } }),
      'definition-option',
      /"memoryGrowth.factor" is 1/,
      /from 1.1 up to 100/,
    ],
    [
      'growth without a retry',
      () => step('a', { ...command, memory: '2Gi', memoryGrowth: { limit: '4Gi' } }),
      'definition-option',
      /"memoryGrowth" is given, and the step has no retries/,
      /retries: 3/,
    ],
    [
      'a container with two limits',
      () => container('a', { image: 'x', memory: '1Gi', resources: { limits: { memory: '2Gi' } } }),
      'definition-option',
      /said twice, by "memory" and by "resources.limits.memory"/,
      /Leave one of them out/,
    ],
    [
      'a container that requests more memory than it may take',
      () => container('a', { image: 'x', memory: '1Gi', resources: { requests: { memory: '2Gi' } } }),
      'definition-option',
      /"resources.requests.memory" is 2Gi, more than the 1 GiB of "memory"/,
      /Request less, or raise "memory"/,
    ],
    [
      'a container that requests more than its limit',
      () => container('a', { image: 'x', resources: { requests: { cpu: 3 }, limits: { cpu: '2500m' } } }),
      'definition-option',
      /"resources.requests.cpu" is 3, and its limit 2500m/,
      /Request less, or raise the limit/,
    ],
    [
      'a container that may take half a byte',
      () => container('a', { image: 'x', resources: { limits: { memory: '500m' } } }),
      'definition-option',
      /"resources.limits.memory" is "500m"/,
      /"512Mi"/,
    ],
    [
      'too many retries',
      () => step('a', { ...command, retries: 101 }),
      'definition-option',
      /"retries" is 101/,
      /up to 100/,
    ],
    [
      'half a retry',
      () => step('a', { ...command, retries: 0.5 }),
      'definition-option',
      /"retries" is 0.5/,
      /whole number/,
    ],
    [
      'a bad trigger rule',
      () => step('a', { ...command, triggerRule: 'all_sucess' }),
      'definition-option',
      /"triggerRule" is "all_sucess"/,
      /Did you mean "all_success"\?/,
    ],
    [
      'a secret with a bad name',
      () => step('a', { ...command, secrets: ['a b'] }),
      'definition-option',
      /"secrets" is "a b"/,
      /DATABASE_PASSWORD/,
    ],
    [
      'a cache for a number',
      () => step('a', { ...command, cache: { for: 7 } }),
      'definition-option',
      /"cache.for" is 7/,
      /a duration/,
    ],
    [
      'a cache of words',
      () => step('a', { ...command, cache: 'yes' }),
      'definition-option',
      /"cache" is "yes"/,
      /true, false or an object with for, paths/,
    ],
    [
      'a cache of a gate',
      () => gate('a', { data: 'x.csv', rows: { min: 1 }, cache: true }),
      'definition-option',
      /there is no option "cache"/,
      /The options are/,
    ],
    [
      'after a name',
      () => (step('a', command), step('b', { ...command, after: 'a' })),
      'definition-option',
      /"after" is "a"/,
      /what the words give back/,
    ],
    ['after a date', ({ date }) => step('b', { ...command, after: date }), 'definition-option', /"after"/, /a step/],
    [
      'neither command nor function',
      () => step('a', {}),
      'definition-option',
      /"run" or "command" is missing/,
      /with `command`/,
    ],
    [
      'command and function',
      () => step('a', { ...command, run }),
      'definition-option',
      /"run" belongs to functions/,
      /either/,
    ],
    [
      'a command as text',
      () => step('a', { command: 'python3 train.py' }),
      'definition-option',
      /"command" is "python3 train.py"/,
      /a list/,
    ],
    ['an empty command', () => step('a', { command: [] }), 'definition-option', /"command" is a list/, /program/],
    [
      'an argument that is an object',
      () => step('a', { command: ['x', {}] }),
      'definition-option',
      /command\[1\] is an object/,
      /text/,
    ],
    [
      'an unknown type of output',
      () => step('a', { ...command, outputs: { a: 'float' } }),
      'definition-option',
      /"outputs.a" is "float"/,
      /number/,
    ],
    [
      'a key of output that is no name',
      () => step('a', { ...command, outputs: { 'a.b': 'number' } }),
      'definition-option',
      /"a.b"/,
      /match/,
    ],
    ['a function that is none', () => step('a', { run: 'f' }), 'definition-option', /"run" is "f"/, /a function/],
    [
      'an input that JSON cannot hold',
      () => step('a', { input: { f: run }, run }),
      'definition-option',
      /input.f is a function/,
      /JSON/,
    ],
    [
      'an input of a class',
      () => step('a', { input: { map: new Map() }, run }),
      'definition-option',
      /input.map is an object/,
      /plain objects/,
    ],
    [
      'an input that is not finite',
      () => step('a', { input: [Number.NaN], run }),
      'definition-option',
      /input\[0\] is NaN/,
      /finite/,
    ],
    [
      'a promise as an input',
      () => step('a', { input: { a: Promise.resolve(1) }, run }),
      'definition-promise',
      /input.a is a promise/,
      /Await inside/,
    ],
    [
      'a promise as an argument',
      () => step('a', { command: ['x', Promise.resolve(1)] }),
      'definition-promise',
      /command\[1\] is a promise/,
      /Await/,
    ],
    ['an async group', () => group('a', async () => 1), 'definition-promise', /group "a"/, /async/],
    [
      'a shell with a value in its text',
      ({ branch: name }) => step('a', { command: ['sh', '-c', `echo ${name}`] }),
      'definition-shell',
      /program text of sh -c/,
      /env/,
    ],
    [
      'a shell behind env',
      ({ date }) => step('a', { command: ['/usr/bin/env', 'bash', '-euc', `echo ${date}`] }),
      'definition-shell',
      /bash -euc/,
      /env/,
    ],
    ...(
      [
        [['bash', '-Cc'], /bash -Cc/],
        [['bash', '-c', '--'], /bash -c/],
        [['bash', '-o', 'pipefail', '-c'], /bash -c/],
        [['bash', '-c', '-e'], /bash -c/],
        [['bash', '--rcfile', 'rc', '-c'], /bash -c/],
        [['python3', '-W', 'ignore', '-c'], /python3 -c/],
        [['node', '--import', 'tsx', '-e'], /node -e/],
        [['node', '-r', 'tsx', '-e'], /node -e/],
        [['node', '--enable-source-maps', '-p'], /node -p/],
        [['node', '--enable-source-maps', '--require', './hooks.js', '-p'], /node -p/],
        [['perl', '-e', '1', '-e'], /perl -e/],
        [['perl', '-l', '-e'], /perl -e/],
        [['perl', '-nl', '-e'], /perl -e/],
        [['perl', '-MI', '-e'], /perl -e/],
        [['perl', '-0777ne'], /perl -0777ne/],
        [['perl', '-l012ne'], /perl -l012ne/],
        [['perl', '-Te'], /perl -Te/],
        [['ruby', '-W0e'], /ruby -W0e/],
        [['bash', '-coo', 'pipefail', 'posix'], /bash -coo/],
        [['fish', '--command'], /fish --command/],
        [['ruby', '-n', '-l', '-e'], /ruby -e/],
        [['ruby', '-rI', '-e'], /ruby -e/],
        [['python3', '-WX', '-c'], /python3 -c/],
        [['bash', '-ceuo', 'pipefail'], /bash -ceuo/],
        [['bash', '-euoc', 'pipefail'], /bash -euoc/],
        [['bash', '-c', '-'], /bash -c/],
        [['bash', '-c', 'exec "$@"', 'x', 'python3', '-c'], /python3 -c/],
      ] as const
    ).map(([words, message]): (typeof inside)[number] => [
      `a value behind ${words.join(' ')}`,
      ({ date }) => step('a', { command: [...words, `echo ${date}`] }),
      'definition-shell',
      message,
      /env/,
    ]),
    [
      'Perl with a value beside its option',
      ({ date }) => step('a', { command: ['perl', `-e${date}`] }),
      'definition-shell',
      /perl -e/,
      /env/,
    ],
    [
      'a container beside a step with a value in its shell',
      ({ date }) =>
        step('a', {
          ...command,
          pod: { initContainers: [{ name: 'b', image: 'x', command: ['sh'], args: ['-c', `echo ${date}`] }] },
        }),
      'definition-shell',
      /program text of sh -c/,
      /env/,
    ],
    [
      'a hook with a value in its shell',
      ({ date }) =>
        step('a', { ...command, pod: { lifecycle: { postStart: { exec: { command: ['sh', '-c', date] } } } } }),
      'definition-shell',
      /program text of sh -c/,
      /env/,
    ],
    [
      'Python with a value in its text',
      ({ date }) => step('a', { command: ['python3', '-c', `print("${date}")`] }),
      'definition-shell',
      /python3 -c/,
      /env/,
    ],
    [
      'a container with a value in its shell',
      ({ date }) => container('a', { image: 'x', command: ['/bin/sh'], args: ['-c', `echo ${date}`] }),
      'definition-shell',
      /sh -c/,
      /env/,
    ],
    [
      'LD_PRELOAD',
      () => step('a', { ...command, env: { LD_PRELOAD: 'x' } }),
      'definition-environment',
      /"LD_PRELOAD" changes which code runs/,
      /another name/,
    ],
    [
      'CONTENDER_RUN_ID',
      () => container('a', { image: 'x', env: { CONTENDER_RUN_ID: 'x' } }),
      'definition-environment',
      /set by Contender/,
      /another name/,
    ],
    [
      'a variable with a space',
      () => step('a', { ...command, env: { 'A B': 'x' } }),
      'definition-environment',
      /no name/,
      /another name/,
    ],
    ['a container without an image', () => container('a', {}), 'definition-option', /"image" is missing/, /image/],
    [
      'a bad quantity',
      () => container('a', { image: 'x', resources: { requests: { cpu: 'many' } } }),
      'definition-option',
      /"resources.requests.cpu" is "many"/,
      /500m/,
    ],
    ['a gate without data', () => gate('a', { rows: { min: 1 } }), 'definition-option', /"data" is missing/, /data/],
    ['a gate without checks', () => gate('a', { data: 'x.csv' }), 'definition-option', /checks nothing/, /rows/],
    [
      'a gate that asks for nothing',
      () => gate('a', { data: 'x.csv', rows: {} }),
      'definition-option',
      /"rows.min" is missing/,
      /min/,
    ],
    [
      'a gate with its bounds swapped',
      () => gate('a', { data: 'x.csv', ranges: { x: { min: 2, max: 1 } } }),
      'definition-option',
      /min 2 is greater than max 1/,
      /Swap/,
    ],
    [
      'a share above one',
      () => gate('a', { data: 'x.csv', nulls: { max: 5 } }),
      'definition-option',
      /"nulls.max" is 5/,
      /up to 1/,
    ],
    [
      'a challenge without rows',
      () => challenge('a', { model: 'x', metric: 'f1' }),
      'definition-option',
      /either `score` or `predictions`/,
      /predictions/,
    ],
    [
      'a challenge with an unknown metric',
      () => challenge('a', { model: 'x', predictions: 'x', metric: 'rocauc' }),
      'definition-option',
      /"metric" is "rocauc"/,
      /Did you mean "roc_auc"\?/,
    ],
    [
      'a challenge of another task',
      () => challenge('a', { model: 'x', predictions: 'x', metric: 'mae', task: 'binary' }),
      'definition-option',
      /"mae" is no metric of the task binary/,
      /roc_auc/,
    ],
    [
      'a challenge with an unknown policy',
      () => challenge('a', { model: 'x', predictions: 'x', metric: 'f1', promote: 'onmerge' }),
      'definition-option',
      /"promote"/,
      /Did you mean "on-merge"\?/,
    ],
    [
      'a challenge with a guardrail without limit',
      () => challenge('a', { model: 'x', predictions: 'x', metric: 'f1', guardrails: [{ metric: 'brier' }] }),
      'definition-option',
      /"guardrails\[0\].maxLoss" is missing/,
      /maxLoss/,
    ],
    [
      'a model with a bad name',
      () => challenge('A', { model: 'x', metric: 'f1', predictions: 'x' }),
      'definition-name',
      /challenge "A"/,
      /lower-case/,
    ],
    [
      'a branch without choices',
      () => branch('a', { choices: [], run }),
      'definition-option',
      /"choices" is empty/,
      /deploy/,
    ],
    [
      'a choice that is no step',
      () => (branch('a', { choices: ['b', 'c'], run }), step('b', command)),
      'definition-branch',
      /the choice "b" is no step directly after it/,
      /after: \[...\]/,
    ],
    [
      'a choice with a typing error',
      () => step('report', { ...command, after: branch('a', { choices: ['reprot'], run }) }),
      'definition-branch',
      /"reprot"/,
      /Did you mean "report"\?/,
    ],
    [
      'a choice that comes later',
      () => step('c', { ...command, after: step('b', { ...command, after: branch('a', { choices: ['c'], run }) }) }),
      'definition-branch',
      /"c" is no step directly after it/,
      /Directly after it come b/,
    ],
    [
      'a choice that is a finally-step of a branch that is none',
      () => step('b', { ...command, finally: true, after: branch('a', { choices: ['b'], run }) }),
      'definition-branch',
      /the choice "b" is a finally-step, which runs whatever the branch chooses/,
      /Take it out of the choices; or take `finally` away from "b"/,
    ],
    [
      'a branch in a map',
      () => map({ a: [1] }, () => branch('b', { choices: ['c'], run })),
      'definition-map',
      /cannot be mapped/,
      /after the map/,
    ],
    [
      'a short circuit in a map',
      () => map({ a: [1] }, () => shortCircuit('b', { run })),
      'definition-map',
      /cannot be mapped/,
      /after the map/,
    ],
    [
      'a gate in a map',
      () => map({ a: [1] }, () => gate('b', { data: 'data.csv', rows: { min: 1 } })),
      'definition-map',
      /cannot be mapped/,
      /plain loop/,
    ],
    [
      'a challenge in a map',
      () => map({ a: [1] }, () => challenge('churn', { model: 'x', predictions: 'x', metric: 'f1' })),
      'definition-map',
      /cannot be mapped/,
      /best in a step after the map/,
    ],
    [
      'a map in a map',
      () => map({ a: [1] }, () => map({ b: [1] }, run)),
      'definition-map',
      /inside of another map/,
      /several axes/,
    ],
    [
      'a group in a map',
      () => map({ a: [1] }, () => group('b', run)),
      'definition-map',
      /inside of a map/,
      /around the map/,
    ],
    [
      'two steps in a map',
      () => map({ a: [1] }, () => (step('b', command), step('c', command))),
      'definition-map',
      /holds one step/,
      /by itself/,
    ],
    [
      'a shift of more than a year',
      ({ date }) => waitFor.pipeline('other', { date, shift: '-53w' }),
      'definition-option',
      /"shift" is "-53w"/,
      /at most 366d/,
    ],
    [
      'a very long list with a handle in it',
      ({ date }) => step('a', { input: { rows: [...Array(10_000).fill(1), date] }, run }),
      'definition-option',
      /input\.rows has 10001 elements, more than 10000/,
      /file/,
    ],
    [
      'a handle that is looked into for ever',
      () => {
        let value: Record<string, unknown> = step('a', { run });
        for (let depth = 0; depth < 17; depth += 1) value = value['x'] as typeof value;
      },
      'definition-handle',
      /^a(?:\.x){16} is looked into further than 16 keys/,
      /as it is/,
    ],
    [
      'an argument that no program can be given',
      () => step('a', { command: ['echo', 'x'.repeat(64 * 1024 + 1)] }),
      'definition-option',
      /command\[1\] is longer than 65536 characters/,
      /file/,
    ],
    [
      'an input called __proto__',
      () => step('a', { input: JSON.parse('{ "__proto__": 1 }'), run }),
      'definition-option',
      /input has the key "__proto__"/,
      /another name/,
    ],
    [
      'an output called __proto__',
      () => step('a', { ...command, outputs: JSON.parse('{ "__proto__": "json" }') }),
      'definition-option',
      /"outputs" has the key "__proto__"/,
      /another name/,
    ],
    [
      'two guardrails for one metric',
      () => {
        const guardrails = [0.1, 0.2].map((maxLoss) => ({ metric: 'brier', maxLoss }));
        challenge('churn', { model: 'x', predictions: 'x', metric: 'f1', guardrails });
      },
      'definition-option',
      /"guardrails" has brier twice/,
      /smaller "maxLoss"/,
    ],
    [
      'a map that gives back a field of its step',
      () => map({ a: [1] }, () => step('fit', { ...command, outputs: { loss: 'number' } }).loss),
      'definition-map',
      /gives back fit\.loss, and not the step "fit"$/,
      /as a whole/,
    ],
    [
      'a map that gives back another step',
      () => {
        const other = step('other', command);
        map({ a: [1] }, () => (step('fit', command), other));
      },
      'definition-map',
      /gives back other, and not the step "fit"$/,
      /as a whole/,
    ],
    [
      'a map that gives nothing back',
      () => map({ a: [1] }, () => void step('fit', command)),
      'definition-map',
      /gives back undefined, and not the step "fit"$/,
      /as a whole/,
    ],
    [
      'a handle in the name of a field',
      ({ date }) => step('a', { input: { days: { [`on ${date}`]: 1 } }, run }),
      'definition-handle',
      /the name of a field of input\.days depends on a value/,
      /as the value/,
    ],
    [
      'a handle in the name of a column',
      ({ date }) => gate('a', { data: 'x.csv', ranges: { [`on ${date}`]: { min: 1 } } }),
      'definition-handle',
      /option "ranges" depends on a value that exists only in a run/,
      /write this one out/,
    ],
    [
      'a handle for a label',
      ({ date }) => gate('a', { data: 'x.csv', label: { column: 'day', positive: `${date}`, min: 0.1 } }),
      'definition-handle',
      /option "label.positive" depends on a value/,
      /write this one out/,
    ],
    ['no step in a map', () => map({ a: [1] }, run), 'definition-map', /has no step/, /adds one/],
    ['a map over nothing', () => map({}, run), 'definition-map', /0 axes/, /lists/],
    ['a map over text', () => map({ a: 'abc' }, run), 'definition-map', /"a" is neither a list nor a record/, /list/],
    ['a map over a date', ({ date }) => map({ a: date }, run), 'definition-map', /"a" is neither/, /output of a step/],
    [
      'a map with too many combinations',
      () => map({ a: Array(40).fill(1), b: Array(40).fill(1) }, run),
      'definition-map',
      /1600 combinations, more than 1024/,
      /maxLength/,
    ],
    [
      '`always` on a step mapped over an output',
      () => map({ a: step('a', { run }) }, () => step('b', { ...command, triggerRule: 'always' })),
      'definition-map',
      /"always"/,
      /all_done/,
    ],
    [
      'an element outside of its map',
      () => {
        let kept: unknown;
        map({ a: [1] }, ({ a }: { a: unknown }) => {
          kept = a;
          return step('b', command);
        });
        step('c', { input: { kept }, run });
      },
      'definition-handle',
      /exists only inside the callback of its map/,
      /list of all results/,
    ],
    [
      'an instance outside of its map',
      () => {
        let kept: unknown;
        map({ a: [1] }, () => (kept = step('b', { run })));
        step('c', { input: { kept }, run });
      },
      'definition-handle',
      /uses b, which exists only inside/,
      /map\(\) gives back/,
    ],
    [
      'a finally-step after success alone',
      () => step('b', { ...command, finally: true, triggerRule: 'all_success' }),
      'definition-option',
      /finally-step cannot have the trigger rule "all_success"/,
      /whatever became of the others/,
    ],
    [
      'a step after a finally-step',
      () => step('b', { ...command, after: step('a', { ...command, finally: true }) }),
      'definition-option',
      /comes after "a"/,
      /finally: true/,
    ],
    [
      'a duration that is too short',
      () => step('a', { ...command, timeout: '10ms' }),
      'definition-option',
      /option "timeout" is "10ms"/,
      /^It has to be a duration from 1s up to 30d\.$/,
    ],
    [
      'a duration that is too long',
      () => step('a', { ...command, grace: '2d' }),
      'definition-option',
      /option "grace" is "2d"/,
      /^It has to be a duration from 0s up to 1d\.$/,
    ],
    [
      'a longest delay below the first one',
      () => step('a', { ...command, retries: 3, retryDelay: '10m', maxRetryDelay: '1m' }),
      'definition-option',
      /option "maxRetryDelay" is shorter than the first delay, of 10m/,
      /"maxRetryDelay" of 10m or more, or a shorter "retryDelay"/,
    ],
    [
      'a longest delay below the first one that there is without a word',
      () => step('a', { ...command, retries: 3, maxRetryDelay: '5s' }),
      'definition-option',
      /shorter than the first delay, of 10s/,
      /retryDelay/,
    ],
    [
      'a handle in an option',
      ({ date }) => step('a', { ...command, description: `on ${date}` }),
      'definition-handle',
      /"description" depends on a value/,
      /write this one out/,
    ],
    [
      'arithmetic with a handle',
      () => step('b', { input: (step('a', { run }) as number) * 2, run }),
      'definition-handle',
      /Arithmetic or comparison needs the value of a/,
      /in its function/,
    ],
    [
      'a handle that something is added to',
      () => step('b', { input: (step('a', { run }) as number) + 1, run }),
      'definition-handle',
      /^Adding \(`\+`\) or comparing \(`==`\) needs the value of a, which exists only in a run/,
      /template string[^]*in its function/,
    ],
    [
      'text that is added to a handle',
      ({ date }) => step('b', { command: ['cat', 'data/' + date] }),
      'definition-handle',
      /needs the value of date/,
      /template string/,
    ],
    [
      'a handle that is compared',
      () => (step('a', { run }) as unknown) == 'better' && step('b', { run }),
      'definition-handle',
      /comparing/,
      /`branch`/,
    ],
    [
      'a loop over a handle',
      () => {
        for (const item of step('a', { run })) step('b', { input: item, run });
      },
      'definition-handle',
      /A loop or spread/,
      /`map`/,
    ],
    [
      'a spread handle',
      () => step('b', { input: { ...step('a', { run }) }, run }),
      'definition-handle',
      /Spreading/,
      /input/,
    ],
    [
      'a called handle',
      () => step('a', { run }).map(run),
      'definition-handle',
      /a.map is a handle, not a function/,
      /`map`/,
    ],
    ['a handle as JSON', () => JSON.stringify(step('a', { run })), 'definition-handle', /JSON.stringify/, /input/],
    [
      'a changed handle',
      () => {
        step('a', { run }).b = 1;
      },
      'definition-handle',
      /Setting a field/,
      /input/,
    ],
    [
      'an output that a command does not declare',
      () => {
        const train = step('train', { ...command, outputs: { model: 'artifact', auc: 'number' } });
        step('report', { input: { value: train.acu }, run });
      },
      'definition-handle',
      /step "report" uses train\.acu, but step "train" declares no output "acu"/,
      /Did you mean "auc"\? It declares model, auc\./,
    ],
    [
      'an output that a container does not declare, in a command',
      () => {
        const train = container('train', { image: 'trainer', outputs: { n: 'number' } });
        step('report', { command: ['report', `--n=${train.n}`, train.total] });
      },
      'definition-handle',
      /declares no output "total"/,
      /^It declares n\.$/,
    ],
    [
      'an output that the instances of a mapped command do not declare',
      () => {
        const fits = map({ depth: [2, 4] }, () => step('fit', { ...command, outputs: { auc: 'number' } }));
        step('report', { input: { first: fits[0].auc, second: fits[1].model }, run });
      },
      'definition-handle',
      /fit\.1\.model, but step "fit" declares no output "model"/,
      /It declares auc/,
    ],
    [
      'a parameter that is not declared',
      ({ parameters }) => step('a', { command: ['fit', parameters.epoch] }),
      'definition-handle',
      /^there is no parameter "epoch"$/,
      /^None is declared\.$/,
    ],
    [
      'a handle that there is not',
      ({ dat }) => step('a', { command: ['fit', dat] }),
      'definition-handle',
      /^there is no handle "dat"$/,
      /^Did you mean "date"\? There are date, .*, parameters\.$/,
    ],
    [
      'a parameter of the map that is no axis',
      () =>
        map({ depth: [2, 4] }, (element: { readonly [name: string]: unknown }) =>
          step('fit', { input: { depth: element['depht'] }, run }),
        ),
      'definition-handle',
      /^there is no axis "depht"$/,
      /^Did you mean "depth"\? There are depth\.$/,
    ],
    ['a field of a date', ({ date }) => date.year, 'definition-handle', /has no field "year"/, /as it is/],
    [
      'a wait for a bad address',
      () => waitFor.http('a', { url: 'ftp://x' }),
      'definition-option',
      /"url" is "ftp:\/\/x"/,
      /https/,
    ],
    [
      'a wait for a bad name',
      () => waitFor.pipeline('A B', { date: 'x' }),
      'definition-name',
      /"A B"/,
      /daily-features/,
    ],
    ['a wait without a date', () => waitFor.pipeline('a', {}), 'definition-option', /"date" is missing/, /date/],
    [
      'a wait with a bad shift',
      () => waitFor.pipeline('a', { date: 'x', shift: 'yesterday' }),
      'definition-option',
      /"shift" is "yesterday"/,
      /"-1d"/,
    ],
    [
      'a wait for a strange state',
      () => waitFor.pipeline('a', { date: 'x', states: ['skipped'] }),
      'definition-option',
      /"states" is "skipped"/,
      /"failed"/,
    ],
    [
      'a wait for a state that is to fail too',
      () => waitFor.step('a', 'b', { date: 'x', states: ['skipped'], failStates: ['failed', 'skipped'] }),
      'definition-option',
      /"states" and "failStates" both have "skipped"/,
      /out of one of them/,
    ],
    [
      'a wait that no state fails',
      () => waitFor.pipeline('a', { date: 'x', failStates: [] }),
      'definition-option',
      /"failStates" is/,
      /at least one state/,
    ],
    [
      'a wait for a strange step',
      () => waitFor.step('daily-features', 'Train it', { date: 'x' }),
      'definition-name',
      /"Train it": this is no name of a step/,
      /prepare\/clean/,
    ],
    [
      'a wait for a strange state of a step',
      () => waitFor.step('a', 'b', { date: 'x', states: ['running'] }),
      'definition-option',
      /"states" is "running"/,
      /"upstream_failed"/,
    ],
    [
      'a wait for an object elsewhere',
      () => waitFor.object('a', { url: 'https://bucket.example/key' }),
      'definition-option',
      /"url" is "https:\/\/bucket.example\/key"/,
      /s3:\/\/bucket\/key/,
    ],
    [
      'a wait for an object in a bucket that cannot be called so',
      () => waitFor.object('a', { url: 's3://b/k' }),
      'definition-option',
      /"url": "b" is no name of a bucket: it has 3 to 63 characters/,
      /s3:\/\/bucket\/key/,
    ],
    [
      'a wait for an object without a key',
      () => waitFor.object('a', { url: 's3://bucket/' }),
      'definition-option',
      /"s3:\/\/bucket\/" is no address/,
      /s3:\/\/bucket\/key/,
    ],
    [
      'text in place of the triggers',
      () => pipeline('a', { on: 'push' }, () => step('b', { command: ['true'] })),
      'definition-option',
      /option "on" is "push"/,
      /an object with/,
    ],
    [
      'text in place of the options of a trigger',
      () => pipeline('a', { on: { push: 'main' } }, () => step('b', { command: ['true'] })),
      'definition-option',
      /option "on\.push" is "main"/,
      /an object with/,
    ],
    [
      'a word of a pod beside a step',
      () => step('a', { ...command, nodeSelector: {} }),
      'definition-option',
      /there is no option "nodeSelector"/,
      /^Say it in pod: \{ nodeSelector: … \}\. The options are/,
    ],
    [
      'a resource of a container that depends on the run',
      ({ date }) => container('a', { image: 'i', resources: { requests: { memory: date } } }),
      'definition-option',
      /option "resources\.requests\.memory" is a value of the run/,
      /pod: \{ resources: \{ requests: \{ memory: … \} \} \}/,
    ],
    [
      'a limit of memory of a container that depends on the run',
      ({ date }) => container('a', { image: 'i', resources: { limits: { memory: date } } }),
      'definition-option',
      /option "resources\.limits\.memory" is a value of the run/,
      /Write it out/,
    ],
    [
      'a container without an image in its text',
      () => container('a', { image: '' }),
      'definition-option',
      /option "image" is empty/,
      /registry\.example/,
    ],
    [
      'a wait for a file without a path',
      () => waitFor.file('a', { path: '' }),
      'definition-option',
      /"path" is ""/,
      /a path such as/,
    ],
    [
      'a wait for an object in a store without a name',
      () => waitFor.object('a', { url: 's3://bucket/c', store: 'Our Lake' }),
      'definition-option',
      /"store" is "Our Lake"/,
      /contender.yaml/,
    ],
    [
      'the working directory of the pod of a command',
      () => step('a', { command: ['true'], pod: { workingDir: '/work' } }),
      'definition-option',
      /"pod.workingDir" means nothing for a step that is no container/,
      /begins in the repository/,
    ],
    [
      'an approval with retries',
      () => approval('a', { retries: 3 }),
      'definition-option',
      /"retries" means nothing for a step that a person decides/,
      /"timeout"/,
    ],
    [
      'an approval that is mapped',
      () => map({ x: [1, 2] }, () => approval('a')),
      'definition-map',
      /an approval cannot be mapped/,
      /after the map/,
    ],
    [
      'an approval with a strange end',
      () => approval('a', { onReject: 'retry' }),
      'definition-option',
      /"onReject" is "retry"/,
      /fail, skip/,
    ],
    [
      'a pipeline in a pipeline',
      () => pipeline('b', {}, run),
      'definition-invalid',
      /inside the definition of pipeline "example"/,
      /waitFor.pipeline/,
    ],
  ];

for (const [title, define, code, message, help] of inside) {
  test(`${title} is refused`, () => {
    const problem = problemOf(() => pipeline('example', {}, define));
    assert.equal(problem.code, code, problem.message);
    assert.match(problem.message, message);
    assert.match(problem.help, help);
  });
}

const heads: readonly (readonly [
  title: string,
  name: unknown,
  options: unknown,
  code: ProblemCode,
  message: RegExp,
  help: RegExp,
])[] = [
  ['a bad name', 'Weekly Churn', {}, 'definition-name', /"Weekly Churn"/, /lower-case/],
  ['a long name', 'a'.repeat(64), {}, 'definition-name', /not allowed/, /63/],
  ['an unknown option', 'a', { schedul: 'x' }, 'definition-option', /"schedul"/, /The options are/],
  ['one retry', 'a', { retry: 2 }, 'definition-option', /"retry"/, /Did you mean "retries"\?/],
  ['a schedule outside of `on`', 'a', { deadlin: '6h' }, 'definition-option', /"deadlin"/, /Did you mean "deadline"\?/],
  [
    'an address as a channel',
    'a',
    { notify: ['https://hooks.example/x'] },
    'definition-option',
    /"notify" is "https/,
    /names of lower-case/,
  ],
  [
    'unknown news',
    'a',
    { notify: { failures: ['a'] } },
    'definition-option',
    /"notify.failures"/,
    /Did you mean "failure"/,
  ],
  ['channels in no list', 'a', { notify: { failure: 'a' } }, 'definition-option', /"notify.failure"/, /list of texts/],
  [
    'a cron that is none',
    'a',
    { on: { schedule: 'mondays' } },
    'definition-option',
    /"mondays" is no cron expression/,
    /five fields/,
  ],
  [
    'a cron with too few fields',
    'a',
    { on: { schedule: { cron: '0 2 *' } } },
    'definition-option',
    /"0 2 \*"/,
    /five fields/,
  ],
  [
    'a bad time zone',
    'a',
    { on: { schedule: { cron: '0 2 * * *', timeZone: '+02:00' } } },
    'definition-option',
    /"\+02:00" is no time zone/,
    /Europe\/Berlin/,
  ],
  [
    'a glob from a root',
    'a',
    { on: { push: { paths: ['/training/**'] } } },
    'definition-option',
    /option "on\.push\.paths": the glob "\/training\/\*\*" begins at a root/,
    /several short ones/,
  ],
  [
    'a glob of a thousand alternatives',
    'a',
    { on: { pullRequest: { branches: ['{a,b}'.repeat(10)] } } },
    'definition-option',
    /option "on\.pullRequest\.branches": .* more than 64 alternatives/,
    /several short ones/,
  ],
  [
    'a bad catch-up',
    'a',
    { on: { schedule: { cron: '0 2 * * *', catchup: true } } },
    'definition-option',
    /"on.schedule.catchup" is true/,
    /latest/,
  ],
  ['no run at all', 'a', { maxActiveRuns: 0 }, 'definition-option', /"maxActiveRuns" is 0/, /from 1/],
  ['a bad overlap', 'a', { overlap: 'cancel' }, 'definition-option', /"overlap" is "cancel"/, /allow, forbid, replace/],
  [
    'freshness without a model',
    'a',
    { freshness: { within: '8d' } },
    'definition-option',
    /"freshness.model" is missing/,
    /freshness.model/,
  ],
  [
    'a parameter of no type',
    'a',
    { parameters: { a: { default: 1 } } },
    'definition-option',
    /"parameters.a.type" is missing/,
    /type/,
  ],
  [
    'a parameter with another default',
    'a',
    { parameters: { a: { type: 'number', default: 'x' } } },
    'definition-option',
    /"parameters.a.default" is "x"/,
    /a number/,
  ],
  [
    'a default that is no choice',
    'a',
    { parameters: { a: { type: 'string', default: 'x', choices: ['y'] } } },
    'definition-option',
    /the default of parameter "a" must be one of y, not "x"/,
    /Change the default/,
  ],
  [
    'a default beyond its bounds',
    'a',
    { parameters: { a: { type: 'number', default: 11, min: 1, max: 10 } } },
    'definition-option',
    /the default of parameter "a" must be from 1 to 10, not 11/,
    /Change the default/,
  ],
  [
    'a default with too short an item',
    'a',
    { parameters: { a: { type: 'list', items: 'string', default: ['eu', 'x'], minLength: 2 } } },
    'definition-option',
    /parameter "a" holds "x": each item must have at least 2 characters, not 1/,
    /Change the default/,
  ],
  [
    'bounds the wrong way round',
    'a',
    { parameters: { a: { type: 'number', min: 3, max: 2 } } },
    'definition-option',
    /"parameters.a.min" is 3/,
    /at most max, which is 2/,
  ],
  [
    'a bound of another type',
    'a',
    { parameters: { a: { type: 'string', min: 3 } } },
    'definition-option',
    /"parameters.a.min" is for numbers/,
    /other type/,
  ],
  [
    'a list of nobody knows what',
    'a',
    { parameters: { a: [] } },
    'definition-option',
    /the parameter "a" is .*not of one type/,
    /items: 'string', default: \[\]/,
  ],
  [
    'a list whose items have no type',
    'a',
    { parameters: { a: { type: 'list', default: ['x'] } } },
    'definition-option',
    /"parameters.a.items" is missing/,
    /items/,
  ],
  [
    'a list with another default',
    'a',
    { parameters: { a: { type: 'list', items: 'number', default: ['x'] } } },
    'definition-option',
    /"parameters.a.default" is/,
    /a list of numbers/,
  ],
  ['a parameter with a bad name', 'a', { parameters: { 'a-b': 1 } }, 'definition-option', /"a-b"/, /match/],
];

for (const [title, name, options, code, message, help] of heads) {
  test(`a pipeline with ${title} is refused`, () => {
    const problem = problemOf(() => pipeline(name, options, () => step('a', command)));
    assert.equal(problem.code, code, problem.message);
    assert.match(problem.message, message);
    assert.match(problem.help, help);
  });
}

test('a pipeline without steps, or without a function, is refused', () => {
  assert.match(problemOf(() => pipeline('a', {}, () => 1)).message, /has no step/);
  assert.match(problemOf(() => pipeline('a', {})).message, /third argument is undefined/);
});

test('a first delay of a step beyond the longest one that its pipeline gives is refused', () => {
  const options = { retries: 3, maxRetryDelay: '5m' };
  const problem = problemOf(() => pipeline('a', options, () => step('x', { ...command, retryDelay: '20m' })));
  assert.equal(problem.code, 'definition-option');
  assert.match(problem.message, /step "x": option "retryDelay" is longer than the pipeline's "maxRetryDelay", of 5m/);
  assert.match(problem.help, /"retryDelay" of 5m or less, or this step a "maxRetryDelay" of its own, of 20m or more/);
});

test('an async definition is refused', () => {
  assert.equal(problemOf(() => pipeline('a', {}, async () => step('a', command))).code, 'definition-promise');
});

test('words outside of a pipeline are refused, after one too', () => {
  const outside = (): { code: string; message: string } => problemOf(() => step('a', command));
  assert.match(outside().message, /step\(\) is called outside of a pipeline/);
  pipeline('a', {}, () => step('a', command));
  assert.match(outside().message, /outside/);
  problemOf(() => pipeline('a', {}, () => step('A', command)));
  assert.match(outside().message, /outside/);
});

test('declared outputs, all of them together, and whatever a step without a declaration gives may be used', () => {
  const { definition } = pipeline('example', {}, () => {
    const one = step('one', { ...command, outputs: { n: 'json' } });
    const two = step('two', command);
    const three = step('three', { run });
    step('report', { input: { n: one.n, deep: one.n.below, all: one, two: two.x, three: three.x }, run });
  });
  assert.deepEqual(definition.steps.at(-1).upstream, ['one', 'two', 'three']);
});

test('a handle of another pipeline is refused, in inputs and in text', () => {
  let kept: unknown;
  pipeline('one', {}, () => (kept = step('a', { run })));
  for (const use of [() => step('b', { input: { kept }, run }), () => step('b', { command: ['x', String(kept)] })]) {
    const problem = problemOf(() => pipeline('two', {}, use));
    assert.equal(problem.code, 'definition-handle');
    assert.match(problem.message, /step "b" uses a of pipeline "one"/);
    assert.match(problem.help, /waitFor.pipeline/);
  }
});
