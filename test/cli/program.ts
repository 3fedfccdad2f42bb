/** The program as the tests start it: of the sources as they stand, bundled once for all test files. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bundleProgram } from '../../scripts/program.ts';

const root = join(import.meta.dirname, '../..');
const bundles = join(root, 'node_modules/.cache/program');
/** What tests change in a server before it begins, for die-at-write.ts. */
const patched = ['journal/sqlite-driver.ts', 'journal/postgres-driver.ts'];
/** What it waits for is a process, which is as slow as ever where fast-time.mjs has the time run faster. */
const compiler = join(root, 'src/compile/');
/** Older ones than that are of no run of the tests that still goes on. */
const oldMs = 24 * 60 * 60_000;

/** The path of the program. Made where these sources have none yet; test files that make it at once get one of the same. */
export async function bundledProgram(): Promise<string> {
  const folder = join(bundles, digestOfSources());
  const program = join(folder, 'bin.js');
  if (existsSync(program)) return program;
  mkdirSync(bundles, { recursive: true });
  const unfinished = mkdtempSync(join(bundles, 'unfinished-'));
  await bundleProgram({
    entries: ['cli/bin.ts', ...patched].map((path) => join(root, 'src', path)),
    folder: unfinished,
    urlOf: (path) => JSON.stringify(pathToFileURL(path).href),
    prologueOf: (path) => (path.startsWith(compiler) ? "import { setTimeout } from 'node:timers';" : ''),
  });
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    if (!existsSync(program)) throw error;
    rmSync(unfinished, { recursive: true });
  }
  for (const name of readdirSync(bundles)) {
    const path = join(bundles, name);
    // Others may be renaming and removing theirs.
    const found = statSync(path, { throwIfNoEntry: false });
    if (found !== undefined && found.mtimeMs < Date.now() - oldMs) rmSync(path, { recursive: true, force: true });
  }
  return program;
}

/** Of all that the bundle comes from, and what makes it. */
function digestOfSources(): string {
  const hash = createHash('sha256');
  const sources = ['src', 'runner'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, withFileTypes: true }),
  );
  const read = sources.filter((entry) => entry.isFile() && /\.(ts|json)$/.test(entry.name));
  const makers = ['scripts/program.ts', 'test/cli/program.ts', 'package-lock.json'].map((path) => join(root, path));
  for (const path of [...read.map((entry) => join(entry.parentPath, entry.name)), ...makers])
    hash.update(`${path}\0`).update(readFileSync(path));
  return hash.digest('hex');
}
