/** Steps that are functions: a step's `run`, a branch's choice, a short circuit's answer. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { AttemptWork, RunnerResult } from '../src/executor/executor.ts';
import type { FunctionContext, StepContext } from '../src/pipeline/context.ts';
import type { Artifact } from '../src/pipeline/definition.ts';
import { isJsonObject } from '../src/std/json.ts';
import type { Result } from '../src/std/result.ts';
import { unreachable } from '../src/std/unreachable.ts';
import { invalid, type Attempt } from './attempt.ts';
import { openList } from './list.ts';
import { loadFunction } from './load.ts';
import { succeeded } from './result.ts';

export async function runFunction(
  work: Extract<AttemptWork, { readonly kind: 'function' | 'branch' | 'short-circuit' }>,
  attempt: Attempt,
): Promise<RunnerResult> {
  const called = await callFunction(work, attempt);
  if (!called.ok) return invalid(called.error);
  const { scratch } = attempt.task;
  switch (work.kind) {
    case 'function':
      return succeeded(called.value, null, scratch);
    case 'branch': {
      const follow = typeof called.value === 'string' ? [called.value] : called.value;
      if (!isNames(follow))
        return wrongOutput('a branch returns the name of a step to follow, or a list of names', called.value);
      return succeeded({ follow }, { follow }, scratch);
    }
    case 'short-circuit': {
      const pass = called.value;
      if (typeof pass !== 'boolean') return wrongOutput('a short circuit returns true or false', pass);
      return succeeded(
        { pass },
        { pass, reason: pass ? 'the function returned true' : 'the function returned false' },
        scratch,
      );
    }
    default:
      return unreachable(work.kind);
  }
}

/** Loads the step's function and calls it; what it throws is thrown. */
export async function callFunction(
  work: { readonly file: string; readonly input: unknown },
  attempt: Attempt,
): Promise<Result<unknown, string>> {
  const { task } = attempt;
  const { sourceTree, nodeModules, context } = task;
  const loaded = await loadFunction({ sourceTree, nodeModules, file: work.file, step: context.step }, attempt.spoil);
  if (!loaded.ok) return loaded;
  const input = task.lists.reduce(
    (whole, { at, ...file }) => replaced(whole, at, openList(file, withPaths)),
    withPaths(work.input),
  );
  return { ok: true, value: await loaded.value(input, contextOf(attempt)) };
}

/** The same with `value` at that place. */
function replaced(whole: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  if (Array.isArray(whole)) return whole.with(Number(key), replaced(whole[Number(key)], rest, value));
  return isJsonObject(whole) ? { ...whole, [key]: replaced(whole[key], rest, value) } : whole;
}

/** As the SDK's types say: to a function an artifact is the path of its file. */
function withPaths(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withPaths);
  if (!isJsonObject(value)) return value;
  if (typeof value['$artifact'] === 'string' && typeof value['path'] === 'string') return value['path'];
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withPaths(item)]));
}

/** What a function gets as its second argument. */
function contextOf(attempt: Attempt): FunctionContext | StepContext {
  const { task, signal, keeper, say } = attempt;
  return {
    ...(task.checkpoint === null ? {} : { checkpoint: task.checkpoint }),
    ...task.context,
    signal,
    scratch: task.scratch,
    async artifact(content: string | Uint8Array, name?: string): Promise<Artifact> {
      if (typeof content === 'string') {
        const path = isAbsolute(content) ? content : join(task.scratch, content);
        return keeper.keep(path, name ?? content);
      }
      const path = join(task.scratch, `.${randomUUID()}`);
      await writeFile(path, content);
      return keeper.keep(path, name ?? 'artifact');
    },
    log: (message: string) => say(message),
  };
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function wrongOutput(expected: string, value: unknown): RunnerResult {
  const got = JSON.stringify(value) ?? String(value);
  return {
    kind: 'failed',
    cause: 'output',
    message: `${expected}, and this one returned ${got.slice(0, 100)}`,
    exitCode: null,
  };
}
