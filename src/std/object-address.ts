/** Addresses of objects in S3-compatible stores: `s3://bucket/key`. */
import { failure, success, type Result } from './result.ts';

export interface ObjectPlace {
  readonly bucket: string;
  readonly key: string;
}

/** A bucket's name becomes part of a host's, and in an address the folders `.` and `..` would lead elsewhere. */
export function parseObjectAddress(url: string): Result<ObjectPlace, string> {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]*)\/(.{1,1024})$/s.exec(url) ?? [];
  const leadsAway = key.split('/').some((folder) => folder === '.' || folder === '..');
  if (key === '' || leadsAway) return failure(`${JSON.stringify(url)} is no address such as s3://bucket/key`);
  const mistake = bucketMistake(bucket);
  return mistake === null ? success({ bucket, key }) : failure(mistake);
}

/** Null where a bucket may be called so. */
export function bucketMistake(name: string): string | null {
  if (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..')) return null;
  return `${JSON.stringify(name)} is no name of a bucket: it has 3 to 63 characters, which are lower-case letters, digits, dots and dashes`;
}
