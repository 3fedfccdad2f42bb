/** What changed in the pipelines since another commit, as a pull request would be told of it. */
import { changeSentences, diffVersions, type Compiled } from '../compile/compile.ts';
import { harmless, paint } from './terminal.ts';

export interface ChangeSince {
  readonly file: string;
  readonly pipeline: string;
  readonly difference: ReturnType<typeof diffVersions>;
}

const sentencesMax = 200;

/** Those that are the same are left out, and so is what a broken file, then or now, may hold. Those that are gone come last. */
export function changesSince(before: readonly Compiled[], now: readonly Compiled[]): readonly ChangeSince[] {
  const old = readable(before);
  const names = new Set(readable(now).map(({ definition }) => definition.name));
  const [brokenBefore, brokenNow] = [brokenFiles(before), brokenFiles(now)];
  const here = readable(now).flatMap(({ file, definition }) => {
    const known = old.find((each) => each.definition.name === definition.name);
    if (known === undefined && brokenBefore.has(file)) return [];
    return { file, pipeline: definition.name, difference: diffVersions(known?.definition ?? null, definition) };
  });
  const gone = old
    .filter(({ file, definition }) => !names.has(definition.name) && !brokenNow.has(file))
    .map(({ file, definition }) => ({ file, pipeline: definition.name, difference: diffVersions(definition, null) }));
  return [...here, ...gone].filter(({ difference }) => difference.kind !== 'same');
}

export function sayChanges(changes: readonly ChangeSince[]): void {
  for (const { pipeline, difference } of changes) {
    process.stdout.write(`\n${paint('bold', pipeline)} ${difference.kind}\n`);
    for (const sentence of difference.weakened)
      process.stdout.write(`  ${paint('yellow', `‼ weakened: ${harmless(sentence)}`)}\n`);
    const { sentences, count } = changeSentences(difference, sentencesMax);
    for (const sentence of sentences) process.stdout.write(`  ${harmless(sentence)}\n`);
    if (count > sentences.length) process.stdout.write(`  … and ${count - sentences.length} more\n`);
  }
  if (changes.length === 0) process.stdout.write('\nNo pipeline has changed.\n');
}

function readable(compiled: readonly Compiled[]) {
  return compiled.flatMap(({ file, version }) => (version === null ? [] : { file, definition: version.definition }));
}

function brokenFiles(compiled: readonly Compiled[]): ReadonlySet<string> {
  return new Set(compiled.flatMap(({ file, version }) => (version === null ? file : [])));
}
