/** `npm run cluster -- up`: from nothing, or from whatever is there already, to a node that takes pods. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificates } from './certificates.ts';
import { attempt, Trouble } from './command.ts';
import { buildComponents } from './components.ts';
import { writeConfiguration } from './configuration.ts';
import { daemonsOf, etcdHealth, kubeletHealth, type Daemon } from './daemons.ts';
import { installMissingPackages, ofCluster } from './host-packages.ts';
import { prepareHost } from './host.ts';
import {
  busyboxReference,
  importBusybox,
  importPause,
  importShellLess,
  pauseReference,
  shellLessReference,
} from './images/base-images.ts';
import { addressed, hasImage } from './images/image.ts';
import { importRunner, runnerReference } from './images/runner-image.ts';
import { kubectl } from './kubectl.ts';
import { nodeName, type Layout } from './layout.ts';
import { assertPortsFree } from './ports.ts';
import { assertAlive, pidOf, start } from './processes.ts';
import { waitUntil } from './waiting.ts';

export async function up(layout: Layout, say: (text: string) => void): Promise<void> {
  for (const folder of [layout.run, layout.log, layout.data]) mkdirSync(folder, { recursive: true });
  say(await installMissingPackages(ofCluster));
  say(await buildComponents(layout, say));
  await makeCertificates(layout);
  writeConfiguration(layout);
  say('certificates and configuration are written');
  const daemons = daemonsOf(layout);
  await assertPortsFree(Object.values(daemons).filter(({ name }) => pidOf(layout, name) === null));
  await prepareHost(layout);
  await startAll(layout, daemons, say);
  say(`the cluster is up: export KUBECONFIG=${layout.kubeconfig}`);
}

async function startAll(
  layout: Layout,
  daemons: ReturnType<typeof daemonsOf>,
  say: (text: string) => void,
): Promise<void> {
  const started: string[] = [];
  const begin = async (daemon: Daemon): Promise<void> => {
    await start(layout, daemon);
    started.push(daemon.name);
  };
  /** Two minutes are for a machine with other work; nothing here takes ten seconds on a quiet one. */
  const ready = async (what: string, fact: () => Promise<boolean>): Promise<void> => {
    const found = await waitUntil(120, async () => {
      assertAlive(layout, started);
      return fact();
    });
    if (!found) throw new Trouble(`${what}: not so after two minutes; the logs in ${layout.log} may say why`);
    say(what);
  };
  const answers = async (...words: readonly string[]): Promise<boolean> => (await kubectl(layout, words)).status === 0;

  await begin(daemons.etcd);
  await begin(daemons.containerd);
  await ready('etcd answers', () => isWell(etcdHealth));
  await begin(daemons.apiServer);
  await ready('containerd answers', async () => (await attempt('ctr', [...addressed(layout), 'version'])).status === 0);
  await importMissing(layout, say);
  await ready('the API server is ready', () => answers('get', '--raw', '/readyz'));
  for (const daemon of [daemons.controllerManager, daemons.scheduler, daemons.kubelet, daemons.proxy])
    await begin(daemon);
  await ready('the kubelet is well', () => isWell(kubeletHealth));
  await ready('the node is ready', () => isNodeReady(layout));
  await ready('pods have an account', () => answers('--namespace=default', 'get', 'serviceaccount', 'default'));
  assertAlive(layout, started);
}

async function importMissing(layout: Layout, say: (text: string) => void): Promise<void> {
  const images = [
    { reference: pauseReference, make: importPause },
    { reference: busyboxReference, make: importBusybox },
    { reference: shellLessReference, make: importShellLess },
    { reference: runnerReference, make: importRunner },
  ];
  for (const { reference, make } of images) if (!(await hasImage(layout, reference))) await make(layout);
  say('containerd has the images');
}

async function isWell(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

async function isNodeReady(layout: Layout): Promise<boolean> {
  const path = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}';
  return (await kubectl(layout, ['get', 'node', nodeName, '-o', path])).output === 'True';
}

/** `npm run cluster -- image`: the runner's image from the code as it is now. */
export async function remakeRunner(layout: Layout, say: (text: string) => void): Promise<void> {
  if (pidOf(layout, 'containerd') === null)
    throw new Trouble('the cluster is down: `npm run cluster -- up` makes the image too');
  await importRunner(layout);
  say(`${runnerReference} is made from ${join(import.meta.dirname, '..', '..')}`);
}
