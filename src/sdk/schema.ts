/**
 * Config building blocks for gateways that write their schema in zod: values that people write (`"8s"`, `"64KiB"`)
 * and programs compute with (ms, bytes). Import as `#sdk/schema`; the SDK itself does not need zod.
 */
import * as z from 'zod'

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const UNIT_BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** How a reload may apply a changed value. */
export type ReloadClass = 'live' | 'listener' | 'gateway'

export type FieldInfo = {
  readonly title: string
  readonly description?: string
  readonly 'x-reload'?: ReloadClass
}

/** `"500ms"`, `"8s"`, `"15m"`, `"2h"`, `"7d"` to milliseconds. */
export function duration(fallback: string, info: FieldInfo) {
  return z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h|d)$/, 'write a duration such as "8s", "500ms" or "2h"')
    .transform(durationMs)
    .prefault(fallback)
    .meta({ ...info, 'x-unit': 'duration' })
}

export function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(text)
  return Math.round(Number(match?.[1]) * (UNIT_MS[match?.[2] ?? ''] ?? Number.NaN))
}

/** `"512B"`, `"64KiB"`, `"1MiB"` to bytes. */
export function size(fallback: string, info: FieldInfo) {
  return z
    .string()
    .regex(/^\d+(\.\d+)?(B|KiB|MiB|GiB)$/, 'write a size such as "512B", "64KiB" or "1MiB"')
    .transform(sizeBytes)
    .prefault(fallback)
    .meta({ ...info, 'x-unit': 'size' })
}

export function sizeBytes(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z]+)$/.exec(text)
  return Math.round(Number(match?.[1]) * (UNIT_BYTES[match?.[2] ?? ''] ?? Number.NaN))
}
