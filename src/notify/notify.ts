/**
 * Tells people what they would otherwise find out too late: a deadline that is missed, a run that failed. A pipeline names
 * channels; where a channel leads stands in the configuration and the environment of the server alone. Each call tries
 * once: that it is tried again, and until when, is the conductor's.
 */
import type { z } from 'zod';
import type { payloadSchema } from './payload.ts';

export { notificationEvents } from './payload.ts';

export interface Notifier {
  /** Channels of a pipeline that names none. */
  readonly defaults: readonly string[];
  /** Never rejects. It may arrive twice: the same `id` is the same news. */
  send(channel: string, notification: Notification): Promise<Sent>;
}

/** What a webhook gets as its body. */
export type Notification = z.infer<typeof payloadSchema>;

/** `reason`: for people, without the address, which is a secret. `retryAt`: when the receiver wants to be asked again. */
export type Sent =
  | { readonly sent: true }
  | { readonly sent: false; readonly reason: string; readonly retryAt: number | null };

/** Where a channel leads. The names are those of variables: `CONTENDER_NOTIFY_NAME` holds the address, or the key. */
export type Channel =
  /** `key`: null, and nothing is signed. */
  | { readonly kind: 'webhook'; readonly url: string; readonly key: string | null }
  | { readonly kind: 'slack'; readonly url: string };

export interface ChannelSettings {
  readonly channels: ReadonlyMap<string, Channel>;
  readonly defaults: readonly string[];
}

export const notifyLimits = {
  timeoutMs: 10_000,
  /** A receiver that asks for more time than this is asked again earlier. */
  retryAfterMaxMs: 3_600_000,
  textLengthMax: 2000,
} as const;
