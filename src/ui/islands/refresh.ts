/**
 * Lists are fetched again now and then, while somebody looks: the same page, of which `#fresh` is brought up to the new
 * one in place, so that the reader keeps the focus, what was scrolled, selected and opened.
 */
import { readServerTime, retellTimes } from './clock.ts';

const everyMs = 5000;

export function startRefresh(): void {
  setInterval(() => {
    if (document.visibilityState === 'visible') void refresh().catch(() => undefined);
  }, everyMs);
}

async function refresh(): Promise<void> {
  const response = await fetch(location.href, { headers: { accept: 'text/html' } });
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const [fresh, old] = [page.querySelector('#fresh'), document.querySelector('#fresh')];
  if (fresh === null || old === null) return;
  readServerTime(page);
  retellTimes(fresh);
  update(old, fresh);
}

function update(old: Element, fresh: Element): void {
  // Whether something is open is the reader's choice.
  const gone = [...old.attributes].filter(({ name }) => name !== 'open' && !fresh.hasAttribute(name));
  for (const { name } of gone) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const freshKeys = new Set([...fresh.children].map(keyOf));
  const left = [...old.children].filter((child) => keyOf(child) !== null && !freshKeys.has(keyOf(child)));
  for (const child of left) child.remove();
  const byKey = new Map([...old.children].map((child) => [keyOf(child), child]));
  const wanted = [...fresh.childNodes];
  for (const [at, next] of wanted.entries()) {
    const key = keyOf(next);
    const there = old.childNodes[at] ?? null;
    const same = key === null ? there : (byKey.get(key) ?? null);
    byKey.delete(key);
    if (same === null || same.nodeName !== next.nodeName || keyOf(same) !== key) {
      old.insertBefore(document.adoptNode(next), there);
    } else {
      if (same !== there) old.insertBefore(same, there);
      if (same instanceof Element && next instanceof Element) update(same, next);
      else if (same.nodeValue !== next.nodeValue) same.nodeValue = next.nodeValue;
    }
  }
  while (old.childNodes.length > wanted.length) old.lastChild?.remove();
}

/** Rows and items are the same ones by what they lead to, wherever they stand; null: all else, by its place. */
function keyOf(node: Node): string | null {
  if (!(node instanceof Element) || (node.nodeName !== 'TR' && node.nodeName !== 'LI')) return null;
  return node.querySelector('a')?.getAttribute('href') ?? null;
}
