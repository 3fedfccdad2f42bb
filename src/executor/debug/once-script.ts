/** How the runner's program for one task is started where it stands: the first argument is the task, others are for Node. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { quoted } from './quoted.ts';

export function onceScriptText(): string {
  const program = fileURLToPath(new URL(`../../../runner/once${extname(import.meta.url)}`, import.meta.url));
  const node = quoted([process.execPath, '--disable-warning=ExperimentalWarning', '--enable-source-maps']);
  return `#!/bin/sh\ntask=$1\nshift\nexec ${node} "$@" ${quoted([program])} "$task"\n`;
}
