/**
 * A stream of events for as long as its page is in sight. Browsers keep six connections to a server (HTTP/1.1): with a
 * stream for every tab in the background, the seventh would wait for ever.
 */
export interface Stream {
  close(): void;
}

const hiddenMs = 5000;
const againMs = 5000;

/** `address` is asked at every opening, so that it says how far the page is; `wire` adds the listeners. */
export function openStream(address: () => string, wire: (source: EventSource) => void): Stream {
  let source: EventSource | null = null;
  let closing: number | undefined;
  let opening: number | undefined;
  const open = (): void => {
    clearTimeout(opening);
    const opened = new EventSource(address());
    source = opened;
    wire(opened);
    // It comes back by itself from a lost connection, but not from an answer that is no stream (a proxy's 502).
    opened.addEventListener('error', () => {
      if (opened.readyState !== EventSource.CLOSED || source !== opened) return;
      source = null;
      if (document.visibilityState === 'visible') opening = setTimeout(open, againMs);
    });
  };
  const close = (): void => {
    source?.close();
    source = null;
  };
  const look = (): void => {
    clearTimeout(closing);
    if (document.visibilityState === 'visible') {
      if (source === null) open();
    } else {
      clearTimeout(opening);
      closing = setTimeout(close, hiddenMs);
    }
  };
  document.addEventListener('visibilitychange', look);
  if (document.visibilityState === 'visible') open();
  return {
    close() {
      clearTimeout(closing);
      clearTimeout(opening);
      document.removeEventListener('visibilitychange', look);
      close();
    },
  };
}
