/** The examples of "Signature Calculations for the Authorization Header" in the Amazon S3 API reference. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signedHeaders } from '../../src/sensors/signature.ts';

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  sessionToken: null,
};

const examples = [
  {
    what: 'an object',
    path: '/test.txt',
    headers: { range: 'bytes=0-9' },
    signature: 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  },
  {
    what: 'a list of objects',
    path: '/?max-keys=2&prefix=J',
    headers: {},
    signature: '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
  },
  {
    what: 'a setting of a bucket',
    path: '/?lifecycle=',
    headers: {},
    signature: 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  },
] as const;

for (const { what, path, headers, signature } of examples) {
  test(`the request of ${what} is signed as Amazon's example is`, () => {
    const url = new URL(`https://examplebucket.s3.amazonaws.com${path}`);
    const request = { method: 'GET', url, headers } as const;
    const { authorization } = signedHeaders(request, credentials, 'us-east-1', Date.UTC(2013, 4, 24));
    assert.equal(authorization?.split('Signature=')[1], signature);
  });
}

test('a session token is sent and signed', () => {
  const url = new URL('https://examplebucket.s3.amazonaws.com/test.txt');
  const session = { ...credentials, sessionToken: 'token' };
  const headers = signedHeaders({ method: 'GET', url }, session, 'us-east-1', 0);
  assert.equal(headers['x-amz-security-token'], 'token');
  assert.match(
    headers['authorization'] ?? '',
    /SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token/,
  );
});
