/** Client ids for those that come without one. */

/** One that is not taken. `random` draws bytes. */
export function assignedId(random: (bytes: number) => Uint8Array, isTaken: (id: string) => boolean): string {
  for (;;) {
    const id = `auto-${Buffer.from(random(12)).toString('hex')}`
    if (!isTaken(id)) return id
  }
}
