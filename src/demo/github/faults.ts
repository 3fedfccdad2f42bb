/** What a test may let go wrong: answers that say no, connections that break, before or after the work was done. */
export interface Fault {
  readonly match: (request: { readonly method: string; readonly path: string }) => boolean;
  /** How many requests it meets; then it is gone. */
  readonly times: number;
  readonly answer: FaultAnswer;
}

export type FaultAnswer =
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: { readonly [name: string]: string };
      readonly message?: string;
    }
  /** GitHub's secondary rate limit: 403 and how long to wait. */
  | { readonly kind: 'secondary-limit'; readonly retryAfterSeconds: number }
  /** The hourly limit is used up until `resetAt`. */
  | { readonly kind: 'hourly-limit'; readonly resetAt: number }
  /** The connection is cut; nothing was done. */
  | { readonly kind: 'drop' }
  /** It was done, but the connection is cut before the answer. */
  | { readonly kind: 'lose-answer' }
  /** It is done only when `until` is. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> };

export interface Faults {
  inject(fault: Fault): void;
  /** The fault that meets this request, counted down. */
  take(request: { readonly method: string; readonly path: string }): FaultAnswer | null;
  clear(): void;
}

export function createFaults(): Faults {
  let faults: { readonly fault: Fault; left: number }[] = [];
  return {
    inject(fault) {
      faults.push({ fault, left: fault.times });
    },
    take(request) {
      const found = faults.find(({ fault }) => fault.match(request));
      if (found === undefined) return null;
      found.left -= 1;
      faults = faults.filter(({ left }) => left > 0);
      return found.fault.answer;
    },
    clear() {
      faults = [];
    },
  };
}
