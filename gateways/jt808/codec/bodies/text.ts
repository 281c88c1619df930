/** Text as it stands in a message, and as it is shown. */
import { wellFormed } from '#bytes/gbk'

/**
 * Devices pad with NUL at either end, terminate with one, or pad with spaces; octets that are no GBK character show as
 * U+FFFD.
 */
export function shown(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && text.charCodeAt(start) === 0) start++
  while (end > start && text.charCodeAt(end - 1) === 0) end--
  while (end > start && text.charCodeAt(end - 1) === 0x20) end--
  return wellFormed(text.slice(start, end))
}
