/** A server in small, to be killed: starts a command with a family, a function that never returns, and a look of one. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AttemptReport } from '../../src/executor/executor.ts';
import { createLocalExecutor } from '../../src/executor/local/local.ts';
import { executorMark } from '../../src/executor/local/marks.ts';
import { createDirectoryStores } from '../../src/outputs/directory.ts';
import { lookSpecOf, shell, specOf, until } from './workshop.ts';

const folder = process.argv[2] ?? '';
const sourceTree = join(folder, 'source');
mkdirSync(sourceTree, { recursive: true });
writeFileSync(
  join(sourceTree, 'loop.ts'),
  `import { spawn } from 'node:child_process';
   import { writeFileSync } from 'node:fs';
   import { pipeline, step, waitFor } from 'contender';
   export default pipeline('loop', {}, () => {
     step('train', { run: () => { for (;;); } });
     waitFor.until('looks', { input: { path: '' }, run: ({ path }) => {
       spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
       writeFileSync(path, '');
       for (;;);
     } });
   });`,
);
const clock = { now: () => Date.now() };
const specs = [
  specOf(shell("trap '' TERM; setsid sh -c 'sleep 300 & sleep 300' & (sleep 300 &) & while :; do sleep 300; done")),
  specOf({ kind: 'function', file: 'loop.ts', input: {} }),
];
const waiting = new Set(specs.map((spec) => spec.attemptId));
const directory = join(folder, 'state');
const executor = createLocalExecutor({
  ports: {
    report(report: AttemptReport) {
      waiting.delete(report.attemptId);
      if (waiting.size === 0) void tellWhenItLooks();
    },
    sourceTree: async () => sourceTree,
    secret: () => null,
  },
  ...createDirectoryStores({ directory: join(folder, 'stores'), clock }),
  directory,
  slots: 4,
  clock,
});
for (const spec of specs) await executor.start(spec);
const looked = join(folder, 'looked');
void executor.look(lookSpecOf('loop.ts', { path: looked }), new AbortController().signal);

async function tellWhenItLooks(): Promise<void> {
  await until('the look', () => existsSync(looked));
  const mark = executorMark(directory);
  console.log(JSON.stringify({ mark: `${mark.name}=${mark.value}`, attemptIds: specs.map((spec) => spec.attemptId) }));
}
