/** What the steps of the contract of checkpoints really do, as scripts of a shell and as functions. */
import type { AttemptWork } from '../../src/executor/executor.ts';
import type { CheckpointStep } from '../contract/checkpoints.ts';

export const checkpointScripts: Readonly<Record<CheckpointStep, string>> = {
  'leaves half and fails':
    'mkdir -p "$CONTENDER_CHECKPOINT/a/b" && echo half > "$CONTENDER_CHECKPOINT/a/b/state" && exit 3',
  'leaves more when it is warned': `trap 'echo more >> "$CONTENDER_CHECKPOINT/a/b/state"; exit 0' TERM; echo ready; sleep 600 & wait`,
  'says what it finds':
    `printf '"%s: %s"' $(find "$CONTENDER_CHECKPOINT" -type f | wc -l) ` +
    `"$(cat "$CONTENDER_CHECKPOINT/a/b/state" 2> /dev/null | tr '\\n' ' ')"`,
};

const file = '.pipelines/checkpoints.ts';

/** The files of a commit with a function that behaves as it is told. */
export const checkpointFiles = {
  [file]: `
import { appendFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline, step } from 'contender';

export default pipeline('checkpoints', {}, () => {
  step('train', { input: { as: '' }, run: ({ as }, { checkpoint, signal }) => {
    const state = join(checkpoint, 'a', 'b', 'state');
    switch (as) {
      case 'leaves half and fails': {
        mkdirSync(join(checkpoint, 'a', 'b'), { recursive: true });
        writeFileSync(state, 'half\\n');
        throw new Error('it broke');
      }
      case 'leaves more when it is warned':
        return new Promise((_, reject) => {
          const warned = () => {
            appendFileSync(state, 'more\\n');
            reject(new Error('it was warned'));
          };
          signal.addEventListener('abort', warned);
          console.log('ready');
        });
      default: {
        const files = readdirSync(checkpoint, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
        return files.length + ': ' + (files.length === 0 ? '' : readFileSync(state, 'utf8').replaceAll('\\n', ' '));
      }
    }
  } });
});
`,
};

export function checkpointFunction(as: CheckpointStep): AttemptWork {
  return { kind: 'function', file, input: { as } };
}
