/**
 * A small S3 on loopback, for looks: HEAD of an object and ListObjectsV2, each with the signature proved. What is signed is
 * put together from the bytes that came over the wire, not from what the client meant to send: a client that writes a
 * path in one way and signs it in another is refused, as it is by the stores themselves.
 */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ObjectServer {
  readonly url: string;
  /** By bucket, then by key: the bytes. */
  readonly buckets: Map<string, Map<string, string>>;
  /** Requests, as `GET /bucket/key?query`. */
  readonly asked: string[];
  /** Keys in one page of a list. */
  pageLength: number;
  close(): Promise<void>;
}

export const objectKeys = { accessKeyId: 'KEYOFTHETESTS', secretAccessKey: 'secret/of+the/tests' } as const;

const modified = new Date(Date.UTC(2026, 2, 29, 4));

/** `region` alone is accepted. */
export async function startObjectServer(region: string): Promise<ObjectServer> {
  const asked: string[] = [];
  const buckets = new Map<string, Map<string, string>>();
  const state = { pageLength: 1000 };
  const server = createServer((request, answer) => {
    asked.push(`${request.method} ${request.url}`);
    const refusal = refusalOf(request, region);
    if (refusal !== null) return error(answer, 403, refusal);
    const url = new URL(`http://host${request.url}`);
    const [, bucket = '', ...rest] = url.pathname.split('/');
    const objects = buckets.get(bucket);
    if (objects === undefined) return error(answer, 404, 'NoSuchBucket');
    if (request.method === 'GET') return list(answer, objects, url.searchParams, state.pageLength);
    const bytes = objects.get(rest.map(decodeURIComponent).join('/'));
    if (bytes === undefined) return error(answer, 404, 'NoSuchKey');
    answer.writeHead(200, {
      'content-length': Buffer.byteLength(bytes),
      etag: `"${etagOf(bytes)}"`,
      'last-modified': modified.toUTCString(),
    });
    answer.end();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    buckets,
    asked,
    get pageLength() {
      return state.pageLength;
    },
    set pageLength(length) {
      state.pageLength = length;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export function etagOf(bytes: string): string {
  return createHash('md5').update(bytes).digest('hex');
}

/** The code of what is wrong with the signature; null: it is right. */
function refusalOf(request: IncomingMessage, region: string): string | null {
  const { authorization = '' } = request.headers;
  const pattern =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const [, key, day = '', place = '', names = '', signature] = pattern.exec(authorization) ?? [];
  if (key !== objectKeys.accessKeyId) return 'InvalidAccessKeyId';
  if (place !== region) return 'AuthorizationHeaderMalformed';
  const signed = names.split(';');
  if (!['host', 'x-amz-content-sha256', 'x-amz-date'].every((name) => signed.includes(name))) return 'AccessDenied';
  const header = (name: string): string => String(request.headers[name] ?? '').trim();
  const [path = '', query = ''] = (request.url ?? '').split('?');
  const canonicalQuery = query.split('&').toSorted().join('&');
  const canonical = `${request.method}\n${path}\n${canonicalQuery}\n${signed.map((name) => `${name}:${header(name)}\n`).join('')}\n${names}\n${header('x-amz-content-sha256')}`;
  const digest = createHash('sha256').update(canonical).digest('hex');
  const toSign = `AWS4-HMAC-SHA256\n${header('x-amz-date')}\n${day}/${place}/s3/aws4_request\n${digest}`;
  const mac = (secret: string | Buffer, text: string): Buffer => createHmac('sha256', secret).update(text).digest();
  const ofDay = mac(`AWS4${objectKeys.secretAccessKey}`, day);
  const signing = mac(mac(mac(ofDay, place), 's3'), 'aws4_request');
  return mac(signing, toSign).toString('hex') === signature ? null : 'SignatureDoesNotMatch';
}

function list(
  answer: ServerResponse,
  objects: ReadonlyMap<string, string>,
  query: URLSearchParams,
  pageLength: number,
): void {
  const after = query.get('continuation-token') ?? '';
  const prefix = query.get('prefix') ?? '';
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted();
  const page = keys.slice(0, pageLength);
  const contents = page.map((key) => {
    const bytes = objects.get(key) ?? '';
    return `<Contents><Key>${escaped(key)}</Key><LastModified>${modified.toISOString()}</LastModified><ETag>&quot;${etagOf(bytes)}&quot;</ETag><Size>${Buffer.byteLength(bytes)}</Size></Contents>`;
  });
  const token = keys.length > page.length ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
  answer.writeHead(200, { 'content-type': 'application/xml' });
  answer.end(`<?xml version="1.0"?><ListBucketResult>${contents.join('')}${token}</ListBucketResult>`);
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"'\r]/g, (sign) => (sign === '&' ? '&amp;' : `&#${sign.charCodeAt(0)};`));
}

function error(answer: ServerResponse, status: number, code: string): void {
  answer.writeHead(status, { 'content-type': 'application/xml' });
  answer.end(`<?xml version="1.0"?><Error><Code>${code}</Code></Error>`);
}
