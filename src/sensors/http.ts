/** Whether an address answers as it should. A redirect is followed, but never from everybody's network into this one. */
import { isIP } from 'node:net';
import { demandReach, guardedLookup, isInternal, RefusedAddress } from './reach.ts';
import { reasonOf, send, type Answer } from './request.ts';
import { sensorLimits, type OutsideSubject, type Reach, type Sight } from './sensors.ts';

export async function lookAtAddress({
  url: text,
  status,
  reach,
}: Extract<OutsideSubject, { kind: 'http' }>): Promise<Sight> {
  const first = addressOf(text, null);
  if (first === null)
    return { kind: 'impossible', reason: `${JSON.stringify(text)} is no address that begins with http:// or https://` };
  if (first.username !== '' || first.password !== '')
    return { kind: 'impossible', reason: `the address of ${first.host} holds a user or a password` };
  try {
    const answer = await follow(first, status, reach);
    if (answer.status === status) return { kind: 'seen', output: { url: text, status } };
    return { kind: 'not-yet', reason: `it answered ${answer.status}, and ${status} is waited for` };
  } catch (error) {
    if (error instanceof RefusedAddress) return { kind: 'impossible', reason: error.message };
    return { kind: 'not-yet', reason: `it cannot be reached: ${reasonOf(error)}` };
  }
}

/** The first answer that is the wanted one, or is no redirect. */
async function follow(first: URL, wanted: number, reachAtFirst: Reach): Promise<Answer> {
  let [url, reach] = [first, reachAtFirst];
  for (let redirects = 0; ; redirects += 1) {
    const answer = await sendGuarded(url, reach);
    const location = answer.header('location');
    if (answer.status === wanted || location === null || !isRedirect(answer.status)) return answer;
    const next = addressOf(location, url);
    if (next === null || redirects >= sensorLimits.redirectsMax) return answer;
    if (answer.address === null || !isInternal(answer.address)) reach = 'public';
    url = next;
  }
}

function sendGuarded(url: URL, reach: Reach): Promise<Answer> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  // An address needs no resolving, so nobody would be asked about it.
  if (isIP(host) !== 0) demandReach(host, host, reach);
  return send(url, { method: 'GET', lookup: guardedLookup(reach), keep: reach });
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

function addressOf(text: string, base: URL | null): URL | null {
  const url = URL.parse(text, base ?? undefined);
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url : null;
}
