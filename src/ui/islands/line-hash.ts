/** `#L10` and `#L10-L20`: lines in the address, marked in the log. A click on a number sets them, with shift a range. */
export interface LineRange {
  readonly from: number;
  readonly to: number;
}

export function readLineHash(): LineRange | null {
  const match = /^#L(\d{1,12})(?:-L?(\d{1,12}))?$/.exec(location.hash);
  if (match === null) return null;
  const [first, second] = [Number(match[1]), Number(match[2] ?? match[1])];
  return { from: Math.min(first, second), to: Math.max(first, second) };
}

/** Calls now and whenever the address names other lines. */
export function onLineHash(listener: (range: LineRange | null) => void): void {
  listener(readLineHash());
  addEventListener('hashchange', () => listener(readLineHash()));
}

/** Takes clicks on numbers within `root`: a plain one names the line, with shift all from the last one. */
export function rangeClicks(root: HTMLElement): void {
  root.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest<HTMLAnchorElement>('a.n') : null;
    const before = readLineHash();
    if (link === null || !event.shiftKey || before === null) return;
    const line = Number(/#L(\d+)$/.exec(link.href)?.[1] ?? 0);
    event.preventDefault();
    location.hash = `#L${Math.min(before.from, line)}-L${Math.max(before.from, line)}`;
  });
}

/** For logs that stand in the page as a whole. */
export function markLines(log: HTMLElement): void {
  rangeClicks(log);
  onLineHash((range) => {
    for (const line of log.querySelectorAll('.marked')) line.classList.remove('marked');
    if (range === null) return;
    const lineOf = (number: number): HTMLElement | null => log.querySelector(`#L${number}`);
    const first = lineOf(range.from);
    for (let number = range.from; number <= Math.min(range.to, range.from + 10_000); number += 1) {
      lineOf(number)?.classList.add('marked');
    }
    const group = first?.closest('details');
    if (group !== null && group !== undefined) group.open = true;
    first?.scrollIntoView({ block: 'center' });
  });
}
