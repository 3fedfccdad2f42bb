/** `npm run test:images`: both images are built, and do what they are for. It takes root, Debian and the network, as build.ts says. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sayWithTime } from '../cluster/telling.ts';
import { waitUntil } from '../cluster/waiting.ts';
import { makeImages } from './build.ts';

const root = join(import.meta.dirname, '../..');
const images = await makeImages(sayWithTime());
const server = await images.configuration('server');
const runner = await images.configuration('runner');

/** A folder of this machine for the user of the images. */
function folderOfUser(name: string): string {
  const folder = join(images.folder, name);
  mkdirSync(folder);
  chownSync(folder, 1000, 1000);
  return folder;
}

/** What Docker runs to find out whether the server is well. */
const [kind, ...health] = server.Healthcheck.Test;

for (const target of ['server', 'runner'] as const)
  test(`${target} holds what was built, the packages of production, and nothing else`, async () => {
    const files = await images.files(target);
    const program = join(files, 'opt/contender');
    assert.deepEqual(readdirSync(program).toSorted(), ['LICENSE', 'dist', 'node_modules', 'package.json']);
    const lock: { readonly packages: Readonly<Record<string, { readonly dev?: true; readonly optional?: true }>> } =
      JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    const packages = Object.entries(lock.packages).filter(([path, { optional }]) => path !== '' && optional !== true);
    assert.deepEqual(
      packages.filter(([path, { dev }]) => existsSync(join(program, path)) === (dev === true)).map(([path]) => path),
      [],
    );
    assert.deepEqual(readdirSync(join(files, 'var/lib/apt/lists')), []);
    const folder = statSync(join(files, 'srv/contender'));
    assert.deepEqual([folder.uid, folder.gid], [1000, 1000]);
  });

test('their environment is the one of the Dockerfile: nothing of the machine that built them', () => {
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  assert.deepEqual(runner.Env, [path, 'NODE_ENV=production']);
  assert.deepEqual(server.Env, [path, 'NODE_ENV=production', 'NODE_OPTIONS=--max-semi-space-size=4']);
});

test('a new volume of the server belongs to its user alone', async () => {
  const state = statSync(join(await images.files('server'), 'srv/contender/.contender'));
  assert.deepEqual([state.uid, state.gid, state.mode & 0o777], [1000, 1000, 0o700]);
});

test('contender --help', async () => {
  const { status, output, errors } = await images.run('server', [...server.Entrypoint, '--help']);
  assert.deepEqual([status, errors], [0, '']);
  assert.match(output, /^Usage: contender /);
});

test('the first pipeline of a repository is written, committed with Git, compiled and run', async () => {
  const script = join(images.folder, 'first-pipeline.sh');
  const commit = 'git -c user.name=Ada -c user.email=ada@example.org commit --quiet --message "Add a first pipeline"';
  writeFileSync(
    script,
    [
      'set -e',
      'cd "$(mktemp -d)"',
      'git init --quiet',
      'contender init',
      'git add .',
      commit,
      'contender run hello',
    ].join('\n'),
  );
  const volumes = [`${script}:/first-pipeline.sh:ro`];
  const { status, output, errors } = await images.run('server', ['tini', '--', 'sh', '/first-pipeline.sh'], {
    volumes,
  });
  assert.equal(status, 0, errors);
  assert.match(output, /✓ success: All steps ended well/);
});

test('the server keeps its state on the volume, answers, is found healthy, and ends by SIGTERM', async (t) => {
  const repository = folderOfUser('repository');
  execFileSync('git', ['init', '--quiet', '--bare', repository]);
  const file = join(images.folder, 'contender.yaml');
  writeFileSync(file, 'server: { host: 0.0.0.0, port: 0, behindProxy: true }\nrepositories: [{ url: /repository }]\n');
  // The volume is the one of the image: buildah does not always put another over it.
  const served = images.run('server', [...server.Entrypoint, ...server.Cmd], {
    volumes: [`${repository}:/repository:ro`, `${file}:/srv/contender/contender.yaml:ro`],
    environment: { CONTENDER_API_TOKEN: 'a-token-for-this-test-alone' },
  });
  t.after(() => images.stop());
  assert.equal(kind, 'CMD');
  const healthy = async (): Promise<boolean> => (await images.execute(health)).status === 0;
  assert.equal(await Promise.race([served, waitUntil(60, healthy)]), true);
  const address = await images.execute(['cat', '.contender/server-address.json']);
  const { url } = JSON.parse(address.output) as { readonly url: string };
  const answer = await fetch(new URL('/healthz', url));
  assert.equal(((await answer.json()) as { readonly status: string }).status, 'ok');
  const journal = await images.execute(['stat', '--format=%u', '.contender/journal.sqlite']);
  assert.equal(journal.output, '1000\n', journal.errors);
  await images.stop();
  const { status, output, errors } = await served;
  assert.equal(status, 0, output + errors);
});

test('without a server it is not healthy', async () => {
  const { status } = await images.run('server', health);
  assert.equal(status, 1);
});

test('the agent says what it misses where nobody tells it of a server', async () => {
  const { status, output, errors } = await images.run('runner', [...runner.Entrypoint, ...runner.Cmd]);
  assert.deepEqual([status, output], [2, '']);
  assert.match(errors, /^CONTENDER_AGENT_URL is not set: this program is started by Contender, with what to do\n/);
});
