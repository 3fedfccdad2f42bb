/** A fake Kubernetes for one test, and the client of it. */
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import type { Given } from '../contract/kubernetes-suite.ts';
import { startFakeKubernetes, type FakeKubernetes } from '../support/kubernetes/fake-kubernetes.ts';
import { busyboxImage } from '../support/kubernetes/images.ts';

export interface FakeGiven extends Given {
  readonly fake: FakeKubernetes;
}

export async function withFake(body: (given: FakeGiven) => Promise<void>): Promise<void> {
  const fake = await startFakeKubernetes({ images: { 'busybox:local': busyboxImage } });
  const config = new KubeConfig();
  config.loadFromString(fake.kubeconfig);
  try {
    await body({ fake, config, namespace: 'default', api: config.makeApiClient(CoreV1Api) });
  } finally {
    await fake.close();
  }
}
