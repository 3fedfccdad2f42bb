/**
 * Signature version 4, as S3 asks for it: of requests without a body, in their headers. After "Authenticating Requests
 * (AWS Signature Version 4)" in the Amazon S3 API reference, whose examples the tests hold it to.
 */
import { createHash, createHmac } from 'node:crypto';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string | null;
}

export interface SignedRequest {
  readonly method: 'GET' | 'HEAD';
  /** Path and query as they are sent; the query's parts in the order of their names. */
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
}

const emptyDigest = createHash('sha256').update('').digest('hex');

/** The headers to send. `now`: milliseconds since the epoch. */
export function signedHeaders(
  request: SignedRequest,
  credentials: Credentials,
  region: string,
  now: number,
): Record<string, string> {
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-content-sha256': emptyDigest,
    'x-amz-date': time,
    ...(credentials.sessionToken === null ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  };
  const named = Object.entries({ ...headers, host: request.url.host }).toSorted(([one], [other]) =>
    one < other ? -1 : 1,
  );
  const names = named.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    request.url.pathname,
    request.url.search.slice(1),
    ...named.map(([name, value]) => `${name}:${value.trim()}`),
    '',
    names,
    emptyDigest,
  ].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [time.slice(0, 8), region, 's3', 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${credentials.secretAccessKey}`,
  );
  const signature = hmac(key, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope},SignedHeaders=${names},Signature=${signature}`;
  return { ...headers, authorization };
}

/** As S3 wants paths and queries to be written: everything but letters, digits and `-._~`. */
export function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
