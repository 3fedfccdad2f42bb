/** The fake keeps the contract of a real Kubernetes. */
import { KubeConfig } from '@kubernetes/client-node';
import { kubernetesApiKeepsItsContract } from '../contract/kubernetes-api.ts';
import { startFakeKubernetes } from '../support/kubernetes/fake-kubernetes.ts';
import { busyboxImage } from '../support/kubernetes/images.ts';

kubernetesApiKeepsItsContract('the fake', async () => {
  const fake = await startFakeKubernetes({ images: { 'busybox:local': busyboxImage } });
  const config = new KubeConfig();
  config.loadFromString(fake.kubeconfig);
  return { config, namespace: 'default', close: () => fake.close() };
});
