/** Reads what a request asks for: a field that is no single text counts as not given. */
import type { FastifyRequest } from 'fastify';

const fieldCharactersMax = 500;

export function fieldOf(query: unknown, name: string): string | null {
  if (typeof query !== 'object' || query === null || !Object.hasOwn(query, name)) return null;
  const value: unknown = Reflect.get(query, name);
  return typeof value === 'string' && value !== '' && value.length <= fieldCharactersMax ? value : null;
}

/** A whole number from 0. */
export function numberOf(query: unknown, name: string): number | null {
  const text = fieldOf(query, name);
  return text !== null && /^\d{1,12}$/.test(text) ? Number(text) : null;
}

export function parameterOf(request: FastifyRequest, name: string): string {
  return fieldOf(request.params, name) ?? '';
}
