/** `npm run build`: the package as it is published, in dist/: JavaScript, declarations, and the files that are read at run time. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writePrebuiltGuest } from '../src/compile/guest-bundle.ts';
import { writePrebuiltAssets } from '../src/ui/assets.ts';

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync('tsc', ['-p', 'tsconfig.build.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

/** Folders whose TypeScript is data (a user's repository), copied as it is. */
const copiedWhole = ['src/demo/repository', 'src/demo/changes'];

for (const entry of readdirSync('src', { recursive: true, withFileTypes: true })) {
  const path = join(entry.parentPath, entry.name);
  const whole = copiedWhole.some((folder) => path.startsWith(`${folder}/`));
  if (entry.isFile() && (whole || !/\.tsx?$/.test(entry.name))) cpSync(path, join('dist', path));
}
// What runs in the browser is bundled now, so that the package needs no sources for it.
await writePrebuiltAssets('dist/src/ui');
await writePrebuiltGuest('dist/src/compile');
chmodSync('dist/src/cli/bin.js', 0o755);
