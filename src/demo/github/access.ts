/** Who calls: tokens of people, the App's signed word for itself, tokens of its installation. */
import { randomBytes, verify } from 'node:crypto';
import { isJsonObject } from '../../std/json.ts';
import { unreachable } from '../../std/unreachable.ts';
import type { App, Permission, User, World } from './world.ts';

export type Caller =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'user'; readonly user: User; readonly scopes: readonly string[] }
  | { readonly kind: 'app'; readonly app: App }
  | {
      readonly kind: 'installation';
      readonly app: App;
      readonly permissions: { readonly [name: string]: 'read' | 'write' };
      readonly expiresAt: number;
    };

export interface Access {
  /** A new token of a person. Scope `repo` reads and writes; without it there are only public repositories. */
  personalToken(user: User, scopes: readonly string[]): string;
  installationToken(app: App, permissions: App['permissions']): { readonly token: string; readonly expiresAt: number };
  /** Every token of the installation runs out now. */
  expireInstallationTokens(): void;
  /** Null: credentials that are not, or no longer, valid. */
  read(authorization: string | undefined): Caller | null;
}

const tokenLifeMs = 3_600_000;
/** GitHub takes an App's word for at most ten minutes. */
const wordLifeSecondsMax = 600;

export function createAccess(world: World): Access {
  const tokens = new Map<string, Caller>();
  const byToken = (token: string): Caller | null => {
    const caller = tokens.get(token) ?? null;
    return caller?.kind === 'installation' && caller.expiresAt <= Date.now() ? null : caller;
  };
  return {
    personalToken(user, scopes) {
      const token = `ghp_${randomBytes(18).toString('hex')}`;
      tokens.set(token, { kind: 'user', user, scopes });
      return token;
    },
    installationToken(app, permissions) {
      const token = `ghs_${randomBytes(18).toString('hex')}`;
      const expiresAt = Date.now() + tokenLifeMs;
      tokens.set(token, { kind: 'installation', app, permissions, expiresAt });
      return { token, expiresAt };
    },
    expireInstallationTokens() {
      for (const [token, caller] of tokens) if (caller.kind === 'installation') tokens.delete(token);
    },
    read(authorization) {
      if (authorization === undefined) return { kind: 'anonymous' };
      const [scheme = '', value = ''] = authorization.split(' ', 2);
      switch (scheme.toLowerCase()) {
        case 'basic': {
          const [username = '', password = ''] = Buffer.from(value, 'base64').toString().split(':', 2);
          return byToken(password) ?? byToken(username);
        }
        case 'bearer':
        case 'token':
          return value.split('.').length === 3 ? readWord(world.app, value) : byToken(value);
        default:
          return null;
      }
    },
  };
}

/** A JSON web token signed with the App's key (RS256). Its times are those of the real clock: the signer knows no other. */
function readWord(app: App | null, word: string): Caller | null {
  const [header = '', payload = '', signature = ''] = word.split('.');
  if (app === null) return null;
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify('RSA-SHA256', signed, app.publicKey, Buffer.from(signature, 'base64url'))) return null;
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
  if (!isJsonObject(claims)) return null;
  const now = Date.now() / 1000;
  const { iss, iat, exp } = claims;
  const timely =
    typeof iat === 'number' &&
    typeof exp === 'number' &&
    iat <= now + 60 &&
    exp > now &&
    exp - iat <= wordLifeSecondsMax + 60;
  return (iss === app.id || iss === String(app.id)) && timely ? { kind: 'app', app } : null;
}

const ranks: readonly Permission[] = ['none', 'read', 'write', 'admin'];

/** What the caller may do with the repository as a whole. */
export function permissionOf(world: World, caller: Caller): Permission {
  const byAll: Permission = world.repository.isPrivate ? 'none' : 'read';
  switch (caller.kind) {
    case 'anonymous':
    case 'app':
      return byAll;
    case 'installation':
      return caller.permissions['contents'] === 'write' ? 'write' : 'read';
    case 'user':
      return caller.scopes.includes('repo') && ranks.indexOf(caller.user.permission) > ranks.indexOf(byAll)
        ? caller.user.permission
        : byAll;
    default:
      return unreachable(caller);
  }
}

export function atLeast(permission: Permission, wanted: Permission): boolean {
  return ranks.indexOf(permission) >= ranks.indexOf(wanted);
}

/** In whose name the caller writes. */
export function actorOf(caller: Caller): User | null {
  switch (caller.kind) {
    case 'user':
      return caller.user;
    case 'app':
    case 'installation':
      return caller.app.bot;
    case 'anonymous':
      return null;
    default:
      return unreachable(caller);
  }
}
