/**
 * An attempt as the executor gets it: the definition's references become values, and a challenge is told who the
 * champion is. A registry that cannot be reached is a failure with a retry of its own, never "no champion".
 */
import { bindTemplate, bindValue, contextOf } from '../../engine/engine.ts';
import type { AttemptKey } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import {
  attemptId,
  type AttemptSpec,
  type AttemptWork,
  type ChampionOfAttempt,
  type InputValue,
} from '../../executor/executor.ts';
import type {
  Binding,
  ChallengeWork,
  ContainerWork,
  Environment,
  ScoreDefinition,
  Template,
  Work,
} from '../../pipeline/definition.ts';
import type { ModelRegistry } from '../../registry/registry.ts';
import { failure, success, type Result } from '../../std/result.ts';
import { unreachable } from '../../std/unreachable.ts';
import { podOfStep } from '../pod-of-step.ts';

export interface NotPrepared {
  readonly cause: 'registry' | 'invalid';
  readonly message: string;
}

type Prepared<T> = Result<T, NotPrepared>;

/** Binds for one attempt; every failure is the definition's, and another try would fail the same way. */
interface Binder {
  value(binding: Binding): Prepared<InputValue>;
  text(template: Template): Prepared<InputValue>;
  texts(templates: readonly Template[]): Prepared<InputValue[]>;
  environment(environment: Environment): Prepared<Record<string, InputValue>>;
}

export async function prepareAttempt(
  run: Run,
  key: AttemptKey,
  registry: ModelRegistry,
): Promise<Prepared<AttemptSpec>> {
  const step = run.steps.get(key.step);
  if (step === undefined) return invalid(`there is no step "${key.step}"`);
  const { definition } = step;
  const bind = binderOf(run, key);
  const work = await prepareWork(definition.name, definition.work, bind, registry);
  if (!work.ok) return work;
  const pod = named(podOfStep(run, definition, key));
  if (!pod.ok) return pod;
  return success({
    attemptId: attemptId(run.opened.runId, key),
    repository: run.opened.repository,
    sha: run.opened.sha,
    work: work.value,
    queue: definition.queue ?? null,
    startMs: definition.startTimeoutMs ?? null,
    pod: pod.value,
    context: contextOf(run, key),
    outputs: definition.outputs,
    secrets: definition.secrets,
    timeoutMs: definition.timeoutMs,
    graceMs: definition.graceMs,
  });
}

async function prepareWork(
  name: string,
  work: Work,
  bind: Binder,
  registry: ModelRegistry,
): Promise<Prepared<AttemptWork>> {
  switch (work.kind) {
    case 'function':
    case 'branch':
    case 'short-circuit':
      return map(bind.value(work.input), (input) => ({ kind: work.kind, file: work.file, input }));
    case 'command':
      return command(bind, work.command, work.environment);
    case 'container':
      return container(bind, work);
    case 'gate':
      return map(bind.value(work.data), (data) => ({ kind: 'gate', data, checks: work.checks }));
    case 'challenge':
      return prepareChallenge(work, bind, registry);
    case 'wait':
    case 'approval':
      throw new Error(`"${name}" is of the kind ${work.kind}, of which no attempt is ever started`);
    default:
      return unreachable(work);
  }
}

function command(
  bind: Binder,
  templates: readonly Template[],
  variables: Environment,
): Prepared<Extract<AttemptWork, { kind: 'command' }>> {
  const words = bind.texts(templates);
  if (!words.ok) return words;
  return map(bind.environment(variables), (environment) => ({ kind: 'command', command: words.value, environment }));
}

function container(bind: Binder, work: ContainerWork): Prepared<Extract<AttemptWork, { kind: 'container' }>> {
  const image = bind.text(work.image);
  if (!image.ok) return image;
  const own = command(bind, work.command, work.environment);
  if (!own.ok) return own;
  const args = bind.texts(work.args);
  if (!args.ok) return args;
  const localCommand: Prepared<InputValue[] | null> =
    work.localCommand === null ? success(null) : bind.texts(work.localCommand);
  return map(localCommand, (local) => ({
    ...own.value,
    kind: 'container',
    image: image.value,
    args: args.value,
    resources: work.resources,
    localCommand: local,
  }));
}

async function prepareChallenge(
  work: ChallengeWork,
  bind: Binder,
  registry: ModelRegistry,
): Promise<Prepared<AttemptWork>> {
  const challenger = bind.value(work.challenger);
  if (!challenger.ok) return challenger;
  const predictions = work.predictions === null ? success(null) : bind.value(work.predictions);
  if (!predictions.ok) return predictions;
  const score = prepareScore(work.score, bind);
  if (!score.ok) return score;
  const champion = await registry.champion(work.model);
  if (!champion.ok) {
    const cause = champion.error.kind === 'unreachable' ? 'registry' : 'invalid';
    return failure({ cause, message: `the champion of "${work.model}" could not be read: ${champion.error.message}` });
  }
  const { model, task, metric, threshold, minAbsoluteChange, minRelativeChange, confidence, guardrails, promote } =
    work;
  return success({
    kind: 'challenge',
    rule: { model, task, metric, threshold, minAbsoluteChange, minRelativeChange, confidence, guardrails, promote },
    challenger: challenger.value,
    champion: championOf(champion.value, score.value === null),
    score: score.value,
    predictions: predictions.value,
  });
}

/** Where both models are scored, what is kept of the champion's predictions is of no use. */
function championOf(found: ChampionOfAttempt | null, isRead: boolean): ChampionOfAttempt | null {
  if (found === null) return null;
  const { version, artifact, predictions } = found;
  return { version, artifact, predictions: isRead ? predictions : null };
}

function prepareScore(
  score: ScoreDefinition | null,
  bind: Binder,
): Prepared<Extract<AttemptWork, { kind: 'challenge' }>['score']> {
  if (score === null) return success(null);
  if (score.kind === 'function')
    return map(bind.value(score.input), (input) => ({ kind: 'function', file: score.file, input }));
  return command(bind, score.command, score.environment);
}

function binderOf(run: Run, key: AttemptKey): Binder {
  const value = (binding: Binding): Prepared<InputValue> => named(bindValue(run, binding, key));
  const text = (template: Template): Prepared<InputValue> => named(bindTemplate(run, template, key));
  return {
    value,
    text,
    texts: (templates) => all(templates.map(text)),
    environment(environment) {
      const names = Object.keys(environment);
      const values = all(Object.values(environment).map(text));
      return map(values, (bound) => Object.fromEntries(names.map((name, index) => [name, bound[index] ?? null])));
    },
  };
}

function named<T>(result: Result<T, string>): Prepared<T> {
  return result.ok ? result : invalid(result.error);
}

function invalid(message: string): { readonly ok: false; readonly error: NotPrepared } {
  return failure({ cause: 'invalid', message });
}

function all<T>(results: readonly Prepared<T>[]): Prepared<T[]> {
  const values: T[] = [];
  for (const result of results) {
    if (!result.ok) return result;
    values.push(result.value);
  }
  return success(values);
}

function map<T, U>(result: Prepared<T>, change: (value: T) => U): Prepared<U> {
  return result.ok ? success(change(result.value)) : result;
}
