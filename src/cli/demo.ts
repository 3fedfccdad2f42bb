/** `contender demo`. */
import { createRequire } from 'node:module';
import { runDemo } from '../demo/demo.ts';
import type { Narrator } from '../demo/story.ts';
import { formatDuration } from '../std/duration.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { statusOfSignal } from './interruption.ts';
import { harmless, markOf, paint } from './terminal.ts';

export async function demo(options: {
  readonly once: boolean;
  readonly port: number;
  readonly folder: string | null;
}): Promise<ExitStatus> {
  const startedAt = performance.now();
  const validate = hasSchemaChecker();
  if (!validate)
    say(paint('gray', 'Calls are not held to GitHub’s schema here: that needs a clone of the repository.'));
  const interrupted = firstSignal();
  const told = await runDemo({
    interrupted,
    folder: options.folder,
    port: options.port,
    validate,
    narrator,
    async afterwards(stage) {
      const took = formatDuration(performance.now() - startedAt);
      say(`\nTold in ${took}.`);
      if (options.once) return;
      const left = options.folder === null ? 'removes everything' : `leaves everything in ${stage.folder}`;
      say(`The server stays up for a look: ${paint('cyan', stage.serverUrl)}. Ctrl-C ends it and ${left}.`);
      await interrupted;
    },
  });
  if (typeof told === 'string') return statusOfSignal(told);
  if (told > 0) process.stderr.write(`${told} ${told === 1 ? 'chapter' : 'chapters'} of the story went wrong.\n`);
  return told === 0 ? exitStatus.success : exitStatus.failed;
}

function firstSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  process.once('SIGINT', resolve).once('SIGTERM', resolve);
  return promise;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

const narrator: Narrator = {
  chapter: (title) => say(`\n${paint('bold', title)}`),
  fact: (text) => say(`  ${markOf('success')} ${harmless(text)}`),
  link: (label, url) => say(`    ${paint('gray', `${label}:`)} ${paint('cyan', url)}`),
  wrong: (text) => say(`  ${markOf('failed')} ${harmless(text)}`),
};

/** ajv is a dependency of development: a clone has it, an installed package has not. */
function hasSchemaChecker(): boolean {
  try {
    createRequire(import.meta.url).resolve('ajv');
    return true;
  } catch {
    return false;
  }
}
