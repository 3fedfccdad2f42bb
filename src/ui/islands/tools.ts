/** The tools in the head of every page: the zone of times, and the list of keys. */
import { effect } from '@preact/signals';
import { store, stored, switchZone, watch } from './clock.ts';

const keysKey = 'contender.keys';

/** Keys for where one is anyway: the browser's own and the page's stay as they are. */
const keys: readonly (readonly [key: string, meaning: string])[] = [
  ['?', 'this list'],
  ['j', 'next row'],
  ['k', 'row before'],
  ['Enter', 'open the row'],
  ['/', 'filter or search'],
  ['l', 'the whole log'],
  ['u', 'up: from the log to its run, from a run to the list'],
  ['t', 'times in UTC or local'],
  ['g', 'all runs'],
];

export function startTools(): void {
  const tools = document.querySelector('#tools');
  if (tools === null) return;
  const zone = button('', () => switchZone());
  effect(() => {
    zone.textContent = watch.value.zone === 'utc' ? 'UTC' : 'Local';
    zone.setAttribute(
      'aria-label',
      watch.value.zone === 'utc' ? 'Times are UTC, show local ones' : 'Times are local, show UTC',
    );
  });
  const dialog = keysDialog();
  const help = button('?', () => dialog.showModal());
  help.setAttribute('aria-label', 'List of keys');
  tools.append(zone, help);
  document.body.append(dialog);
  document.addEventListener('keydown', (event) => {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      dialog.open ||
      isTyping(event.target) ||
      stored(keysKey) === 'off'
    )
      return;
    if (perform(event.key, dialog)) event.preventDefault();
  });
}

function perform(key: string, dialog: HTMLDialogElement): boolean {
  switch (key) {
    case '?':
      dialog.showModal();
      return true;
    case 'j':
      return moveRow(1);
    case 'k':
      return moveRow(-1);
    case 't':
      switchZone();
      return true;
    case 'g':
      location.assign('/runs');
      return true;
    case '/':
    case 'l':
    case 'u':
      return use(key);
    default:
      return false;
  }
}

/** Elements say by `data-key` which key is theirs. */
function use(key: string): boolean {
  const element = document.querySelector<HTMLElement>(`[data-key="${key}"]`);
  if (element === null) return false;
  element.focus();
  if (element instanceof HTMLAnchorElement) element.click();
  return true;
}

function moveRow(by: number): boolean {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row] th a')];
  const at = rows.findIndex((link) => link === document.activeElement);
  const next = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + by))];
  next?.focus();
  return next !== undefined;
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|SELECT|TEXTAREA)$/.test(target.tagName))
  );
}

function keysDialog(): HTMLDialogElement {
  const dialog = document.createElement('dialog');
  dialog.setAttribute('aria-labelledby', 'keys-title');
  const title = document.createElement('h2');
  title.id = 'keys-title';
  title.textContent = 'Keys';
  const list = document.createElement('dl');
  for (const [key, meaning] of keys) {
    const [term, text, cap] = [
      document.createElement('dt'),
      document.createElement('dd'),
      document.createElement('kbd'),
    ];
    cap.textContent = key;
    term.append(cap);
    text.textContent = meaning;
    list.append(term, text);
  }
  const [label, box] = [document.createElement('label'), document.createElement('input')];
  box.type = 'checkbox';
  box.checked = stored(keysKey) !== 'off';
  box.addEventListener('change', () => store(keysKey, box.checked ? 'on' : 'off'));
  label.append(box, 'Single keys do something');
  dialog.append(
    title,
    list,
    label,
    button('Close', () => dialog.close()),
  );
  return dialog;
}

function button(text: string, press: () => void): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = text;
  element.addEventListener('click', press);
  return element;
}
