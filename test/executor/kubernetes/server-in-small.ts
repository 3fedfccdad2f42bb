/**
 * A server in small, for its memory to be measured: its executor at the cluster of a kubeconfig, told by its parent how many
 * attempts to start, and asked how they stand.
 */
import { command, specOf } from '../workshop.ts';
import { openHarbour } from './harbour.ts';

export type Word =
  | { readonly type: 'start'; readonly count: number }
  | { readonly type: 'ask' }
  | { readonly type: 'end' };

export interface Standing {
  /** Ids of attempts that have ended, one for each report, and of those among them that have succeeded. */
  readonly ended: readonly string[];
  readonly succeeded: number;
  readonly running: number;
  /** Of the heap and the buffers, when it was swept. */
  readonly bytes: number;
  readonly troubles: readonly string[];
}

const harbour = await openHarbour({
  loadConfig(client) {
    const config = new client.KubeConfig();
    config.loadFromString(process.argv[2] ?? '');
    return config;
  },
  namespace: 'default',
  image: 'runner:local',
  listen: { host: '127.0.0.1', seenAs: '127.0.0.1' },
  slots: 5000,
});

function standing(): Standing {
  globalThis.gc?.();
  const finished = harbour.reports.flatMap((word) => (word.type === 'finished' ? [word] : []));
  const { heapUsed, external } = process.memoryUsage();
  return {
    ended: finished.map(({ attemptId }) => attemptId),
    succeeded: finished.filter(({ outcome }) => outcome.kind === 'succeeded').length,
    running: harbour.reports.filter(({ type }) => type === 'running').length,
    bytes: heapUsed + external,
    troubles: harbour.troubles,
  };
}

process.on('message', (word: Word) => {
  if (word.type === 'start')
    for (let count = 0; count < word.count; count += 1) void harbour.executor.start(specOf(command('true')));
  else if (word.type === 'ask') process.send?.(standing());
  else void harbour.close().then(() => process.disconnect());
});
process.send?.(standing());
