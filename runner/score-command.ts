/** Runs the program that scores one model; what it prints is the attempt's log. */
import { spawn } from 'node:child_process';

/** Null when it ended well, otherwise what went wrong. It stays in the runner's process group and ends with it. */
export function scoreWithCommand(
  command: readonly string[],
  environment: { readonly [name: string]: string },
  signal: AbortSignal,
): Promise<string | null> {
  const [program = '', ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const warn = (): void => void child.kill('SIGTERM');
    signal.addEventListener('abort', warn, { once: true });
    child.once('error', (error) => resolve(`"${program}" could not be started: ${error.message}`));
    child.once('close', (code, ended) => {
      signal.removeEventListener('abort', warn);
      resolve(code === 0 ? null : code === null ? `it was ended by ${ended}` : `exit code ${code}`);
    });
  });
}
