/**
 * Sends notifications over HTTP. An address is a secret (who knows that of Slack may write there), so it stands in no
 * message and no log, and no redirect is followed: it would carry the news elsewhere.
 */
import { createHmac } from 'node:crypto';
import type { Clock } from '../std/clock.ts';
import { unreachable } from '../std/unreachable.ts';
import {
  notifyLimits,
  type Channel,
  type ChannelSettings,
  type Notification,
  type Notifier,
  type Sent,
} from './notify.ts';
import { slackMessage } from './slack.ts';

export interface NotifierOptions extends ChannelSettings {
  /** The value of the variable `CONTENDER_NOTIFY_NAME`; null where it is not set. */
  readonly variable: (name: string) => string | null;
  readonly clock: Clock;
  readonly timeoutMs?: number;
}

export function createNotifier(options: NotifierOptions): Notifier {
  return {
    defaults: options.defaults,
    async send(name, notification) {
      const channel = options.channels.get(name);
      if (channel === undefined) return refused(`there is no channel "${name}" in contender.yaml`);
      const mistake = channelMistake(channel, options.variable);
      return mistake === null ? post(channel, notification, options) : refused(mistake);
    },
  };
}

/** Channels that lead nowhere, and why. */
export function channelMistakes({
  channels,
  variable,
}: Pick<NotifierOptions, 'channels' | 'variable'>): readonly { readonly channel: string; readonly mistake: string }[] {
  return [...channels].flatMap(([name, channel]) => {
    const mistake = channelMistake(channel, variable);
    return mistake === null ? [] : [{ channel: name, mistake }];
  });
}

/** What is wrong with the variables of a channel, or null. */
function channelMistake(channel: Channel, variable: NotifierOptions['variable']): string | null {
  const text = variable(channel.url);
  if (text === null) return `CONTENDER_NOTIFY_${channel.url} is not set`;
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    return `CONTENDER_NOTIFY_${channel.url} is no address that begins with http:// or https://`;
  if (url.username !== '' || url.password !== '')
    return `the address in CONTENDER_NOTIFY_${channel.url} holds a user or a password`;
  const key = channel.kind === 'webhook' ? channel.key : null;
  return key === null || variable(key) !== null ? null : `CONTENDER_NOTIFY_${key} is not set`;
}

async function post(channel: Channel, notification: Notification, options: NotifierOptions): Promise<Sent> {
  const { clock, timeoutMs = notifyLimits.timeoutMs } = options;
  const { body, headers } = messageOf(channel, notification, options);
  try {
    const answer = await fetch(options.variable(channel.url) ?? '', {
      method: 'POST',
      redirect: 'manual',
      headers: { 'content-type': 'application/json', 'user-agent': 'contender', ...headers },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    });
    await answer.body?.cancel();
    if (answer.ok) return { sent: true };
    return refused(`it answered ${answer.status}`, retryAtOf(answer, clock.now()));
  } catch (error) {
    return refused(reasonOf(error, timeoutMs));
  }
}

interface Message {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

function messageOf(channel: Channel, notification: Notification, { variable }: NotifierOptions): Message {
  switch (channel.kind) {
    case 'slack':
      return { body: JSON.stringify(slackMessage(notification)), headers: {} };
    case 'webhook': {
      const body = JSON.stringify(notification);
      const key = channel.key === null ? null : variable(channel.key);
      const signature = key === null ? {} : { 'x-contender-signature': signatureOf(key, body) };
      const headers = { 'x-contender-event': notification.event, 'x-contender-id': notification.id, ...signature };
      return { body, headers };
    }
    default:
      return unreachable(channel);
  }
}

/** HMAC-SHA256 of the body's bytes. */
function signatureOf(key: string, body: string): string {
  return `sha256=${createHmac('sha256', key).update(body).digest('hex')}`;
}

/** Seconds, or a date. */
function retryAtOf({ headers }: Response, now: number): number | null {
  const text = headers.get('retry-after')?.trim() ?? '';
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  return waitMs > 0 ? now + Math.min(waitMs, notifyLimits.retryAfterMaxMs) : null;
}

/** By its code alone: some messages repeat the address. */
function reasonOf(error: unknown, timeoutMs: number): string {
  if (error instanceof Error && error.name === 'TimeoutError') return `no answer in ${timeoutMs / 1000} s`;
  const cause = error instanceof Error ? error.cause : null;
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : null;
  return code === null ? 'it cannot be reached' : `it cannot be reached: ${code}`;
}

function refused(reason: string, retryAt: number | null = null): Sent {
  return { sent: false, reason, retryAt };
}
