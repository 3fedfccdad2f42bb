import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Whether `nohup` started this process, at a terminal. It has SIGHUP ignored, which Node takes back when it begins, with all
 * that it was given for signals; what is left to see is its standard input: /dev/null, opened for writing. False where there
 * is no /proc.
 */
export function isUnderNohup(): boolean {
  try {
    const [, flags = ''] = /^flags:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/fdinfo/0', 'utf8')) ?? [];
    // The last two bits are the mode: 1 is for writing alone.
    return /[15]$/.test(flags) && readlinkSync('/proc/self/fd/0') === '/dev/null';
  } catch {
    return false;
  }
}
