/** Scripts for whoever looks into the place of an attempt. */
import { chmod, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Starts the runner with a task: made where it is to run. The first argument is the task, others are for Node. */
export const onceScript = 'once';

export function writeOnceScript(folder: string): Promise<void> {
  const program = fileURLToPath(new URL(`../../../runner/once${extname(import.meta.url)}`, import.meta.url));
  const node = quoted([process.execPath, '--disable-warning=ExperimentalWarning', '--enable-source-maps']);
  return writeScript(join(folder, onceScript), `task=$1\nshift\nexec ${node} "$@" ${quoted([program])} "$task"`);
}

export async function writeScript(path: string, lines: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${lines}\n`);
  await chmod(path, 0o755);
}

/** Words as a shell takes them. */
export function quoted(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}

/**
 * Writes the first bytes of its input to a file, and fails where there are fewer, which it says. The shell itself stays until then: containerd
 * ends the input of a command whose output is closed, and a shell that gives way to one that writes to a file closes it.
 */
export function receiveScript(path: string, bytes: number): string {
  const file = quoted([path]);
  const check = `[ "$got" -eq ${bytes} ] || { echo "$got of ${bytes} bytes arrived" >&2; exit 1; }`;
  return `umask 022; head -c ${bytes} > ${file} && got=$(wc -c < ${file}) && { ${check}; }`;
}
