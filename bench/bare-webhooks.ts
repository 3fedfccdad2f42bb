/**
 * The least that a server of webhooks can be: `node:http`, the signature checked, the body in a table that is safe on
 * disk, 202. What it takes is the limit of the machine for what Contender's server is measured in. Takes the folder of
 * its table; says its address on a line of standard output.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { DatabaseSync } from 'node:sqlite';

const [folder = '.', secret = ''] = process.argv.slice(2);
const database = new DatabaseSync(join(folder, 'deliveries.sqlite'));
database.exec(
  'pragma journal_mode = wal; pragma synchronous = full; create table deliveries (id integer primary key, body text)',
);
const insert = database.prepare('insert into deliveries (body) values (?)');

const server = createServer((request, response) => {
  void (async () => {
    const body = await buffer(request);
    const wanted = Buffer.from(`sha256=${createHmac('sha256', secret).update(body).digest('hex')}`);
    const signature = Buffer.from(String(request.headers['x-hub-signature-256']));
    const signed = signature.length === wanted.length && timingSafeEqual(signature, wanted);
    if (signed) insert.run(body.toString());
    response.writeHead(signed ? 202 : 401).end();
  })();
});
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
