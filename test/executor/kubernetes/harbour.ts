/** The Kubernetes executor with its desk, its server for agents on loopback and stores in a temporary folder. */
import { join } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import type { KeepRule } from '../../../src/executor/kubernetes/kept-pods.ts';
import { openNamespaces } from '../../../src/executor/kubernetes/namespaces.ts';
import { Pods, type PodsOptions } from '../../../src/executor/kubernetes/pods.ts';
import type { JsonObject } from '../../../src/std/json.ts';
import { openHarbour as open, type Harbour, type HarbourOptions as Options } from '../harbour.ts';

export type { Harbour } from '../harbour.ts';

export interface HarbourOptions extends Omit<Options, 'openPlacing'> {
  readonly loadConfig: (client: typeof import('@kubernetes/client-node')) => KubeConfig;
  readonly namespace: string;
  readonly image: string;
  /** `Never`, unless given. */
  readonly imagePullPolicy?: string;
  readonly startMs?: number;
  readonly imageMs?: number;
  /** Until an agent that says nothing is given up. */
  readonly lostMs?: number;
  readonly every?: PodsOptions['every'];
  /** Of a log that does not come. */
  readonly logPatienceMs?: number;
  readonly keep?: KeepRule;
  readonly lastPatienceMs?: number;
  /** What the configuration says of all pods. */
  readonly pod?: JsonObject;
}

export function openHarbour({
  loadConfig,
  namespace,
  image,
  imagePullPolicy = 'Never',
  startMs,
  imageMs,
  lostMs,
  every,
  logPatienceMs,
  lastPatienceMs,
  pod = {},
  keep = { onFinishAction: 'delete_pod', ttlAfterFinishedMs: 60_000 },
  ...rest
}: HarbourOptions): Promise<Harbour> {
  return open({
    ...rest,
    openPlacing: ({ instance, agentUrl, folder, ...parts }) =>
      new Pods({
        ...parts,
        settings: {
          instance,
          namespace,
          image,
          imagePullPolicy,
          imagePullSecrets: [],
          agentUrl,
          serviceAccountName: null,
          helperResources: null,
          pod,
          repositoryPods: new Map(),
        },
        keep,
        namespaces: openNamespaces(join(folder, 'namespaces.json')),
        loadConfig,
        startMs,
        imageMs,
        lostMs,
        every,
        logPatienceMs,
        lastPatienceMs,
      }),
  });
}
