/**
 * What ends the attempts when the server dies without a word (kill -9, out of memory). A shell of a megabyte holds the
 * reading end of a pipe whose only writing end is in the server. While the server lives nothing is ever read; when it
 * dies the kernel closes the pipe, and the shell becomes `end-orphans`, which ends every process with the executor's
 * mark. Starting an attempt costs nothing, and the server's own death needs no cooperation of the server.
 */
import { spawn } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Watchdog {
  readonly pid: number;
  /** The server ends in order and has ended its attempts itself. */
  dismiss(): void;
}

// `read` ends with a word when the server says goodbye, and without one when it died.
const script = 'if read word; then exit 0; fi; exec "$@"';

/** Watches over all processes that carry `mark` in their environment. A watchdog that is killed is replaced. */
export function startWatchdog(mark: string): Watchdog {
  const program = fileURLToPath(new URL(`./end-orphans${extname(import.meta.url)}`, import.meta.url));
  let dismissed = false;
  let current = launch();

  function launch(): ReturnType<typeof spawn> {
    const child = spawn('/bin/sh', ['-c', script, 'contender-watchdog', process.execPath, program, mark], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
      cwd: '/',
    });
    child.on('exit', () => {
      if (!dismissed) current = launch();
    });
    child.on('error', () => {});
    child.stdin?.on('error', () => {});
    // The server may end although the watchdog is there.
    child.unref();
    if (child.stdin !== null && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
    return child;
  }

  return {
    get pid() {
      return current.pid ?? 0;
    },
    dismiss() {
      dismissed = true;
      current.stdin?.end('done\n');
    },
  };
}
