/**
 * Where the server of a folder is to be found by the commands beside it: `server-address.json`, readable by its owner
 * alone, written when the server listens and removed when it stops. A file that outlived its server names another
 * process than the holder of the folder's lock, and counts for nothing.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

const fileName = 'server-address.json';

const addressSchema = z.object({ url: z.url(), pid: z.number(), host: z.string() });
const holderSchema = z.object({ pid: z.number(), host: z.string() });

export async function writeServerAddress(directory: string, url: string): Promise<void> {
  const path = join(directory, fileName);
  const unfinished = `${path}.unfinished`;
  await rm(unfinished, { force: true });
  await writeFile(unfinished, `${JSON.stringify({ url, pid: process.pid, host: hostname() })}\n`, { mode: 0o600 });
  await rename(unfinished, path);
}

export async function removeServerAddress(directory: string): Promise<void> {
  await rm(join(directory, fileName), { force: true });
}

/** Null where what holds the folder is not a server that listens. */
export async function readServerAddress(directory: string): Promise<string | null> {
  const address = addressSchema.safeParse(await readJson(join(directory, fileName)));
  const holder = holderSchema.safeParse(await readJson(join(directory, 'server.json')));
  if (!address.success || !holder.success) return null;
  const same = address.data.pid === holder.data.pid && address.data.host === holder.data.host;
  return same ? address.data.url : null;
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return null;
  }
}
