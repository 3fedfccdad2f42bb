/** `contender run`: one pipeline, here and now, with the engine, journal and executor that a server would use. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { readRun, runReportOf } from '../conductor/read.ts';
import { loadConfig } from '../config.ts';
import { openSystem, type System } from '../main.ts';
import { ProblemError } from '../std/problem.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { outcomeLines, ProgressLines } from './progress.ts';
import { resolveRef } from './sources.ts';
import { markOf, paint } from './terminal.ts';
import { consoleLog } from './console-log.ts';

export interface RunOptions {
  readonly pipeline: string;
  readonly ref: string;
  readonly date: number | null;
  readonly parameters: Readonly<Record<string, string>>;
  readonly json: boolean;
}

export async function run(directory: string, options: RunOptions): Promise<ExitStatus> {
  const config = loadConfig(resolve(directory), process.env);
  const say = (line: string): void => void (options.json ? process.stderr : process.stdout).write(`${line}\n`);
  await mindUncommitted(directory, options.ref, say);
  const system = await openSystem({ config, log: consoleLog('warn'), print: () => undefined, publicUrl: () => null });
  try {
    return await runIn(system, options, say);
  } finally {
    await system.close();
  }
}

async function runIn(system: System, options: RunOptions, say: (line: string) => void): Promise<ExitStatus> {
  const [project] = system.projects.values();
  if (project === undefined) throw new Error('the configuration names no repository');
  const fetched = await project.git.fetch();
  if (!fetched.ok) throw mistake('repository-unreadable', fetched.error.message, 'Run this in a Git repository, or name one in contender.yaml.');
  const sha = await resolveRef(project.git, options.ref);
  await system.conductor.start({ watch: false });
  const started = await system.conductor.runManually({
    repository: project.name,
    pipeline: options.pipeline,
    sha,
    actor: userInfo().username,
    logicalDate: options.date,
    parameters: options.parameters,
    key: system.newId(),
  });
  if (!started.ok) {
    if (typeof started.error !== 'string') throw new ProblemError(started.error);
    throw mistake('run-refused', started.error, '`contender check` lists the pipelines; `contender graph PIPELINE` shows one.');
  }
  say(`${paint('bold', options.pipeline)} at ${sha.slice(0, 7)}, run ${started.value}`);
  return follow(system, started.value, options.json, say);
}

/** Prints what changes until the run, and what follows from it, has ended. Ctrl-C cancels once, and ends the second time. */
async function follow(system: System, runId: string, json: boolean, say: (line: string) => void): Promise<ExitStatus> {
  const progress = new ProgressLines(say);
  let wake = (): void => undefined;
  const unwatch = system.conductor.watch((changed) => changed === runId && wake());
  const interrupt = (): void => {
    say('Cancelling; press Ctrl-C again to end at once.');
    process.once('SIGINT', () => process.exit(exitStatus.interrupted));
    system.conductor.cancel(runId, userInfo().username, 'interrupted in the terminal');
  };
  process.once('SIGINT', interrupt);
  try {
    for (;;) {
      const changed = new Promise<void>((resolveChange) => {
        wake = resolveChange;
      });
      const current = await readRun(system.journal, runId);
      if (current !== null) progress.show(current);
      if (current !== null && current.finishedAt !== null) break;
      await changed;
    }
  } finally {
    unwatch();
    process.off('SIGINT', interrupt);
  }
  await system.conductor.outboxSettled();
  return sayOutcome(system, runId, json, say);
}

async function sayOutcome(system: System, runId: string, json: boolean, say: (line: string) => void): Promise<ExitStatus> {
  const report = await runReportOf(system.journal, runId, null);
  if (report === null) throw new Error(`run ${runId} is not in the journal`);
  for (const line of outcomeLines(report)) say(line);
  const state = report.state === 'failure' ? 'failed' : report.state === 'success' ? 'success' : 'cancelled';
  say(`${markOf(state)} ${state}: ${report.summary}`);
  if (json) process.stdout.write(`${JSON.stringify(report)}\n`);
  return state === 'success' ? exitStatus.success : exitStatus.failed;
}

/** What is not committed is not run: said before anybody wonders. */
async function mindUncommitted(directory: string, ref: string, say: (line: string) => void): Promise<void> {
  if (ref !== 'HEAD' || !existsSync(join(directory, '.git'))) return;
  const listed = await promisify(execFile)('git', ['-C', directory, 'status', '--porcelain', '--', '.'], { timeout: 10_000 }).catch(() => null);
  const count = listed?.stdout.split('\n').filter((line) => line !== '' && !line.includes('.contender')).length ?? 0;
  if (count > 0) say(paint('yellow', `${count} uncommitted ${count === 1 ? 'change is' : 'changes are'} not part of this run: it runs the commit HEAD.`));
}

function mistake(code: 'repository-unreadable' | 'run-refused', message: string, help: string): ProblemError {
  return new ProblemError({ code, message, where: null, help });
}
