/** Copies and views of `bytes[start, end)`. */

/** Up to here a view may keep a buffer of any size alive: as much as a copy's scratch buffer would. */
const SMALL_BUFFER_BYTES = 16_384

/** True when a view of `size` bytes does not keep much more than that alive. */
export function mayView(bytes: Uint8Array, size: number): boolean {
  return bytes.length <= SMALL_BUFFER_BYTES || size * 4 >= bytes.buffer.byteLength
}

/** `bytes[start, end)` as a Buffer, not copied. */
export function view(bytes: Uint8Array, start: number, end: number): Buffer {
  if (Buffer.isBuffer(bytes)) return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
}

/** Below this a loop beats the making of a view (measured: they meet at 16 to 32 bytes). */
const LOOP_BYTES = 24

/** Copies `bytes[start, end)` to `target` at `offset`. */
export function copyRange(target: Uint8Array, offset: number, bytes: Uint8Array, start: number, end: number): void {
  if (end - start <= LOOP_BYTES) {
    for (let from = start, to = offset; from < end; from++, to++) target[to] = bytes[from] as number
  } else if (start === 0 && end === bytes.length) {
    target.set(bytes, offset)
  } else {
    target.set(bytes.subarray(start, end), offset)
  }
}
