/** Objects in a store that proves each signature. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { lookForObject, type ObjectPorts } from '../../src/sensors/object.ts';
import type { ObjectStore, Sight } from '../../src/sensors/sensors.ts';
import { etagOf, objectKeys, startObjectServer, type ObjectServer } from '../support/object-server.ts';

let server: ObjectServer;
before(async () => {
  server = await startObjectServer('eu-central-1');
});
after(() => server.close());
beforeEach(() => {
  server.buckets.clear();
  server.asked.length = 0;
  server.pageLength = 1000;
});

const secrets = { accessKeyId: 'KEY_ID', secretAccessKey: 'SECRET_KEY', sessionToken: null };
const values: ReadonlyMap<string, string> = new Map([
  ['KEY_ID', objectKeys.accessKeyId],
  ['SECRET_KEY', objectKeys.secretAccessKey],
  ['WRONG', 'another'],
]);

function portsOf(changes: Partial<ObjectStore> = {}): ObjectPorts {
  const store = { endpoint: server.url, region: 'eu-central-1', pathStyle: true, secrets, ...changes };
  return {
    stores: new Map([['lake', store]]),
    secret: (name) => values.get(name) ?? null,
    now: () => Date.UTC(2026, 2, 29),
  };
}

function look(url: string, changes: Partial<ObjectStore> = {}): Promise<Sight> {
  return lookForObject({ kind: 'object', url, store: null, reach: 'internal' }, portsOf(changes));
}

function put(bucket: string, objects: Readonly<Record<string, string>>): void {
  server.buckets.set(bucket, new Map(Object.entries(objects)));
}

function seenAt(url: string, bytes: string): Sight {
  const modified = '2026-03-29T04:00:00.000Z';
  return { kind: 'seen', output: { url, bytes: Buffer.byteLength(bytes), etag: etagOf(bytes), modified } };
}

test('an object is there, with its size and its tag, or not yet', async () => {
  put('exports', { 'daily/2026-03-29.csv': 'a,b\n1,2\n' });
  assert.deepEqual(
    await look('s3://exports/daily/2026-03-29.csv'),
    seenAt('s3://exports/daily/2026-03-29.csv', 'a,b\n1,2\n'),
  );
  assert.deepEqual(await look('s3://exports/daily/2026-03-30.csv'), {
    kind: 'not-yet',
    reason: 'there is no s3://exports/daily/2026-03-30.csv',
  });
  assert.deepEqual(server.asked[0], 'HEAD /exports/daily/2026-03-29.csv');
});

test('keys are signed as they are sent, whatever stands in them', async () => {
  for (const key of ["a b/c+d/ü=ö&x;y,z/(1)'s!~.csv", '100 %/#1?.csv', 'a//b', '.c/d..', 'per%20cent'])
    put('exports', { ...Object.fromEntries(server.buckets.get('exports') ?? []), [key]: 'x' });
  for (const key of server.buckets.get('exports')?.keys() ?? [])
    assert.deepEqual(await look(`s3://exports/${key}`), seenAt(`s3://exports/${key}`, 'x'), key);
});

test('below a folder any object counts, but the mark of the folder itself does not', async () => {
  put('exports', { 'daily/': '', 'dailyish/a': 'x' });
  assert.deepEqual(await look('s3://exports/daily/'), { kind: 'not-yet', reason: 'there is no s3://exports/daily/' });
  put('exports', { 'daily/': '', 'daily/deep/b c.csv': '1', 'daily/deep/d': '22' });
  assert.deepEqual(await look('s3://exports/daily/'), seenAt('s3://exports/daily/deep/b c.csv', '1'));
});

test('keys in a list are what they are, whatever stands in them', async () => {
  for (const key of ['a/b+c d.csv', "a/ü&<(1)'>.csv", 'a/per%20cent', 'a/&amp;#38;']) {
    put('exports', { [key]: 'x' });
    assert.deepEqual(await look('s3://exports/a/'), seenAt(`s3://exports/${key}`, 'x'), key);
  }
});

test('a pattern finds the first key that it matches, on later pages too', async () => {
  server.pageLength = 3;
  const others = Object.fromEntries([...Array(10).keys()].map((index) => [`daily/2026-${index}.txt`, 'x']));
  put('exports', { ...others, 'daily/2026-9.csv': '1', 'daily/2026/deep.csv': '22' });
  assert.deepEqual(await look('s3://exports/daily/2026-*.csv'), seenAt('s3://exports/daily/2026-9.csv', '1'));
  assert.deepEqual(await look('s3://exports/*/2026/*.csv'), seenAt('s3://exports/daily/2026/deep.csv', '22'));
  assert.deepEqual(await look('s3://exports/daily/*.parquet'), {
    kind: 'not-yet',
    reason: 'there is no s3://exports/daily/*.parquet',
  });
  server.pageLength = 1;
  assert.match(JSON.stringify(await look('s3://exports/daily/*.parquet')), /not-yet.*none of the first 10000 objects/);
});

test('no list takes long, whatever a store makes of it', async () => {
  const list = '<Contents>'.repeat(360_000);
  const flooding = createServer((_request, answer) => void answer.end(list));
  await once(flooding.listen(0, '127.0.0.1'), 'listening');
  const { port } = flooding.address() as AddressInfo;
  const seen = await look('s3://exports/a/', { endpoint: `http://127.0.0.1:${port}` });
  flooding.close();
  assert.deepEqual(seen, { kind: 'not-yet', reason: 'there is no s3://exports/a/' });
});

test('a store that refuses says why, and it is looked again: a policy may come later than the step', async () => {
  put('exports', { a: 'x' });
  const wrong = { secrets: { ...secrets, secretAccessKey: 'WRONG' } };
  assert.deepEqual(await look('s3://exports/a', wrong), {
    kind: 'not-yet',
    reason: 'the object store answers 403: the credentials may not see it',
  });
  assert.deepEqual(await look('s3://exports/a/', wrong), {
    kind: 'not-yet',
    reason: 'the object store answers 403 (SignatureDoesNotMatch)',
  });
  assert.match(JSON.stringify(await look('s3://nowhere/a')), /not-yet.*there is no s3:\/\/nowhere\/a/);
  const gone = await startObjectServer('eu-central-1');
  await gone.close();
  assert.match(JSON.stringify(await look('s3://exports/a', { endpoint: gone.url })), /cannot be reached.*ECONNREFUSED/);
});

test('what never can be there is said at once', async () => {
  const impossible = async (sight: Promise<Sight>): Promise<string> => {
    const seen = await sight;
    return seen.kind === 'impossible' ? seen.reason : seen.kind;
  };
  for (const url of ['s3://exports', 's3://exports/', 'https://exports/a', 's3://exports/../b/c', 's3://exports/./c'])
    assert.match(await impossible(look(url)), /is no address such as s3:\/\/bucket\/key/, url);
  for (const bucket of ['b', 'EX', 'a@b', 'a..b', '', '-ab', 'a'.repeat(64)])
    assert.match(
      await impossible(look(`s3://${bucket}/a`)),
      /is no name of a bucket: it has 3 to 63 characters/,
      bucket,
    );
  const absent = { secrets: { ...secrets, secretAccessKey: 'ABSENT' } };
  assert.equal(await impossible(look('s3://exports/a', absent)), 'the secret ABSENT of the object store is not set');
  const ask = { kind: 'object', url: 's3://exports/a', reach: 'internal' } as const;
  assert.equal(
    await impossible(lookForObject({ ...ask, store: 'pond' }, portsOf())),
    'there is no object store "pond"; contender.yaml declares the object stores lake',
  );
  assert.equal(
    await impossible(lookForObject({ ...ask, store: null }, { ...portsOf(), stores: new Map() })),
    'which object store is not said; contender.yaml declares no object stores',
  );
  assert.match(
    await impossible(lookForObject({ ...ask, store: null, reach: 'public' }, portsOf())),
    /for code that is not trusted/,
  );
  assert.deepEqual(server.asked, []);
});
