/**
 * `npm run -s conformance -- SUITE FILE`: runs a file of cases, one JSON object a line, whose expected results come from
 * other people's software. Prints each failing case and the count; exit status 1 where one failed, 2 for wrong usage and
 * for a file without a case.
 */
import { existsSync, readFileSync } from 'node:fs';

import type { RunCase } from './case.ts';

const suites: Readonly<Record<string, () => Promise<{ readonly runCase: RunCase }>>> = {
  'trigger-rules': () => import('./trigger-rules.ts'),
  cron: () => import('./cron.ts'),
  'verdict-statistics': () => import('./verdict-statistics.ts'),
};

process.exitCode = await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<number> {
  const [suite = '', file = ''] = words;
  const load = Object.hasOwn(suites, suite) ? suites[suite] : undefined;
  if (load === undefined || words.length !== 2) {
    return refuse(
      `usage: npm run -s conformance -- SUITE FILE, where SUITE is one of ${Object.keys(suites).join(', ')}`,
    );
  }
  if (!existsSync(file)) return refuse(`there is no file ${JSON.stringify(file)}`);
  const lines = readFileSync(file, 'utf8').split('\n');
  const { runCase } = await load();
  let [passed, failed] = [0, 0];
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    if (runLine(runCase, line, index + 1)) passed++;
    else failed++;
  }
  if (passed + failed === 0) return refuse(`there is no case in ${JSON.stringify(file)}`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? 1 : 0;
}

/** A line that is no case fails like one whose result is wrong: nothing is left out of the count. */
function runLine(runCase: RunCase, text: string, line: number): boolean {
  try {
    const failure = runCase(JSON.parse(text), line);
    if (failure === null) return true;
    console.log(`${failure.id}\n  expected ${shown(failure.expected)}\n  got      ${shown(failure.got)}`);
    return false;
  } catch (error) {
    console.log(`line ${line}\n  expected a case that can be run\n  got      ${String(error)}`);
    return false;
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function refuse(message: string): number {
  console.error(message);
  return 2;
}
