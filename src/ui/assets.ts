/**
 * What a page loads: one script, one style, one icon. Their names carry a hash of their bytes, so that browsers keep
 * them for good. In the published package they lie prebuilt beside this file; in development esbuild makes them once.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { AssetNames } from './page.ts';

export interface Asset {
  readonly name: string;
  readonly type: string;
  readonly bytes: Uint8Array;
  readonly gzipped: Uint8Array;
}

export interface Assets {
  readonly names: AssetNames;
  readonly byName: ReadonlyMap<string, Asset>;
}

interface AssetTexts {
  readonly script: string;
  readonly style: string;
}

const prebuilt = join(import.meta.dirname, 'prebuilt');
const types = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' } as const;

export async function buildAssets(): Promise<Assets> {
  const { script, style } = (await readPrebuilt()) ?? (await bundle());
  const [scriptAsset, styleAsset, iconAsset] = await Promise.all([
    assetOf('contender', 'js', script),
    assetOf('contender', 'css', style),
    assetOf('icon', 'svg', icon),
  ]);
  return {
    names: { script: scriptAsset.name, style: styleAsset.name, icon: iconAsset.name },
    byName: new Map([scriptAsset, styleAsset, iconAsset].map((asset) => [asset.name, asset])),
  };
}

/** For the build of the package: puts script and style where `buildAssets` finds them, under `<directory>/prebuilt`. */
export async function writePrebuiltAssets(directory: string): Promise<void> {
  const { script, style } = await bundle();
  const folder = join(directory, 'prebuilt');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'contender.js'), script);
  await writeFile(join(folder, 'contender.css'), style);
}

async function readPrebuilt(): Promise<AssetTexts | null> {
  try {
    const [script, style] = await Promise.all(
      ['contender.js', 'contender.css'].map((name) => readFile(join(prebuilt, name), 'utf8')),
    );
    return script === undefined || style === undefined ? null : { script, style };
  } catch {
    return null;
  }
}

async function bundle(): Promise<AssetTexts> {
  const { build } = await import('esbuild');
  const options = {
    bundle: true,
    minify: true,
    write: false,
    legalComments: 'none',
    logLevel: 'silent',
    target: 'es2022',
  } as const;
  const [script, style] = await Promise.all([
    build({ ...options, entryPoints: [join(import.meta.dirname, 'islands/main.ts')], format: 'esm' }),
    build({ ...options, entryPoints: [join(import.meta.dirname, 'style.css')] }),
  ]);
  return { script: script.outputFiles[0]?.text ?? '', style: style.outputFiles[0]?.text ?? '' };
}

async function assetOf(name: string, ending: keyof typeof types, text: string): Promise<Asset> {
  const bytes = Buffer.from(text);
  const hash = createHash('sha256').update(bytes).digest('base64url').slice(0, 12);
  return { name: `${name}-${hash}.${ending}`, type: types[ending], bytes, gzipped: await promisify(gzip)(bytes) };
}

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 22 22"><rect width="22" height="22" rx="6" fill="#3b4fd8"/><path d="M6.5 5v12" stroke="#fff" stroke-opacity=".55" stroke-width="1.8" stroke-linecap="round"/><path d="M9.5 11H18" stroke="#fff" stroke-width="1.8" stroke-linecap="round"/><circle cx="13.7" cy="11" r="3" fill="#fff"/></svg>`;
