/** A Kubernetes executor as the contract of all executors wants it, at any cluster. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { V1Pod } from '@kubernetes/client-node';
import { createApi } from '../../../src/executor/kubernetes/api.ts';
import type { Behaviour, ExecutorUnderTest } from '../../contract/executor.ts';
import { lookSpecOf, shell, specOf } from '../workshop.ts';
import { openHarbour, type HarbourOptions } from './harbour.ts';

const scripts: Readonly<Record<Behaviour, string>> = {
  succeeds: 'true',
  fails: 'exit 1',
  'runs on': 'sleep 600',
  'ignores the warning': 'trap "" TERM; while :; do sleep 1; done',
};

const looks = `
import { pipeline, waitFor } from 'contender';

const loop = () => { for (;;); };
export default pipeline('looks', {}, () => {
  waitFor.until('looks', { input: { as: 'sees' }, run: ({ as }, { signal }) => {
    switch (as) {
      case 'sees': return { there: true };
      case 'sees nothing': return false;
      case 'fails': throw new Error('it broke');
      case 'looks on': return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('ended'))));
      default: return loop();
    }
  } });
});
`;

export async function executorUnderTest(options: Omit<HarbourOptions, 'files'>): Promise<ExecutorUnderTest> {
  const harbour = await openHarbour({ ...options, files: { '.pipelines/looks.ts': looks } });
  const api = createApi(options.loadConfig);
  const path = `/api/v1/namespaces/${options.namespace}/pods`;
  const labelSelector = `contender.dev/instance=${harbour.instance},contender.dev/type=look`;
  return {
    ...harbour,
    outlives: true,
    spec: (behaviour) => specOf(shell(`echo "begun $CONTENDER_ATTEMPT_ID"; ${scripts[behaviour]}`)),
    lookSpec: (as) => lookSpecOf('.pipelines/looks.ts', { as }),
    async looksAtWork() {
      const { items } = await api.request<{ items: V1Pod[] }>('GET', path, { query: { labelSelector } });
      return items.length;
    },
    async put(name, text) {
      await mkdir(dirname(join(harbour.source, name)), { recursive: true });
      await writeFile(join(harbour.source, name), text);
    },
    async begun(attemptId) {
      return (await harbour.log(attemptId)).filter((line) => line === `begun ${attemptId}`).length;
    },
  };
}
