/** A reader's machine: an empty folder, an empty home with a name for Git, and `contender` on the PATH. */
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { program } from '../cli/sandbox.ts';

export interface Reader {
  /** Where the lines are typed. */
  readonly folder: string;
  /** What the lines of shell write to standard output; rejects where one of them fails. */
  type(commands: string): Promise<string>;
  leave(): void;
}

export function createReader(): Reader {
  const root = mkdtempSync(join(tmpdir(), 'reader-'));
  for (const name of ['bin', 'home', 'work']) mkdirSync(join(root, name));
  writeFileSync(join(root, 'bin/contender'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`);
  chmodSync(join(root, 'bin/contender'), 0o755);
  writeFileSync(join(root, 'home/.gitconfig'), '[user]\n\tname = mona\n\temail = mona@example.com\n');
  const folder = join(root, 'work');
  return {
    folder,
    async type(commands) {
      const { stdout } = await promisify(execFile)('sh', ['-e', '-c', commands], {
        cwd: folder,
        env: {
          PATH: `${join(root, 'bin')}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`,
          HOME: join(root, 'home'),
          LANG: 'C.UTF-8',
        },
      });
      return stdout;
    },
    leave: () => rmSync(root, { recursive: true, force: true, maxRetries: 5 }),
  };
}
