/**
 * The one way in which pages show time: how long ago, and the moment itself beside it, in UTC or in the reader's own
 * zone. A `Watch` says which and what time it is now; on the server it is always UTC.
 */
import { formatDuration } from '../std/duration.ts';
import { html, type Markup } from './html.ts';

export interface Watch {
  /** Milliseconds since the epoch, by the server's clock. */
  readonly now: number;
  readonly zone: 'utc' | 'local';
}

/** `3 min ago · 2026-01-05 14:02:11 UTC`. The parts have classes: pages without a program of their own update them by these. */
export function timeOf(at: number, watch: Watch): Markup {
  return html`<time datetime=${new Date(at).toISOString()}><span class="ago">${agoText(at, watch.now)}</span>${' '}<span class="moment">${momentText(at, watch.zone)}</span></time>`;
}

/** `just now`, `12 s ago`, `3 h ago`, `in 5 min`. */
export function agoText(at: number, now: number): string {
  const ms = Math.abs(now - at);
  if (ms < 1500) return 'just now';
  const amount = roughly(ms);
  return at <= now ? `${amount} ago` : `in ${amount}`;
}

function roughly(ms: number): string {
  const units: readonly (readonly [number, string])[] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'min'],
    [1000, 's'],
  ];
  for (const [unitMs, name] of units) {
    if (ms >= unitMs) return `${Math.floor(ms / unitMs)} ${name}`;
  }
  return '1 s';
}

/** `2026-01-05 14:02:11 UTC`, or with the offset of the reader's zone at that moment. */
export function momentText(at: number, zone: Watch['zone']): string {
  return `${dayText(at, zone)} ${clockText(at, zone)} ${zoneText(at, zone)}`;
}

function dayText(at: number, zone: Watch['zone']): string {
  return wall(at, zone).toISOString().slice(0, 10);
}

/** `14:02:11`. */
export function clockText(at: number, zone: Watch['zone']): string {
  return wall(at, zone).toISOString().slice(11, 19);
}

export function zoneText(at: number, zone: Watch['zone']): string {
  if (zone === 'utc') return 'UTC';
  const minutes = -new Date(at).getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '−' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

export function durationText(ms: number): string {
  return formatDuration(Math.max(0, ms));
}

/** A date whose UTC fields are what the wall clock of the zone shows. */
function wall(at: number, zone: Watch['zone']): Date {
  return new Date(zone === 'utc' ? at : at - new Date(at).getTimezoneOffset() * 60_000);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
