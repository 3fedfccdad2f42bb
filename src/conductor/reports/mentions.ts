/** Places in files of the commit that the logs of failed steps name. */
import { pathInCommit } from '../../executor/executor.ts';
import type { Mention, RunReport } from '../../forge/forge.ts';
import type { Sha } from '../../git/git.ts';
import type { LogLine } from '../../outputs/outputs.ts';
import type { ConductorPorts, Project } from '../ports.ts';
import { shaOf } from '../sha.ts';
import { namedPlaces } from './named-places.ts';

const stepsMax = 20;
/** Of one log, the last. */
const linesMax = 2000;
/** Of one step, those that its log names last: what ends a step stands at the end. */
const perStepMax = 10;
/** Files of the commit that are looked for. */
const filesMax = 100;
const lineFeed = 10;

/**
 * Of a run that has ended: the same each time, since forges only ever add to what they have. Of those that nobody asked for
 * there may be any number, each with a check of its own. What cannot be read names nothing, and no report waits for it.
 */
export async function mentionsOf(
  { logs }: Pick<ConductorPorts, 'logs'>,
  { git }: Pick<Project, 'git'>,
  { sha: commit, isAsked, finishedAt, steps }: RunReport,
): Promise<readonly Mention[]> {
  const sha = shaOf(commit);
  if (sha === null || finishedAt === null || !isAsked) return [];
  const mentions: Mention[] = [];
  const lengths = new Map<string, number>();
  for (const { name, log } of steps.filter((step) => step.log !== null).slice(0, stepsMax)) {
    const lines = log === null ? [] : await lastLines(logs, log);
    const own: Mention[] = [];
    for (const { path, line, column, message } of namedPlaces(lines).toReversed()) {
      const file = pathInCommit(path, sha);
      if (file === null || own.length >= perStepMax) continue;
      if (own.some(({ where }) => where.file === file && where.line === line)) continue;
      if (lengths.size >= filesMax && !lengths.has(file)) continue;
      const length = lengths.get(file) ?? (await lengthOf(git, sha, file));
      lengths.set(file, length);
      if (line >= 1 && line <= length) own.push({ step: name, where: { file, line, column }, message });
    }
    mentions.push(...own.toReversed());
  }
  return mentions;
}

async function lastLines(logs: ConductorPorts['logs'], key: string): Promise<readonly LogLine[]> {
  try {
    const { total } = await logs.read(key, 1, 0);
    return (await logs.read(key, Math.max(1, total - linesMax + 1), total)).lines;
  } catch {
    return [];
  }
}

/** In lines; 0 where the commit has no such file. */
async function lengthOf(git: Project['git'], sha: Sha, file: string): Promise<number> {
  const read = await git.read(sha, [file]);
  const bytes = read.ok ? read.value.get(file) : undefined;
  if (bytes === undefined) return 0;
  let lines = bytes.length === 0 || bytes.at(-1) === lineFeed ? 0 : 1;
  for (let at = 0; at < bytes.length; at++) if (bytes[at] === lineFeed) lines += 1;
  return lines;
}
