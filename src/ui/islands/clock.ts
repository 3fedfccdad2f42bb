/** The reader's watch: the server's clock, carried on by the browser, in the zone that the reader chose. */
import { signal } from '@preact/signals';
import { agoText, momentText, type Watch } from '../time.ts';

const zoneKey = 'contender.zone';

export const watch = signal<Watch>({ now: Date.now(), zone: storedZone() });

/** Server's time minus the browser's. */
let ahead = 0;

export function setServerTime(now: number): void {
  ahead = now - Date.now();
}

/** From a page as it was served. */
export function readServerTime(page: ParentNode): void {
  const now = Number(page.querySelector<HTMLElement>('#main')?.dataset['now']);
  if (now > 0) setServerTime(now);
}

export function tick(): void {
  watch.value = { ...watch.peek(), now: Date.now() + ahead };
}

export function serverNow(): number {
  return Date.now() + ahead;
}

export function switchZone(): void {
  const zone = watch.peek().zone === 'utc' ? 'local' : 'utc';
  store(zoneKey, zone);
  watch.value = { now: serverNow(), zone };
}

function storedZone(): Watch['zone'] {
  return stored(zoneKey) === 'local' ? 'local' : 'utc';
}

/** Null where the browser keeps nothing for us. */
export function stored(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function store(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Then the choice lasts as long as the page.
  }
}

/** Times on a page without an island of its own. */
export function retellTimes(root: ParentNode): void {
  const { now, zone } = watch.peek();
  for (const element of root.querySelectorAll('time[datetime]')) {
    const at = Date.parse(element.getAttribute('datetime') ?? '');
    if (Number.isNaN(at)) continue;
    const [ago, moment] = [element.querySelector('.ago'), element.querySelector('.moment')];
    if (ago !== null) ago.textContent = agoText(at, now);
    if (moment !== null) moment.textContent = momentText(at, zone);
  }
}
