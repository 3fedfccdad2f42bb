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
  let timer: number | undefined;
  const open = (): void => {
    clearTimeout(timer);
    const opened = new EventSource(address());
    source = opened;
    wire(opened);
    // It comes back by itself from a lost connection, but not from an answer that is no stream (a proxy's 502).
    opened.addEventListener('error', () => {
      if (opened.readyState === EventSource.CLOSED && source === opened) timer = setTimeout(open, againMs);
    });
  };
  const look = (): void => {
    clearTimeout(timer);
    if (document.visibilityState === 'visible') {
      if (source === null) open();
    } else {
      timer = setTimeout(() => {
        source?.close();
        source = null;
      }, hiddenMs);
    }
  };
  document.addEventListener('visibilitychange', look);
  open();
  return {
    close() {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', look);
      source?.close();
      source = null;
    },
  };
}
