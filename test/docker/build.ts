/**
 * The Dockerfile's targets as images, without Docker and without a registry of images: Debian's buildah builds them on a
 * stand-in for the base that the Dockerfile names, which is Debian from its own packages, with the Node and npm of this
 * machine. Only that base is kept, in ~/.cache/contender-images.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { attempt, run, Trouble, type Ended } from '../cluster/command.ts';
import { find, installMissingPackages } from '../cluster/host-packages.ts';
import { assertRoot } from '../cluster/host.ts';

export type Target = 'server' | 'runner';

export interface Configuration {
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly User: string;
  readonly Healthcheck: { readonly Test: readonly string[] };
}

interface Options {
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const project = join(import.meta.dirname, '..', '..');
const node = join(project, 'node_modules', 'node', 'bin', 'node');
const [, reference = '', release = ''] =
  /^FROM (node:[\d.]+-(\w+)-slim) /m.exec(readFileSync(join(project, 'Dockerfile'), 'utf8')) ?? [];

/** All that is made of images and containers, below a folder that is gone when this process has ended. */
export async function makeImages(say: (text: string) => void) {
  assertRoot();
  say(await installMissingPackages({ buildah: 'buildah', mmdebstrap: 'mmdebstrap', runc: 'runc' }));
  const base = await makeBase(say);
  const folder = mkdtempSync(join(tmpdir(), 'contender-images-'));
  const own = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'runroot')];
  const runcRoot = join(folder, 'runc');
  removeAtExit(folder, own);

  const buildah = (command: string, ...words: readonly string[]): Promise<string> =>
    run('buildah', [command, ...own, ...words]);
  const from = async (target: Target): Promise<string> =>
    (await buildah('from', '--pull=never', `localhost/${target}`)).trim();

  const file = join(folder, 'Dockerfile');
  writeFileSync(file, `FROM scratch\nADD ${basename(base)} /\nCMD ["node"]\n`);
  await buildah('build', '--tag', `docker.io/library/${reference}`, '--file', file, dirname(base));
  const settings = await npmSettings(folder);
  for (const target of ['server', 'runner'] as const) {
    const words = ['--format', 'docker', '--pull=never', '--layers', '--isolation', 'chroot', '--network', 'host'];
    await buildah('build', ...words, ...settings, '--target', target, '--tag', `localhost/${target}`, project);
    say(`${target} is built`);
  }

  return {
    folder,

    async configuration(target: Target): Promise<Configuration> {
      const read = JSON.parse(await buildah('inspect', '--type', 'image', `localhost/${target}`)) as {
        readonly Docker: { readonly config: Configuration };
      };
      return read.Docker.config;
    },

    /** Its files, as a folder of this machine. */
    async files(target: Target): Promise<string> {
      return (await buildah('mount', await from(target))).trim();
    },

    /** The words in a container of their own, to their end: with the image's user, folder and environment, as process 1. */
    async run(
      target: Target,
      words: readonly string[],
      { volumes = [], environment = {} }: Options = {},
    ): Promise<Ended> {
      const isolation = ['--isolation', 'oci', '--runtime-flag', `root=${runcRoot}`, '--network', 'host'];
      const given = [
        ...volumes.flatMap((volume) => ['--volume', volume]),
        ...Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ];
      return attempt('buildah', ['run', ...own, ...isolation, ...given, await from(target), '--', ...words]);
    },

    /** The words beside those of the container that runs. */
    async execute(words: readonly string[]): Promise<Ended> {
      return attempt('runc', ['--root', runcRoot, 'exec', await running(runcRoot), ...words]);
    },

    /** SIGTERM for the container that runs, if one does. */
    async stop(): Promise<void> {
      await attempt('runc', ['--root', runcRoot, 'kill', await running(runcRoot), 'TERM']);
    },
  };
}

function removeAtExit(folder: string, own: readonly string[]): void {
  process.once('exit', () => {
    // What is mounted of containers goes with them.
    spawnSync('buildah', ['rm', ...own, '--all']);
    rmSync(folder, { recursive: true });
  });
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => process.exit(130));
}

async function running(runcRoot: string): Promise<string> {
  return (await attempt('runc', ['--root', runcRoot, 'list', '--quiet'])).output.trim();
}

/** As an archive: what the official image has of Debian's small set of packages, Node, npm and the user `node`. */
async function makeBase(say: (text: string) => void): Promise<string> {
  const folder = join(homedir(), '.cache', 'contender-images');
  const archive = join(folder, `${reference.replace(':', '-')}.tar`);
  if (existsSync(archive)) return archive;
  const npm = find('npm');
  if (!existsSync(node) || npm === null) throw new Trouble('node_modules has no Node 24: run `npm ci` first');
  say(`the base is made in ${archive}, from packages of Debian: a minute or two`);
  mkdirSync(folder, { recursive: true });
  const hooks = [
    'chroot "$1" useradd --uid 1000 --user-group --create-home node',
    'mkdir "$1/usr/local/lib/node_modules"',
    `copy-in ${node} /usr/local/bin`,
    `copy-in ${join(realpathSync(npm), '..', '..')} /usr/local/lib/node_modules`,
    'chroot "$1" ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm',
  ];
  const apt = ['Acquire::Languages "none"', 'Dir::Cache::pkgcache ""', 'Dir::Cache::srcpkgcache ""'];
  const dpkg = ['force-unsafe-io', ...['doc', 'man', 'locale'].map((name) => `path-exclude=/usr/share/${name}/*`)];
  await run('mmdebstrap', [
    '--variant=minbase',
    '--format=tar',
    '--quiet',
    ...apt.map((line) => `--aptopt=${line}`),
    ...dpkg.map((line) => `--dpkgopt=${line}`),
    ...hooks.map((hook) => `--customize-hook=${hook}`),
    release,
    `${archive}.new`,
  ]);
  renameSync(`${archive}.new`, archive);
  return archive;
}

/** The registry of this machine, whom it trusts, and what it has fetched already: mounted while images are built, and in none of them. */
async function npmSettings(folder: string): Promise<readonly string[]> {
  const asked = async (name: string): Promise<string> => (await run('npm', ['config', 'get', name])).trim();
  const [registry, authorities, cache] = [await asked('registry'), await asked('cafile'), await asked('cache')];
  const file = join(folder, 'npmrc');
  writeFileSync(file, `registry=${registry}\n`);
  const volumes = [`${file}:/root/.npmrc:ro`, `${cache}:/root/.npm`];
  if (authorities !== 'null') {
    // Under a name of its own: the package `ca-certificates` writes the usual one.
    writeFileSync(file, 'cafile=/root/authorities.crt\n', { flag: 'a' });
    cpSync(authorities, join(folder, 'authorities.crt'));
    volumes.push(`${join(folder, 'authorities.crt')}:/root/authorities.crt:ro`);
  }
  return volumes.flatMap((volume) => ['--volume', volume]);
}
