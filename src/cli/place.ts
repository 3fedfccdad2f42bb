/** The repository that a command runs something of. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Project } from '../conductor/ports.ts';
import type { Config } from '../config/config.ts';
import type { RepositoryConfig } from '../config/repository.ts';
import type { System } from '../main.ts';
import { ProblemError } from '../std/problem.ts';
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

export function projectOf(system: System, repository: string): Project {
  const project = system.projects.get(repository);
  if (project === undefined) throw new Error(`the system has no repository ${repository}`);
  return project;
}

/** What is not committed is not run: said before anybody wonders. */
export async function mindUncommitted(folder: string, say: (line: string) => void): Promise<void> {
  if (!existsSync(join(folder, '.git'))) return;
  const args = ['-C', folder, 'status', '--porcelain=v2', '--branch'];
  const listed = await promisify(execFile)('git', args, { timeout: 10_000 }).catch(() => null);
  const said = listed?.stdout.split('\n').filter((line) => line !== '') ?? [];
  const lines = said.filter((line) => !line.startsWith('# '));
  // Where there is no commit yet, there is nothing to run.
  if (lines.length === 0 || said.includes('# branch.oid (initial)')) return;
  const what = lines.length === 1 ? '1 uncommitted change is' : `${lines.length} uncommitted changes are`;
  say(paint('yellow', `${what} not part of this run: it runs the commit HEAD.`));
}
