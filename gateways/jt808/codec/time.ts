/** BCD times, which are Beijing's wherever the vehicle is (JT/T 808 4.2, table 23). */

const BEIJING_H = 8
const CENTURY = 2000

/** `YYMMDDhhmmss` at GMT+8 as RFC 3339 in UTC; undefined when it is no time (zeros, letters, the 31st of February). */
export function utcOf(time: string): string | undefined {
  const month = pair(time, 2)
  const day = pair(time, 4)
  const hour = pair(time, 6)
  const minute = pair(time, 8)
  const second = pair(time, 10)
  const year = CENTURY + pair(time, 0)
  if (!(year >= CENTURY && month >= 1 && month <= 12 && hour < 24 && minute < 60 && second < 60)) return undefined
  if (!(day >= 1 && day <= daysIn(year, month))) return undefined
  const date = hour < BEIJING_H ? dayBefore(year, month, day) : `${year}-${time.slice(2, 4)}-${time.slice(4, 6)}`
  return `${date}T${two((hour + 24 - BEIJING_H) % 24)}:${time.slice(8, 10)}:${time.slice(10, 12)}Z`
}

/** Milliseconds since the epoch as `YYMMDDhhmmss` in UTC: the server's time, 0x8004 (2019: 8.6). */
export function utcDigits(ms: number): string {
  return new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)
}

/** Two digits as a number; NaN when they are none. */
function pair(time: string, at: number): number {
  const tens = time.charCodeAt(at) - 0x30
  const ones = time.charCodeAt(at + 1) - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? 10 * tens + ones : Number.NaN
}

function dayBefore(year: number, month: number, day: number): string {
  return new Date(Date.UTC(year, month - 1, day - 1)).toISOString().slice(0, 10)
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value)
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 ? 29 : 28 // 2000 to 2099
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
