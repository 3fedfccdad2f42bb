/** Whether there is an object in an S3-compatible store: by its key, below a folder, or by a pattern with `*`. */
import { parseObjectAddress, type ObjectPlace } from '../std/object-address.ts';
import { keyMatcher } from './pattern.ts';
import { encoded, signedHeaders, type Credentials } from './signature.ts';
import { reasonOf, send, type Answer } from './request.ts';
import { sensorLimits, type ObjectStore, type OutsideSubject, type Sight } from './sensors.ts';

export interface ObjectPorts {
  readonly stores: ReadonlyMap<string, ObjectStore>;
  /** Value of a named secret, or null. */
  readonly secret: (name: string) => string | null;
  readonly now: () => number;
}

/** A store that is open: with the values of its secrets. */
interface OpenStore {
  readonly store: ObjectStore;
  readonly credentials: Credentials;
  readonly now: () => number;
}

interface Listed {
  readonly key: string;
  readonly bytes: number;
  readonly etag: string | null;
  readonly modified: string | null;
}

type ObjectSubject = Extract<OutsideSubject, { kind: 'object' }>;
type Impossible = Extract<Sight, { kind: 'impossible' }>;

export async function lookForObject(subject: ObjectSubject, ports: ObjectPorts): Promise<Sight> {
  const place = parseObjectAddress(subject.url);
  if (!place.ok) return impossible(place.error);
  if (subject.reach === 'public') return impossible('an object store is not looked at for code that is not trusted');
  const open = openStore(subject.store, ports);
  if ('kind' in open) return open;
  try {
    const { key } = place.value;
    return key.endsWith('/') || key.includes('*')
      ? await lookInList(open, place.value)
      : await lookAtKey(open, place.value);
  } catch (error) {
    return { kind: 'not-yet', reason: `the object store cannot be reached: ${reasonOf(error)}` };
  }
}

function impossible(reason: string): Impossible {
  return { kind: 'impossible', reason };
}

function openStore(name: string | null, { stores, secret, now }: ObjectPorts): OpenStore | Impossible {
  const [only] = stores.size === 1 ? stores.values() : [];
  const store = name === null ? only : stores.get(name);
  if (store === undefined) {
    const known = stores.size === 0 ? 'no object stores' : `the object stores ${[...stores.keys()].join(', ')}`;
    const asked = name === null ? 'which object store is not said' : `there is no object store "${name}"`;
    return impossible(`${asked}; contender.yaml declares ${known}`);
  }
  const { accessKeyId, secretAccessKey, sessionToken } = store.secrets;
  const names = [accessKeyId, secretAccessKey, ...(sessionToken === null ? [] : [sessionToken])];
  const missing = names.find((each) => secret(each) === null);
  if (missing !== undefined) return impossible(`the secret ${missing} of the object store is not set`);
  const credentials = {
    accessKeyId: secret(accessKeyId) ?? '',
    secretAccessKey: secret(secretAccessKey) ?? '',
    sessionToken: sessionToken === null ? null : secret(sessionToken),
  };
  return { store, credentials, now };
}

async function lookAtKey(open: OpenStore, { bucket, key }: ObjectPlace): Promise<Sight> {
  const answer = await ask(open, 'HEAD', bucket, key, '');
  if (answer.status !== 200) return unseen(answer, `there is no s3://${bucket}/${key}`);
  const length = Number(answer.header('content-length') ?? 0);
  return seen(bucket, {
    key,
    bytes: Number.isFinite(length) ? length : 0,
    etag: answer.header('etag'),
    modified: answer.header('last-modified'),
  });
}

/** The first in the order of the keys. */
async function lookInList(open: OpenStore, { bucket, key }: ObjectPlace): Promise<Sight> {
  const prefix = key.split('*')[0] ?? '';
  const isWanted = keyMatcher(key);
  let token: string | null = null;
  for (let page = 0; page < sensorLimits.pagesMax; page += 1) {
    const query = [
      ...(token === null ? [] : [`continuation-token=${encoded(token)}`]),
      'list-type=2',
      `prefix=${encoded(prefix)}`,
    ];
    const answer = await ask(open, 'GET', bucket, '', query.join('&'));
    if (answer.status !== 200) return unseen(answer, `there is no bucket ${bucket}`);
    const found = listedIn(answer.body).find((each) => isWanted(each.key));
    if (found !== undefined) return seen(bucket, found);
    token = textOf(answer.body, 'NextContinuationToken');
    if (token === null) return { kind: 'not-yet', reason: `there is no s3://${bucket}/${key}` };
  }
  const looked = `${sensorLimits.pagesMax * 1000} objects below s3://${bucket}/${prefix}`;
  return { kind: 'not-yet', reason: `none of the first ${looked} is ${key}` };
}

function ask(
  { store, credentials, now }: OpenStore,
  method: 'GET' | 'HEAD',
  bucket: string,
  key: string,
  query: string,
): Promise<Answer> {
  const base = new URL(store.endpoint ?? `https://s3.${store.region}.amazonaws.com`);
  const path = key.split('/').map(encoded).join('/');
  const before = base.pathname.replace(/\/$/, '');
  const host = store.pathStyle ? base.host : `${bucket}.${base.host}`;
  const inPath = store.pathStyle ? `/${bucket}` : '';
  const url = new URL(`${base.protocol}//${host}${before}${inPath}/${path}${query === '' ? '' : `?${query}`}`);
  return send(url, {
    method,
    headers: signedHeaders({ method, url }, credentials, store.region, now()),
    body: method === 'GET',
    keep: 'store',
  });
}

/** What is no answer to the question. The store does not say whether it is not there or not to be seen. */
function unseen(answer: Answer, missing: string): Sight {
  if (answer.status === 404) return { kind: 'not-yet', reason: missing };
  const region = answer.header('x-amz-bucket-region');
  if (answer.status >= 300 && answer.status < 400)
    return impossible(`the bucket is not in this region${region === null ? '' : `, but in ${region}`}`);
  const why = answer.status === 403 ? ': the credentials may not see it' : '';
  const code = textOf(answer.body, 'Code');
  return { kind: 'not-yet', reason: `the object store answers ${answer.status}${code === null ? why : ` (${code})`}` };
}

function seen(bucket: string, { key, bytes, etag, modified }: Listed): Sight {
  const plain = etag?.replaceAll('"', '') ?? '';
  // A header and a list write it in two ways.
  const time = modified === null || Number.isNaN(Date.parse(modified)) ? null : new Date(modified).toISOString();
  const output = { url: `s3://${bucket}/${key}`, bytes, etag: plain === '' ? null : plain, modified: time };
  return { kind: 'seen', output };
}

/** Of ListObjectsV2. Its `encoding-type` is left alone: stores do not agree on how it writes a plus or a space. */
function listedIn(xml: string): readonly Listed[] {
  const [, ...entries] = xml.split('<Contents>');
  return entries.map((entry) => ({
    key: textOf(entry, 'Key') ?? '',
    bytes: Number(textOf(entry, 'Size') ?? 0),
    etag: textOf(entry, 'ETag'),
    modified: textOf(entry, 'LastModified'),
  }));
}

function textOf(xml: string, name: string): string | null {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  return found?.replaceAll(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w{1,4}));/gi, unescaped) ?? null;
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function unescaped(whole: string, hexadecimal?: string, decimal?: string, name?: string): string {
  if (name !== undefined) return entities[name] ?? whole;
  const code = hexadecimal === undefined ? Number(decimal) : Number.parseInt(hexadecimal, 16);
  return code <= 0x10_ffff ? String.fromCodePoint(code) : whole;
}
