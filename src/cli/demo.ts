import type { ExitStatus } from './exit-status.ts';

export async function demo(_options: { readonly once: boolean; readonly port: number; readonly folder: string | null }): Promise<ExitStatus> {
  throw new Error('to be written');
}
