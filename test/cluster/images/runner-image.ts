/**
 * `contender-runner:local`, the image in which attempts run: busybox, Node 24 with the libraries that it names, the
 * packages of production, and the built project in /app. One layer each, from the one that never changes to the one that
 * always does, so that after a change of the code a few megabytes are made anew.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { attempt, linesOf, run, Trouble } from '../command.ts';
import type { Layout } from '../layout.ts';
import { systemLayer, user } from './base-images.ts';
import { importImage, searchPath } from './image.ts';
import { makeLayer, type Layer } from './layer.ts';

export const runnerReference = 'docker.io/library/contender-runner:local';

const project = join(import.meta.dirname, '..', '..', '..');
const node = join(project, 'node_modules', 'node', 'bin', 'node');
/** Whoever owns the files here, in the image they are root's, for all to read. */
const asRoot = ['--owner=0', '--group=0', '--mode=a+rX,go-w'];
const intoApp = ['--transform=s,^,app/,', `--directory=${project}`];

export async function importRunner(layout: Layout): Promise<void> {
  if (!existsSync(node)) throw new Trouble('node_modules has no Node 24: run `npm ci` first');
  await buildChanged();
  const { images } = layout;
  await importImage(layout, {
    reference: runnerReference,
    layers: [await systemLayer(layout), await nodeLayer(images), await packagesLayer(images), await appLayer(images)],
    entrypoint: ['node', '/app/dist/runner/agent.js'],
    command: [],
    user: `${user.id}:${user.id}`,
    folder: user.home,
    environment: [searchPath, `HOME=${user.home}`],
  });
}

async function buildChanged(): Promise<void> {
  const built = join(project, 'dist', 'src', 'cli', 'bin.js');
  const builtAt = existsSync(built) ? statSync(built).mtimeMs : 0;
  const sources = globSync(['src/**', 'runner/**', 'package.json'], { cwd: project });
  // A file that is removed changes its folder, which is among them.
  if (sources.some((path) => statSync(join(project, path)).mtimeMs > builtAt))
    await run('npm', ['run', '-s', 'build'], { folder: project });
}

async function nodeLayer(images: string): Promise<Layer> {
  const { size, mtimeMs } = statSync(node);
  const libraries = (await linesOf('ldd', [node])).flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
  const place = `s,^${node.slice(1)}$,usr/local/bin/node,`;
  return makeLayer(images, 'node', `${node} ${size} ${mtimeMs}`, [
    ...asRoot,
    '--dereference',
    '--hard-dereference',
    `--transform=${place}`,
    '--directory=/',
    ...[node, ...libraries].map((path) => path.slice(1)),
  ]);
}

/** What nobody reads at run time, and is a third of the bytes. */
const leftOut = ['*.d.ts', '*.d.mts', '*.d.cts', '*.map', '*.md'];

async function packagesLayer(images: string): Promise<Layer> {
  const lock = createHash('sha256')
    .update(readFileSync(join(project, 'package-lock.json')))
    .digest('hex');
  const { output } = await attempt('npm', ['ls', '--omit=dev', '--all', '--parseable'], { folder: project });
  const paths = output.split('\n').map((path) => relative(project, path));
  // A package that stands below another comes with it.
  const packages = paths.filter((path) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path));
  return makeLayer(images, 'packages', lock, [
    ...asRoot,
    ...leftOut.map((pattern) => `--exclude=${pattern}`),
    ...intoApp,
    ...new Set(packages),
  ]);
}

function appLayer(images: string): Promise<Layer> {
  const built = statSync(join(project, 'dist', 'src', 'cli', 'bin.js')).mtimeMs;
  return makeLayer(images, 'app', `${project} ${built}`, [
    ...asRoot,
    '--exclude=*.d.ts',
    ...intoApp,
    'dist',
    'package.json',
  ]);
}
