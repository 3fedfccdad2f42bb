/** What the product relies on in the API of Kubernetes. */
import { after, before, describe, test } from 'node:test';
import { CoreV1Api } from '@kubernetes/client-node';
import { access, quotas } from './kubernetes-access.ts';
import { configuration } from './kubernetes-configuration.ts';
import { deletions } from './kubernetes-deletion.ts';
import { environment } from './kubernetes-environment.ts';
import { ends, several } from './kubernetes-life.ts';
import { logs } from './kubernetes-logs.ts';
import { refusals } from './kubernetes-refusals.ts';
import type { Given, KubernetesUnderTest, Use } from './kubernetes-suite.ts';
import { events, waits } from './kubernetes-waits.ts';
import { lists, watches } from './kubernetes-watch.ts';

export function kubernetesApiKeepsItsContract(name: string, create: () => Promise<KubernetesUnderTest>): void {
  describe(`the API of ${name}`, () => {
    let under: KubernetesUnderTest;
    let given: Given;
    before(async () => {
      under = await create();
      const { config, namespace } = under;
      given = { config, namespace, api: config.makeApiClient(CoreV1Api) };
    });
    after(() => under.close());
    const use: Use = (title, body) => {
      test(title, () => body(given));
    };
    // Pods take their time, and each test has its own.
    describe('with pods', { concurrency: 8 }, () => {
      refusals(use);
      access(use);
      ends(use);
      several(use);
      waits(use);
      events(use);
      environment(use);
      configuration(use);
      deletions(use);
      logs(use);
      lists(use);
      watches(use);
    });
    // A quota is for all of them.
    describe('with a quota', () => quotas(use));
  });
}
