/** One look of a sensor. What is not there yet is no failure: the engine has it look again. */
import { stat } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import type { AttemptWork, RunnerResult } from '../src/executor/executor.ts';
import type { Json } from '../src/std/json.ts';
import { unreachable } from '../src/std/unreachable.ts';
import { invalid, type Attempt } from './attempt.ts';
import { callFunction } from './function.ts';
import { succeeded } from './result.ts';

const httpTimeoutMs = 30_000;

export async function runWait(work: Extract<AttemptWork, { kind: 'wait' }>, attempt: Attempt): Promise<RunnerResult> {
  const { scratch, sourceTree } = attempt.task;
  const condition = work.for;
  switch (condition.condition) {
    case 'file':
      return lookForFile(condition.path, sourceTree, scratch);
    case 'http':
      return lookAtAddress(condition.url, condition.status, attempt);
    case 'function': {
      const called = await callFunction(condition, attempt);
      if (!called.ok) return invalid(called.error);
      const isThere = called.value !== false && called.value !== null && called.value !== undefined;
      return isThere ? succeeded(called.value, null, scratch) : notYet('the function says not yet');
    }
    default:
      return unreachable(condition);
  }
}

async function lookForFile(path: Json, sourceTree: string, scratch: string): Promise<RunnerResult> {
  if (typeof path !== 'string' || path === '') return invalid('the path of a file to wait for is a text');
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(path))
    return invalid(
      `${path} is no path of a file: wait for an address with waitFor.http, or for an object with waitFor.until`,
    );
  const found = await stat(isAbsolute(path) ? path : join(sourceTree, path)).catch(() => null);
  return found === null ? notYet(`there is no ${path} yet`) : succeeded({ path, bytes: found.size }, null, scratch);
}

async function lookAtAddress(url: Json, status: number, attempt: Attempt): Promise<RunnerResult> {
  if (typeof url !== 'string' || !/^https?:\/\//i.test(url) || !URL.canParse(url)) {
    return invalid(`${JSON.stringify(url)} is no address that begins with http:// or https://`);
  }
  try {
    const signal = AbortSignal.any([attempt.signal, AbortSignal.timeout(httpTimeoutMs)]);
    const answer = await fetch(url, { signal, headers: { 'user-agent': 'contender', connection: 'close' } });
    await answer.body?.cancel();
    if (answer.status === status) return succeeded({ url, status }, null, attempt.task.scratch);
    return notYet(`it answered ${answer.status}, and ${status} is waited for`);
  } catch (error) {
    return notYet(`it cannot be reached: ${reasonOf(error)}`);
  }
}

/** `fetch` says only that it failed; why stands in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}

function notYet(reason: string): RunnerResult {
  return { kind: 'not-yet', reason };
}
