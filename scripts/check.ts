/** `npm run check`: types (twice: the pure folders see no Node), lint, format, dead code. Each stage is named and timed. */
import { spawnSync } from 'node:child_process';

const linted = ['src', 'runner', 'test', 'bench', 'scripts', 'docs/examples', '.pipelines'];

const stages: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['types', 'tsc', '-p', 'tsconfig.json'],
  ['types of the pure folders', 'tsc', '-p', 'tsconfig.pure.json'],
  ['types of the pages in the browser', 'tsc', '-p', 'tsconfig.islands.json'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings', ...linted],
  ['format', 'oxfmt', '--check', '.'],
  ['dead code', 'knip'],
];

let failed = 0;
for (const [name, command, ...args] of stages) {
  const startedAt = performance.now();
  const { status } = spawnSync(command, args, { stdio: 'inherit' });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`);
  if (status !== 0) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
