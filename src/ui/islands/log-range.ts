/** Lines of a log by their numbers, from the server. */
import type { LogPage } from '../../outputs/outputs.ts';
import type { LogIslandData } from '../log-page.ts';

export async function fetchLines({ address }: LogIslandData, from: number, to: number): Promise<LogPage> {
  const response = await fetch(`${address.replace(/log$/, 'lines')}?from=${from}&to=${to}`);
  if (!response.ok) throw new Error(`the lines could not be read: ${response.status}`);
  return (await response.json()) as LogPage;
}
