/** A GitHub forge on a scripted server, and webhooks signed as GitHub signs them. */
import { createHmac } from 'node:crypto';
import type { TestContext } from 'node:test';
import assert from 'node:assert/strict';
import type { Result } from '../../../src/std/result.ts';
import type { Forge, RawDelivery } from '../../../src/forge/forge.ts';
import { createGitHubForge, type GitHubOptions } from '../../../src/forge/github/github.ts';
import { startScriptedServer, type Answer, type Asked, type ScriptedServer } from './scripted-server.ts';

export const secret = "It's a Secret to Everybody";

export class SettableClock {
  time = 1_700_000_000_000;
  now(): number {
    return this.time;
  }
}

export interface Scripted {
  readonly forge: Forge;
  readonly server: ScriptedServer;
  readonly clock: SettableClock;
}

export async function scriptedForge(
  t: TestContext,
  answer: (asked: Asked, number: number) => Answer | Promise<Answer>,
  options: Partial<GitHubOptions> = {},
): Promise<Scripted> {
  const server = await startScriptedServer(answer);
  t.after(() => server.close());
  const clock = new SettableClock();
  return { forge: makeForge({ apiUrl: server.url, clock, ...options }), server, clock };
}

export function makeForge(options: Partial<GitHubOptions> = {}): Forge {
  const made = createGitHubForge({
    repository: 'octo/churn',
    apiUrl: 'http://127.0.0.1:1',
    auth: { kind: 'token', token: 'token-one' },
    webhookSecrets: [secret],
    clock: new SettableClock(),
    ...options,
  });
  assert.ok(made.ok);
  return made.value;
}

export function sign(body: Uint8Array | string, key = secret): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}

export function signedDelivery(
  name: string,
  payload: unknown,
  headers: Readonly<Record<string, string>> = {},
): RawDelivery {
  const body = Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload));
  return {
    body,
    headers: {
      'x-github-event': name,
      'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      'x-hub-signature-256': sign(body),
      'content-type': 'application/json',
      ...headers,
    },
  };
}

/** The value of a result that must be there. */
export function valueOf<T>(result: Result<T, unknown>): T {
  assert.ok(result.ok, result.ok ? '' : JSON.stringify(result.error));
  return result.value;
}

export function errorOf<E>(result: Result<unknown, E>): E {
  assert.ok(!result.ok, 'it should have failed');
  return result.error;
}
