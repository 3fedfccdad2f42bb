/** A shell, or a command, in a place that is laid out on this machine. */
import { spawn } from 'node:child_process';
import { placesIn } from '../agent/places.ts';
import { writeOnceScript } from './scripts.ts';

export interface LocalShell {
  readonly folder: string;
  readonly environment: { readonly [name: string]: string };
  /** Empty: the user's shell. */
  readonly command: readonly string[];
  readonly shell: string;
}

export type ShellEnd = { readonly code: number } | { readonly failed: string };

/** Ends when the shell or command does; the terminal is its own meanwhile. */
export async function openLocalShell({ folder, environment, command, shell }: LocalShell): Promise<ShellEnd> {
  await writeOnceScript(folder);
  const [program = shell, ...args] = command;
  const child = spawn(program, args, { cwd: placesIn(folder).source, env: environment, stdio: 'inherit' });
  // Ctrl-C is for whatever runs in it.
  const leave = (): void => undefined;
  const end = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on('SIGINT', leave).on('SIGTERM', end).on('SIGHUP', end);
  try {
    return await new Promise<ShellEnd>((resolve) => {
      child.once('error', (error) => resolve({ failed: `${program} cannot be started: ${error.message}` }));
      child.once('close', (code, signal) =>
        resolve(code === null ? { failed: `it was ended by ${signal}` } : { code }),
      );
    });
  } finally {
    process.off('SIGINT', leave).off('SIGTERM', end).off('SIGHUP', end);
  }
}
