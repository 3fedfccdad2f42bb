/**
 * The packages of peers, each peer's in a folder of its own outside of the repository's packages: in `CONTENDER_PEERS`,
 * or in `bench/peers/.cache`. What is there in these versions is not installed again.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { unreachable } from '../../src/std/unreachable.ts';
import type { Peer } from './peer.ts';

const run = promisify(execFile);

/** Installs Python's packages in a tenth of pip's time. */
const uvVersion = '0.13.8';
const installMaxMs = 900_000;

/** The folder of the peer's packages, complete. */
export async function installPeer(peer: Peer): Promise<string> {
  const folder = join(resolve(process.env['CONTENDER_PEERS'] ?? join(import.meta.dirname, '.cache')), peer.name);
  const record = join(folder, 'installed.json');
  const wanted = JSON.stringify(peer.packages);
  if (existsSync(record) && readFileSync(record, 'utf8') === wanted) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await installInto(folder, peer);
  writeFileSync(record, wanted);
  return folder;
}

export function pythonOf(installed: string): string {
  return join(installed, 'bin', 'python');
}

async function installInto(folder: string, { registry, packages }: Peer): Promise<void> {
  const options = { cwd: folder, timeout: installMaxMs, maxBuffer: 2 ** 26 };
  switch (registry) {
    case 'npm': {
      writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: packages }));
      await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], options);
      return;
    }
    case 'PyPI': {
      await run('python3', ['-m', 'venv', folder], options);
      await run(pythonOf(folder), ['-m', 'pip', 'install', '--quiet', `uv==${uvVersion}`], options);
      const wanted = Object.entries(packages).map(([name, version]) => `${name}==${version}`);
      await run(
        join(folder, 'bin', 'uv'),
        ['pip', 'install', '--quiet', '--python', pythonOf(folder), ...wanted],
        options,
      );
      return;
    }
    default:
      return unreachable(registry);
  }
}
