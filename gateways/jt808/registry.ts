/** What the HTTP service that decides on registrations is asked, and what it may say: JSON as on EMQX. */
import * as z from 'zod'
import type { Answer } from '#sdk'
import { type Of, presentBody, Result } from './codec/index.ts'

/** The body of the registration under its names, and the phone. */
export function registrationQuestion(message: Of<'register'>): object {
  const { edition: _, ...body } = presentBody(message) as Record<string, unknown>
  return { ...body, phone: message.header.phone }
}

/** Octets of a code that every terminal can take: one octet counts them in 2019. */
const MAX_CODE = 200

/** `code`: 0, or why not (JT/T 808 8.6). */
const decision = z.union([
  z.object({ code: z.literal(Result.ok), authcode: z.string().min(1).max(MAX_CODE) }),
  z.object({ code: z.int().min(1).max(4), authcode: z.unknown().optional() }),
])

export interface Decision {
  /** Of 0x8100. */
  readonly result: number
  readonly code: string
}

/** Undefined when the service decided nothing: it failed, or said something else. */
export function readRegistration(answer: Answer): Decision | undefined {
  if (!answer.ok || answer.status !== 200) return undefined
  const parsed = decision.safeParse(jsonOf(answer.text))
  if (!parsed.success) return undefined
  const { code, authcode } = parsed.data
  return { result: code, code: code === Result.ok ? (authcode as string) : '' }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
