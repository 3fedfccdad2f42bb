/** Where the runs of a command are carried out: here, or by the server that holds the folder. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Project } from '../conductor/ports.ts';
import type { Config, RepositoryConfig } from '../config.ts';
import { openSystem, type System } from '../main.ts';
import { ProblemError } from '../std/problem.ts';
import { consoleLog } from './console-log.ts';
import { readServerAddress } from './server-address.ts';
import { makeStateFolder } from './state-folder.ts';
import { paint } from './terminal.ts';

export function chooseRepository(config: Config, name: string | null): RepositoryConfig {
  const { repositories } = config;
  const found = name === null ? repositories[0] : repositories.find((each) => each.name === name);
  if (found !== undefined) return found;
  const help = `There are: ${repositories.map((each) => each.name).join(', ')}.`;
  throw new ProblemError({
    code: 'repository-unknown',
    message: `no repository is called "${name}"`,
    where: null,
    help,
  });
}

/** The system of this folder; where a server holds it, the server's address. */
export async function openOrFindServer(config: Config): Promise<System | string> {
  await makeStateFolder(config.stateDirectory);
  try {
    return await openSystem({ config, log: consoleLog('warn'), print: () => undefined, publicUrl: () => null });
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.code !== 'folder-locked') throw error;
    const url = await readServerAddress(config.stateDirectory);
    if (url === null) throw error;
    return url;
  }
}

export function projectOf(system: System, repository: string): Project {
  const project = system.projects.get(repository);
  if (project === undefined) throw new Error(`the system has no repository ${repository}`);
  return project;
}

const takenUpNamedMax = 5;

/** Runs that have not ended go on beside the new ones, for as long as this command is at work: nobody expects that. */
export async function sayTakenUp({ journal }: System): Promise<void> {
  const left = await journal.unfinishedRuns();
  if (left.length === 0) return;
  const names = left.slice(0, takenUpNamedMax).map(({ opened, number }) => `${opened.pipeline}#${number}`);
  const more = left.length > takenUpNamedMax ? ` and ${left.length - takenUpNamedMax} more` : '';
  const line = `takes up ${names.join(', ')}${more}, which an earlier server left`;
  process.stderr.write(`${paint('yellow', line, process.stderr)}\n`);
}

/** What is not committed is not run: said before anybody wonders. */
export async function mindUncommitted(folder: string, say: (line: string) => void): Promise<void> {
  if (!existsSync(join(folder, '.git'))) return;
  const listed = await promisify(execFile)('git', ['-C', folder, 'status', '--porcelain'], { timeout: 10_000 }).catch(
    () => null,
  );
  const lines = listed?.stdout.split('\n').filter((line) => line !== '') ?? [];
  if (lines.length === 0) return;
  const what = lines.length === 1 ? '1 uncommitted change is' : `${lines.length} uncommitted changes are`;
  say(paint('yellow', `${what} not part of this run: it runs the commit HEAD.`));
}
