/** The time as a port: milliseconds since the Unix epoch. Tests and simulations set it; nothing else reads a clock. */
export interface Clock {
  now(): number;
}
