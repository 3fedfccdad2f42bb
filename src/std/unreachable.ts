/** Ends every `switch` over a closed union: the compiler proves that no case is missing, and a bug throws. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
