/** What the person of the story changes in the demo's repository: each takes the folder of a clone and edits files. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Change = (clone: string) => Promise<void>;

const features = 'training/features.ts';
const data = 'data/birdstrikes.csv';
const chosen = "['size', 'time', 'operator', 'airport']";

/** AUC 0.645 in place of 0.792: worse. */
export const changeWorse: Change = (clone) => edit(clone, features, [[chosen, "['airport']"]]);

/** AUC 0.815 in place of 0.792: better. */
export const changeBetter: Change = (clone) =>
  edit(clone, features, [
    [chosen, "['size', 'time', 'operator', 'airport', 'phase', 'species']"],
    [
      '  airport: ({ airport }: Strike) => airport,\n',
      '  airport: ({ airport }: Strike) => airport,\n  phase: ({ phase }: Strike) => phase,\n  species: ({ species }: Strike) => species,\n',
    ],
  ]);

/** Whoever looks round afterwards finds runs of the story, and not a list of ticks. */
export const changeSlower: Change = (clone) =>
  edit(clone, '.pipelines/heartbeat.ts', [
    ["'*/20 * * * * *'", "'0 * * * *'"],
    [
      'every twenty seconds: seconds, so that whoever watches sees the schedule at work.',
      'every hour; in its first minutes it did every twenty seconds.',
    ],
  ]);

const rowsKept = 6000;

/** An extract that ended early and lost a column's values here and there: too few rows, too many empty sizes. */
export const changeBroken: Change = async (clone) => {
  const path = join(clone, data);
  const [head = '', ...rows] = (await readFile(path, 'utf8')).split(/\r?\n/);
  const broken = rows
    .slice(0, rowsKept)
    .map((row, index) =>
      index % 4 === 0 ? row.replace(/,(?:Small|Medium|Large),(?=[^,]+,(?:Day|Night|Dusk|Dawn),)/, ',,') : row,
    );
  await writeFile(path, `${[head, ...broken].join('\r\n')}\r\n`);
};

/** Replaces each text, which has to be there exactly once: a change that no longer fits is a bug of ours. */
async function edit(clone: string, path: string, replacements: readonly (readonly [string, string])[]): Promise<void> {
  const file = join(clone, path);
  let text = await readFile(file, 'utf8');
  for (const [before, after] of replacements) {
    if (text.split(before).length !== 2) throw new Error(`${path} does not hold once: ${before}`);
    text = text.replace(before, () => after);
  }
  await writeFile(file, text);
}
