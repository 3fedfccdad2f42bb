/** What an installation says of its pods, for tests that only look at them. */
import type { PodSettings } from '../../../src/executor/kubernetes/pod.ts';

export const podSettings: PodSettings = {
  instance: 'abcdefghijkl',
  namespace: 'ml',
  image: 'registry.example/runner:1',
  imagePullPolicy: null,
  imagePullSecrets: [],
  agentUrl: 'http://contender.ml:8081',
  serviceAccountName: null,
  helperResources: null,
  pod: {},
  repositoryPods: new Map(),
};
