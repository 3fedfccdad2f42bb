/** A Kubernetes executor as the contract of all executors wants it, at any cluster. */
import type { V1Pod } from '@kubernetes/client-node';
import { createApi } from '../../../src/executor/kubernetes/api.ts';
import type { ExecutorUnderTest } from '../../contract/executor.ts';
import { behaviourScripts, looksDefinition, looksFile, putIn } from '../behaviours.ts';
import { lookSpecOf, shell, specOf } from '../workshop.ts';
import { openHarbour, type HarbourOptions } from './harbour.ts';

export async function executorUnderTest(options: Omit<HarbourOptions, 'files'>): Promise<ExecutorUnderTest> {
  const harbour = await openHarbour({ ...options, files: { [looksFile]: looksDefinition } });
  const api = createApi(options.loadConfig);
  const path = `/api/v1/namespaces/${options.namespace}/pods`;
  const labelSelector = `contender.dev/instance=${harbour.instance},contender.dev/type=look`;
  return {
    ...harbour,
    outlives: true,
    spec: (behaviour) => specOf(shell(`echo "begun $CONTENDER_ATTEMPT_ID"; ${behaviourScripts[behaviour]}`)),
    lookSpec: (as) => lookSpecOf(looksFile, { as, tally: '' }),
    async looksAtWork() {
      const { items } = await api.request<{ items: V1Pod[] }>('GET', path, { query: { labelSelector } });
      return items.length;
    },
    put: putIn(harbour.source),
    async begun(attemptId) {
      return (await harbour.log(attemptId)).filter((line) => line === `begun ${attemptId}`).length;
    },
  };
}
