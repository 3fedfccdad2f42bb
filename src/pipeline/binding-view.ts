/** A binding one level deep, whichever way it is written: what is literal throughout is kept as one literal. */
import { isJsonObject, type Json } from '../std/json.ts';
import type { Binding } from './definition.ts';

export type BindingView =
  /** Known only in a run: anything, or text. */
  | { readonly kind: 'reference' | 'template' }
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | null }
  | { readonly kind: 'list'; readonly items: readonly Binding[] }
  | { readonly kind: 'record'; readonly fields: ReadonlyMap<string, Binding> };

export function viewOf(binding: Binding): BindingView {
  if ('reference' in binding) return { kind: 'reference' };
  if ('template' in binding)
    return typeof binding.template === 'string' ? { kind: 'scalar', value: binding.template } : { kind: 'template' };
  if ('list' in binding) return { kind: 'list', items: binding.list };
  if ('record' in binding) return { kind: 'record', fields: new Map(Object.entries(binding.record)) };
  return viewOfLiteral(binding.literal);
}

function viewOfLiteral(value: Json): BindingView {
  const literal = (inner: Json): Binding => ({ literal: inner });
  if (value === null || typeof value !== 'object') return { kind: 'scalar', value };
  if (isJsonObject(value))
    return { kind: 'record', fields: new Map(Object.entries(value).map(([name, inner]) => [name, literal(inner)])) };
  return { kind: 'list', items: value.map(literal) };
}

/** What stands at `path` inside of records; null where nothing does. */
export function bindingAt(binding: Binding, path: readonly string[]): Binding | null {
  let found: Binding | null = binding;
  for (const name of path) {
    const view: BindingView | null = found === null ? null : viewOf(found);
    found = view?.kind === 'record' ? (view.fields.get(name) ?? null) : null;
  }
  return found;
}

/** Of a list that is written out; else none. */
export function itemsOf(list: Binding | null): readonly Binding[] {
  const view = list === null ? null : viewOf(list);
  return view?.kind === 'list' ? view.items : [];
}

/** A text that is known before any run; else null. */
export function plainText(value: Binding): string | null {
  const view = viewOf(value);
  return view.kind === 'scalar' && typeof view.value === 'string' ? view.value : null;
}

/** Of a field of a record. */
export function textAt(record: Binding, field: string): string | null {
  const value = bindingAt(record, [field]);
  return value === null ? null : plainText(value);
}
