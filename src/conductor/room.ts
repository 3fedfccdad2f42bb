/**
 * Room on the disk of the state folder, where logs, artifacts and the embedded journal grow. Before it is full no more
 * attempts are begun: those that run may end and be kept, and all goes on by itself when there is room again.
 */
import { formatBytes } from '../std/bytes.ts';
import { messageOfError } from '../std/error-message.ts';
import { conductorLimits, type ConductorPorts, type DiskSpace } from './ports.ts';

export class Room {
  readonly #ports: Pick<ConductorPorts, 'diskSpace' | 'log'>;
  #lack: string | null = null;
  #isUnknown = false;

  constructor(ports: Pick<ConductorPorts, 'diskSpace' | 'log'>) {
    this.#ports = ports;
  }

  /** Why nothing is begun, in words; null: there is room. */
  get lack(): string | null {
    return this.#lack;
  }

  /** True where there is room again since the look before. A disk that tells nothing holds nobody up. */
  async look(): Promise<boolean> {
    const { log } = this.#ports;
    const before = this.#lack;
    this.#lack = await this.#lackNow();
    if (before === null && this.#lack !== null)
      log.error(
        { reason: this.#lack },
        'no step is started until there is room: delete files, say `retention`, or make the disk larger',
      );
    if (before === null || this.#lack !== null) return false;
    log.info({}, 'there is room on the disk again; steps are started');
    return true;
  }

  async #lackNow(): Promise<string | null> {
    try {
      const lack = lackOf(await this.#ports.diskSpace());
      this.#isUnknown = false;
      return lack;
    } catch (error) {
      if (!this.#isUnknown)
        this.#ports.log.warn({ error: messageOfError(error) }, 'the free space of the state folder cannot be told');
      this.#isUnknown = true;
      return null;
    }
  }
}

/** Of a small disk a share is enough, of a large one a fixed size. */
function lackOf({ freeBytes, totalBytes }: DiskSpace): string | null {
  const needed = Math.min(totalBytes * conductorLimits.freeShareMin, conductorLimits.freeBytesMin);
  if (freeBytes >= needed) return null;
  return `waits for room on the disk of the state folder (${formatBytes(freeBytes)} free, ${formatBytes(needed)} needed)`;
}
