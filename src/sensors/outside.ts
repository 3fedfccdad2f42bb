/** The looks of a real server. */
import { unreachable } from '../std/unreachable.ts';
import { lookAtAddress } from './http.ts';
import { lookForObject, type ObjectPorts } from './object.ts';
import type { Sensors } from './sensors.ts';

export function createSensors(ports: ObjectPorts): Sensors {
  return {
    look(subject) {
      switch (subject.kind) {
        case 'http':
          return lookAtAddress(subject);
        case 'object':
          return lookForObject(subject, ports);
        default:
          return unreachable(subject);
      }
    },
  };
}
