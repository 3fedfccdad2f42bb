/** `contender demo`. */
import { createRequire } from 'node:module';
import { runDemo } from '../demo/demo.ts';
import { isUnderNohup } from '../demo/nohup.ts';
import type { Narrator } from '../demo/story.ts';
import { formatDuration } from '../std/duration.ts';
import { exitStatus, type ExitStatus } from './exit-status.ts';
import { statusOfSignal } from './interruption.ts';
import { outliveReader } from './output.ts';
import { harmless, markOf, paint } from './terminal.ts';

export async function demo(options: {
  readonly once: boolean;
  readonly port: number;
  readonly folder: string | null;
}): Promise<ExitStatus> {
  const startedAt = performance.now();
  // All that the demo and its server speak to is on this machine, whatever proxy there is for the rest of the world.
  process.env['no_proxy'] = '127.0.0.1';
  const validate = hasSchemaChecker();
  if (!validate) say(paint('gray', 'Calls are not held to GitHub’s schema here: that needs a clone of Contender.'));
  const interrupted = firstSignal();
  let hasDied = false;
  const told = await runDemo({
    interrupted,
    folder: options.folder,
    port: options.port,
    validate,
    narrator,
    async afterwards(stage) {
      const took = formatDuration(performance.now() - startedAt);
      say(`\nTold in ${took}, of at most a minute.`);
      if (options.once) return;
      const left = options.folder === null ? 'removes everything' : `leaves everything in ${stage.folder}`;
      say(`The server stays up for a look: ${paint('cyan', stage.serverUrl)}. Ctrl-C ends it and ${left}.`);
      const death = await Promise.race([interrupted.then(() => null), stage.serverDied]);
      if (death === null) return;
      hasDied = true;
      process.stderr.write(`${harmless(death)}\n`);
    },
  });
  if (typeof told === 'string') return statusOfSignal(told);
  if (told > 0) process.stderr.write(`${told} ${told === 1 ? 'chapter' : 'chapters'} of the story went wrong.\n`);
  return told === 0 && !hasDied ? exitStatus.success : exitStatus.failed;
}

/** Also where the terminal is closed, and where whoever read the story went away: what the stage took is given back. */
function firstSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  process.once('SIGINT', resolve).once('SIGTERM', resolve);
  if (!isUnderNohup()) process.once('SIGHUP', resolve);
  outliveReader();
  process.stdout.once('error', () => resolve('SIGPIPE'));
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

/** A clone has them; with an installed package they are there only where npm put what fastify needs beside it. */
function hasSchemaChecker(): boolean {
  const { resolve } = createRequire(import.meta.url);
  try {
    for (const name of ['ajv', 'ajv-formats']) resolve(name);
    return true;
  } catch {
    return false;
  }
}
