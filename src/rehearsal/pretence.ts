/** What an attempt is pretended to end as, and the words for it: those of all steps, and those of one kind of work. */
import type { FailureCause } from '../engine/event.ts';
import type { StepDefinition, WaitWork, Work } from '../pipeline/definition.ts';
import { success, type Result } from '../std/result.ts';
import type { Problem } from '../std/problem.ts';
import { unreachable } from '../std/unreachable.ts';
import { verdictKinds, type VerdictKind } from '../verdict/verdict.ts';
import { mistake, unknownWord } from './mistake.ts';

export type Pretence =
  | { readonly kind: 'success' }
  | { readonly kind: 'failed'; readonly cause: FailureCause }
  | { readonly kind: 'skipped' }
  /** A sensor has not seen it yet. */
  | { readonly kind: 'not-yet' }
  /** A gate or short circuit says whether the run goes on. */
  | { readonly kind: 'decided'; readonly pass: boolean }
  /** What a person makes of an approval; null: nobody decides within its time. */
  | { readonly kind: 'approval'; readonly decision: 'approve' | 'reject' | null }
  /** What a branch chose. */
  | { readonly kind: 'follow'; readonly steps: readonly string[] }
  | { readonly kind: 'verdict'; readonly verdict: VerdictKind };

/** `failed` is a failure of the user's code; a cancel is nothing that an attempt does by itself. */
const failures = [
  ['failed', 'code'],
  ['timeout', 'timeout'],
  ['out-of-memory', 'out-of-memory'],
  ['output', 'output'],
  ['lost', 'lost'],
  ['evicted', 'evicted'],
  ['start', 'start'],
  ['registry', 'registry'],
  ['invalid', 'invalid'],
] as const satisfies readonly (readonly [word: string, cause: FailureCause])[];

/** So often may one word be repeated with `*`. */
const repeatsMax = 10_000;

/** What a step does of which nothing is said. */
export function usualPretence(work: Work): Pretence {
  switch (work.kind) {
    case 'function':
    case 'command':
    case 'container':
    case 'wait':
      return { kind: 'success' };
    case 'gate':
    case 'short-circuit':
      return { kind: 'decided', pass: true };
    case 'branch':
      return { kind: 'follow', steps: work.choices.slice(0, 1) };
    case 'challenge':
      return { kind: 'verdict', verdict: 'better' };
    case 'approval':
      return { kind: 'approval', decision: 'approve' };
    default:
      return unreachable(work);
  }
}

/** The pretences of `failed*2,success`: of the first attempt, the second and so on. At least one. */
export function readSequence(step: StepDefinition, text: string): Result<readonly Pretence[], Problem> {
  const sequence: Pretence[] = [];
  for (const item of text.split(',')) {
    const [, word = item, times = '1'] = /^(.*)\*(\d{1,9})$/.exec(item) ?? [];
    const pretence = readWord(step, word);
    if (!pretence.ok) return pretence;
    if (!(Number(times) >= 1 && Number(times) <= repeatsMax)) {
      return mistake(`"${item}" repeats ${times} times`, `Write a number from 1 to ${repeatsMax}.`);
    }
    for (let time = 0; time < Number(times); time += 1) sequence.push(pretence.value);
  }
  return success(sequence);
}

function readWord(step: StepDefinition, word: string): Result<Pretence, Problem> {
  const { work, name } = step;
  const [, followed] = /^follow:(.*)$/.exec(word) ?? [];
  if (work.kind === 'branch' && followed !== undefined) return readFollowed(name, work.choices, followed);
  const words = wordsOf(work);
  const pretence = words.get(word);
  if (pretence !== undefined) return success(pretence);
  const known = [...words.keys(), ...(work.kind === 'branch' ? [`follow:${work.choices.join('+')}`] : [])];
  return unknownWord(`"${word}" is nothing that the ${work.kind} "${name}" can end as`, word, known);
}

function readFollowed(branch: string, choices: readonly string[], text: string): Result<Pretence, Problem> {
  const steps = text === '' ? [] : text.split('+');
  const unknown = steps.find((name) => !choices.includes(name));
  if (unknown !== undefined) {
    return unknownWord(`"${unknown}" is no choice of the branch "${branch}"`, unknown, choices);
  }
  return success({ kind: 'follow', steps });
}

function wordsOf(work: Work): ReadonlyMap<string, Pretence> {
  // They have no attempt that could end in another way.
  if (work.kind === 'approval') return new Map(ownWords(work));
  if (work.kind === 'wait') return wordsOfLooks(work);
  return new Map<string, Pretence>([
    ['success', usualPretence(work)],
    ...ownWords(work),
    ...failures.map(([word, cause]): [string, Pretence] => [word, { kind: 'failed', cause }]),
    ['skipped', { kind: 'skipped' }],
  ]);
}

/** What is no function is seen, or not, or never can be. */
function wordsOfLooks(work: WaitWork): ReadonlyMap<string, Pretence> {
  const possible = work.for.condition === 'function' ? failures : failures.filter(([, cause]) => cause === 'invalid');
  return new Map<string, Pretence>([
    ['success', usualPretence(work)],
    ...ownWords(work),
    ...possible.map(([word, cause]): [string, Pretence] => [word, { kind: 'failed', cause }]),
  ]);
}

function ownWords(work: Work): readonly (readonly [string, Pretence])[] {
  switch (work.kind) {
    case 'wait':
      return [['not-yet', { kind: 'not-yet' }]];
    case 'gate':
      return [['closed', { kind: 'decided', pass: false }]];
    case 'short-circuit':
      return [['stop', { kind: 'decided', pass: false }]];
    case 'challenge':
      return verdictKinds.map((verdict) => [verdict, { kind: 'verdict', verdict }]);
    case 'approval':
      return [
        ['success', { kind: 'approval', decision: 'approve' }],
        ['reject', { kind: 'approval', decision: 'reject' }],
        ['timeout', { kind: 'approval', decision: null }],
      ];
    case 'function':
    case 'command':
    case 'container':
    case 'branch':
      return [];
    default:
      return unreachable(work);
  }
}
