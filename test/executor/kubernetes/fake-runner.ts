/** A fake cluster that has the runner's image, which is this repository, and an executor's settings for it. */
import { join } from 'node:path';
import { startFakeKubernetes, type FakeKubernetes } from '../../support/kubernetes/fake-kubernetes.ts';
import { busyboxImage, type Image } from '../../support/kubernetes/images.ts';
import type { HarbourOptions } from './harbour.ts';

const agent = join(import.meta.dirname, '..', '..', '..', 'runner', 'agent.ts');

const runnerImage: Image = (_container, { paths }) => ({
  command: ['env', `CONTENDER_AGENT_DIRECTORY=${paths.get('/contender') ?? ''}`, process.execPath, agent],
});

export function startClusterWithRunner(namespaces: readonly string[] = ['default']): Promise<FakeKubernetes> {
  return startFakeKubernetes({ images: { 'runner:local': runnerImage, 'busybox:local': busyboxImage }, namespaces });
}

export function settingsFor(fake: FakeKubernetes): Omit<HarbourOptions, 'files'> {
  return {
    loadConfig(client) {
      const config = new client.KubeConfig();
      config.loadFromString(fake.kubeconfig);
      return config;
    },
    namespace: 'default',
    image: 'runner:local',
    listen: { host: '127.0.0.1', seenAs: '127.0.0.1' },
  };
}
