/** The pod of an attempt once more, in which nothing runs until somebody comes: the same image, resources, node, volumes. */
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { agentFolder, secretsFolder } from '../agent/places.ts';
import { scriptIn } from '../debug/layout.ts';
import { mainContainer } from './pod-end.ts';
import { helperContainer, podLabels, podOf, type PodContent, type PodSettings } from './pod.ts';

/** Another instance than any server's, which removes what it does not know of its own. */
const instance = 'debug';
/** A file of variables, in memory. */
export const secretVariables = `${secretsFolder}/.variables`;

/** It ends by itself after so many seconds. */
export function debugPod(content: Omit<PodContent, 'token'>, seconds: number, settings: PodSettings): V1Pod {
  const pod = podOf({ ...content, token: '' }, { ...settings, instance });
  const { spec, metadata } = pod;
  const main = spec?.containers.find(({ name }) => name === mainContainer);
  if (spec === undefined || metadata === undefined || main === undefined) throw new Error('a pod has a main container');
  metadata.labels = { ...metadata.labels, [podLabels.type]: 'debug' };
  spec.activeDeadlineSeconds = seconds;
  spec.terminationGracePeriodSeconds = 2;
  if (content.container === null) {
    holdAgent(main, seconds);
    spec.volumes = [...(spec.volumes ?? []), { name: secretsVolume, emptyDir: { medium: 'Memory' } }];
    main.volumeMounts = [...(main.volumeMounts ?? []), { name: secretsVolume, mountPath: secretsFolder }];
    return pod;
  }
  const helper = spec.initContainers?.find(({ name }) => name === helperContainer);
  if (helper !== undefined) holdAgent(helper, seconds);
  main.command = ['sh', '-c', `trap 'exit 0' TERM; sleep ${seconds} & wait`];
  delete main.args;
  main.env = [...(main.env ?? []), ...Object.entries(scriptIn(agentFolder)).map(([name, value]) => ({ name, value }))];
  return pod;
}

const secretsVolume = 'contender-secrets';

function holdAgent(container: V1Container, seconds: number): void {
  const own = (container.env ?? []).filter(({ name }) => !name.startsWith('CONTENDER_AGENT_'));
  container.env = [...own, { name: 'CONTENDER_AGENT_HOLD', value: String(seconds) }];
}
