/** `contender check` and `contender graph`: the pipelines as the server would see them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipelinesFolder, type Compiled } from '../compile/compile.ts';
import { brokenText } from '../conductor/broken-files.ts';
import { loadChannels, loadFleetSettings, loadPools, loadObjectStores, loadPodVolumes } from '../config/config.ts';
import { readConfigFile } from '../config/file.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { followingSentences, followingsOf } from '../pipeline/following.ts';
import { formatProblem, ProblemError, type Problem } from '../std/problem.ts';
import { changesSince, sayChanges, type ChangeSince } from './changes-since.ts';
import { withChannelProblems } from './channel-problems.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { graphText, type GraphFormat } from './graph-text.ts';
import { withPoolProblems } from './pool-problems.ts';
import { compileFrom, compileLeft } from './sources.ts';
import { withStoreProblems } from './store-problems.ts';
import { harmless, markOf, paint } from './terminal.ts';
import { warningsOf, type Surroundings, type Warning } from './warnings.ts';

export async function check(
  directory: string,
  options: { readonly ref: string | null; readonly against: string | null; readonly json: boolean },
): Promise<ExitStatus> {
  // The server reads its settings from the folder, whatever commit it runs.
  const settings = options.ref === null ? checkSettings(directory) : [];
  const named = options.ref === null && settings.length === 0 ? declaredIn(directory) : null;
  // Whatever commit it is: they are the server's.
  const volumes = unlessWrong(() => loadPodVolumes(directory));
  const stepsElsewhere = volumes !== null || unlessWrong(() => loadFleetSettings(directory)) !== null;
  const hasSettings = options.ref !== null || settings.length > 0 || named !== null;
  const files = await compileFrom(directory, options.ref);
  const compiled = named === null ? files : files.map(named);
  const pipelines = new Map(definitionsOf(compiled).map((definition) => [definition.name, definition]));
  const surroundings = { pipelines, hasSettings, volumes, stepsElsewhere };
  const ignored = options.ref === null ? ignoredIn(directory) : [];
  const checked = [...settings, ...compiled.map((each) => checkedOf(each, surroundings)), ...ignored];
  const { ref, against } = options;
  const changes = against === null ? null : changesSince(await compileLeft(directory, ref, against), compiled);
  if (options.json) process.stdout.write(`${JSON.stringify(asJson(checked, changes), null, 2)}\n`);
  else sayAll(checked, changes);
  if (compiled.length === 0) throw noPipelines();
  return checked.every(({ problems }) => problems.length === 0) ? exitStatus.success : exitStatus.usage;
}

/** Adds what is wrong with the names that a file takes from `contender.yaml`; null where there is none. */
function declaredIn(directory: string): ((compiled: Compiled) => Compiled) | null {
  const [pools, channels, stores] = [loadPools(directory), loadChannels(directory), loadObjectStores(directory)];
  if (pools === null || channels === null || stores === null) return null;
  return (compiled) => withStoreProblems(withChannelProblems(withPoolProblems(compiled, pools), channels), stores);
}

/** Null where the settings are wrong, which is said elsewhere. */
function unlessWrong<T>(load: () => T | null): T | null {
  try {
    return load();
  } catch (error) {
    if (error instanceof ProblemError) return null;
    throw error;
  }
}

/** Files that mean to be pipelines, by what is in them, and are not looked at. */
function ignoredIn(directory: string): readonly Checked[] {
  const folder = join(directory, pipelinesFolder);
  return readNames(folder).flatMap((name) => {
    const [, stem, ending] = /^(.+)(\.(?:[cm]ts|tsx|[cm]?jsx?))$/.exec(name) ?? [];
    if (stem === undefined || ending === undefined || !definesPipeline(join(folder, name))) return [];
    const file = `${pipelinesFolder}/${name}`;
    const warning = {
      message: `it is not looked at: pipelines are the files of ${pipelinesFolder} that end in .ts, and not in ${ending}`,
      where: { file, line: 1, column: 1 },
      help: `Call it ${stem}.ts.`,
    };
    return [{ file, version: null, problems: [], warnings: [warning] }];
  });
}

