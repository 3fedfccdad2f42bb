/**
 * Looks at what lies outside of the server and of its executors: addresses, objects in stores. Each call looks once and
 * says what it saw; how often, and for whom, is the conductor's. Nothing is ever rejected: what cannot be reached is not
 * there yet, and what can never be there is impossible.
 */
import type { JsonObject } from '../std/json.ts';

export interface Sensors {
  look(subject: OutsideSubject): Promise<Sight>;
}

export type OutsideSubject =
  | {
      readonly kind: 'http';
      readonly url: string;
      /** What it has to answer. */
      readonly status: number;
      readonly reach: Reach;
    }
  | {
      readonly kind: 'object';
      /** `s3://bucket/key`, `s3://bucket/folder/`, `s3://bucket/folder/*.csv`. */
      readonly url: string;
      /** Null: the only one. */
      readonly store: string | null;
      /** `public`: whoever asks is not trusted with the credentials of a store either. */
      readonly reach: Reach;
    };

/** Which addresses a look may go to: what only this network can see, or what everybody can. */
export type Reach = 'internal' | 'public';

export type Sight =
  | { readonly kind: 'seen'; readonly output: JsonObject }
  | { readonly kind: 'not-yet'; readonly reason: string }
  | { readonly kind: 'impossible'; readonly reason: string };

/** An S3-compatible store, as the configuration has it. */
export interface ObjectStore {
  /** Without a slash at its end; null: Amazon S3 in the region. */
  readonly endpoint: string | null;
  readonly region: string;
  /** The bucket stands in the path and not in the name of the host. */
  readonly pathStyle: boolean;
  /** Names of secrets. */
  readonly secrets: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string | null;
  };
}

export const sensorLimits = {
  timeoutMs: 30_000,
  redirectsMax: 3,
  /** Connections are kept for so long after their last request, for so long after their first, and so many idle ones. */
  idleMs: 15_000,
  keptMs: 60_000,
  idleMax: 64,
  /** What is read of a body that nobody asked for, so that its connection can be kept. */
  skippedBytesMax: 64 * 1024,
  skippedMs: 1000,
  /** Of an answer that lists objects. */
  answerBytesMax: 4 * 1024 * 1024,
  /** Pages of a thousand objects each that are looked through for one that a pattern matches. */
  pagesMax: 10,
} as const;
