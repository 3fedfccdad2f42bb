/** Lists are fetched again now and then, while somebody looks: the same page, of which `#fresh` takes the place of the old. */
import { retellTimes } from './clock.ts';

const everyMs = 5000;

export function startRefresh(): void {
  setInterval(() => {
    if (document.visibilityState === 'visible') void refresh().catch(() => undefined);
  }, everyMs);
}

async function refresh(): Promise<void> {
  const response = await fetch(location.href, { headers: { accept: 'text/html' } });
  if (!response.ok) return;
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('#fresh');
  const old = document.querySelector('#fresh');
  if (fresh === null || old === null) return;
  retellTimes(fresh);
  if (fresh.innerHTML === old.innerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement?.getAttribute('href') : null;
  old.replaceWith(document.adoptNode(fresh));
  if (focused === null || focused === undefined) return;
  const again = [...document.querySelectorAll<HTMLElement>('#fresh a')].find(
    (link) => link.getAttribute('href') === focused,
  );
  again?.focus({ preventScroll: true });
}
