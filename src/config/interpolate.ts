/**
 * `${NAME}` and `${NAME:default}` in values: upper case names are environment variables. Lower case names, such as
 * `${clientid}`, are placeholders of a gateway and stay; `$${NAME}` is the text `${NAME}`.
 */

export type Environment = Readonly<Record<string, string | undefined>>

export interface Interpolated {
  readonly text: string
  /** Variables that are not set and have no default. */
  readonly missing: readonly string[]
  /** True when the text held a reference (or an escaped one). */
  readonly changed: boolean
}

const REFERENCE = /\$(?<escaped>\$)?\{(?<name>[A-Z_][A-Z0-9_]*)(?::(?<fallback>[^}]*))?\}/g

export function interpolate(text: string, environment: Environment): Interpolated {
  if (!text.includes('${')) return { text, missing: [], changed: false }
  const missing: string[] = []
  let changed = false
  const result = text.replace(
    REFERENCE,
    (reference: string, escaped: string | undefined, name: string, fallback: string | undefined) => {
      changed = true
      if (escaped !== undefined) return reference.slice(1)
      const value = environment[name] ?? fallback
      if (value === undefined) missing.push(name)
      return value ?? ''
    },
  )
  return { text: result, missing, changed }
}