function readNames(folder: string): readonly string[] {
  const entries = existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

function definesPipeline(path: string): boolean {
  const text = readFileSync(path, 'utf8');
  return /\bfrom\s*['"]contender['"]/.test(text) && /\bexport\s+default\b/.test(text);
}

/** A file that was looked at. */
interface Checked {
  readonly file: string;
  readonly version: Compiled['version'];
  readonly problems: readonly Problem[];
  /** What is allowed, and will not go well everywhere. */
  readonly warnings: readonly Warning[];
}

/** Empty where there is no `contender.yaml`, which is optional, or nothing is wrong in it. */
function checkSettings(directory: string): readonly Checked[] {
  try {
    readConfigFile(directory);
    return [];
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error;
    return [{ file: 'contender.yaml', version: null, problems: [error.problem, ...error.others], warnings: [] }];
  }
}

function checkedOf(compiled: Compiled, surroundings: Surroundings): Checked {
  const { file, version, problems } = compiled;
  return { file, version, problems, warnings: warningsOf(compiled, surroundings) };
}

function sayAll(checked: readonly Checked[], changes: readonly ChangeSince[] | null): void {
  const { stderr } = process;
  for (const { file, version, problems, warnings } of checked) {
    if (version !== null && problems.length === 0) {
      const { name, steps } = version.definition;
      const about = `${steps.length} ${steps.length === 1 ? 'step' : 'steps'}, ${file}, digest ${version.digest.slice(0, 12)}`;
      process.stdout.write(`${markOf('success')} ${paint('bold', name)} ${paint('gray', about)}\n`);
    }
    for (const problem of problems) stderr.write(`${markOf('failed', stderr)} ${harmless(formatProblem(problem))}\n`);
    for (const warning of warnings)
      stderr.write(`${paint('yellow', '!', stderr)} ${harmless(formatProblem(warning))}\n`);
  }
  if (changes !== null) sayChanges(changes);
}

/** One for each file; those of pipelines that are gone come after them. */
function asJson(checked: readonly Checked[], changes: readonly ChangeSince[] | null): readonly object[] {
  const files = checked.map(({ file, version, problems, warnings }) => {
    const pipeline = version?.definition.name ?? null;
    const change = changes?.find((each) => each.pipeline === pipeline)?.difference ?? null;
    const digest = version?.digest ?? null;
    return { file, pipeline, digest, problems, warnings, ...(changes === null ? {} : { change }) };
  });
  const gone = (changes ?? []).filter(({ difference }) => difference.kind === 'removed');
  return [
    ...files,
    ...gone.map(({ file, pipeline, difference }) => {
      return { file, pipeline, digest: null, problems: [], warnings: [], change: difference };
    }),
  ];
}

export async function graph(
  directory: string,
  pipeline: string,
  options: { readonly ref: string | null; readonly format: GraphFormat },
): Promise<ExitStatus> {
  const compiled = await compileFrom(directory, options.ref);
  const definition = findPipeline(compiled, pipeline);
  const sentences = followingSentences(pipeline, followingsOf(definitionsOf(compiled)));
  process.stdout.write(`${graphText(definition, options.format, sentences)}\n`);
  return exitStatus.success;
}

/** Of the files that are right. */
export function definitionsOf(compiled: readonly Compiled[]): readonly PipelineDefinition[] {
  return compiled.flatMap(({ version }) => version?.definition ?? []);
}

/** The definition of that name; throws a `ProblemError` that names those that are there. */
export function findPipeline(compiled: readonly Compiled[], name: string): PipelineDefinition {
  const found = compiled.find((each) => each.version?.definition.name === name)?.version;
  if (found !== undefined && found !== null) return found.definition;
  const broken = compiled.find((each) => each.file.endsWith(`/${name}.ts`))?.problems[0];
  if (broken !== undefined) throw new ProblemError(broken);
  const names = compiled.flatMap((each) => each.version?.definition.name ?? []);
  const others = brokenText(compiled);
  if (names.length === 0 && others === null) throw noPipelines();
  throw new ProblemError({
    code: 'pipeline-unknown',
    message: `there is no pipeline "${name}"`,
    where: null,
    help: `There are: ${names.join(', ') || 'none'}.${others === null ? '' : ` ${others}`}`,
  });
}

export function noPipelines(): ProblemError {
  return new ProblemError({
    code: 'pipeline-unknown',
    message: 'there are no pipelines here',
    where: null,
    help: 'They are the files .pipelines/*.ts of the repository; `contender init` writes a first one.',
  });
}
