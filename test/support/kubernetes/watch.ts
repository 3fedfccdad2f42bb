/** Lists of the objects that a selector chooses, and their watches: what happened since a version, and what happens. */
import type { ServerResponse } from 'node:http';
import { isTrue, type ApiRequest } from './requests.ts';
import { badRequest, expired, failure, Refusal, type Status } from './status.ts';
import type { Change, Store } from './store.ts';
import type { Resource } from './wire.ts';

export interface Kind<T extends Resource> {
  readonly name: string;
  readonly store: Store<T>;
  readonly selects: (request: ApiRequest) => (object: T) => boolean;
}

export interface Stream {
  readonly type: 'application/json' | 'text/plain';
  /** Writes until there is no more, or nobody who reads. */
  readonly write: (response: ServerResponse) => void | Promise<void>;
  /** Tells a watch that allows it how far it has come. */
  readonly bookmark?: (response: ServerResponse) => void;
}

/** In pages where a limit is given; the token of the next one tells the version that the first was of. */
export function listOf<T extends Resource>(kind: Kind<T>, request: ApiRequest, version: number): object {
  const from = continuationOf(request.query.get('continue') ?? '', kind.store.oldest());
  assertKnown(request.query.get('resourceVersion') ?? '', version);
  const limit = Number(request.query.get('limit') ?? 0);
  const all = kind.store
    .list(request.namespace)
    .filter(kind.selects(request))
    .filter(({ metadata }) => from === null || metadata.name > from.after);
  const items = limit === 0 ? all : all.slice(0, limit);
  const last = items.at(-1)?.metadata.name;
  const ofVersion = from?.version ?? version;
  const more = items.length < all.length && last !== undefined;
  const token = more ? Buffer.from(JSON.stringify({ version: ofVersion, after: last })).toString('base64url') : null;
  return {
    kind: `${kind.name}List`,
    apiVersion: 'v1',
    metadata: {
      resourceVersion: String(ofVersion),
      ...(token === null ? {} : { continue: token, remainingItemCount: all.length - items.length }),
    },
    // In a list, the kind is told once.
    items: items.map((item) => ({ ...item, kind: undefined, apiVersion: undefined })),
  };
}

function continuationOf(token: string, oldest: number): { version: number; after: string } | null {
  if (token === '') return null;
  const [, version, after] =
    /^\{"version":(\d+),"after":"(.*)"\}$/.exec(Buffer.from(token, 'base64url').toString()) ?? [];
  if (after === undefined) throw new Refusal(badRequest('invalid continue token: continue key is not valid'));
  if (Number(version) < oldest) throw new Refusal(tooOldToContinue());
  return { version: Number(version), after };
}

function tooOldToContinue(): Status {
  return failure(
    410,
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
  );
}

function assertKnown(asked: string, version: number): void {
  if (asked === '' || asked === '0') return;
  if (!/^\d+$/.test(asked)) {
    const parse = `strconv.ParseUint: parsing "${asked}": invalid syntax`;
    throw new Refusal(failure(500, null, `resourceVersion: Invalid value: "${asked}": ${parse}`));
  }
  if (Number(asked) <= version) return;
  const cause = { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' };
  throw new Refusal(
    failure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${version}`, {
      causes: [cause],
      retryAfterSeconds: 1,
    }),
  );
}

/** Without a version, or from 0, it begins with what there is. */
export function watchOf<T extends Resource>(kind: Kind<T>, request: ApiRequest, current: () => number): Stream {
  const asked = request.query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(asked)) assertKnown(asked, 0);
  const fromNow = asked === '' || asked === '0';
  const selects = kind.selects(request);
  const bookmarks = isTrue(request.query.get('allowWatchBookmarks'));
  const send = (response: ServerResponse, type: string, object: object): void =>
    void response.write(`${JSON.stringify({ type, object })}\n`);
  const bookmark = (response: ServerResponse, initial = false): void => {
    if (!bookmarks) return;
    const annotations = initial ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
    const metadata = { resourceVersion: String(current()), ...annotations };
    send(response, 'BOOKMARK', { kind: kind.name, apiVersion: 'v1', metadata, spec: { containers: null }, status: {} });
  };
  const write = (response: ServerResponse): void => {
    const tell = (change: Change<T>): void => {
      const event = eventOf(change, selects, request.namespace);
      if (event !== null) send(response, event.type, event.object);
    };
    if (!fromNow && Number(asked) < kind.store.oldest()) {
      send(response, 'ERROR', expired(Number(asked), kind.store.oldest()));
      response.end();
      return;
    }
    if (fromNow) {
      for (const object of kind.store.list(request.namespace).filter(selects)) send(response, 'ADDED', object);
      bookmark(response, true);
    } else kind.store.since(Number(asked)).forEach(tell);
    response.once('close', kind.store.listen(tell));
    endInTime(response, Number(request.query.get('timeoutSeconds') ?? 0), () => bookmark(response));
  };
  return { type: 'application/json', write, bookmark };
}

function endInTime(response: ServerResponse, seconds: number, last: () => void): void {
  if (seconds === 0) return;
  const timer = setTimeout(() => {
    last();
    response.end();
  }, seconds * 1000);
  response.once('close', () => clearTimeout(timer));
}

/** What one change is to those who see only what the selector chooses. */
function eventOf<T extends Resource>(
  { version, now, before }: Change<T>,
  selects: (object: T) => boolean,
  namespace: string,
): { readonly type: string; readonly object: object } | null {
  if ((now ?? before)?.metadata.namespace !== namespace) return null;
  const seen = before !== null && selects(before);
  if (now !== null && selects(now)) return { type: seen ? 'MODIFIED' : 'ADDED', object: now };
  if (!seen) return null;
  // As it was when it was seen last, under the version at which it went out of sight.
  return { type: 'DELETED', object: { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } } };
}
