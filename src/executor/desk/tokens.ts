/**
 * Tokens of agents: what they are for, and a MAC over that. Nothing is kept of them, so a server that comes after knows
 * those that the one before it gave; whether the attempt is still carried out is looked up each time.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrorCode } from '../../std/error-message.ts';

/** Of one attempt or look: `agent` null for the one that an agent is started with. */
export interface TokenMeaning {
  readonly id: string;
  readonly agent: string | null;
}

export interface Tokens {
  make(meaning: TokenMeaning): string;
  /** Null for what this key did not make. */
  read(token: string): TokenMeaning | null;
}

const tokenLengthMax = 2048;

export function createTokens(key: Uint8Array): Tokens {
  const macOf = (payload: string): Buffer => createHmac('sha256', key).update(payload).digest();
  return {
    make({ id, agent }) {
      const payload = Buffer.from(JSON.stringify(agent === null ? [id] : [id, agent])).toString('base64url');
      return `${payload}.${macOf(payload).toString('base64url')}`;
    },
    read(token) {
      const [payload, mac] = token.length > tokenLengthMax ? [] : token.split('.');
      if (payload === undefined || mac === undefined) return null;
      const [given, wanted] = [Buffer.from(mac, 'base64url'), macOf(payload)];
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) return null;
      // Made by us, as the MAC shows.
      const [id, agent = null] = JSON.parse(Buffer.from(payload, 'base64url').toString()) as [string, string?];
      return { id, agent };
    },
  };
}

const keyBytes = 32;

/** The key of an installation, which all of its servers share. Made at the first use. */
export function openTokenKey(directory: string): Uint8Array {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, 'agent.key');
  return readKey(path) ?? makeKey(path);
}

function readKey(path: string): Uint8Array | null {
  try {
    const key = Buffer.from(readFileSync(path, 'utf8').trim(), 'hex');
    if (key.length === keyBytes) return key;
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return null;
    throw error;
  }
  throw new Error(`${path} is no key: remove it, and a new one is made (agents that run now are then refused)`);
}

/** Whole or not at all, and the first of two servers that make one at the same time wins. */
function makeKey(path: string): Uint8Array {
  const mine = `${path}.${randomBytes(8).toString('hex')}`;
  writeFileSync(mine, randomBytes(keyBytes).toString('hex'), { mode: 0o600, flag: 'wx' });
  try {
    linkSync(mine, path);
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) throw error;
  } finally {
    rmSync(mine, { force: true });
  }
  const key = readKey(path);
  if (key === null) throw new Error(`${path} was removed while it was made`);
  return key;
}
