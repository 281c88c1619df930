/** What the schemas of the config's sections are made of. */
import * as z from 'zod'
import type { FieldInfo } from '../sdk/schema.ts'

/** `process`: takes a restart of Omnigate. The rest as in the SDK. */
type ConfigReloadClass = NonNullable<FieldInfo['x-reload']> | 'process'

type Meta = {
  readonly title: string
  readonly description: string
  readonly 'x-reload': ConfigReloadClass
  readonly 'x-unit'?: string
}

export function meta(reload: ConfigReloadClass, title: string, description: string, unit?: string): Meta {
  return { title, description, 'x-reload': reload, ...(unit === undefined ? {} : { 'x-unit': unit }) }
}

export function fieldInfo(reload: NonNullable<FieldInfo['x-reload']>, title: string, description: string): FieldInfo {
  return { title, description, 'x-reload': reload }
}

/** A whole number with a default and bounds. */
export function count(fallback: number, min: number, max: number, info: Meta) {
  return z.int().min(min).max(max).default(fallback).meta(info)
}

/** Added to fields that the SDK's building blocks made, which know of gateways only. */
export const PROCESS = { 'x-reload': 'process' } as const

export const MAX_COUNT = 100_000_000
/** Texts have a length of 16 bits in protocols that carry topics. */
export const MAX_OCTETS = 65_535
/** Packet identifiers are 16 bits wide in every protocol that has them. */
export const MAX_INFLIGHT = 65_535
