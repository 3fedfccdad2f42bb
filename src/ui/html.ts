/**
 * `html` writes markup as tagged templates: the same functions render on the server and in the browser. Every value is
 * escaped by Preact; nothing here or elsewhere sets inner HTML. Components are plain functions that are called, not
 * named in the template, so the compiler checks what they are given.
 */
import { html as template } from 'htm/preact';
import type { ComponentChildren } from 'preact';

export type Markup = ComponentChildren;

export const html: (strings: TemplateStringsArray, ...values: readonly unknown[]) => Markup = template;

/** An address from outside as a link's target: only web addresses, nothing that could run. */
export function webAddress(url: string | null): string | null {
  return url !== null && /^https?:\/\/[^\s]+$/i.test(url) ? url : null;
}
