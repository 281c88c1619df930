/** A connect under way: what was asked for, and what is still to be answered (MQTT-SN 1.2, 6.2 and 6.3). */
import type { ConnectRefusal, ConnectRequest } from '#sdk'
import { type Of, ReturnCode } from './codec/index.ts'
import type { Luggage } from './place.ts'
import type { WillAnswer, WillDialogue } from './will-dialogue.ts'

export interface Joining {
  /** Undefined for a client that comes from another place. */
  readonly connect: Of<'connect'> | undefined
  readonly dialogue: WillDialogue | undefined
  readonly luggage: Luggage | undefined
  will: WillAnswer | undefined
}

/** The same CONNECT again, since its answer was lost. */
export function isSame(a: Of<'connect'> | undefined, b: Of<'connect'>): boolean {
  return a !== undefined && a.will === b.will && a.cleanSession === b.cleanSession && a.duration === b.duration
}

/** 5.3.10: a broker that is full or away may be better tomorrow. */
export function refusalCode(reason: ConnectRefusal): number {
  return reason === 'quota' || reason === 'unavailable' ? ReturnCode.congestion : ReturnCode.notSupported
}

interface Terms {
  readonly cleanStart: boolean
  readonly expiryMs: number
  readonly keepAliveMs: number
  readonly window: number
  readonly resumeOnly?: boolean
}

export function connectRequest(clientId: string, terms: Terms): ConnectRequest {
  const { cleanStart, expiryMs, keepAliveMs, window, resumeOnly = false } = terms
  return {
    clientId,
    protocol: 'mqtt-sn',
    version: '1.2',
    cleanStart,
    expiryMs,
    keepAliveMs,
    receiveMaximum: window,
    resumeOnly,
    // Also a message without acknowledgement takes its turn: its topic may have to be registered first.
    trackQos0: true,
  }
}
