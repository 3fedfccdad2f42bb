/** What a container is given: its environment and the words of its command. */
import assert from 'node:assert/strict';
import { create, isOver, podOf, untilPod, type Use } from './kubernetes-suite.ts';

const fieldOf = (name: string, fieldPath: string): object => ({ name, valueFrom: { fieldRef: { fieldPath } } });

export function environment(use: Use): void {
  use('a container knows its pod, and its command what was said before', async (given) => {
    const { api, namespace } = given;
    const env = [
      { name: 'A', value: 'a' },
      { name: 'B', value: '$(A)-$(C)-$$(A)' },
      { name: 'C', value: 'c' },
      fieldOf('POD', 'metadata.name'),
      fieldOf('SPACE', 'metadata.namespace'),
      fieldOf('UID', 'metadata.uid'),
      fieldOf('NODE', 'spec.nodeName'),
      fieldOf('HOST', 'status.hostIP'),
      fieldOf('LABEL', "metadata.labels['pod']"),
      fieldOf('NOTE', "metadata.annotations['example.com/note']"),
      fieldOf('NONE', "metadata.annotations['none']"),
    ] as { name: string }[];
    const script =
      'for name in A B C POD SPACE UID NODE HOST LABEL NOTE NONE HOSTNAME; do eval "echo $name=\\$$$name"; done; echo "$0 $@"';
    const command = ['sh', '-c', script, '$(POD)', '$(C)'];
    const pod = podOf('fields', { command, args: ['$(B)', '$(NOBODY)', '$$(A)', '$(', '$'], env });
    const annotations = { 'example.com/note': 'a note' };
    pod.metadata = { name: 'fields', labels: { pod: 'fields' }, annotations };
    await create(given, pod);
    const { metadata, spec, status } = await untilPod(given, 'fields', isOver);
    const log = await api.readNamespacedPodLog({ namespace, name: 'fields' });
    assert.deepEqual(log.trimEnd().split('\n'), [
      'A=a',
      'B=a-$(C)-$(A)',
      'C=c',
      'POD=fields',
      `SPACE=${namespace}`,
      `UID=${metadata?.uid}`,
      `NODE=${spec?.nodeName}`,
      `HOST=${status?.hostIP}`,
      'LABEL=fields',
      'NOTE=a note',
      'NONE=',
      'HOSTNAME=fields',
      'fields c a-$(C)-$(A) $(NOBODY) $(A) $( $',
    ]);
  });

  use('containers of a pod share a volume', async (given) => {
    const volumeMounts = [{ name: 'work', mountPath: '/shared-work' }];
    const first = { name: 'first', image: 'busybox:local', imagePullPolicy: 'Never', volumeMounts };
    const more = {
      volumes: [{ name: 'work', emptyDir: {} }],
      initContainers: [{ ...first, command: ['sh', '-c', 'echo found > /shared-work/note'] }],
    };
    await create(given, podOf('sharing', { command: ['sh', '-c', 'cat /shared-work/note'], volumeMounts }, more));
    await untilPod(given, 'sharing', isOver);
    const { api, namespace } = given;
    assert.equal(await api.readNamespacedPodLog({ namespace, name: 'sharing' }), 'found\n');
  });
}
