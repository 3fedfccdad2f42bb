/** Channels against a receiver on loopback. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, beforeEach, test } from 'node:test';
import { channelMistakes, createNotifier } from '../../src/notify/channels.ts';
import { notifyLimits, type Channel, type Notifier } from '../../src/notify/notify.ts';
import { payloadSchema } from '../../src/notify/payload.ts';
import { late, openReceiver, status } from './receiver.ts';

const receiver = await openReceiver();
after(() => receiver.close());
beforeEach(() => {
  receiver.arrived.length = 0;
  receiver.answers.length = 0;
});

const now = Date.UTC(2026, 10, 16, 8);
const channels = new Map<string, Channel>([
  ['signed', { kind: 'webhook', url: 'TEAM_URL', key: 'TEAM_KEY' }],
  ['plain', { kind: 'webhook', url: 'TEAM_URL', key: null }],
  ['alerts', { kind: 'slack', url: 'TEAM_URL' }],
]);

function notifier(variables: Readonly<Record<string, string>> = {}, timeoutMs = 60_000): Notifier {
  const all: Readonly<Record<string, string>> = { TEAM_URL: receiver.url, TEAM_KEY: 'key', ...variables };
  const variable = (name: string): string | null => all[name] ?? null;
  return createNotifier({ channels, defaults: [], variable, clock: { now: () => now }, timeoutMs });
}

test('a webhook gets the notification as JSON after the schema, signed over its very bytes', async () => {
  assert.deepEqual(await notifier().send('signed', late), { sent: true });
  const [{ headers, body } = assert.fail()] = receiver.arrived;
  assert.deepEqual(payloadSchema.parse(JSON.parse(body)), late);
  const signature = createHmac('sha256', 'key').update(body).digest('hex');
  assert.equal(headers['x-contender-signature'], `sha256=${signature}`);
  assert.deepEqual(
    [headers['content-type'], headers['x-contender-event'], headers['x-contender-id']],
    ['application/json', 'deadline-missed', '01run/deadline-missed'],
  );
});

test('without a key nothing is signed', async () => {
  await notifier().send('plain', late);
  assert.equal(receiver.arrived[0]?.headers['x-contender-signature'], undefined);
});

test('Slack gets a line and blocks, in which nothing that a run says mentions anybody or becomes a link', async () => {
  const reason = 'train failed: <!channel> & <https://evil.example|click>';
  assert.deepEqual(await notifier().send('alerts', { ...late, event: 'run-failed', reason }), { sent: true });
  const message: unknown = JSON.parse(receiver.arrived[0]?.body ?? '');
  assert.deepEqual(message, {
    text: ':x: weekly-churn #12 missed its deadline',
    blocks: [
      {
        type: 'section',
        text: {
          type: 'mrkdwn',
          text:
            '*<https://contender.example/runs/01run|:x: weekly-churn #12 missed its deadline>*\n' +
            'train failed: &lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;',
        },
      },
      {
        type: 'context',
        elements: [{ type: 'mrkdwn', text: 'shop/models · aaaaaaa · schedule · run 01run' }],
      },
    ],
  });
});

test('a long reason is cut to what Slack takes', async () => {
  await notifier().send('alerts', { ...late, reason: 'x'.repeat(100_000) });
  assert.ok((receiver.arrived[0]?.body.length ?? Infinity) < 3000);
});

test('an answer that is no success is a reason, and a redirect is none to follow', async () => {
  receiver.answers.push(status(500), status(302, { location: `${receiver.url}/elsewhere` }));
  const to = notifier();
  assert.deepEqual(await to.send('plain', late), { sent: false, reason: 'it answered 500', retryAt: null });
  assert.deepEqual(await to.send('plain', late), { sent: false, reason: 'it answered 302', retryAt: null });
  assert.equal(receiver.arrived.length, 2);
});

test('a receiver names the time to ask again in seconds or as a date, and never a day', async () => {
  const date = new Date(now + 120_000).toUTCString();
  for (const text of ['90', date, '86400', 'soon', '-5']) receiver.answers.push(status(429, { 'retry-after': text }));
  const to = notifier();
  const waits: (number | null)[] = [];
  for (let count = 0; count < 5; count += 1) {
    const sent = await to.send('plain', late);
    assert.equal(sent.sent, false);
    waits.push(sent.retryAt === null ? null : sent.retryAt - now);
  }
  assert.deepEqual(waits, [90_000, 120_000, notifyLimits.retryAfterMaxMs, null, null]);
});

test('a receiver that does not answer is given up in time', async () => {
  receiver.answers.push(() => undefined);
  const sent = await notifier({}, 50).send('plain', late);
  assert.deepEqual(sent, { sent: false, reason: 'no answer in 0.05 s', retryAt: null });
});

test('what is said of an address that leads nowhere never repeats it', async () => {
  const gone = await openReceiver();
  gone.close();
  const cases: readonly (readonly [string, RegExp])[] = [
    [gone.url, /^it cannot be reached: ECONNREFUSED$/],
    ['ftp://receiver.example/geheim', /^CONTENDER_NOTIFY_TEAM_URL is no address/],
    ['geheim', /^CONTENDER_NOTIFY_TEAM_URL is no address/],
    ['https://mona:geheim@receiver.example/', /holds a user or a password/],
  ];
  for (const [url, says] of cases) {
    const sent = await notifier({ TEAM_URL: url }).send('plain', late);
    const reason = sent.sent ? '' : sent.reason;
    assert.match(reason, says);
    assert.doesNotMatch(reason, /geheim/);
  }
});

test('a channel that is not declared, or whose variables are not set, says so', async () => {
  const none = createNotifier({ channels, defaults: [], variable: () => null, clock: { now: () => now } });
  const reasonOf = async (name: string): Promise<string> => {
    const sent = await none.send(name, late);
    return sent.sent ? '' : sent.reason;
  };
  assert.equal(await reasonOf('nobody'), 'there is no channel "nobody" in contender.yaml');
  assert.equal(await reasonOf('plain'), 'CONTENDER_NOTIFY_TEAM_URL is not set');
  const onlyUrl = (name: string): string | null => (name === 'TEAM_URL' ? receiver.url : null);
  assert.deepEqual(channelMistakes({ channels, variable: onlyUrl }), [
    { channel: 'signed', mistake: 'CONTENDER_NOTIFY_TEAM_KEY is not set' },
  ]);
});

test('of a tick that was missed there is no run to lead to', async () => {
  const missed = { ...late, event: 'tick-missed', summary: 'churn missed its schedule', run: null } as const;
  await notifier().send('alerts', missed);
  const { text, blocks } = JSON.parse(receiver.arrived[0]?.body ?? '');
  assert.equal(text, ':warning: churn missed its schedule');
  assert.equal(blocks[1].elements[0].text, late.repository);
});
