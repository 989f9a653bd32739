/** Addresses as they are read out. Pure. */

/** Return an address without what nobody needs to type. */
export function plainAddress(address: string): string {
  return address.replace(/^http:\/\//, "").replace(/\/$/, "");
}
