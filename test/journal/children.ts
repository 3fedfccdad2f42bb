/** Servers as processes of their own, to be killed. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('crash-child.ts', import.meta.url));

export interface Child {
  readonly process: ChildProcess;
  readonly lines: Interface;
}

/** Killed at the end of the test, if not before. */
export function startChild(context: TestContext, mode: 'append' | 'open' | 'hold', directory: string): Child {
  const child = spawn(process.execPath, [program, mode, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
  context.after(() => child.kill('SIGKILL'));
  return { process: child, lines: createInterface({ input: child.stdout }) };
}

/** Every line until `count` of them came and the process was killed in the middle of what it did next. */
export async function killAfterLines({ process: child, lines }: Child, count: number): Promise<readonly string[]> {
  const seen: string[] = [];
  const closed = once(lines, 'close');
  lines.on('line', (line) => {
    seen.push(line);
    if (seen.length === count) child.kill('SIGKILL');
  });
  await closed;
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return seen;
}

export async function firstLine({ lines }: Child): Promise<string> {
  const [line] = await once(lines, 'line');
  return String(line);
}

export async function kill({ process: child }: Child): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

export function temporaryFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'contender-journal-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
