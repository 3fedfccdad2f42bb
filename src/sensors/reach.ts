/**
 * Which addresses a look may connect to. A definition names an address and the server's network is not everybody's, so
 * the check is on the IP address that is connected to, after the name was resolved, and for each redirect again: a name
 * that means another address the second time gains nothing. Never reached are link-local addresses, where clouds keep the
 * credentials of their machines.
 */
import { lookup, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { Reach } from './sensors.ts';

const never = blockListOf([
  ['0.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 128, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
  // The metadata of Amazon's machines, again.
  ['fd00:ec2::254', 128, 'ipv6'],
]);

const internal = blockListOf([
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['::1', 128, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  // IPv6 addresses that stand for IPv4 ones behind a translator.
  ['64:ff9b::', 96, 'ipv6'],
  ['64:ff9b:1::', 48, 'ipv6'],
  ['2002::', 16, 'ipv6'],
]);

/** Not to be connected to; the message is a sentence for the user. */
export class RefusedAddress extends Error {}

export function isInternal(address: string): boolean {
  return internal.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** Throws a `RefusedAddress`. `host`: as it was written. */
export function demandReach(host: string, address: string, reach: Reach): void {
  const shown = host === address ? address : `${host} is ${address}, which`;
  if (never.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
    throw new RefusedAddress(`${shown} is an address that is never looked at`);
  if (reach === 'public' && isInternal(address))
    throw new RefusedAddress(`${shown} is an address inside of the network, which may not be looked at from here`);
}

/** Resolves a name once; what is connected to is what was checked. */
export function guardedLookup(reach: Reach): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error: Error | null, addresses: LookupAddress[]) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) return callback(error ?? new Error(`${host} has no address`), '');
      try {
        for (const { address } of addresses) demandReach(host, address, reach);
      } catch (refusal) {
        return callback(refusal instanceof Error ? refusal : new Error(String(refusal)), '');
      }
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function blockListOf(subnets: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[]): BlockList {
  const list = new BlockList();
  for (const [net, prefix, family] of subnets) list.addSubnet(net, prefix, family);
  return list;
}
