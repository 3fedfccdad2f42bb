/** Logs stay at their end while they grow, for readers who are at the end. */
const atEnd = new WeakMap<Element, boolean>();

export function followLogs(root: ParentNode): void {
  requestAnimationFrame(() => {
    for (const box of root.querySelectorAll('[data-log][data-follow]')) {
      if (atEnd.get(box) !== false) box.scrollTop = box.scrollHeight;
      if (atEnd.has(box)) continue;
      atEnd.set(box, true);
      box.addEventListener('scroll', () => atEnd.set(box, box.scrollTop + box.clientHeight >= box.scrollHeight - 24), {
        passive: true,
      });
    }
  });
}
