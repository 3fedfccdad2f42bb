/** A gate: reads a data file once, holds it to its checks, and says whether the run may go on. */
import { isAbsolute, join } from 'node:path';
import type { AttemptWork, RunnerResult } from '../src/executor/executor.ts';
import { isJsonObject, type Json } from '../src/std/json.ts';
import { invalid, type Attempt } from './attempt.ts';
import { columnsOf, startCheck } from './checks.ts';
import { succeeded } from './result.ts';
import { isTable, readTable, tableEndings, TableError } from './table.ts';

export async function runGate(work: Extract<AttemptWork, { kind: 'gate' }>, attempt: Attempt): Promise<RunnerResult> {
  const file = dataFileOf(work.data, attempt.task.sourceTree);
  if (file === null) return invalid('the data of a gate is a path or an artifact');
  if (!isTable(file.name)) {
    return invalid(
      `${file.name} is no data file that a gate can read: its name has to end in ${tableEndings.join(', ')}`,
    );
  }
  const checks = work.checks.map(startCheck);
  let [rows, columns]: [number, readonly string[]] = [0, []];
  try {
    for await (const batch of readTable(file.path, file.name, columnsOf(work.checks))) {
      rows += batch.rows.length;
      if (batch.columns.length > columns.length) columns = batch.columns;
      for (const check of checks) check.take(batch);
      attempt.signal.throwIfAborted();
    }
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    return { kind: 'failed', cause: 'code', message: error.message, exitCode: null };
  }
  const results = checks.flatMap((check) => check.results(rows, columns));
  const broken = results.filter((result) => !result.passed);
  for (const result of results)
    attempt.say(`${result.passed ? 'passed' : 'FAILED'}  ${result.check}: ${result.message}`);
  const passed = broken.length === 0;
  const reason = passed
    ? `all ${results.length} checks passed on ${rows} rows`
    : broken
        .map((result) => result.message)
        .join('; ')
        .slice(0, 1000);
  return succeeded(
    { path: file.shown, ...(file.artifact === null ? {} : { artifact: file.artifact }), passed, rows, checks: results },
    { pass: passed, reason },
    attempt.task.scratch,
  );
}

interface DataFile {
  readonly path: string;
  /** Whose ending says what it is. */
  readonly name: string;
  /** What the steps behind the gate are told. */
  readonly shown: string;
  readonly artifact: Json;
}

/** A path in the source tree, or an artifact that lies ready in the scratch directory. */
export function dataFileOf(data: Json, sourceTree: string): DataFile | null {
  if (typeof data === 'string' && data !== '') {
    return { path: isAbsolute(data) ? data : join(sourceTree, data), name: data, shown: data, artifact: null };
  }
  if (!isJsonObject(data)) return null;
  const { $artifact = null, bytes = null, name, path } = data;
  if (typeof path !== 'string' || typeof name !== 'string') return null;
  return { path, name, shown: name, artifact: { $artifact, name, bytes } };
}
