/** What a shell would surely run as the kernel does: for all else the kernel is asked directly, and says what is wrong. */
import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** Variables that mean something to shells, which would not pass them on as they are, or not take them at all. */
const ofShells = new Set(
  `_ BASHOPTS BASHPID BASH_ARGC BASH_ARGV BASH_COMMAND BASH_LINENO BASH_SOURCE BASH_SUBSHELL BASH_VERSINFO DIRSTACK EUID
  FUNCNAME GROUPS HISTCMD IFS LINENO OLDPWD OPTARG OPTERR OPTIND PPID PS1 PS2 PWD RANDOM SECONDS SHELLOPTS SHLVL UID`.split(
    /\s+/,
  ),
);
/** Far below what the kernel lets a process have. */
const textLengthMax = 64 * 1024;

export interface ProgramStart {
  readonly command: readonly string[];
  readonly environment: { readonly [name: string]: string };
  readonly directory: string;
}

export function isPlain({ command, environment, directory }: ProgramStart): boolean {
  const [program = ''] = command;
  if (program === '' || program.startsWith('-')) return false;
  let length = 0;
  for (const part of command) length += part.length;
  for (const [name, value] of Object.entries(environment)) {
    length += name.length + value.length;
    if (ofShells.has(name)) return false;
  }
  return length <= textLengthMax && isProgram(find(program, environment['PATH'] ?? '', directory));
}

/** Null where there is none. */
function find(program: string, path: string, directory: string): string | null {
  if (program.includes('/')) return isAbsolute(program) ? program : join(directory, program);
  for (const folder of path.split(':')) {
    const candidate = join(isAbsolute(folder) ? folder : join(directory, folder), program);
    if (statSync(candidate, { throwIfNoEntry: false })?.isFile() === true) return candidate;
  }
  return null;
}

/** A binary, or a script whose interpreter is there. */
function isProgram(path: string | null): boolean {
  if (path === null) return false;
  try {
    accessSync(path, constants.X_OK);
    const head = readHead(path);
    if (head.startsWith('\u007fELF')) return true;
    const interpreter = /^#![ \t]*(\/[^ \t\n]+)[ \t\n]/.exec(head)?.[1];
    if (interpreter === undefined) return false;
    accessSync(interpreter, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function readHead(path: string): string {
  const file = openSync(path, 'r');
  try {
    const head = Buffer.alloc(256);
    return head.toString('latin1', 0, readSync(file, head, 0, head.length, 0));
  } finally {
    closeSync(file);
  }
}
