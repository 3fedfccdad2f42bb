import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import type { JsonObject } from '../../../src/std/json.ts';
import { mergedWords, withWords } from '../../../src/executor/kubernetes/pod-words.ts';

const unprivileged = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };

const own: V1Pod = {
  metadata: { name: 'c-1', labels: { 'contender.dev/step': 'train' } },
  spec: {
    restartPolicy: 'Never',
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    initContainers: [{ name: 'contender', image: 'runner', restartPolicy: 'Always' }],
    containers: [
      {
        name: 'main',
        image: 'runner',
        env: [{ name: 'CONTENDER_RUN_ID', value: 'r' }],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        volumeMounts: [{ name: 'contender', mountPath: '/contender' }],
      },
    ],
    volumes: [{ name: 'contender', emptyDir: {} }],
  },
};

test('each word stands where Kubernetes has it, beside what Contender says', () => {
  const pod = withWords(own, {
    image: 'registry.example/cuda:12',
    env: [{ name: 'TOKEN', valueFrom: { secretKeyRef: { name: 's', key: 't' } } }],
    resources: { limits: { 'nvidia.com/gpu': 1 } },
    volumeMounts: [{ name: 'models', mountPath: '/models' }],
    container: { securityContext: { capabilities: { add: ['IPC_LOCK'] } } },
    namespace: 'training',
    labels: { team: 'churn' },
    nodeSelector: { pool: 'gpu' },
    securityContext: { runAsUser: 1000 },
    volumes: [{ name: 'models', persistentVolumeClaim: { claimName: 'm' } }],
    initContainers: [{ name: 'warm', image: 'w' }],
    sidecars: [{ name: 'proxy', image: 'p' }],
  });
  assert.deepEqual(pod.metadata, { name: 'c-1', labels: { 'contender.dev/step': 'train', team: 'churn' } });
  assert.deepEqual(pod.spec, {
    restartPolicy: 'Never',
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' }, runAsUser: 1000 },
    initContainers: [
      { name: 'contender', image: 'runner', restartPolicy: 'Always' },
      { name: 'warm', image: 'w', securityContext: unprivileged },
      { name: 'proxy', image: 'p', restartPolicy: 'Always', securityContext: unprivileged },
    ],
    containers: [
      {
        name: 'main',
        image: 'registry.example/cuda:12',
        env: [
          { name: 'CONTENDER_RUN_ID', value: 'r' },
          { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 's', key: 't' } } },
        ],
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: ['IPC_LOCK'] } },
        volumeMounts: [
          { name: 'contender', mountPath: '/contender' },
          { name: 'models', mountPath: '/models' },
        ],
        resources: { limits: { 'nvidia.com/gpu': 1 } },
      },
    ],
    volumes: [
      { name: 'contender', emptyDir: {} },
      { name: 'models', persistentVolumeClaim: { claimName: 'm' } },
    ],
    nodeSelector: { pool: 'gpu' },
  });
});

test('what runs before and beside a step has no privileges, unless it says so', () => {
  const contextOf = (securityContext: JsonObject): unknown =>
    withWords(own, { sidecars: [{ name: 'proxy', image: 'p', securityContext }] }).spec?.initContainers?.[1]
      ?.securityContext;
  assert.deepEqual(contextOf({ runAsUser: 1000 }), { ...unprivileged, runAsUser: 1000 });
  assert.deepEqual(contextOf({ capabilities: { add: ['NET_ADMIN'] } }), {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
  });
  assert.deepEqual(contextOf({ allowPrivilegeEscalation: true, capabilities: { drop: [] } }), {
    allowPrivilegeEscalation: true,
    capabilities: { drop: [] },
  });
  assert.deepEqual(contextOf({ privileged: true }), { privileged: true });
});

test('an init container and a sidecar of one name, of two who say something of the pod, are refused', () => {
  const wide = { initContainers: [{ name: 'proxy', image: 'a' }] };
  assert.throws(() => withWords(own, mergedWords(wide, { sidecars: [{ name: 'proxy', image: 'b' }] })), {
    failure: 'invalid',
    message: /^two containers of its pod are called "proxy".* of its own/,
  });
  assert.equal(withWords(own, mergedWords(wide, wide)).spec?.initContainers?.length, 2);
});

test('a null of a step takes away what the configuration says, and one of a patch what Contender says', () => {
  const wider = {
    image: 'registry.example/runner:1',
    nodeSelector: { pool: 'small', zone: 'a' },
    priorityClassName: 'batch',
  };
  const words = mergedWords(wider, {
    image: null,
    nodeSelector: { pool: 'large', zone: null },
    patch: { spec: { securityContext: { runAsNonRoot: null }, hostNetwork: true } },
  });
  const pod = withWords(own, words);
  assert.equal(pod.spec?.containers[0]?.image, 'runner');
  assert.deepEqual(pod.spec?.nodeSelector, { pool: 'large' });
  assert.equal(pod.spec?.priorityClassName, 'batch');
  assert.deepEqual(pod.spec?.securityContext, { seccompProfile: { type: 'RuntimeDefault' } });
  assert.equal(pod.spec?.hostNetwork, true);
});

test('who says nothing changes nothing', () => {
  assert.deepEqual(withWords(own, mergedWords({}, {})), own);
});
