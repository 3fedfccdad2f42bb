/**
 * On one machine, in place of what lies outside: an object store whose objects are the files below a folder, and the address
 * of the team, which prints what it is told. `node try/outside.mts lake 9000`
 */
import { stat } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join, normalize } from 'node:path';
import { text } from 'node:stream/consumers';

const [folder = 'lake', port = '9000'] = process.argv.slice(2);

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'POST') console.log(await text(request));
  const [, bucket = '', ...key] = new URL(request.url ?? '/', 'http://outside').pathname.split('/');
  const path = join(folder, normalize(`/${key.join('/')}`));
  const file = bucket === 'lake' ? await stat(path).catch(() => null) : null;
  if (request.method === 'HEAD' && file === null) response.writeHead(404);
  else if (file !== null) response.setHeader('last-modified', file.mtime.toUTCString());
  response.end();
}

createServer((request, response) => void answer(request, response)).listen(Number(port), '127.0.0.1');
